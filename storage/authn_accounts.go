package storage

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// enrolmentColumns tell what the user u can prove; enrolmentFields scans them.
const enrolmentColumns = `
	(select count(*) from totp_secrets t where t.user_id = u.id and t.confirmed_at is not null),
	(select count(*) from passkeys k where k.user_id = u.id and k.passwordless),
	(select count(*) from passkeys k where k.user_id = u.id and not k.passwordless),
	(select count(*) from recovery_codes r where r.user_id = u.id and r.used_at is null)`

// enrolmentFields are where enrolmentColumns go; apps is how many authenticator
// apps there are, of which a user has one at most.
func enrolmentFields(e *authn.Enrolment, apps *int) []any {
	return []any{apps, &e.Passkeys, &e.SecurityKeys, &e.RecoveryCodes}
}

// Account implements authn.Store.
func (a Authn) Account(ctx context.Context, userID uuid.UUID) (*directory.User, authn.Enrolment, error) {
	var u directory.User
	var has authn.Enrolment
	var apps int
	err := a.DB.row(ctx, `select `+userColumns+`, `+enrolmentColumns+` from users u where u.id = $1`,
		[]any{userID}, append(userFields(&u), enrolmentFields(&has, &apps)...)...)
	if err != nil {
		return nil, authn.Enrolment{}, err
	}
	has.TOTP = apps > 0
	return &u, has, nil
}

// Attempt implements authn.Store. The condition and the count are one statement:
// no number of parallel attempts gets past the limit.
func (a Authn) Attempt(ctx context.Context, userID uuid.UUID, code bool, at time.Time, in authn.BrowserTokens, unusedSince time.Time) (*authn.Attempted, error) {
	var u directory.User
	var found authn.Attempted
	var apps int
	account := &question{query: `
		select ` + userColumns + `, coalesce((select hash from passwords p where p.user_id = u.id), ''), ` + enrolmentColumns + `
		from users u where u.id = $1`,
		args: []any{userID}, dest: append(append(userFields(&u), &found.Hash), enrolmentFields(&found.Has, &apps)...)}
	count := &question{query: `
		update users set
			failed_login_count = failed_login_count + 1,
			failed_code_count = failed_code_count + $2,
			locked_at = case when failed_login_count + 1 >= $3 then $4 else locked_at end
		where id = $1 and failed_login_count < $3 and state <> 'inactive'
		returning failed_login_count`,
		args: []any{userID, oneIf(code), directory.MaxFailedLogins, at}, dest: []any{&found.Failures}}
	b := authn.KnownBrowser{UserID: userID}
	browser := findBrowser(&b, in, unusedSince)
	if err := a.DB.ask(ctx, account, count, browser); err != nil {
		return nil, err
	}
	if !account.found {
		return nil, directory.ErrNotFound
	}
	found.User, found.Has.TOTP = &u, apps > 0
	if browser.found {
		found.Browser = &b
	}
	return &found, nil
}
