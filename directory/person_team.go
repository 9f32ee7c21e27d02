package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// teamChange is what a change of a team means for one member or invitation.
type teamChange struct {
	service      uuid.UUID // or
	organisation uuid.UUID
	member       uuid.UUID // uuid.Nil for an invitation, which has no user yet
	inviter      uuid.UUID // who a new invitation is from
	before       []string  // permissions
	after        []string
}

// guard refuses what a person who calls with their own token may not do to a
// team; machines and our own pages may do everything. Call it inside the
// transaction that holds the team: what the gate has seen may be over by now.
//
// A person needs the permission to manage the team, else the team does not exist
// for them ([ErrNotFound]). They grant nothing that they lack, to themselves
// included, and touch no platform administrator ([ErrForbidden]). They add
// whom they share a team with; everybody else is invited, in their own name.
func (r *Registry) guard(ctx context.Context, c teamChange) error {
	caller := CallerFrom(ctx).Person
	if caller == nil {
		return nil
	}
	p, err := r.Person(ctx, caller.User.ID.String())
	if err != nil {
		return err
	}
	otherName := c.inviter != uuid.Nil && c.inviter != p.User.ID
	if otherName || !p.User.PlatformAdmin && !p.manages(c) {
		return ErrNotFound
	}
	if p.User.PlatformAdmin {
		return nil
	}
	if c.member != uuid.Nil {
		if err := r.guardMember(ctx, p, c); err != nil {
			return err
		}
	}
	own := slices.Concat(c.before, p.Memberships.ServicePermissions[c.service], p.Memberships.OrganisationPermissions[c.organisation])
	if !containsAll(own, c.after) {
		return fmt.Errorf("grant a permission: %w", ErrForbidden)
	}
	return nil
}

func (p *Person) manages(c teamChange) bool {
	if c.organisation != uuid.Nil {
		return p.MayInOrganisation(c.organisation, ManageOrganisation)
	}
	return p.MayInService(c.service, ManageUsers)
}

func (r *Registry) guardMember(ctx context.Context, p *Person, c teamChange) error {
	if known, err := r.Knows(ctx, p, c.member); err != nil || !known {
		return cmp.Or(err, ErrNotFound)
	}
	u, err := r.Store.User(ctx, c.member)
	if err != nil {
		return fmt.Errorf("look up member: %w", err)
	}
	if u.PlatformAdmin {
		return fmt.Errorf("change a platform administrator: %w", ErrForbidden)
	}
	return nil
}
