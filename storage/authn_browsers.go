package storage

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// ReserveInBrowser implements authn.Store. The condition and the count are one
// statement, like those of the account.
func (a Authn) ReserveInBrowser(ctx context.Context, userID uuid.UUID, tokens authn.BrowserTokens, unusedSince time.Time) (uuid.UUID, int, error) {
	var id uuid.UUID
	var count int
	err := a.DB.row(ctx, `
		update known_browsers set failed_count = failed_count + 1
		where user_id = $1 and token_hash in ($2, $3, $4, $5) and seen_at > $6 and failed_count < $7
			and exists (select 1 from users u where u.id = $1 and u.state <> 'inactive')
		returning id, failed_count`,
		[]any{userID, tokens[0], tokens[1], tokens[2], tokens[3], unusedSince, directory.MaxFailedLogins}, &id, &count)
	return id, count, err
}

// ReleaseInBrowser implements authn.Store.
func (a Authn) ReleaseInBrowser(ctx context.Context, browser uuid.UUID) error {
	return a.DB.later(ctx, statement{
		query: `update known_browsers set failed_count = failed_count - 1 where id = $1 and failed_count > 0`, args: []any{browser},
	})
}

// FindBrowser implements authn.Store.
func (a Authn) FindBrowser(ctx context.Context, userID uuid.UUID, tokens authn.BrowserTokens, unusedSince time.Time) (*authn.KnownBrowser, error) {
	b := authn.KnownBrowser{UserID: userID}
	if err := a.DB.row(ctx, browserWhere+thisUser+unforgotten, browserArgs(userID, tokens, unusedSince), browserFields(&b)...); err != nil {
		return nil, err
	}
	return &b, nil
}

func browserArgs(who any, tokens authn.BrowserTokens, unusedSince time.Time) []any {
	return []any{who, tokens[0], tokens[1], tokens[2], tokens[3], unusedSince}
}

func browserFields(b *authn.KnownBrowser) []any {
	return []any{&b.ID, &b.TokenHash, timeInto(&b.SeenAt)}
}

// RenewBrowser implements authn.Store. Where another token came first, the second
// statement keeps this one.
func (a Authn) RenewBrowser(ctx context.Context, b *authn.KnownBrowser, again authn.KnownBrowser) error {
	return a.DB.later(ctx,
		statement{query: `
		update known_browsers set token_hash = $3, seen_at = $4, failed_count = 0
		where id = $1 and token_hash = $2`, args: []any{b.ID, b.TokenHash, again.TokenHash, again.SeenAt}},
		statement{query: `
		insert into known_browsers (id, user_id, token_hash, created_at, seen_at)
		select $1, $2, $3, $4, $4 where not exists (select 1 from known_browsers where token_hash = $3)`,
			args: []any{again.ID, b.UserID, again.TokenHash, again.SeenAt}},
	)
}

// AddBrowser implements authn.Store.
func (a Authn) AddBrowser(ctx context.Context, b *authn.KnownBrowser, most int) error {
	return a.DB.later(ctx,
		statement{query: `
		insert into known_browsers (id, user_id, token_hash, created_at, seen_at) values ($1, $2, $3, $4, $4)`,
			args: []any{b.ID, b.UserID, b.TokenHash, b.SeenAt}},
		statement{query: `update users set recognised_at = $2 where id = $1 and recognised_at is null`, args: []any{b.UserID, b.SeenAt}},
		statement{query: `
		delete from known_browsers where user_id = $1 and id not in (
			select id from known_browsers where user_id = $1 order by seen_at desc, id limit $2)`, args: []any{b.UserID, most}})
}

// Browsers implements authn.Store.
func (a Authn) Browsers(ctx context.Context, userID uuid.UUID, unusedSince time.Time) ([]*authn.KnownBrowser, error) {
	var all []*authn.KnownBrowser
	err := a.DB.each(ctx, `
		select id, token_hash, created_at, seen_at from known_browsers
		where user_id = $1 and seen_at > $2
		order by seen_at desc, id`, []any{userID, unusedSince}, func(scan func(dest ...any) error) error {
		b := authn.KnownBrowser{UserID: userID}
		err := scan(&b.ID, &b.TokenHash, timeInto(&b.CreatedAt), timeInto(&b.SeenAt))
		all = append(all, &b)
		return err
	})
	return all, err
}

// BrowsersSince implements authn.Store.
func (a Authn) BrowsersSince(ctx context.Context, userID uuid.UUID, since time.Time) (int, error) {
	var n int
	err := a.DB.row(ctx, `select count(*) from known_browsers where user_id = $1 and created_at > $2`, []any{userID, since}, &n)
	return n, err
}

// ForgetBrowsers implements authn.Store.
func (a Authn) ForgetBrowsers(ctx context.Context, userID, exceptOf uuid.UUID) error {
	_, err := a.DB.exec(ctx, `
		delete from known_browsers
		where user_id = $1 and id is distinct from (select browser_id from sessions where id = $2)`, userID, exceptOf)
	return err
}

// ForgetBrowser implements authn.Store.
func (a Authn) ForgetBrowser(ctx context.Context, id uuid.UUID) error {
	_, err := a.DB.exec(ctx, `delete from known_browsers where id = $1`, id)
	return err
}
