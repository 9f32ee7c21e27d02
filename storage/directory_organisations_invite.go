package storage

import (
	"context"

	"github.com/google/uuid"

	"gatehouse/directory"
)

const organisationInvitationColumns = `i.id, i.organisation_id, i.email_address, i.invited_by_id, i.status, i.permissions, i.created_at`

func organisationInvitationFields(i *directory.OrganisationInvitation) []any {
	return []any{&i.ID, &i.OrganisationID, &i.EmailAddress, &i.InvitedByID, &i.Status, listInto(&i.Permissions), timeInto(&i.CreatedAt)}
}

// CreateOrganisationInvitation implements directory.Store.
func (d Directory) CreateOrganisationInvitation(ctx context.Context, i *directory.OrganisationInvitation) error {
	_, err := d.DB.exec(ctx, `
		insert into organisation_invitations (id, organisation_id, email_address, email_normalised, invited_by_id, status, permissions, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		i.ID, i.OrganisationID, i.EmailAddress, directory.NormaliseEmail(i.EmailAddress), i.InvitedByID, string(i.Status), i.Permissions, i.CreatedAt)
	return err
}

// OrganisationInvitation implements directory.Store.
func (d Directory) OrganisationInvitation(ctx context.Context, id uuid.UUID) (*directory.OrganisationInvitation, error) {
	var i directory.OrganisationInvitation
	err := d.DB.row(ctx, `select `+organisationInvitationColumns+` from organisation_invitations i where i.id = $1`,
		[]any{id}, organisationInvitationFields(&i)...)
	if err != nil {
		return nil, err
	}
	return &i, nil
}

// OrganisationInvitations implements directory.Store.
func (d Directory) OrganisationInvitations(ctx context.Context, organisation uuid.UUID) ([]directory.OrganisationInvitation, error) {
	var all []directory.OrganisationInvitation
	err := d.DB.each(ctx, `
		select `+organisationInvitationColumns+` from organisation_invitations i
		where i.organisation_id = $1 order by i.created_at, i.id`, []any{organisation}, func(scan func(...any) error) error {
		var i directory.OrganisationInvitation
		if err := scan(organisationInvitationFields(&i)...); err != nil {
			return err
		}
		all = append(all, i)
		return nil
	})
	return all, err
}

// SetOrganisationInvitationStatus implements directory.Store.
func (d Directory) SetOrganisationInvitationStatus(ctx context.Context, id uuid.UUID, status directory.InvitationStatus) error {
	_, err := d.DB.exec(ctx, `update organisation_invitations set status = $2 where id = $1`, id, string(status))
	return err
}
