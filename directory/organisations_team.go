package directory

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// CanMakeServicesLive is the permission of those who approve go-live requests.
const CanMakeServicesLive = "can_make_services_live"

// organisationUserPermissions are what a member of an organisation may be
// allowed: one permission of the running Notify, and three of its documentation
// (seeds 000 to 002).
var organisationUserPermissions = []string{CanMakeServicesLive, "manage_services", "view_all_services", "manage_organisation"}

// OrganisationUserPermissionNames returns what a member of an organisation may be allowed.
func OrganisationUserPermissionNames() []string { return slices.Clone(organisationUserPermissions) }

// OrganisationUserPermissions returns names, each once. A name that is not a
// permission is [ErrNotFound].
func OrganisationUserPermissions(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		if !slices.Contains(organisationUserPermissions, name) {
			return nil, fmt.Errorf("organisation permission: %w", ErrNotFound)
		}
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all, nil
}

// openOrganisation locks an organisation that somebody or something is to join.
func (r *Registry) openOrganisation(ctx context.Context, id uuid.UUID) (*Organisation, error) {
	o, err := r.Store.LockOrganisation(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("lock organisation: %w", err)
	}
	if o.archived() {
		return nil, ErrArchived
	}
	return o, nil
}

// JoinOrganisation makes a user a member of an organisation. Errors:
// [ErrNotFound] for an unknown organisation, user or permission, [*ConflictError]
// for a member, [ErrArchived].
func (r *Registry) JoinOrganisation(ctx context.Context, organisation, user uuid.UUID, permissions []string, actor Actor) (*User, error) {
	permissions, err := OrganisationUserPermissions(permissions)
	if err != nil {
		return nil, err
	}
	var u *User
	err = r.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := r.openOrganisation(ctx, organisation); err != nil {
			return err
		}
		if u, err = r.Store.User(ctx, user); err != nil {
			return fmt.Errorf("look up user: %w", err)
		}
		if err := r.guard(ctx, teamChange{organisation: organisation, member: user, after: permissions}); err != nil {
			return err
		}
		m := Membership{Of: organisation, UserID: user, Permissions: permissions, CreatedAt: r.Clock()}
		if err := r.Store.AddOrganisationMember(ctx, m); err != nil {
			return fmt.Errorf("add organisation member: %w", err)
		}
		return r.record(ctx, "add_user_to_organisation", actor, organisation.String(), map[string]any{"user_id": user, "permissions": permissions})
	})
	return u, err
}

// LeaveOrganisation ends a membership with its permissions. An unknown
// organisation or user is [ErrNotFound], somebody who is no member [ErrNotInOrganisation].
func (r *Registry) LeaveOrganisation(ctx context.Context, organisation, user uuid.UUID, actor Actor) error {
	return r.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := r.Store.LockOrganisation(ctx, organisation); err != nil {
			return fmt.Errorf("lock organisation: %w", err)
		}
		if _, err := r.Store.User(ctx, user); err != nil {
			return fmt.Errorf("look up user: %w", err)
		}
		if err := r.guard(ctx, teamChange{organisation: organisation, member: user}); err != nil {
			return err
		}
		removed, err := r.Store.RemoveOrganisationMember(ctx, organisation, user)
		if err != nil {
			return fmt.Errorf("remove organisation member: %w", err)
		}
		if !removed {
			return ErrNotInOrganisation
		}
		return r.record(ctx, "remove_user_from_organisation", actor, organisation.String(), map[string]any{"user_id": user})
	})
}

// MoveService gives a service to an organisation, whose type and crown it takes
// on, with the year's allowance. Errors: [ErrNotFound], [ErrArchived].
func (r *Registry) MoveService(ctx context.Context, organisation, service uuid.UUID, actor Actor) error {
	return r.Store.InTx(ctx, func(ctx context.Context) error {
		o, err := r.openOrganisation(ctx, organisation)
		if err != nil {
			return err
		}
		s, err := r.Store.LockService(ctx, service)
		if err != nil {
			return fmt.Errorf("lock service: %w", err)
		}
		now, before := r.Clock(), s.OrganisationID
		s.OrganisationID = uuid.NullUUID{UUID: o.ID, Valid: true}
		s.OrganisationType, s.Crown, s.UpdatedAt = o.Type, o.Crown, now
		if err := r.Store.UpdateService(ctx, s); err != nil {
			return fmt.Errorf("move service: %w", err)
		}
		if err := r.Store.SetServiceAllowance(ctx, service, NewAllowance(o.Type, now)); err != nil {
			return fmt.Errorf("set allowance: %w", err)
		}
		return r.record(ctx, "move_service", actor, service.String(), map[string]any{
			"before": map[string]any{"organisation_id": before}, "after": map[string]any{"organisation_id": s.OrganisationID},
		})
	})
}
