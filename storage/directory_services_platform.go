package storage

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// UsersBetween implements directory.Store.
func (d Directory) UsersBetween(ctx context.Context, q directory.UserQuery, limit int) ([]*directory.User, map[uuid.UUID]directory.Memberships, error) {
	where, args := []string{"u.state = 'active'"}, []any{}
	add := func(condition string, value any) {
		args = append(args, value)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if !q.CreatedFrom.IsZero() {
		add("u.created_at >= $%d", q.CreatedFrom)
	}
	if !q.CreatedTo.IsZero() {
		add("u.created_at < $%d", q.CreatedTo)
	}
	if !q.LoggedInFrom.IsZero() {
		add("u.logged_in_at >= $%d", q.LoggedInFrom)
	}
	if !q.LoggedInTo.IsZero() {
		add("u.logged_in_at < $%d", q.LoggedInTo)
	}
	if q.TakePartInResearch != nil {
		add("u.take_part_in_research = $%d", *q.TakePartInResearch)
	}
	if q.After.Valid {
		after, err := d.User(ctx, q.After.UUID)
		if err != nil {
			return nil, nil, err
		}
		args = append(args, after.CreatedAt, after.ID)
		where = append(where, fmt.Sprintf("(u.created_at, u.id) > ($%d, $%d)", len(args)-1, len(args)))
	}
	args = append(args, limit)
	users, err := d.users(ctx, `select `+userColumns+` from users u where `+strings.Join(where, " and ")+
		fmt.Sprintf(" order by u.created_at, u.id limit $%d", len(args)), args...)
	if err != nil || len(users) == 0 {
		return nil, nil, err
	}
	of, err := d.membershipsOfAll(ctx, users)
	return users, of, err
}

// membershipsOfAll returns what each of the users belongs to.
func (d Directory) membershipsOfAll(ctx context.Context, users []*directory.User) (map[uuid.UUID]directory.Memberships, error) {
	ids, these := idsOf(users)
	of, err := d.memberships(ctx, serviceMemberships+these+` union all `+organisationMemberships+these+inOrderOfMembership, ids...)
	all := make(map[uuid.UUID]directory.Memberships, len(users))
	for _, u := range users {
		all[u.ID] = of(u.ID)
	}
	return all, err
}

// idsOf returns the ids of users as arguments, and the condition that chooses them.
func idsOf(users []*directory.User) (ids []any, these string) {
	ids = make([]any, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return ids, `in (` + placeholders(1, len(ids)) + `)`
}

// LiveServicesOf implements directory.Store.
func (d Directory) LiveServicesOf(ctx context.Context, users []*directory.User) (map[uuid.UUID][]directory.Service, error) {
	all := make(map[uuid.UUID][]directory.Service, len(users))
	if len(users) == 0 {
		return all, nil
	}
	ids, these := idsOf(users)
	err := d.DB.each(ctx, `
		select m.user_id, s.id, s.name from service_members m join services s on s.id = m.service_id
		where s.active and not s.restricted and m.user_id `+these+`
		order by s.name, s.id`, ids, func(scan func(...any) error) error {
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
