package storage

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// TeamInvitation implements directory.Store.
func (d Directory) TeamInvitation(ctx context.Context, kind directory.TeamKind, id uuid.UUID) (*directory.TeamInvitation, error) {
	query := serviceInvitation
	if kind == directory.OrganisationTeam {
		query = organisationInvitation
	}
	i := directory.TeamInvitation{Kind: kind}
	var folders []string
	err := d.DB.row(ctx, query, []any{id},
		&i.ID, &i.TeamID, &i.TeamName, &i.Active, &i.InvitedBy, &i.EmailAddress, (*string)(&i.Status), listInto(&i.Permissions),
		listInto(&folders), (*string)(&i.AuthType), listInto(&i.Features), timeInto(&i.CreatedAt))
	if err != nil {
		return nil, err
	}
	for _, text := range folders {
		if folder, err := uuid.Parse(text); err == nil {
			i.Folders = append(i.Folders, folder)
		}
	}
	return &i, nil
}

const (
	serviceInvitation = `
		select i.id, s.id, s.name, s.active, u.name, i.email_address, i.status, i.permissions, i.folder_permissions, i.auth_type,
			s.permissions, i.created_at
		from service_invitations i join services s on s.id = i.service_id join users u on u.id = i.from_user_id
		where i.id = $1`
	organisationInvitation = `
		select i.id, o.id, o.name, o.active, u.name, i.email_address, i.status, i.permissions, '[]', '', '[]', i.created_at
		from organisation_invitations i join organisations o on o.id = i.organisation_id join users u on u.id = i.invited_by_id
		where i.id = $1`
)

// AcceptInvitation implements directory.Store. The condition and the mark are
// one statement: of any number who accept at once, one does.
func (d Directory) AcceptInvitation(ctx context.Context, kind directory.TeamKind, id uuid.UUID, since time.Time) error {
	query := `update service_invitations set status = 'accepted' where id = $1 and status = 'pending' and created_at > $2`
	if kind == directory.OrganisationTeam {
		query = `update organisation_invitations set status = 'accepted' where id = $1 and status = 'pending' and created_at > $2`
	}
	n, err := d.DB.exec(ctx, query, id, since)
	return oneRow(n, err)
}
