package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// TeamKind says what kind of team an invitation is to.
type TeamKind string

// The kinds.
const (
	ServiceTeam      TeamKind = "service"
	OrganisationTeam TeamKind = "organisation"
)

// What stands against accepting an invitation.
var (
	// ErrInvitationClosed says that it was accepted, withdrawn or left for too
	// long, or that its team is no more.
	ErrInvitationClosed = errors.New("the invitation is closed")
	// ErrNotInvited says that it is for somebody else's address.
	ErrNotInvited = errors.New("the invitation is for somebody else")
)

// TeamInvitation is an invitation as the person invited meets it.
type TeamInvitation struct {
	ID        uuid.UUID
	Kind      TeamKind
	TeamID    uuid.UUID // the service or organisation
	TeamName  string
	Active    bool   // the team's
	InvitedBy string // who invites, by name
	// EmailAddress is who is invited.
	EmailAddress string
	Status       InvitationStatus
	Permissions  []string
	Folders      []uuid.UUID // of a service
	AuthType     AuthType    // wanted by a service
	// Features are a service's: without "email_auth" its managers have no say in
	// how its members sign in.
	Features  []string
	CreatedAt time.Time
}

// Accepted reports whether somebody accepted the invitation.
func (i *TeamInvitation) Accepted() bool { return i.Status == InvitationAccepted }

// Expired reports whether the invitation was left for too long.
func (i *TeamInvitation) Expired(now time.Time) bool { return now.Sub(i.CreatedAt) >= InvitationTTL }

// Open reports whether the invitation can be accepted.
func (i *TeamInvitation) Open(now time.Time) bool {
	return i.Status == InvitationPending && i.Active && !i.Expired(now)
}

// For reports whether a user's address is the one invited.
func (i *TeamInvitation) For(u *User) bool {
	return u.EmailAddress != "" && NormaliseEmail(u.EmailAddress) == NormaliseEmail(i.EmailAddress)
}

// SignInBy is how a new account of the person invited signs in: by e-mail when
// the invitation says so and the service lets it.
func (i *TeamInvitation) SignInBy() AuthType {
	if i.Kind == ServiceTeam && i.AuthType == EmailAuth && slices.Contains(i.Features, "email_auth") {
		return EmailAuth
	}
	return SMSAuth
}

// changesAuthType reports whether accepting changes how a user signs in. It
// never does for a platform administrator, or for somebody with a security key.
func (i *TeamInvitation) changesAuthType(u *User) bool {
	if i.Kind != ServiceTeam || !slices.Contains(i.Features, "email_auth") || u.PlatformAdmin || u.AuthType == WebAuthnAuth {
		return false
	}
	return i.AuthType == EmailAuth || i.AuthType == SMSAuth && u.MobileNumber != ""
}

// acceptanceStore is the part of [Store] that accepting invitations needs.
type acceptanceStore interface {
	// TeamInvitation returns an invitation with the names that tell what it is.
	TeamInvitation(ctx context.Context, kind TeamKind, id uuid.UUID) (*TeamInvitation, error)
	// AcceptInvitation marks a pending invitation as accepted that was made after
	// since; any other is [ErrNotFound].
	AcceptInvitation(ctx context.Context, kind TeamKind, id uuid.UUID, since time.Time) error
}

// TeamInvitation returns an invitation, whatever its state. Errors: [ErrNotFound],
// [ErrUnavailable].
func (r *Registry) TeamInvitation(ctx context.Context, kind TeamKind, id uuid.UUID) (*TeamInvitation, error) {
	i, err := r.Store.TeamInvitation(ctx, kind, id)
	if err != nil {
		return nil, fmt.Errorf("look up invitation: %w", err)
	}
	return i, nil
}

// AcceptInvitation makes a user a member of the team that an invitation is to,
// with exactly its rights. The link proves that the address is the user's; one
// who was not active is so now. A member stays as they are. It works once.
// Errors: [ErrInvitationClosed], [ErrNotInvited], [ErrUnavailable].
func (r *Registry) AcceptInvitation(ctx context.Context, kind TeamKind, id, userID uuid.UUID) error {
	return r.Store.InTx(ctx, func(ctx context.Context) error {
		if err := r.Store.LockUser(ctx, userID); err != nil {
			return fmt.Errorf("lock user: %w", err)
		}
		u, err := r.Store.User(ctx, userID)
		if err != nil {
			return fmt.Errorf("look up user: %w", err)
		}
		i, err := r.Store.TeamInvitation(ctx, kind, id)
		switch {
		case errors.Is(err, ErrNotFound):
			return ErrInvitationClosed
		case err != nil:
			return fmt.Errorf("look up invitation: %w", err)
		case !i.For(u):
			return ErrNotInvited
		case !i.Open(r.Clock()) || !u.Enabled():
			return ErrInvitationClosed
		}
		return r.accept(ctx, i, u)
	})
}

func (r *Registry) accept(ctx context.Context, i *TeamInvitation, u *User) error {
	actor := Actor{Kind: "user", ID: u.ID.String()}
	before := *u
	if err := r.welcome(ctx, i, u, actor); err != nil {
		return err
	}
	if err := r.join(ctx, i, u, actor); err != nil {
		return err
	}
	err := r.Store.AcceptInvitation(ctx, i.Kind, i.ID, r.Clock().Add(-InvitationTTL))
	switch {
	case errors.Is(err, ErrNotFound):
		return ErrInvitationClosed
	case err != nil:
		return fmt.Errorf("mark invitation: %w", err)
	}
	values := func(status InvitationStatus, u *User) map[string]any {
		return map[string]any{"status": status, "state": u.State, "auth_type": u.AuthType}
	}
	return r.record(ctx, "accept_invitation", actor, i.ID.String(), map[string]any{
		"user_id": u.ID, string(i.Kind) + "_id": i.TeamID, "before": values(InvitationPending, &before), "after": values(InvitationAccepted, u),
	})
}

