package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// The permissions with which a person manages a team.
const (
	ManageUsers        = "manage_users"
	ManageTemplates    = "manage_templates"
	ManageOrganisation = "manage_organisation"
)

// ErrForbidden says that a person may manage the team, but not make this change
// to it.
var ErrForbidden = errors.New("not allowed to this person")

// Person is somebody who calls with their own access token: they may do here what
// they may do themselves, and no more.
type Person struct {
	User        *User
	Memberships Memberships
}

// Person returns the active user with this id and what they belong to. Anybody
// else is [ErrNotFound].
func (r *Registry) Person(ctx context.Context, id string) (*Person, error) {
	userID, err := uuid.Parse(id)
	if err != nil {
		return nil, ErrNotFound
	}
	u, err := r.Store.User(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("look up person: %w", err)
	}
	if u.State != Active {
		return nil, ErrNotFound
	}
	of, err := r.Store.MembershipsOf(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("look up memberships: %w", err)
	}
	return &Person{User: u, Memberships: of}, nil
}

// InService reports whether the person is in the team of an active service.
func (p *Person) InService(id uuid.UUID) bool { return slices.Contains(p.Memberships.Services, id) }

// InOrganisation reports whether the person is a member of an active organisation.
func (p *Person) InOrganisation(id uuid.UUID) bool {
	return slices.Contains(p.Memberships.Organisations, id)
}

// MayInService reports whether the person has all of some permissions in a service.
func (p *Person) MayInService(id uuid.UUID, permissions ...string) bool {
	return p.InService(id) && containsAll(p.Memberships.ServicePermissions[id], permissions)
}

// MayInOrganisation reports whether the person has all of some permissions in an
// organisation.
func (p *Person) MayInOrganisation(id uuid.UUID, permissions ...string) bool {
	return p.InOrganisation(id) && containsAll(p.Memberships.OrganisationPermissions[id], permissions)
}

func containsAll(all, some []string) bool {
	return !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(all, one) })
}

// Shared returns what of somebody's memberships the person has a part in: that a
// colleague also works elsewhere is none of their business.
func (p *Person) Shared(m Memberships) Memberships {
	shared := Memberships{ServicePermissions: map[uuid.UUID][]string{}, OrganisationPermissions: map[uuid.UUID][]string{}}
	for _, id := range m.Services {
		if p.InService(id) {
			shared.Services = append(shared.Services, id)
		}
	}
	for _, id := range m.Organisations {
		if p.InOrganisation(id) {
			shared.Organisations = append(shared.Organisations, id)
		}
	}
	for id, permissions := range m.ServicePermissions {
		if p.InService(id) {
			shared.ServicePermissions[id] = permissions
		}
	}
	for id, permissions := range m.OrganisationPermissions {
		if p.InOrganisation(id) {
			shared.OrganisationPermissions[id] = permissions
		}
	}
	return shared
}

// Knows reports whether a person shares a service or an organisation with
// somebody, or is them. For a person, nobody else exists.
func (r *Registry) Knows(ctx context.Context, p *Person, userID uuid.UUID) (bool, error) {
	if p.User.PlatformAdmin || p.User.ID == userID {
		return true, nil
	}
	of, err := r.Store.MembershipsOf(ctx, userID)
	if err != nil {
		return false, fmt.Errorf("look up memberships: %w", err)
	}
	shared := p.Shared(of)
	return len(shared.Services)+len(shared.Organisations) > 0, nil
}

// RecordRefusal writes into the audit trail that a person tried what they may not.
func (r *Registry) RecordRefusal(ctx context.Context, p *Person, what string) error {
	return r.record(ctx, "refuse_change", Actor{Kind: "user", ID: p.User.ID.String()}, p.User.ID.String(), map[string]any{"request": what})
}
