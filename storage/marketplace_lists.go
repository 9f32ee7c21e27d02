package storage

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Profiles implements directory.ProfileStore. A list without a filter is read in
// the order of an index and its total from a counter; a filter leaves so few
// rows that they are read whole. Only what is shown is decrypted.
func (p Profiles) Profiles(ctx context.Context, q directory.ProfileQuery) ([]directory.SeenProfile, int64, error) {
	rows, total, err := p.page(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	all := make([]directory.SeenProfile, len(rows))
	for i, r := range rows {
		all[i], err = p.open(ctx, r)
		if errors.Is(err, directory.ErrUnreadable) { // the others are not to be lost with it
			all[i].ProfileSecrets, all[i].Unreadable, err = directory.ProfileSecrets{}, true, nil
		}
		if err != nil {
			return nil, 0, err
		}
	}
	return all, total, nil
}

func (p Profiles) page(ctx context.Context, q directory.ProfileQuery) ([]*profileRow, int64, error) {
	if q.IDs == nil && q.Email == "" {
		total, err := p.total(ctx, q)
		if err != nil || q.Offset >= total {
			return nil, max(total, 0), err
		}
		rows, err := p.newest(ctx, q)
		return rows, total, err
	}
	rows, err := p.filtered(ctx, q)
	total := int64(len(rows))
	from := min(q.Offset, total)
	return rows[from:min(from+q.Limit, total)], total, err
}

// total counts what a company sees. Consents that have expired are counted off
// until they are ended, which happens soon.
func (p Profiles) total(ctx context.Context, q directory.ProfileQuery) (int64, error) {
	var total, expired int64
	err := p.DB.row(ctx, `select total from marketplace_totals where company_id = $1`, []any{q.Company.ID}, &total)
	if errors.Is(err, directory.ErrNotFound) {
		return 0, nil
	}
	if err != nil || q.Company.Kind == directory.Partner {
		return total, err
	}
	err = p.DB.row(ctx, `
		select count(*) from marketplace_consents
		where expires_at <= $1 and provider_id = $2 and ended_at is null and expires_at is not null`,
		[]any{q.Now, q.Company.ID}, &expired)
	return total - expired, err
}

// newest is a page of all that a company sees. The page is found in the index
// alone, so that what is passed over is not read.
func (p Profiles) newest(ctx context.Context, q directory.ProfileQuery) ([]*profileRow, error) {
	if q.Company.Kind == directory.Partner {
		return p.rows(ctx, false, `
			select `+profileColumns+` from (
				select id from marketplace_users where partner_id = $1 order by created_at desc, id limit $2 offset $3
			) page join marketplace_users u on u.id = page.id
			order by u.created_at desc, u.id`, q.Company.ID, q.Limit, q.Offset)
	}
	return p.rows(ctx, true, `
		select `+profileColumns+`, c.cp_user_id from (
			select user_id from marketplace_consents
			where provider_id = $1 and ended_at is null and (expires_at is null or expires_at > $2)
			order by user_created_at desc, user_id limit $3 offset $4
		) page join marketplace_users u on u.id = page.user_id join marketplace_consents c on c.user_id = u.id and c.provider_id = $1
		order by u.created_at desc, u.id`, q.Company.ID, q.Now, q.Limit, q.Offset)
}

// filtered are all rows that a filter leaves: of an address at most one for each
// partner, of ids at most as many as are named.
func (p Profiles) filtered(ctx context.Context, q directory.ProfileQuery) ([]*profileRow, error) {
	email := directory.NormaliseEmail(q.Email)
	if q.IDs == nil {
		return p.byEmail(ctx, q, email)
	}
	rows, err := p.byIDs(ctx, q)
	if q.Email != "" {
		rows = slices.DeleteFunc(rows, func(r *profileRow) bool { return directory.NormaliseEmail(r.Email) != email })
	}
	return rows, err
}

func (p Profiles) byEmail(ctx context.Context, q directory.ProfileQuery, email string) ([]*profileRow, error) {
	if q.Company.Kind == directory.Partner {
		return p.rows(ctx, false, `
			select `+profileColumns+` from marketplace_users u where u.partner_id = $1 and u.email_normalised = $2`, q.Company.ID, email)
	}
	return p.rows(ctx, true, `
		select `+profileColumns+`, c.cp_user_id from marketplace_users u join marketplace_consents c on c.user_id = u.id
		where u.email_normalised = $1 and c.provider_id = $2 and c.ended_at is null and (c.expires_at is null or c.expires_at > $3)
		order by u.created_at desc, u.id`, email, q.Company.ID, q.Now)
}

// idsOf spells ids out as both engines keep them.
func idsOf(ids []uuid.UUID) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return texts
}

// byIDs reads the list of ids out of JSON, which the engines do in their own ways.
func (p Profiles) byIDs(ctx context.Context, q directory.ProfileQuery) ([]*profileRow, error) {
	if q.Company.Kind == directory.Partner {
		query := `
			select ` + profileColumns + ` from marketplace_users u
			where u.partner_id = $1 and u.id in (select cast(value as uuid) from json_array_elements_text(cast(cast($2 as text) as json)))
			order by u.created_at desc, u.id`
		if p.DB.Engine == SQLite {
			query = `
				select ` + profileColumns + ` from marketplace_users u
				where u.partner_id = $1 and u.id in (select value from json_each($2))
				order by u.created_at desc, u.id`
		}
		return p.rows(ctx, false, query, q.Company.ID, idsOf(q.IDs))
	}
	query := `
		select ` + profileColumns + `, c.cp_user_id from marketplace_users u join marketplace_consents c on c.user_id = u.id and c.provider_id = $1
		where u.id in (
				select user_id from marketplace_consents where provider_id = $1
					and cp_user_id in (select cast(value as uuid) from json_array_elements_text(cast(cast($2 as text) as json)))
				union select cast(value as uuid) from json_array_elements_text(cast(cast($2 as text) as json)))
			and c.ended_at is null and (c.expires_at is null or c.expires_at > $3)
		order by u.created_at desc, u.id`
	if p.DB.Engine == SQLite {
		query = `
			select ` + profileColumns + `, c.cp_user_id from marketplace_users u join marketplace_consents c on c.user_id = u.id and c.provider_id = $1
			where u.id in (
					select user_id from marketplace_consents where provider_id = $1 and cp_user_id in (select value from json_each($2))
					union select value from json_each($2))
				and c.ended_at is null and (c.expires_at is null or c.expires_at > $3)
			order by u.created_at desc, u.id`
	}
	return p.rows(ctx, true, query, q.Company.ID, idsOf(q.IDs), q.Now)
}

// rows runs a query for profiles, behind whose columns a pseudonym may stand.
func (p Profiles) rows(ctx context.Context, pseudonym bool, query string, args ...any) ([]*profileRow, error) {
	var all []*profileRow
	err := p.DB.each(ctx, query, args, func(scan func(...any) error) error {
		r := newProfileRow()
		all = append(all, r)
		if pseudonym {
			return scan(append(r.fields(), &r.Pseudonym)...)
		}
		return scan(r.fields()...)
	})
	return all, err
}
