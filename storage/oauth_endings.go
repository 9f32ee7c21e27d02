package storage

import (
	"context"

	"github.com/google/uuid"

	"gatehouse/oauth"
)

// offlineGrants is found in the scopes of a grant for offline access, which are
// stored as a list of JSON.
const offlineGrants = `%"` + oauth.ScopeOfflineAccess + `"%`

// EndSession implements oauth.EndingStore. A session ends with those that it has
// taken the place of, see MoveSession; their grants are found by what it has led to,
// which is why that goes last.
func (s OAuthGrants) EndSession(ctx context.Context, id uuid.UUID) ([]oauth.Participation, error) {
	const heldBy = `
		returning client_id, session_id, case subject when '' then cast(user_id as text) else subject end`
	var told, held []oauth.Participation
	err := s.DB.ask(ctx,
		participations(&held, `delete from grants where session_id = $1 and scopes not like $2`+heldBy, id, offlineGrants),
		participations(&held, `
		delete from grants where session_id in (select sid from session_clients where session_id = $1 and sid <> $1)
			and scopes not like $2`+heldBy, id, offlineGrants),
		participations(&told, `delete from session_clients where session_id = $1 returning client_id, sid, subject`, id),
	)
	return append(told, held...), err
}

// EndUser implements oauth.EndingStore.
func (s OAuthGrants) EndUser(ctx context.Context, userID uuid.UUID) ([]oauth.Participation, error) {
	return s.participations(ctx, `
		delete from grants where user_id = $1
		returning client_id, session_id, case subject when '' then cast(user_id as text) else subject end`, userID)
}

// EndConsent implements oauth.EndingStore.
func (s OAuthGrants) EndConsent(ctx context.Context, userID uuid.UUID, clientID string) ([]oauth.Participation, error) {
	if _, err := s.DB.exec(ctx, `delete from consents where user_id = $1 and client_id = $2`, userID, clientID); err != nil {
		return nil, err
	}
	held, err := s.participations(ctx, `
		delete from grants where user_id = $1 and client_id = $2
		returning client_id, session_id, case subject when '' then cast(user_id as text) else subject end`, userID, clientID)
	if err != nil {
		return nil, err
	}
	told, err := s.participations(ctx, `
		delete from session_clients where client_id = $1 and session_id in (select id from sessions where user_id = $2)
		returning client_id, sid, subject`, clientID, userID)
	return append(told, held...), err
}

// EndConsents implements oauth.EndingStore.
func (s OAuthGrants) EndConsents(ctx context.Context, userID uuid.UUID) ([]string, error) {
	var all []string
	err := s.DB.each(ctx, `delete from consents where user_id = $1 returning client_id`, []any{userID}, func(scan func(dest ...any) error) error {
		var client string
		err := scan(&client)
		all = append(all, client)
		return err
	})
	return all, err
}

// MoveSession implements oauth.EndingStore.
func (s OAuthGrants) MoveSession(ctx context.Context, from, to uuid.UUID) error {
	_, err := s.DB.exec(ctx, `update session_clients set session_id = $1 where session_id = $2`, to, from)
	return err
}

// LedTo implements oauth.EndingStore.
func (s OAuthGrants) LedTo(ctx context.Context, session uuid.UUID, clientID string, sid uuid.UUID) (bool, error) {
	var n int
	err := s.DB.row(ctx, `
		select count(*) from session_clients where session_id = $1 and client_id = $2 and sid = $3`,
		[]any{session, clientID, sid}, &n)
	return n > 0, err
}

// participations runs a statement that returns a client, the sid and the sub it
// knows a session and its user by.
func (s OAuthGrants) participations(ctx context.Context, query string, args ...any) ([]oauth.Participation, error) {
	var all []oauth.Participation
	q := participations(&all, query, args...)
	err := s.DB.each(ctx, q.query, q.args, q.scan)
	return all, err
}

// participations asks for them, and adds them to all.
func participations(all *[]oauth.Participation, query string, args ...any) *question {
	return &question{query: query, args: args, scan: func(scan func(dest ...any) error) error {
		var p oauth.Participation
		var sid uuid.NullUUID
		err := scan(&p.ClientID, &sid, &p.Subject)
		p.SessionID = sid.UUID
		*all = append(*all, p)
		return err
	}}
}
