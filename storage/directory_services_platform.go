package storage

import (
	"context"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// chosenUsers are the users of a UserQuery; its arguments are those of chosen.
const chosenUsers = ` from users u
	where u.state = 'active' and u.created_at >= $1 and u.created_at < $2
		and coalesce(u.logged_in_at, -1) >= $3 and coalesce(u.logged_in_at, -1) < $4
		and (u.take_part_in_research = $5 or u.take_part_in_research = $6) and (u.created_at, u.id) > ($7, $8)
	order by u.created_at, u.id limit $9`

// chosen returns the arguments of chosenUsers. Who never signed in was at no time.
func (d Directory) chosen(ctx context.Context, q directory.UserQuery, limit int) ([]any, error) {
	loggedInFrom := first(q.LoggedInFrom)
	if !q.LoggedInTo.IsZero() {
		loggedInFrom = max(loggedInFrom, 0)
	}
	takesPart, orNot := true, false
	if q.TakePartInResearch != nil {
		takesPart, orNot = *q.TakePartInResearch, *q.TakePartInResearch
	}
	var after directory.User
	if q.After.Valid {
		u, err := d.User(ctx, q.After.UUID)
		if err != nil {
			return nil, err
		}
		after = *u
	}
	return []any{
		first(q.CreatedFrom), last(q.CreatedTo), loggedInFrom, last(q.LoggedInTo), takesPart, orNot,
		first(after.CreatedAt), after.ID, limit,
	}, nil
}

// UsersBetween implements directory.Store.
func (d Directory) UsersBetween(ctx context.Context, q directory.UserQuery, limit int) ([]*directory.User, map[uuid.UUID]directory.Memberships, error) {
	args, err := d.chosen(ctx, q, limit)
	if err != nil {
		return nil, nil, err
	}
	users, err := d.users(ctx, `select `+userColumns+chosenUsers, args...)
	if err != nil {
		return nil, nil, err
	}
	of, err := d.memberships(ctx, serviceMemberships+`in (select u.id`+chosenUsers+`) union all `+
		organisationMemberships+`in (select u.id`+chosenUsers+`)`+inOrderOfMembership, args...)
	all := make(map[uuid.UUID]directory.Memberships, len(users))
	for _, u := range users {
		all[u.ID] = of(u.ID)
	}
	return users, all, err
}

// LiveServicesBetween implements directory.Store.
func (d Directory) LiveServicesBetween(ctx context.Context, q directory.UserQuery, limit int) (map[uuid.UUID][]directory.Service, error) {
	args, err := d.chosen(ctx, q, limit)
	if err != nil {
		return nil, err
	}
	all := map[uuid.UUID][]directory.Service{}
	err = d.DB.each(ctx, `
		select m.user_id, s.id, s.name from service_members m join services s on s.id = m.service_id
		where s.active and not s.restricted and m.user_id in (select u.id`+chosenUsers+`)
		order by s.name, s.id`, args, func(scan func(...any) error) error {
		var user uuid.UUID
		var s directory.Service
		if err := scan(&user, &s.ID, &s.Name); err != nil {
			return err
		}
		all[user] = append(all[user], s)
		return nil
	})
	return all, err
}

// KindOf implements directory.Store.
func (d Directory) KindOf(ctx context.Context, id uuid.UUID) (kind string, service uuid.NullUUID, err error) {
	err = d.DB.row(ctx, `
		select 'template_folder', service_id from template_folders where id = $1
		union all select 'organisation', null from organisations where id = $1
		union all select 'service', null from services where id = $1
		union all select 'email_branding', null from email_brandings where id = $1
		union all select 'letter_branding', null from letter_brandings where id = $1
		union all select 'user', null from users where id = $1`,
		[]any{id}, &kind, &service)
	return kind, service, err
}

// CountLive implements directory.Store. The settings are JSON in which a quote
// inside a text is escaped, so that the pattern finds the member and nothing else.
func (d Directory) CountLive(ctx context.Context) (organisations, services int, err error) {
	err = d.DB.row(ctx, `
		select count(distinct o.id), count(*) from services s left join organisations o on o.id = s.organisation_id and o.active
		where s.active and not s.restricted and s.settings not like '%"count_as_live":false%'`, nil, &organisations, &services)
	return organisations, services, err
}
