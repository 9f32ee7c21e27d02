package storage

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// listedColumns are scanned by listedOrganisations, in this order.
const listedColumns = `o.id, o.name, o.active, o.organisation_type,
	(select count(*) from services s where s.organisation_id = o.id and s.active and not s.restricted),
	(select string_agg(d.domain, ' ' order by d.domain) from organisation_domains d where d.organisation_id = o.id)`

// Organisations implements directory.Store.
func (d Directory) Organisations(ctx context.Context) ([]directory.ListedOrganisation, error) {
	return d.listedOrganisations(ctx, `
		select `+listedColumns+` from organisations o order by o.active desc, o.name_folded, o.id`)
}

// SearchOrganisations implements directory.Store.
func (d Directory) SearchOrganisations(ctx context.Context, text string) ([]directory.ListedOrganisation, error) {
	return d.listedOrganisations(ctx, `
		select `+listedColumns+` from organisations o where o.name_folded like $1 escape '\'
		order by o.name_folded, o.id`, "%"+likeLiteral(folded(text))+"%")
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// likeLiteral is a pattern that only matches the text itself.
func likeLiteral(text string) string { return likeEscaper.Replace(text) }

func (d Directory) listedOrganisations(ctx context.Context, query string, args ...any) ([]directory.ListedOrganisation, error) {
	var all []directory.ListedOrganisation
	err := d.DB.each(ctx, query, args, func(scan func(...any) error) error {
		var o directory.ListedOrganisation
		var domains string
		if err := scan(&o.ID, &o.Name, &o.Active, &o.Type, &o.CountOfLiveServices, stringInto(&domains)); err != nil {
			return err
		}
		o.Domains = strings.Fields(domains)
		all = append(all, o)
		return nil
	})
	return all, err
}

// OrganisationServices implements directory.Store. Its order is not that of any
// collation that both engines have.
func (d Directory) OrganisationServices(ctx context.Context, id uuid.UUID) ([]directory.Service, error) {
	var all []directory.Service
	err := d.DB.each(ctx, `
		select `+serviceColumns+` from services s where s.organisation_id = $1`, []any{id}, func(scan func(...any) error) error {
		var s directory.Service
		if err := scan(serviceFields(&s)...); err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	slices.SortFunc(all, func(a, b directory.Service) int {
		if a.Active != b.Active {
			return map[bool]int{true: -1, false: 1}[a.Active]
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all, err
}

// RemoveOrganisationMember implements directory.Store.
func (d Directory) RemoveOrganisationMember(ctx context.Context, organisation, user uuid.UUID) (bool, error) {
	n, err := d.DB.exec(ctx, `delete from organisation_members where organisation_id = $1 and user_id = $2`, organisation, user)
	return n > 0, err
}

// membersOfOrganisation chooses the users whose memberships are read.
const membersOfOrganisation = `in (select c.user_id from organisation_members c where c.organisation_id = $1)`

// OrganisationMembers implements directory.Store.
func (d Directory) OrganisationMembers(ctx context.Context, id uuid.UUID) ([]directory.OrganisationMember, error) {
	var all []directory.OrganisationMember
	err := d.DB.each(ctx, `
		select `+userColumns+`, m.permissions from organisation_members m join users u on u.id = m.user_id
		where m.organisation_id = $1 and u.state = 'active' order by u.created_at, u.id`, []any{id}, func(scan func(...any) error) error {
		var m directory.OrganisationMember
		if err := scan(append(userFields(&m.User), listInto(&m.Permissions))...); err != nil {
			return err
		}
		all = append(all, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	of, err := d.memberships(ctx, serviceMemberships+membersOfOrganisation+` union all `+organisationMemberships+membersOfOrganisation+inOrderOfMembership, id)
	for i := range all {
		all[i].Memberships = of(all[i].User.ID)
	}
	return all, err
}
