package storage

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/oauth"
)

// OAuthGrants implements oauth.GrantStore and oauth.EndingStore.
type OAuthGrants struct{ DB *DB }

var (
	_ oauth.GrantStore  = OAuthGrants{}
	_ oauth.EndingStore = OAuthGrants{}
)

// InTx implements oauth.GrantStore.
func (s OAuthGrants) InTx(ctx context.Context, f func(ctx context.Context) error) error {
	return s.DB.InTx(ctx, f)
}

// AppendEvent implements oauth.GrantStore.
func (s OAuthGrants) AppendEvent(ctx context.Context, e directory.Event) error {
	return Directory(s).AppendEvent(ctx, e)
}

// grantColumns are scanned by grantFields, in this order.
const grantColumns = `id, client_id, user_id, session_id, scopes, audience, acr, amr, auth_time, redirect_uri, nonce,
	code_challenge, code_hash, code_expires_at, code_redeemed_at, refresh_hash, previous_refresh_hash, refreshed_at,
	created_at, expires_at, subject, claims, dpop_jkt`

func grantFields(g *oauth.Grant) []any {
	return []any{
		&g.ID, &g.ClientID, &g.UserID, &g.SessionID, listInto(&g.Scopes), listInto(&g.Audience), &g.ACR, listInto(&g.AMR),
		timeInto(&g.AuthTime), &g.RedirectURI, &g.Nonce, &g.CodeChallenge, &g.CodeHash, timeInto(&g.CodeExpiresAt),
		timeInto(&g.CodeRedeemedAt), &g.RefreshHash, &g.PreviousRefreshHash, timeInto(&g.RefreshedAt),
		timeInto(&g.CreatedAt), timeInto(&g.ExpiresAt), &g.Subject, &g.Claims, &g.KeyThumbprint,
	}
}

// liveUser holds for a grant whose user may act, and signed in with the
// password that still counts.
const liveUser = `exists (select 1 from users u where u.id = grants.user_id and u.state = 'active' and u.failed_login_count < $1
	and (u.password_changed_at is null or u.password_changed_at <= grants.auth_time))`

const (
	insertGrant = `
		insert into grants (id, client_id, user_id, session_id, scopes, audience, acr, amr, auth_time, redirect_uri,
			nonce, code_challenge, code_hash, code_expires_at, created_at, expires_at, subject, claims, dpop_jkt)`
	grantValues = ` $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19`

	insertParticipation = `
		insert into session_clients (session_id, client_id, sid, subject, created_at)
		select id, $1, id, $2, $3 from sessions where id = $4 and expires_at > $3`
	// keepSession makes whoever ends the session wait for the grant. It keeps no
	// other grant of the session waiting. SQLite, which has one writer, needs no word for it.
	keepSession     = ` for key share`
	orParticipating = `
		on conflict (session_id, client_id, sid) do update set subject = excluded.subject
		where session_clients.subject <> excluded.subject`
)

func grantArgs(g *oauth.Grant) []any {
	return []any{
		g.ID, g.ClientID, g.UserID, g.SessionID, g.Scopes, g.Audience, g.ACR, g.AMR, g.AuthTime, g.RedirectURI,
		g.Nonce, g.CodeChallenge, g.CodeHash, g.CodeExpiresAt, g.CreatedAt, g.ExpiresAt, g.Subject, g.Claims, g.KeyThumbprint,
	}
}

// CreateGrant implements oauth.GrantStore. Whoever ends the session meanwhile
// waits for this grant, or this grant finds no session.
func (s OAuthGrants) CreateGrant(ctx context.Context, g *oauth.Grant) error {
	if g.SessionID == uuid.Nil {
		return s.DB.later(ctx, statement{query: insertGrant + ` values (` + grantValues + `)`, args: grantArgs(g)})
	}
	participation := statement{query: insertParticipation + orParticipating,
		args: []any{g.ClientID, cmp.Or(g.Subject, g.UserID.String()), g.CreatedAt, g.SessionID}}
	if s.DB.Engine == PostgreSQL {
		participation.query = insertParticipation + keepSession + orParticipating
	}
	return s.DB.later(ctx, participation, statement{
		query: insertGrant + ` select ` + grantValues + ` from sessions where id = $4 and expires_at > $15`,
		args:  grantArgs(g), otherwise: directory.ErrNotFound,
	})
}

// Grant implements oauth.GrantStore.
func (s OAuthGrants) Grant(ctx context.Context, id uuid.UUID) (*oauth.Grant, error) {
	return s.grant(ctx, `select `+grantColumns+` from grants where id = $1`, id)
}

// RedeemCode implements oauth.GrantStore.
func (s OAuthGrants) RedeemCode(ctx context.Context, x oauth.Exchange) (*oauth.Grant, error) {
	return s.grant(ctx, `
		update grants set code_redeemed_at = $2, refresh_hash = $3, refreshed_at = $2,
			dpop_jkt = case when dpop_jkt in ('', $7) then $8 else dpop_jkt end
		where id = $4 and code_hash = $5 and client_id = $6 and code_redeemed_at is null and code_expires_at > $2 and `+liveUser+`
		returning `+grantColumns,
		directory.MaxFailedLogins, x.At, x.Refresh, x.Grant, x.Presented, x.ClientID, x.Key, x.RefreshKey)
}

