package storage

import (
	"context"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// invitationColumns are scanned by invitationFields, in this order.
const invitationColumns = `i.id, i.service_id, i.email_address, i.from_user_id, i.status, i.permissions, i.folder_permissions, i.auth_type, i.created_at`

func invitationFields(i *directory.ServiceInvitation) []any {
	return []any{
		&i.ID, &i.ServiceID, &i.EmailAddress, &i.FromUserID, &i.Status, listInto(&i.Permissions), listInto(&i.Folders), &i.AuthType,
		timeInto(&i.CreatedAt),
	}
}

// CreateServiceInvitation implements directory.Store.
func (d Directory) CreateServiceInvitation(ctx context.Context, i *directory.ServiceInvitation) error {
	_, err := d.DB.exec(ctx, `
		insert into service_invitations (id, service_id, email_address, email_normalised, from_user_id, status, permissions,
			folder_permissions, auth_type, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		i.ID, i.ServiceID, i.EmailAddress, directory.NormaliseEmail(i.EmailAddress), i.FromUserID, string(i.Status), i.Permissions,
		i.Folders, string(i.AuthType), i.CreatedAt)
	return err
}

// ServiceInvitation implements directory.Store.
func (d Directory) ServiceInvitation(ctx context.Context, id uuid.UUID) (*directory.ServiceInvitation, error) {
	var i directory.ServiceInvitation
	if err := d.DB.row(ctx, `select `+invitationColumns+` from service_invitations i where i.id = $1`, []any{id}, invitationFields(&i)...); err != nil {
		return nil, err
	}
	return &i, nil
}

// ServiceInvitations implements directory.Store.
func (d Directory) ServiceInvitations(ctx context.Context, serviceID uuid.UUID) ([]*directory.ServiceInvitation, error) {
	var all []*directory.ServiceInvitation
	err := d.DB.each(ctx, `
		select `+invitationColumns+` from service_invitations i where i.service_id = $1 order by i.created_at, i.id`,
		[]any{serviceID}, func(scan func(...any) error) error {
			var i directory.ServiceInvitation
			all = append(all, &i)
			return scan(invitationFields(&i)...)
		})
	return all, err
}

// UpdateServiceInvitation implements directory.Store.
func (d Directory) UpdateServiceInvitation(ctx context.Context, i *directory.ServiceInvitation) error {
	n, err := d.DB.exec(ctx, `
		update service_invitations set status = $2, permissions = $3, folder_permissions = $4, auth_type = $5 where id = $1`,
		i.ID, string(i.Status), i.Permissions, i.Folders, string(i.AuthType))
	return oneRow(n, err)
}
