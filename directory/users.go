package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// userStore is what the store does for changes of users.
type userStore interface {
	// LockUser keeps a user as it is, for everybody else, until the transaction ends.
	LockUser(ctx context.Context, id uuid.UUID) error
	// FindUsers returns the users whose address contains a text, in any letter
	// case, ordered by address: the first thousand.
	FindUsers(ctx context.Context, part string) ([]*User, error)
	// SetCurrentSession replaces the session of Notify's application.
	SetCurrentSession(ctx context.Context, userID uuid.UUID, session uuid.NullUUID) error
	// RemoveMemberships takes a user out of every service and organisation.
	RemoveMemberships(ctx context.Context, userID uuid.UUID) error
	// SetOrganisationPermissions replaces what a member may do; ErrNotFound for
	// somebody who is none.
	SetOrganisationPermissions(ctx context.Context, m Membership) error
	// OrganisationsOf and ServicesOf return the active ones that a user belongs
	// to, by name, with the fields that tell one from another.
	OrganisationsOf(ctx context.Context, userID uuid.UUID) ([]ListedOrganisation, error)
	ServicesOf(ctx context.Context, userID uuid.UUID) ([]Service, error)
}

// UserChange is what a caller changes about a user; nil stays as it is.
type UserChange struct {
	Name         *string
	EmailAddress *string
	// MobileNumber is "" to remove it.
	MobileNumber             *string
	AuthType                 *AuthType
	CurrentSessionID         *uuid.NullUUID
	EmailAccessValidatedAt   *time.Time
	TakePartInResearch       *bool
	ReceivesNewFeaturesEmail *bool
	PlatformAdmin            *bool
}

// changeUser runs a change of a user in a transaction that holds the user, so
// that none is lost, with its audit event. The change returns the event's data.
func (r *Registry) changeUser(ctx context.Context, id uuid.UUID, kind string, actor Actor, change func(ctx context.Context, u *User) (map[string]any, error)) (*User, error) {
	err := r.Store.InTx(ctx, func(ctx context.Context) error {
		if err := r.Store.LockUser(ctx, id); err != nil {
			return fmt.Errorf("lock user: %w", err)
		}
		u, err := r.Store.User(ctx, id)
		if err != nil {
			return fmt.Errorf("look up user: %w", err)
		}
		data, err := change(ctx, u)
		if err != nil {
			return err
		}
		return r.record(ctx, kind, actor, id.String(), data)
	})
	if err != nil {
		return nil, err
	}
	return r.Store.User(ctx, id)
}

// UpdateUser changes a user. The function also, when not nil, runs in the same
// transaction, for example to tell the user. Errors: [ErrNotFound],
// [*FieldError], [*ConflictError], [ErrUnavailable].
func (r *Registry) UpdateUser(ctx context.Context, id uuid.UUID, c UserChange, actor Actor, also func(ctx context.Context, u *User) error) (*User, error) {
	return r.changeUser(ctx, id, "update_user", actor, func(ctx context.Context, u *User) (map[string]any, error) {
		before := *u
		c.apply(u)
		if err := r.checkChange(ctx, u, &before); err != nil {
			return nil, err
		}
		u.UpdatedAt = r.Clock()
		if err := r.Store.UpdateUser(ctx, u); err != nil {
			return nil, fmt.Errorf("update user: %w", err)
		}
		if c.CurrentSessionID != nil {
			if err := r.Store.SetCurrentSession(ctx, id, *c.CurrentSessionID); err != nil {
				return nil, fmt.Errorf("set session: %w", err)
			}
		}
		if also != nil {
			if err := also(ctx, u); err != nil {
				return nil, err
			}
		}
		return c.told(&before, u), nil
	})
}

func (c *UserChange) apply(u *User) {
	set(&u.Name, c.Name)
	if c.Name != nil {
		u.FirstName, u.Surname = SplitName(u.Name)
	}
	if c.EmailAddress != nil {
		u.EmailAddress = ShownEmail(*c.EmailAddress)
	}
	set(&u.MobileNumber, c.MobileNumber)
	set(&u.AuthType, c.AuthType)
	set(&u.EmailAccessValidatedAt, c.EmailAccessValidatedAt)
	set(&u.TakePartInResearch, c.TakePartInResearch)
	set(&u.ReceivesNewFeaturesEmail, c.ReceivesNewFeaturesEmail)
	set(&u.PlatformAdmin, c.PlatformAdmin)
}