// Rotate implements oauth.GrantStore.
func (s OAuthGrants) Rotate(ctx context.Context, x oauth.Exchange) (*oauth.Grant, error) {
	return s.grant(ctx, `
		update grants set previous_refresh_hash = refresh_hash, refresh_hash = $3, refreshed_at = $2, dpop_jkt = $7
		where id = $4 and refresh_hash = $5 and client_id = $6 and expires_at > $2 and dpop_jkt in ('', $7) and `+liveUser+`
		returning `+grantColumns,
		directory.MaxFailedLogins, x.At, x.Refresh, x.Grant, x.Presented, x.ClientID, x.RefreshKey)
}

func (s OAuthGrants) grant(ctx context.Context, query string, args ...any) (*oauth.Grant, error) {
	var g oauth.Grant
	if err := s.DB.row(ctx, query, args, grantFields(&g)...); err != nil {
		return nil, err
	}
	return &g, nil
}

// DeleteGrant implements oauth.GrantStore. Opaque tokens go with their grant.
func (s OAuthGrants) DeleteGrant(ctx context.Context, id uuid.UUID) (bool, error) {
	n, err := s.DB.exec(ctx, `delete from grants where id = $1`, id)
	return n > 0, err
}

// fromLiveGrant finds a grant and its user, if both are good for the token.
const fromLiveGrant = ` from grants g join users u on u.id = g.user_id
	where g.id = $1 and u.state = 'active' and u.failed_login_count < $2
	and (u.password_changed_at is null or u.password_changed_at <= g.auth_time)
	and not exists (select 1 from revoked_tokens r where r.jti = $3)`

// UserOfGrant implements oauth.GrantStore.
func (s OAuthGrants) UserOfGrant(ctx context.Context, grant uuid.UUID, jti string) (*directory.User, string, error) {
	var u directory.User
	var claims string
	err := s.DB.row(ctx, `select `+userColumns+`, g.claims`+fromLiveGrant,
		[]any{grant, directory.MaxFailedLogins, jti}, append(userFields(&u), &claims)...)
	if err != nil {
		return nil, "", err
	}
	return &u, claims, nil
}

// LiveGrant implements oauth.GrantStore.
func (s OAuthGrants) LiveGrant(ctx context.Context, grant uuid.UUID, jti string) (uuid.UUID, error) {
	var user uuid.UUID
	err := s.DB.row(ctx, `select u.id`+fromLiveGrant, []any{grant, directory.MaxFailedLogins, jti}, &user)
	return user, err
}

// LiveClient implements oauth.GrantStore.
func (s OAuthGrants) LiveClient(ctx context.Context, clientID, jti string) error {
	var one int
	return s.DB.row(ctx, `
		select 1 from clients where id = $1 and not exists (select 1 from revoked_tokens r where r.jti = $2)`,
		[]any{clientID, jti}, &one)
}

// RevokeToken implements oauth.GrantStore.
func (s OAuthGrants) RevokeToken(ctx context.Context, jti string, expires time.Time) error {
	_, err := s.DB.exec(ctx, `insert into revoked_tokens (jti, expires_at) values ($1, $2) on conflict (jti) do nothing`, jti, expires)
	return err
}

// Visit implements oauth.GrantStore.
func (s OAuthGrants) Visit(ctx context.Context, tokenHash []byte, now, idleSince time.Time, clientID string) (*oauth.Visit, error) {
	var session authn.Session
	var v oauth.Visit
	var u directory.User
	who := liveSession(&session, &u, tokenHash, now, idleSince)
	allowed := &question{query: `
		select consents.scopes from consents join sessions on sessions.user_id = consents.user_id
		where sessions.token_hash = $1 and consents.client_id = $2`,
		args: []any{tokenHash, clientID}, dest: []any{listInto(&v.Allowed)}}
	if err := s.DB.ask(ctx, who, allowed); err != nil {
		return nil, err
	}
	if !who.found {
		return nil, directory.ErrNotFound
	}
	v.Session, v.User = &session, &u
	return &v, nil
}

// AddConsent implements oauth.GrantStore. The scopes are united in the statement:
// of two that are given at once none is lost.
func (s OAuthGrants) AddConsent(ctx context.Context, userID uuid.UUID, clientID string, scopes []string, at time.Time) error {
	add := statement{query: allowScopes + uniteInSQLite, args: []any{userID, clientID, scopes, at}}
	if s.DB.Engine == PostgreSQL {
		add.query = allowScopes + uniteInPostgreSQL
	}
	return s.DB.later(ctx, add)
}

const (
	allowScopes = `
		insert into consents (user_id, client_id, scopes, created_at) values ($1, $2, $3, $4)
		on conflict (user_id, client_id) do update set updated_at = excluded.created_at, scopes = `
	uniteInPostgreSQL = `(
			select cast(jsonb_agg(distinct scope) as text)
			from jsonb_array_elements(cast(consents.scopes as jsonb) || cast(excluded.scopes as jsonb)) scope)`
	uniteInSQLite = `(
			select json_group_array(distinct value) from (
				select value from json_each(consents.scopes) union all select value from json_each(excluded.scopes)) united)`
)
