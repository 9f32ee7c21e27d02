package storage

import (
	"context"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// CreateJoinRequest implements directory.Store.
func (d Directory) CreateJoinRequest(ctx context.Context, j *directory.JoinRequest) error {
	_, err := d.DB.exec(ctx, `
		insert into service_join_requests (id, service_id, requester_id, reason, status, created_at) values ($1, $2, $3, $4, $5, $6)`,
		j.ID, j.ServiceID, j.RequesterID, j.Reason, string(j.Status), j.CreatedAt)
	if err != nil {
		return err
	}
	for _, contact := range j.Contacts {
		if _, err := d.DB.exec(ctx, `insert into service_join_request_contacts (join_request_id, user_id) values ($1, $2)`, j.ID, contact); err != nil {
			return err
		}
	}
	return nil
}

// JoinRequest implements directory.Store.
func (d Directory) JoinRequest(ctx context.Context, id uuid.UUID) (*directory.JoinRequest, error) {
	j := directory.JoinRequest{ID: id}
	err := d.DB.row(ctx, `
		select service_id, requester_id, reason, status, status_changed_at, status_changed_by_id, created_at
		from service_join_requests where id = $1`, []any{id},
		&j.ServiceID, &j.RequesterID, &j.Reason, &j.Status, timeInto(&j.StatusChangedAt), &j.StatusChangedBy, timeInto(&j.CreatedAt))
	if err != nil {
		return nil, err
	}
	j.Contacts, err = d.ids(ctx, `select user_id from service_join_request_contacts where join_request_id = $1 order by user_id`, id)
	return &j, err
}

// UpdateJoinRequest implements directory.Store.
func (d Directory) UpdateJoinRequest(ctx context.Context, j *directory.JoinRequest) error {
	n, err := d.DB.exec(ctx, `
		update service_join_requests set status = $2, status_changed_at = $3, status_changed_by_id = $4, reason = $5 where id = $1`,
		j.ID, string(j.Status), j.StatusChangedAt, j.StatusChangedBy, j.Reason)
	return oneRow(n, err)
}

// PendingJoinRequests implements directory.Store.
func (d Directory) PendingJoinRequests(ctx context.Context, serviceID, requesterID uuid.UUID) ([]uuid.UUID, error) {
	return d.ids(ctx, `
		select id from service_join_requests where service_id = $1 and requester_id = $2 and status = 'pending' order by id`,
		serviceID, requesterID)
}

// ids returns the one column of a query.
func (d Directory) ids(ctx context.Context, query string, args ...any) ([]uuid.UUID, error) {
	var all []uuid.UUID
	err := d.DB.each(ctx, query, args, func(scan func(...any) error) error {
		var id uuid.UUID
		if err := scan(&id); err != nil {
			return err
		}
		all = append(all, id)
		return nil
	})
	return all, err
}
