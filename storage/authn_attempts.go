package storage

import (
	"context"

	"gatehouse/authn"
	"gatehouse/directory"
)

// Attempt implements authn.Store. The condition and the count are one statement:
// no number of parallel attempts gets past the limit.
func (a Authn) Attempt(ctx context.Context, t authn.Tried) (*authn.Attempted, error) {
	by, who := attemptBy(t.Who)
	var u directory.User
	var found authn.Attempted
	var apps, sharing int
	account := &question{query: by.account, args: []any{who},
		dest: append(append(userFields(&u), &found.Hash), enrolmentFields(&found.Has, &apps)...)}
	pending := directory.Active
	if t.Pending {
		pending = directory.Pending
	}
	count := &question{query: by.count, args: []any{who, oneIf(t.Code), directory.MaxFailedLogins, t.At, string(pending)}, dest: []any{&found.Failures}}
	var b authn.KnownBrowser
	browser := &question{query: by.browser, args: browserArgs(who, t.Browser, t.UnusedSince), dest: browserFields(&b)}
	others := &question{query: by.sharing, args: []any{who}, dest: []any{&sharing}}
	if err := a.DB.ask(ctx, account, count, browser, others); err != nil {
		return nil, err
	}
	switch {
	case sharing > 1:
		return nil, directory.ErrConflict
	case !account.found:
		return nil, directory.ErrNotFound
	}
	found.User, found.Has.TOTP = &u, apps > 0
	if b.UserID = u.ID; browser.found {
		found.Browser = &b
	}
	return &found, nil
}

// attemptStatements are the questions of an attempt: the account, the count, the
// known browser, and how many users the value may mean.
type attemptStatements struct{ account, count, browser, sharing string }

// attemptBy returns them for what an attempt names its user by, with its value.
func attemptBy(w authn.Who) (attemptStatements, any) {
	switch {
	case w.Email != "":
		return attemptStatements{
			accountWhere + lonelyEmail, countWhere + lonelyEmail + uncounted, browserWhere + lonelyEmail + unforgotten,
			`select count(*) from users u where u.email_normalised = $1`,
		}, directory.NormaliseEmail(w.Email)
	case w.Username != "":
		return attemptStatements{
			accountWhere + thisUsername, countWhere + thisUsername + uncounted, browserWhere + thisUsername + unforgotten,
			`select count(*) from users u where u.username_normalised = $1`,
		}, directory.NormaliseUsername(w.Username)
	default:
		return attemptStatements{
			accountWhere + thisUser, countWhere + thisUser + uncounted, browserWhere + thisUser + unforgotten,
			`select count(*) from users u where u.id = $1`,
		}, w.ID
	}
}

const (
	thisUser     = `u.id = $1`
	thisUsername = `u.username_normalised = $1`
	lonelyEmail  = `u.email_normalised = $1 and not exists (select 1 from users o where o.email_normalised = u.email_normalised and o.id <> u.id)`

	accountWhere = `
		select ` + userColumns + `, coalesce((select hash from passwords p where p.user_id = u.id), ''), ` + enrolmentColumns + `
		from users u where `
	countWhere = `
		update users set
			failed_login_count = failed_login_count + 1,
			failed_code_count = failed_code_count + $2,
			locked_at = case when failed_login_count + 1 >= $3 then $4 else locked_at end
		where id = (select u.id from users u where `
	uncounted    = `) and failed_login_count < $3 and state in ('active', $5) returning failed_login_count`
	browserWhere = `
		select id, token_hash, seen_at from known_browsers
		where user_id = (select u.id from users u where `
	unforgotten = `) and token_hash in ($2, $3, $4, $5) and seen_at > $6
		order by seen_at desc limit 1`
)
