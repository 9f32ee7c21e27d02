package storage

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse/directory"
	"gatehouse/oauth"
)

// OAuthClients implements oauth.ClientStore.
type OAuthClients struct{ DB *DB }

var _ oauth.ClientStore = OAuthClients{}

// InTx implements oauth.ClientStore.
func (o OAuthClients) InTx(ctx context.Context, f func(ctx context.Context) error) error {
	return o.DB.InTx(ctx, f)
}

const clientColumns = `id, name, secret_hash, public, auth_method, jwks, grant_types, scopes, roles, redirect_uris,
	post_logout_redirect_uris, first_party, kind, id_token_alg, access_token_alg, token_format, pkce_optional,
	require_par, dpop_bound, created_at, secret_changed_at, updated_at, registration_token_hash, metadata`

// CreateClient implements oauth.ClientStore.
func (o OAuthClients) CreateClient(ctx context.Context, c *oauth.Client) error {
	metadata, err := encodeClientMetadata(c)
	if err != nil {
		return err
	}
	_, err = o.DB.exec(ctx, `
		insert into clients (`+clientColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`,
		c.ID, c.Name, c.SecretHash, c.Public, string(c.AuthMethod), nullable(string(c.JWKS)), c.GrantTypes, c.Scopes,
		c.Roles, c.RedirectURIs, c.PostLogoutRedirectURIs, c.FirstParty, c.Kind, c.IDTokenAlg, c.AccessTokenAlg,
		string(c.TokenFormat), c.PKCEOptional, c.RequirePAR, c.DPoPBound, c.CreatedAt, c.SecretChangedAt,
		c.UpdatedAt, c.RegistrationTokenHash, metadata)
	return err
}

// ReplaceClient implements oauth.ClientStore.
func (o OAuthClients) ReplaceClient(ctx context.Context, c *oauth.Client, was time.Time) error {
	metadata, err := encodeClientMetadata(c)
	if err != nil {
		return err
	}
	n, err := o.DB.exec(ctx, `
		update clients set name = $1, secret_hash = $2, public = $3, auth_method = $4, jwks = $5, grant_types = $6, scopes = $7, roles = $8,
			redirect_uris = $9, post_logout_redirect_uris = $10, first_party = $11, kind = $12, id_token_alg = $13, access_token_alg = $14,
			token_format = $15, pkce_optional = $16, require_par = $17, dpop_bound = $18, secret_changed_at = $19, updated_at = $20,
			registration_token_hash = $21, metadata = $22
		where id = $23 and coalesce(updated_at, 0) = $24`,
		c.Name, c.SecretHash, c.Public, string(c.AuthMethod), nullable(string(c.JWKS)), c.GrantTypes, c.Scopes, c.Roles,
		c.RedirectURIs, c.PostLogoutRedirectURIs, c.FirstParty, c.Kind, c.IDTokenAlg, c.AccessTokenAlg,
		string(c.TokenFormat), c.PKCEOptional, c.RequirePAR, c.DPoPBound, c.SecretChangedAt, c.UpdatedAt,
		c.RegistrationTokenHash, metadata, c.ID, microsOrZero(was))
	if err == nil && n == 0 {
		return directory.ErrNotFound
	}
	return err
}

// microsOrZero is a time as the database keeps it, and 0 for none.
func microsOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Client implements oauth.ClientStore.
func (o OAuthClients) Client(ctx context.Context, id string) (*oauth.Client, error) {
	var c *oauth.Client
	err := o.DB.each(ctx, `select `+clientColumns+` from clients where id = $1`, []any{id},
		func(scan func(dest ...any) error) (err error) {
			c, err = scanClient(scan)
			return err
		})
	if err == nil && c == nil {
		return nil, directory.ErrNotFound
	}
	return c, err
}

// Clients implements oauth.ClientStore.
func (o OAuthClients) Clients(ctx context.Context) ([]*oauth.Client, error) {
	var all []*oauth.Client
	err := o.DB.each(ctx, `select `+clientColumns+` from clients order by id`, nil,
		func(scan func(dest ...any) error) error {
			c, err := scanClient(scan)
			all = append(all, c)
			return err
		})
	return all, err
}

func scanClient(scan func(dest ...any) error) (*oauth.Client, error) {
	var c oauth.Client
	var jwks, metadata string
	err := scan(&c.ID, &c.Name, &c.SecretHash, &c.Public, &c.AuthMethod, stringInto(&jwks), listInto(&c.GrantTypes),
		listInto(&c.Scopes), listInto(&c.Roles), listInto(&c.RedirectURIs), listInto(&c.PostLogoutRedirectURIs),
		&c.FirstParty, &c.Kind, &c.IDTokenAlg, &c.AccessTokenAlg, &c.TokenFormat, &c.PKCEOptional, &c.RequirePAR,
		&c.DPoPBound, timeInto(&c.CreatedAt), timeInto(&c.SecretChangedAt), timeInto(&c.UpdatedAt), &c.RegistrationTokenHash, &metadata)
	if err != nil {
		return nil, err
	}
	if jwks != "" {
		c.JWKS = json.RawMessage(jwks)
	}
	stored, err := decodeClientMetadata(metadata)
	c.Metadata, c.Localised = stored.Metadata, stored.Localised
	return &c, err
}

// ReplaceSecret implements oauth.ClientStore.
func (o OAuthClients) ReplaceSecret(ctx context.Context, id string, hash []byte, at time.Time) error {
	n, err := o.DB.exec(ctx, `update clients set secret_hash = $2, secret_changed_at = $3 where id = $1`, id, hash, at)
	if err == nil && n == 0 {
		return directory.ErrNotFound
	}
	return err
}

// DeleteClient implements oauth.ClientStore; the schema's cascades end its
// grants, and erase the users of a partner. Providers then see fewer.
func (o OAuthClients) DeleteClient(ctx context.Context, id string) error {
	changed, err := o.DB.together(ctx, statement{query: `
		update marketplace_totals set total = total - (
			select count(*) from marketplace_users u join marketplace_consents c on c.user_id = u.id
			where u.partner_id = $1 and c.provider_id = marketplace_totals.company_id and c.ended_at is null)
		where exists (select 1 from marketplace_users where partner_id = $1)`, args: []any{id},
	}, statement{query: `delete from clients where id = $1`, args: []any{id}})
	if err == nil && changed[1] == 0 {
		return directory.ErrNotFound
	}
	return err
}
