package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// InvitationTTL is how long the link of an invitation works.
const InvitationTTL = 48 * time.Hour

// InvitationStatus is what has become of an invitation.
type InvitationStatus string

// What can become of an invitation.
const (
	InvitationPending   InvitationStatus = "pending"
	InvitationAccepted  InvitationStatus = "accepted"
	InvitationCancelled InvitationStatus = "cancelled"
)

// ServiceInvitation asks somebody to join a service's team. Accepting it makes
// nobody a member: that is a change of the team.
type ServiceInvitation struct {
	ID           uuid.UUID
	ServiceID    uuid.UUID
	EmailAddress string
	FromUserID   uuid.UUID
	Status       InvitationStatus
	Permissions  []string // as stored, see [ServicePermissions]
	Folders      []string // ids, unchecked until somebody joins
	AuthType     AuthType
	CreatedAt    time.Time
}

// invitationStore is the part of [Store] that keeps invitations to services.
type invitationStore interface {
	CreateServiceInvitation(ctx context.Context, i *ServiceInvitation) error
	ServiceInvitation(ctx context.Context, id uuid.UUID) (*ServiceInvitation, error)
	// ServiceInvitations returns those to one service, the oldest first.
	ServiceInvitations(ctx context.Context, serviceID uuid.UUID) ([]*ServiceInvitation, error)
	// UpdateServiceInvitation writes the status, the rights and the authentication type.
	UpdateServiceInvitation(ctx context.Context, i *ServiceInvitation) error
}

// InviteToService writes an invitation and returns it with the service and the
// user it comes from; [ErrNotFound] for either. The function tell runs in the same
// transaction.
func (r *Registry) InviteToService(ctx context.Context, i ServiceInvitation, actor Actor, tell func(ctx context.Context, i *ServiceInvitation, s *Service, from *User) error) (*ServiceInvitation, error) {
	i.ID, i.CreatedAt, i.EmailAddress = r.NewID(), r.Clock(), ShownEmail(i.EmailAddress)
	err := r.Store.InTx(ctx, func(ctx context.Context) error {
		s, err := r.Store.Service(ctx, i.ServiceID)
		if err != nil {
			return fmt.Errorf("look up service: %w", err)
		}
		from, err := r.Store.User(ctx, i.FromUserID)
		if err != nil {
			return fmt.Errorf("look up inviter: %w", err)
		}
		if err := r.guard(ctx, teamChange{service: s.ID, inviter: from.ID, after: i.Permissions}); err != nil {
			return err
		}
		if err := r.Store.CreateServiceInvitation(ctx, &i); err != nil {
			return fmt.Errorf("create invitation: %w", err)
		}
		data := map[string]any{"service_id": i.ServiceID, "from_user": i.FromUserID, "after": i.audit()}
		if err := r.record(ctx, "invite_to_service", actor, i.ID.String(), data); err != nil {
			return err
		}
		return tell(ctx, &i, s, from)
	})
	return &i, err
}

func (i *ServiceInvitation) audit() map[string]any {
	return map[string]any{"status": i.Status, "permissions": i.Permissions, "folders": i.Folders, "auth_type": i.AuthType}
}

// InvitationChanges are new values for an invitation; what is nil stays.
type InvitationChanges struct {
	Status      *InvitationStatus
	AuthType    *AuthType
	Permissions *[]string
	Folders     *[]string
}

// ChangeServiceInvitation changes an invitation of a service, else [ErrNotFound].
func (r *Registry) ChangeServiceInvitation(ctx context.Context, serviceID, id uuid.UUID, c InvitationChanges, actor Actor) (*ServiceInvitation, error) {
	var i *ServiceInvitation
	err := r.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := r.Store.LockService(ctx, serviceID); err != nil {
			return fmt.Errorf("lock service: %w", err)
		}
		var err error
		if i, err = r.Store.ServiceInvitation(ctx, id); err != nil {
			return fmt.Errorf("look up invitation: %w", err)
		}
		if i.ServiceID != serviceID {
			return fmt.Errorf("invitation of another service: %w", ErrNotFound)
		}
		before := i.audit()
		change := teamChange{service: serviceID, before: i.Permissions, after: i.Permissions}
		if c.Permissions != nil {
			change.after = *c.Permissions
		}
		if err := r.guard(ctx, change); err != nil {
			return err
		}
		set(&i.Status, c.Status)
		set(&i.AuthType, c.AuthType)
		set(&i.Permissions, c.Permissions)
		set(&i.Folders, c.Folders)
		if err := r.Store.UpdateServiceInvitation(ctx, i); err != nil {
			return fmt.Errorf("update invitation: %w", err)
		}
		return r.record(ctx, "update_service_invitation", actor, id.String(), map[string]any{"service_id": serviceID, "before": before, "after": i.audit()})
	})
	return i, err
}
