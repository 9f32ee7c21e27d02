package storage

import (
	"context"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// ExportUsers returns at most limit users whose ids come after one, in their
// order, with all that is theirs.
func (i Imports) ExportUsers(ctx context.Context, after uuid.UUID, limit int) ([]directory.ExportedUser, error) {
	var all []directory.ExportedUser
	err := i.DB.each(ctx, `
		select `+userColumns+`, p.hash from users u left join passwords p on p.user_id = u.id
		where u.id > $1 order by u.id limit $2`, []any{after, limit}, func(scan func(...any) error) error {
		e := directory.ExportedUser{User: &directory.User{}}
		err := scan(append(userFields(e.User), stringInto(&e.PasswordHash))...)
		all = append(all, e)
		return err
	})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all, i.exportMemberships(ctx, all, after)
}

// exportMemberships adds what a page of users belongs to, also what is archived.
func (i Imports) exportMemberships(ctx context.Context, page []directory.ExportedUser, after uuid.UUID) error {
	of := make(map[uuid.UUID]*directory.ExportedUser, len(page))
	for n := range page {
		of[page[n].User.ID] = &page[n]
	}
	return i.DB.each(ctx, `
		select 'service', user_id, service_id, permissions, created_at from service_members where user_id > $1 and user_id <= $2
		union all
		select 'organisation', user_id, organisation_id, permissions, created_at from organisation_members where user_id > $1 and user_id <= $2
		order by 1, 2, 3`, []any{after, page[len(page)-1].User.ID}, func(scan func(...any) error) error {
		var kind string
		var m directory.Membership
		if err := scan(&kind, &m.UserID, &m.Of, listInto(&m.Permissions), timeInto(&m.CreatedAt)); err != nil {
			return err
		}
		e, ok := of[m.UserID]
		switch {
		case !ok: // made since the page was read
		case kind == "service":
			e.Services = append(e.Services, m)
		default:
			e.Organisations = append(e.Organisations, m)
		}
		return nil
	})
}

// ExportOrganisations returns at most limit organisations whose ids come after
// one, in their order.
func (i Imports) ExportOrganisations(ctx context.Context, after uuid.UUID, limit int) ([]*directory.Organisation, error) {
	ids, err := i.idsAfter(ctx, `select id from organisations where id > $1 order by id limit $2`, after, limit)
	all := make([]*directory.Organisation, len(ids))
	for n := 0; n < len(ids) && err == nil; n++ {
		all[n], err = i.Organisation(ctx, ids[n])
	}
	return all, err
}

// ExportServices is the same for services.
func (i Imports) ExportServices(ctx context.Context, after uuid.UUID, limit int) ([]*directory.Service, error) {
	ids, err := i.idsAfter(ctx, `select id from services where id > $1 order by id limit $2`, after, limit)
	all := make([]*directory.Service, len(ids))
	for n := 0; n < len(ids) && err == nil; n++ {
		all[n], err = i.Service(ctx, ids[n])
	}
	return all, err
}

func (i Imports) idsAfter(ctx context.Context, query string, after uuid.UUID, limit int) ([]uuid.UUID, error) {
	var all []uuid.UUID
	err := i.DB.each(ctx, query, []any{after, limit}, func(scan func(...any) error) error {
		var id uuid.UUID
		err := scan(&id)
		all = append(all, id)
		return err
	})
	return all, err
}
