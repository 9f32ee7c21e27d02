package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// OrganisationInvitation asks somebody to join an organisation's team.
type OrganisationInvitation struct {
	ID             uuid.UUID
	OrganisationID uuid.UUID
	EmailAddress   string
	InvitedByID    uuid.UUID
	Status         InvitationStatus
	Permissions    []string
	CreatedAt      time.Time
}

// organisationInvitationStore is the part of [Store] that keeps invitations to
// organisations.
type organisationInvitationStore interface {
	CreateOrganisationInvitation(ctx context.Context, i *OrganisationInvitation) error
	OrganisationInvitation(ctx context.Context, id uuid.UUID) (*OrganisationInvitation, error)
	// OrganisationInvitations returns those to one organisation, the oldest first.
	OrganisationInvitations(ctx context.Context, organisation uuid.UUID) ([]OrganisationInvitation, error)
	// SetOrganisationInvitationStatus writes the status alone.
	SetOrganisationInvitationStatus(ctx context.Context, id uuid.UUID, status InvitationStatus) error
}

// InviteToOrganisation writes a pending invitation. The function tell sends it,
// in the same transaction. Errors: [ErrNotFound] for an unknown organisation or
// inviter, [ErrArchived].
func (r *Registry) InviteToOrganisation(ctx context.Context, i OrganisationInvitation, actor Actor, tell func(ctx context.Context, i *OrganisationInvitation, o *Organisation, inviter *User) error) (*OrganisationInvitation, error) {
	i.ID, i.Status, i.CreatedAt, i.EmailAddress = r.NewID(), InvitationPending, r.Clock(), ShownEmail(i.EmailAddress)
	return &i, r.Store.InTx(ctx, func(ctx context.Context) error {
		o, err := r.openOrganisation(ctx, i.OrganisationID)
		if err != nil {
			return err
		}
		inviter, err := r.Store.User(ctx, i.InvitedByID)
		if err != nil {
			return fmt.Errorf("look up inviter: %w", err)
		}
		if err := r.guard(ctx, teamChange{organisation: o.ID, inviter: inviter.ID, after: i.Permissions}); err != nil {
			return err
		}
		if err := r.Store.CreateOrganisationInvitation(ctx, &i); err != nil {
			return fmt.Errorf("create invitation: %w", err)
		}
		err = r.record(ctx, "invite_to_organisation", actor, i.ID.String(), map[string]any{
			"organisation_id": o.ID, "invited_by": inviter.ID, "permissions": i.Permissions,
		})
		if err != nil {
			return err
		}
		return tell(ctx, &i, o, inviter)
	})
}

// ChangeOrganisationInvitation gives an invitation another status. An archived
// organisation invites nobody. Errors: [ErrNotFound], [ErrArchived].
func (r *Registry) ChangeOrganisationInvitation(ctx context.Context, organisation, id uuid.UUID, status InvitationStatus, actor Actor) (*OrganisationInvitation, error) {
	var i *OrganisationInvitation
	err := r.Store.InTx(ctx, func(ctx context.Context) error {
		o, err := r.Store.LockOrganisation(ctx, organisation)
		if err != nil {
			return fmt.Errorf("lock organisation: %w", err)
		}
		if o.archived() && status == InvitationPending {
			return ErrArchived
		}
		if i, err = r.Store.OrganisationInvitation(ctx, id); err != nil {
			return fmt.Errorf("look up invitation: %w", err)
		}
		if i.OrganisationID != organisation {
			return ErrNotFound
		}
		if err := r.guard(ctx, teamChange{organisation: organisation}); err != nil {
			return err
		}
		before := i.Status
		if err := r.Store.SetOrganisationInvitationStatus(ctx, id, status); err != nil {
			return fmt.Errorf("change invitation: %w", err)
		}
		i.Status = status
		return r.record(ctx, "change_organisation_invitation", actor, id.String(), map[string]any{
			"before": map[string]any{"status": before}, "after": map[string]any{"status": status},
		})
	})
	return i, err
}