// checkChange holds what is new about a user to the rules of a new one.
func (r *Registry) checkChange(ctx context.Context, u, before *User) error {
	if err := validText("name", u.Name); err != nil {
		return err
	}
	if u.MobileNumber != before.MobileNumber && u.MobileNumber != "" {
		if _, err := ParseMobile(u.MobileNumber); err != nil {
			return &FieldError{Field: "mobile_number", Reason: "Invalid phone number: " + err.Error()}
		}
	}
	if u.AuthType == SMSAuth && u.MobileNumber == "" {
		return &FieldError{Field: "mobile_number", Reason: NumberNeeded}
	}
	if NormaliseEmail(u.EmailAddress) == NormaliseEmail(before.EmailAddress) {
		return nil // it is theirs already
	}
	if err := ValidateEmail(u.EmailAddress); err != nil {
		return err
	}
	return r.claimAddress(ctx, u)
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// NumberNeeded is why a user with codes by text message keeps a number.
const NumberNeeded = "Mobile number must be set if auth_type is set to sms_auth"

// told is what the audit trail says of a change: which fields, and the values of
// those that are not personal.
func (c *UserChange) told(before, after *User) map[string]any {
	values := func(u *User) map[string]any {
		return map[string]any{
			"auth_type": u.AuthType, "platform_admin": u.PlatformAdmin,
			"take_part_in_research": u.TakePartInResearch, "receives_new_features_email": u.ReceivesNewFeaturesEmail,
		}
	}
	fields := []string{}
	for name, given := range map[string]bool{
		"name": c.Name != nil, "email_address": c.EmailAddress != nil, "mobile_number": c.MobileNumber != nil,
		"auth_type": c.AuthType != nil, "current_session_id": c.CurrentSessionID != nil,
		"email_access_validated_at": c.EmailAccessValidatedAt != nil, "take_part_in_research": c.TakePartInResearch != nil,
		"receives_new_features_email": c.ReceivesNewFeaturesEmail != nil, "platform_admin": c.PlatformAdmin != nil,
	} {
		if given {
			fields = append(fields, name)
		}
	}
	slices.Sort(fields)
	return map[string]any{"fields": fields, "before": values(before), "after": values(after)}
}

// UserOfAddress returns the user an address means: the only one, or the only one
// without a username to be named by instead.
func (r *Registry) UserOfAddress(ctx context.Context, email string) (*User, error) {
	users, err := r.Store.UsersByEmail(ctx, email)
	switch {
	case err != nil:
		return nil, fmt.Errorf("look up address: %w", err)
	case len(users) == 1, len(users) > 1 && users[0].Username == "":
		return users[0], nil // those without a username come first, and there is only one
	}
	return nil, fmt.Errorf("look up address: %w", ErrNotFound)
}

// TeamsOf names the active organisations and services that a user belongs to.
func (r *Registry) TeamsOf(ctx context.Context, id uuid.UUID) (organisations, services []string, err error) {
	inOrganisations, err := r.Store.OrganisationsOf(ctx, id)
	if err != nil {
		return nil, nil, fmt.Errorf("list organisations: %w", err)
	}
	inServices, err := r.Store.ServicesOf(ctx, id)
	if err != nil {
		return nil, nil, fmt.Errorf("list services: %w", err)
	}
	organisations, services = []string{}, []string{}
	for _, o := range inOrganisations {
		organisations = append(organisations, o.Name)
	}
	for i := range inServices {
		services = append(services, inServices[i].Name)
	}
	return organisations, services, nil
}

// ErrActive says that a user is active already.
var ErrActive = fmt.Errorf("%w: the user is active", ErrConflict)

// ActivateUser makes a user active who is not; [ErrActive] for one who is.
func (r *Registry) ActivateUser(ctx context.Context, id uuid.UUID, actor Actor) (*User, error) {
	return r.changeUser(ctx, id, "activate_user", actor, func(ctx context.Context, u *User) (map[string]any, error) {
		if u.State == Active {
			return nil, ErrActive
		}
		before := u.State
		u.State, u.UpdatedAt = Active, r.Clock()
		if err := r.Store.UpdateUser(ctx, u); err != nil {
			return nil, fmt.Errorf("activate user: %w", err)
		}
		return map[string]any{"before": before, "after": u.State}, nil
	})
}

// ErrNeeded says that a service cannot do without a user.
var ErrNeeded = fmt.Errorf("%w: a service needs the user", ErrConflict)

// ArchiveUser takes from a user every membership, name, address and number, and
// ends Notify's session; domain is what the address that stands in for theirs is
// of. What else signs in is also's to end, in the same transaction. The second
// time it does the same again. [ErrNeeded] when an active service would be left
// with too few people.
func (r *Registry) ArchiveUser(ctx context.Context, id uuid.UUID, domain string, actor Actor, also func(ctx context.Context) error) error {
	_, err := r.changeUser(ctx, id, "archive_user", actor, func(ctx context.Context, u *User) (map[string]any, error) {
		m, err := r.Store.MembershipsOf(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("look up memberships: %w", err)
		}
		if err := r.leaveAll(ctx, id, m.Services); err != nil {
			return nil, err
		}
		before := u.State
		r.scrub(u, domain)
		if err := r.Store.UpdateUser(ctx, u); err != nil {
			return nil, fmt.Errorf("archive user: %w", err)
		}
		if err := r.Store.SetCurrentSession(ctx, id, uuid.NullUUID{Valid: true}); err != nil {
			return nil, fmt.Errorf("end session: %w", err)
		}
		if err := also(ctx); err != nil {
			return nil, err
		}
		return map[string]any{"before": before, "after": u.State, "services": m.Services, "organisations": m.Organisations}, nil
	})
	return err
}

// leaveAll takes the services in the order of their ids, as [Registry.CanLeaveService] asks.
func (r *Registry) leaveAll(ctx context.Context, userID uuid.UUID, services []uuid.UUID) error {
	services = slices.Clone(services)
	slices.SortFunc(services, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	for _, service := range services {
		can, err := r.CanLeaveService(ctx, service, userID)
		if err != nil {
			return err
		}
		if !can {
			return ErrNeeded
		}
	}
	if err := r.Store.RemoveMemberships(ctx, userID); err != nil {
		return fmt.Errorf("remove memberships: %w", err)
	}
	return nil
}

// scrub keeps of a user what refers to them: the id, the number and the username.
func (r *Registry) scrub(u *User, domain string) {
	now := r.Clock()
	u.Name, u.FirstName, u.Surname = "Archived user", "Archived", "user"
	u.EmailAddress = archivedPrefix + now.UTC().Format("2006-01-02-15:04:05") + "_" + u.ID.String() + "@" + domain
	u.MobileNumber, u.AuthType = "", EmailAuth
	u.PlatformAdmin, u.Roles = false, nil
	u.State, u.UpdatedAt = Inactive, now
}

// organisationPermissions are what a member of an organisation may be given: the
// names of seed 000, and the one that counts for going live (seed 001).
var organisationPermissions = []string{"can_make_services_live", "manage_organisation", "manage_services", "view_all_services"}

// SetOrganisationPermissions replaces what a member of an organisation may do. A
// permission that does not exist is [ErrNotFound], as is somebody who is no member.
func (r *Registry) SetOrganisationPermissions(ctx context.Context, userID, organisationID uuid.UUID, permissions []string, actor Actor) error {
	for _, name := range permissions {
		if !slices.Contains(organisationPermissions, name) {
			return fmt.Errorf("organisation permission: %w", ErrNotFound)
		}
	}
	permissions = slices.Compact(slices.Sorted(slices.Values(permissions)))
	_, err := r.changeUser(ctx, userID, "set_organisation_user_permissions", actor, func(ctx context.Context, _ *User) (map[string]any, error) {
		before, err := r.Store.MembershipsOf(ctx, userID)
		if err != nil {
			return nil, fmt.Errorf("look up memberships: %w", err)
		}
		change := teamChange{organisation: organisationID, member: userID, before: before.OrganisationPermissions[organisationID], after: permissions}
		if err := r.guard(ctx, change); err != nil {
			return nil, err
		}
		if err := r.Store.SetOrganisationPermissions(ctx, Membership{UserID: userID, Of: organisationID, Permissions: permissions}); err != nil {
			return nil, fmt.Errorf("set permissions: %w", err)
		}
		return map[string]any{"organisation": organisationID, "before": before.OrganisationPermissions[organisationID], "after": permissions}, nil
	})
	return err
}
