package storage

import (
	"context"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// The memberships of users, before the condition that chooses the users.
const (
	serviceMemberships = `
		select 'service', m.user_id, m.service_id, s.active, m.permissions, m.created_at
		from service_members m join services s on s.id = m.service_id where m.user_id `
	organisationMemberships = `
		select 'organisation', m.user_id, m.organisation_id, o.active, m.permissions, m.created_at
		from organisation_members m join organisations o on o.id = m.organisation_id where m.user_id `
	inOrderOfMembership = ` order by 6, 3`
)

// MembershipsOf implements directory.Store.
func (d Directory) MembershipsOf(ctx context.Context, userID uuid.UUID) (directory.Memberships, error) {
	of, err := d.memberships(ctx, serviceMemberships+`= $1 union all `+organisationMemberships+`= $1`+inOrderOfMembership, userID)
	return of(userID), err
}

// memberships runs a query made of the constants above and returns what each
// user belongs to.
func (d Directory) memberships(ctx context.Context, query string, args ...any) (of func(uuid.UUID) directory.Memberships, err error) {
	all := map[uuid.UUID]*directory.Memberships{}
	err = d.DB.each(ctx, query, args, func(scan func(...any) error) error {
		var kind string
		var user, in uuid.UUID
		var active bool
		var permissions []string
		var createdAt int64
		if err := scan(&kind, &user, &in, &active, listInto(&permissions), &createdAt); err != nil {
			return err
		}
		m, ok := all[user]
		if !ok {
			m = noMemberships()
			all[user] = m
		}
		if kind == "organisation" {
			addOrganisation(m, in, active, permissions)
		} else if active {
			addService(m, in, permissions)
		}
		return nil
	})
	return func(user uuid.UUID) directory.Memberships {
		if m, ok := all[user]; ok {
			return *m
		}
		return *noMemberships()
	}, err
}

func noMemberships() *directory.Memberships {
	return &directory.Memberships{ServicePermissions: map[uuid.UUID][]string{}, OrganisationPermissions: map[uuid.UUID][]string{}}
}

func addOrganisation(m *directory.Memberships, id uuid.UUID, active bool, permissions []string) {
	m.OrganisationPermissions[id] = permissions
	if active {
		m.Organisations = append(m.Organisations, id)
	}
}

func addService(m *directory.Memberships, id uuid.UUID, permissions []string) {
	m.Services = append(m.Services, id)
	if len(permissions) > 0 {
		m.ServicePermissions[id] = permissions
	}
}

const (
	insertServiceMember      = `insert into service_members (service_id, user_id, permissions, created_at) values ($1, $2, $3, $4)`
	insertOrganisationMember = `insert into organisation_members (organisation_id, user_id, permissions, created_at) values ($1, $2, $3, $4)`
)

// AddServiceMember implements directory.Store.
func (d Directory) AddServiceMember(ctx context.Context, m directory.Membership) error {
	_, err := d.DB.exec(ctx, insertServiceMember, m.Of, m.UserID, m.Permissions, m.CreatedAt)
	return err
}

// AddOrganisationMember implements directory.Store.
func (d Directory) AddOrganisationMember(ctx context.Context, m directory.Membership) error {
	_, err := d.DB.exec(ctx, insertOrganisationMember, m.Of, m.UserID, m.Permissions, m.CreatedAt)
	return err
}
