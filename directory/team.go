package directory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
)

// ManageSettings is the permission that the minimum-team rules count.
const ManageSettings = "manage_settings"

// servicePermissions are the permissions of a service's team, as they are
// stored and returned.
var servicePermissions = []string{
	"manage_users", "manage_templates", ManageSettings, "send_texts", "send_emails", "send_letters",
	"manage_api_keys", "view_activity", "platform_admin",
}

// CreatorPermissions returns what the creator of a service may do in it:
// everything that a team can be given.
func CreatorPermissions() []string { return slices.Clone(servicePermissions[:8]) }

// ServicePermissions returns the stored permissions that names stand for, each
// once. It knows the names of the pages as well (seed 002), which stand for
// several. A name it does not know is [ErrNotFound].
func ServicePermissions(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		switch name {
		case "manage_service":
			all = append(all, "manage_users", ManageSettings)
		case "send_messages":
			all = append(all, "send_texts", "send_emails", "send_letters")
		default:
			all = append(all, name)
		}
	}
	for _, name := range all {
		if !slices.Contains(servicePermissions, name) {
			return nil, fmt.Errorf("service permission: %w", ErrNotFound)
		}
	}
	return inOrder(all), nil
}

// inOrder removes what is there twice and sorts as the permissions are listed.
func inOrder(names []string) []string {
	place := func(name string) int { return slices.Index(servicePermissions, name) }
	slices.SortFunc(names, func(a, b string) int { return place(a) - place(b) })
	return slices.Compact(names)
}

// TeamMember is what the minimum-team rules know of a member of a service.
type TeamMember struct {
	UserID       uuid.UUID
	EmailAddress string
	Active       bool
	Permissions  []string
	// Government is what [GovernmentAddress] says of the address.
	Government bool
}

func (m *TeamMember) manages() bool { return slices.Contains(m.Permissions, ManageSettings) }

// Team is a service's team as the minimum-team rules see it.
type Team struct {
	// Live is true for a service that is live or has asked to become so.
	Live    bool
	Members []TeamMember
}

// MayRemove reports whether a member may leave the team: never its only active
// member, nor one of too few government members who manage its settings.
func (t *Team) MayRemove(userID uuid.UUID) bool {
	active := 0
	for i := range t.Members {
		if t.Members[i].Active {
			active++
		}
	}
	return active != 1 && t.mayLose(userID)
}

// MayChange reports whether a member's permissions may become others.
func (t *Team) MayChange(userID uuid.UUID, permissions []string) bool {
	return slices.Contains(permissions, ManageSettings) || t.mayLose(userID)
}

// mayLose reports whether enough government managers stay when this member is
// none any more: one for a trial service, two for any other.
func (t *Team) mayLose(userID uuid.UUID) bool {
	managers := 0
	for i := range t.Members {
		m := &t.Members[i]
		if m.UserID == userID && (!m.manages() || !m.Government) {
			return true
		}
		if m.Active && m.Government && m.manages() {
			managers++
		}
	}
	minimum := 1
	if t.Live {
		minimum = 2
	}
	return managers-1 >= minimum
}

// CanLeaveService reports whether the minimum-team rules let a member leave a
// service. Call it inside the transaction of the change: it holds the service
// until that ends, so that no other change of the team comes between. Who leaves
// several services takes them in the order of their ids, lest two wait for each
// other.
func (r *Registry) CanLeaveService(ctx context.Context, serviceID, userID uuid.UUID) (bool, error) {
	t, err := r.lockTeam(ctx, serviceID)
	if err != nil {
		return false, err
	}
	return t.MayRemove(userID), nil
}

// lockTeam returns a service's team and keeps it as it is until the transaction ends.
func (r *Registry) lockTeam(ctx context.Context, serviceID uuid.UUID) (*Team, error) {
	s, err := r.Store.LockService(ctx, serviceID)
	if err != nil {
		return nil, fmt.Errorf("lock service: %w", err)
	}
	members, err := r.Store.TeamMembers(ctx, serviceID)
	if err != nil {
		return nil, fmt.Errorf("look up team: %w", err)
	}
	if err := r.markGovernment(ctx, members); err != nil {
		return nil, err
	}
	return &Team{Live: !s.Restricted || s.HasActiveGoLiveRequest, Members: members}, nil
}

// MayMoveTo returns [ErrForbidden] for an address that somebody may not choose
// themselves: who has one of the government and is in the team of an active
// service stays with the government, as services count on such members (seed 000).
// The Notify API does not ask: there it is a rule of the forms, as it is of ours.
func (r *Registry) MayMoveTo(ctx context.Context, u *User, address string) error {
	m, err := r.Store.MembershipsOf(ctx, u.ID)
	if err != nil {
		return fmt.Errorf("look up memberships: %w", err)
	}
	if len(m.Services) == 0 {
		return nil
	}
	sides := []TeamMember{{EmailAddress: u.EmailAddress}, {EmailAddress: address}}
	if err := r.markGovernment(ctx, sides); err != nil {
		return err
	}
	if sides[0].Government && !sides[1].Government {
		return fmt.Errorf("move to an address outside the government: %w", ErrForbidden)
	}
	return nil
}

// markGovernment asks once for the domains of all members.
func (r *Registry) markGovernment(ctx context.Context, members []TeamMember) error {
	var domains []string
	for i := range members {
		domains = append(domains, DomainsOf(members[i].EmailAddress)...)
	}
	owners, err := r.Store.DomainOwners(ctx, domains)
	if err != nil {
		return fmt.Errorf("look up domains: %w", err)
	}
	registered := slices.Collect(maps.Keys(owners))
	for i := range members {
		members[i].Government = GovernmentAddress(members[i].EmailAddress, registered)
	}
	return nil
}
