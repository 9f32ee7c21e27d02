package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// Authn implements authn.Store.
type Authn struct{ DB *DB }

var _ authn.Store = Authn{}

// change runs a statement that must change a row.
func (a Authn) change(ctx context.Context, query string, args ...any) error {
	n, err := a.DB.exec(ctx, query, args...)
	if err == nil && n == 0 {
		return directory.ErrNotFound
	}
	return err
}

// ReleaseFailure implements authn.Store.
func (a Authn) ReleaseFailure(ctx context.Context, userID uuid.UUID, code bool) error {
	return a.DB.later(ctx, statement{query: `
		update users set
			failed_login_count = failed_login_count - 1,
			failed_code_count = case when failed_code_count > 0 then failed_code_count - $2 else 0 end,
			locked_at = null
		where id = $1 and failed_login_count > 0`, args: []any{userID, oneIf(code)}})
}

// oneIf is how much an attempt adds to the count of codes.
func oneIf(code bool) int {
	if code {
		return 1
	}
	return 0
}

// SignedIn implements authn.Store.
func (a Authn) SignedIn(ctx context.Context, userID uuid.UUID, signIn string, expires time.Time, emailProved bool, at time.Time) error {
	return a.DB.later(ctx, useSignIn(signIn, expires), statement{query: `
		update users set failed_login_count = 0, failed_code_count = 0, locked_at = null, logged_in_at = $2,
			email_access_validated_at = case when $3 then $2 else email_access_validated_at end
		where id = $1 and state = 'active'`, args: []any{userID, at, emailProved}, otherwise: directory.ErrNotFound})
}

// PasswordProved implements authn.Store.
func (a Authn) PasswordProved(ctx context.Context, userID uuid.UUID) error {
	return a.DB.later(ctx, statement{query: `
		update users set
			failed_login_count = failed_code_count,
			locked_at = case when failed_code_count >= $2 then locked_at else null end
		where id = $1 and state <> 'inactive'`, args: []any{userID, directory.MaxFailedLogins}, otherwise: directory.ErrNotFound})
}

// SignedInElsewhere implements authn.Store.
func (a Authn) SignedInElsewhere(ctx context.Context, userID, session uuid.UUID, emailProved bool, at time.Time) error {
	return a.change(ctx, `
		update users set failed_login_count = 0, failed_code_count = 0, locked_at = null, logged_in_at = $2,
			current_session_id = $3, email_access_validated_at = case when $4 then $2 else email_access_validated_at end
		where id = $1 and state <> 'inactive'`, userID, at, session, emailProved)
}

// DeletePassword implements authn.Store.
func (a Authn) DeletePassword(ctx context.Context, userID uuid.UUID) error {
	return a.change(ctx, `delete from passwords where user_id = $1`, userID)
}

// Unlock implements authn.Store.
func (a Authn) Unlock(ctx context.Context, userID uuid.UUID) error {
	return a.change(ctx, `
		update users set failed_login_count = 0, failed_code_count = 0, locked_at = null where id = $1`, userID)
}

// UseSignIn implements authn.Store.
func (a Authn) UseSignIn(ctx context.Context, id string, expires time.Time) error {
	_, err := a.DB.together(ctx, useSignIn(id, expires))
	return err
}

// useSignIn fails when the sign-in was used before.
func useSignIn(id string, expires time.Time) statement {
	return statement{
		query: `insert into used_sign_ins (id, expires_at) values ($1, $2) on conflict (id) do nothing`,
		args:  []any{id, expires}, otherwise: directory.ErrConflict,
	}
}

// Password implements authn.Store.
func (a Authn) Password(ctx context.Context, userID uuid.UUID) (string, error) {
	var hash string
	err := a.DB.row(ctx, `select hash from passwords where user_id = $1`, []any{userID}, &hash)
	return hash, err
}

// PutPassword implements authn.Store.
func (a Authn) PutPassword(ctx context.Context, userID uuid.UUID, hash string, at time.Time) error {
	return a.DB.InTx(ctx, func(ctx context.Context) error {
		if err := a.change(ctx, `update users set password_changed_at = $2 where id = $1`, userID, at); err != nil {
			return err
		}
		return a.putPassword(ctx, userID, hash, at)
	})
}

// SetLanguage implements authn.Store.
func (a Authn) SetLanguage(ctx context.Context, userID uuid.UUID, l directory.Language) error {
	return a.change(ctx, setLanguage, userID, string(l))
}

const setLanguage = `update users set language = $2 where id = $1`

// PutImportedPassword implements authn.Store.
func (a Authn) PutImportedPassword(ctx context.Context, userID uuid.UUID, hash string, at time.Time) error {
	_, err := a.DB.exec(ctx, insertPassword+`
		on conflict (user_id) do update set hash = excluded.hash, changed_at = excluded.changed_at where passwords.imported`,
		userID, hash, true, at)
	return err
}

const insertPassword = `insert into passwords (user_id, hash, imported, changed_at) values ($1, $2, $3, $4)`

func (a Authn) putPassword(ctx context.Context, userID uuid.UUID, hash string, at time.Time) error {
	_, err := a.DB.exec(ctx, insertPassword+`
		on conflict (user_id) do update set
			hash = excluded.hash, imported = excluded.imported, changed_at = excluded.changed_at`,
		userID, hash, false, at)
	return err
}

// AdoptPassword implements authn.Store. The condition and the insert are one
// statement, of which a password that came first leaves nothing.
func (a Authn) AdoptPassword(ctx context.Context, userID uuid.UUID, hash string, at time.Time) error {
	return a.change(ctx, `
		insert into passwords (user_id, hash, imported, changed_at)
		select id, $2, $3, $4 from users where id = $1 and state = 'active'
		on conflict (user_id) do nothing`, userID, hash, false, at)
}

// ReplacePassword implements authn.Store.
func (a Authn) ReplacePassword(ctx context.Context, userID uuid.UUID, old, hash string) error {
	return a.change(ctx, `
		update passwords set hash = $3, imported = $4 where user_id = $1 and hash = $2`, userID, old, hash, false)
}

// RecordTrace implements authn.Store.
func (a Authn) RecordTrace(ctx context.Context, t *authn.Trace) error {
	steps, err := json.Marshal(t.Steps)
	if err != nil {
		return fmt.Errorf("encode trace: %w", err)
	}
	return a.DB.later(ctx, statement{query: `
		insert into traces (id, created_at, request_id, front, factor, caller, user_id, verdict, steps)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		args: []any{t.ID, t.At, t.RequestID, string(t.Front), string(t.Factor), t.Caller, t.UserID, t.Verdict, string(steps)}})
}
