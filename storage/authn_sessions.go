package storage

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// sessionColumns are scanned by sessionFields, in this order.
const sessionColumns = `sessions.id, sessions.user_id, sessions.amr, sessions.acr, sessions.auth_time, sessions.created_at, sessions.seen_at,
	sessions.expires_at, sessions.network, sessions.user_agent, sessions.browser_id`

func sessionFields(s *authn.Session) []any {
	return []any{
		&s.ID, &s.UserID, listInto(&s.AMR), &s.ACR, timeInto(&s.AuthTime), timeInto(&s.CreatedAt), timeInto(&s.SeenAt),
		timeInto(&s.ExpiresAt), &s.Network, &s.UserAgent, &s.BrowserID,
	}
}

// CreateSession implements authn.Store.
func (a Authn) CreateSession(ctx context.Context, s *authn.Session, tokenHash []byte, l directory.Language) error {
	all := []statement{{query: `
		insert into sessions (id, token_hash, user_id, amr, acr, auth_time, created_at, seen_at, expires_at, network, user_agent,
			browser_id)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		args: []any{
			s.ID, tokenHash, s.UserID, s.AMR, s.ACR, s.AuthTime, s.CreatedAt, s.SeenAt, s.ExpiresAt, s.Network, s.UserAgent, s.BrowserID,
		}}}
	if l != "" {
		all = append(all, statement{query: setLanguage, args: []any{s.UserID, string(l)}})
	}
	return a.DB.later(ctx, all...)
}

// Session implements authn.Store. A session that was begun with a password that
// has changed since is over, even if it was stored after the change.
func (a Authn) Session(ctx context.Context, tokenHash []byte, now, idleSince time.Time) (*authn.Session, *directory.User, error) {
	var s authn.Session
	var u directory.User
	q := liveSession(&s, &u, tokenHash, now, idleSince)
	if err := a.DB.row(ctx, q.query, q.args, q.dest...); err != nil {
		return nil, nil, err
	}
	return &s, &u, nil
}

// liveSession asks for a session and its user.
func liveSession(s *authn.Session, u *directory.User, tokenHash []byte, now, idleSince time.Time) *question {
	return &question{query: `
		select ` + sessionColumns + `, ` + userColumns + `
		from sessions join users u on u.id = sessions.user_id
		where sessions.token_hash = $1 and sessions.expires_at > $2 and sessions.seen_at > $3
			and u.state = 'active' and u.failed_login_count < $4
			and (u.password_changed_at is null or u.password_changed_at <= sessions.auth_time)`,
		args: []any{tokenHash, now, idleSince, directory.MaxFailedLogins}, dest: append(sessionFields(s), userFields(u)...)}
}

// TouchSession implements authn.Store.
func (a Authn) TouchSession(ctx context.Context, id uuid.UUID, at time.Time) error {
	_, err := a.DB.exec(ctx, `update sessions set seen_at = $2 where id = $1 and seen_at < $2`, id, at)
	return err
}

// DeleteSession implements authn.Store.
func (a Authn) DeleteSession(ctx context.Context, tokenHash []byte) (*authn.Session, error) {
	var s authn.Session
	err := a.DB.row(ctx, `delete from sessions where token_hash = $1 returning `+sessionColumns,
		[]any{tokenHash}, sessionFields(&s)...)
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// DeleteSessions implements authn.Store.
func (a Authn) DeleteSessions(ctx context.Context, userID, except uuid.UUID) ([]uuid.UUID, error) {
	var ended []uuid.UUID
	err := a.DB.each(ctx, `delete from sessions where user_id = $1 and id <> $2 returning id`, []any{userID, except},
		func(scan func(dest ...any) error) error {
			var id uuid.UUID
			err := scan(&id)
			ended = append(ended, id)
			return err
		})
	return ended, err
}

// Sessions implements authn.Store.
func (a Authn) Sessions(ctx context.Context, userID uuid.UUID, now, idleSince time.Time) ([]*authn.Session, error) {
	var all []*authn.Session
	err := a.DB.each(ctx, `
		select `+sessionColumns+` from sessions
		where user_id = $1 and expires_at > $2 and seen_at > $3
		order by seen_at desc, id`,
		[]any{userID, now, idleSince}, func(scan func(dest ...any) error) error {
			var s authn.Session
			if err := scan(sessionFields(&s)...); err != nil {
				return err
			}
			all = append(all, &s)
			return nil
		})
	return all, err
}