// welcome writes what accepting says about the user.
func (r *Registry) welcome(ctx context.Context, i *TeamInvitation, u *User, actor Actor) error {
	now := r.Clock()
	u.EmailAccessValidatedAt, u.UpdatedAt = now, now
	if i.changesAuthType(u) {
		u.AuthType = i.AuthType
	}
	activated := u.State == Pending
	u.State = Active
	if err := r.Store.UpdateUser(ctx, u); err != nil {
		return fmt.Errorf("update user: %w", err)
	}
	if !activated {
		return nil
	}
	return r.record(ctx, "activate_user", actor, u.ID.String(), map[string]any{"before": Pending, "after": Active})
}

// join adds a user to the team, unless they are in it.
func (r *Registry) join(ctx context.Context, i *TeamInvitation, u *User, actor Actor) error {
	if i.Kind == OrganisationTeam {
		return r.joinInvitedOrganisation(ctx, i, u, actor)
	}
	if _, err := r.Store.LockService(ctx, i.TeamID); err != nil {
		return fmt.Errorf("lock service: %w", err)
	}
	_, err := r.Store.ServiceMember(ctx, i.TeamID, u.ID)
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	rights, err := r.invitedRights(ctx, i)
	if err != nil {
		return err
	}
	return r.AddServiceMember(ctx, i.TeamID, u.ID, rights, actor)
}

// invitedRights leaves out what the service does not have, as it may have been
// removed since.
func (r *Registry) invitedRights(ctx context.Context, i *TeamInvitation) (Rights, error) {
	rights := Rights{Permissions: []string{}}
	for _, name := range i.Permissions {
		if known, err := ServicePermissions([]string{name}); err == nil {
			rights.Permissions = append(rights.Permissions, known...)
		}
	}
	rights.Permissions = inOrder(rights.Permissions)
	folders, err := r.Store.Folders(ctx, i.TeamID)
	if err != nil {
		return rights, fmt.Errorf("look up folders: %w", err)
	}
	for _, id := range i.Folders {
		if folderIn(folders, id) != nil {
			rights.Folders = append(rights.Folders, id)
		}
	}
	return rights, nil
}

func (r *Registry) joinInvitedOrganisation(ctx context.Context, i *TeamInvitation, u *User, actor Actor) error {
	if _, err := r.Store.LockOrganisation(ctx, i.TeamID); err != nil {
		return fmt.Errorf("lock organisation: %w", err)
	}
	of, err := r.Store.MembershipsOf(ctx, u.ID)
	if err != nil {
		return fmt.Errorf("look up memberships: %w", err)
	}
	if slices.Contains(of.Organisations, i.TeamID) {
		return nil
	}
	_, err = r.JoinOrganisation(ctx, i.TeamID, u.ID, i.Permissions, actor)
	if errors.Is(err, ErrArchived) {
		return ErrInvitationClosed
	}
	return err
}

// InvitedAccount returns the account that an invitation's address has; nil for
// none, and for one that was never finished: whoever reads the mail of the address
// may begin it anew, which also takes it from anybody who began it for them.
func (r *Registry) InvitedAccount(ctx context.Context, i *TeamInvitation) (*User, error) {
	users, err := r.Store.UsersByEmail(ctx, i.EmailAddress)
	if err != nil {
		return nil, fmt.Errorf("look up address: %w", err)
	}
	if len(users) == 0 || unfinished(users) != nil {
		return nil, nil
	}
	return users[0], nil
}

func unfinished(users []*User) *User {
	if len(users) == 1 && users[0].State == Pending && users[0].Username == "" {
		return users[0]
	}
	return nil
}

// RegisterInvited writes the account of somebody invited who has none, pending
// until [Registry.AcceptInvitation]. The function also sets its password in the
// same transaction. Errors: [*FieldError], [*ConflictError] when the address has
// an account, [ErrInvitationClosed], [ErrUnavailable].
func (r *Registry) RegisterInvited(ctx context.Context, i *TeamInvitation, name, mobile string, also func(ctx context.Context, u *User) error) (*User, error) {
	if !i.Open(r.Clock()) {
		return nil, ErrInvitationClosed
	}
	users, err := r.Store.UsersByEmail(ctx, i.EmailAddress)
	if err != nil {
		return nil, fmt.Errorf("look up address: %w", err)
	}
	if begun := unfinished(users); begun != nil {
		return r.registerAnew(ctx, i, begun.ID, name, mobile, also)
	}
	id := r.NewID()
	n := NewUser{ID: id, Name: name, EmailAddress: i.EmailAddress, MobileNumber: mobile, AuthType: i.SignInBy()}
	return r.CreateUser(ctx, n, Actor{Kind: "user", ID: id.String()}, also)
}

func (r *Registry) registerAnew(ctx context.Context, i *TeamInvitation, id uuid.UUID, name, mobile string, also func(ctx context.Context, u *User) error) (*User, error) {
	now, auth := r.Clock(), i.SignInBy()
	change := UserChange{Name: &name, MobileNumber: &mobile, AuthType: &auth, EmailAccessValidatedAt: &now}
	return r.UpdateUser(ctx, id, change, Actor{Kind: "user", ID: id.String()}, func(ctx context.Context, u *User) error {
		if u.State != Pending {
			return &ConflictError{Field: "email_address"} // finished meanwhile
		}
		return also(ctx, u)
	})
}
