package storage

import (
	"context"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// ServiceUsers implements directory.Store.
func (d Directory) ServiceUsers(ctx context.Context, serviceID uuid.UUID) ([]*directory.User, map[uuid.UUID]directory.Memberships, error) {
	users, err := d.users(ctx, `
		select `+userColumns+` from service_members m join users u on u.id = m.user_id
		where m.service_id = $1 order by u.created_at, u.id`, serviceID)
	if err != nil {
		return nil, nil, err
	}
	of, err := d.memberships(ctx, serviceMemberships+membersOfService+` union all `+organisationMemberships+membersOfService+inOrderOfMembership, serviceID)
	all := make(map[uuid.UUID]directory.Memberships, len(users))
	for _, u := range users {
		all[u.ID] = of(u.ID)
	}
	return users, all, err
}

// membersOfService chooses the users whose memberships are read.
const membersOfService = `in (select c.user_id from service_members c where c.service_id = $1)`

// ServiceMember implements directory.Store.
func (d Directory) ServiceMember(ctx context.Context, serviceID, userID uuid.UUID) (*directory.Membership, error) {
	m := directory.Membership{UserID: userID, Of: serviceID}
	err := d.DB.row(ctx, `select permissions, created_at from service_members where service_id = $1 and user_id = $2`,
		[]any{serviceID, userID}, listInto(&m.Permissions), timeInto(&m.CreatedAt))
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// SetServiceMember implements directory.Store.
func (d Directory) SetServiceMember(ctx context.Context, serviceID, userID uuid.UUID, permissions []string) error {
	n, err := d.DB.exec(ctx, `update service_members set permissions = $3 where service_id = $1 and user_id = $2`, serviceID, userID, permissions)
	return oneRow(n, err)
}

// RemoveServiceMember implements directory.Store. The rights to folders go with
// the row they refer to.
func (d Directory) RemoveServiceMember(ctx context.Context, serviceID, userID uuid.UUID) error {
	n, err := d.DB.exec(ctx, `delete from service_members where service_id = $1 and user_id = $2`, serviceID, userID)
	return oneRow(n, err)
}

// oneRow is directory.ErrNotFound for a change that met no row.
func oneRow(n int64, err error) error {
	if err == nil && n == 0 {
		return directory.ErrNotFound
	}
	return err
}
