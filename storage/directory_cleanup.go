package storage

import (
	"context"
	"time"
)

// PurgeInvitations implements directory.Store.
func (d Directory) PurgeInvitations(ctx context.Context, before time.Time, limit int) (int64, error) {
	toServices, err := d.DB.exec(ctx, `
		delete from service_invitations where id in (
			select id from service_invitations where created_at <= $1 order by created_at, id limit $2)`, before, limit)
	if err != nil {
		return 0, err
	}
	toOrganisations, err := d.DB.exec(ctx, `
		delete from organisation_invitations where id in (
			select id from organisation_invitations where created_at <= $1 order by created_at, id limit $2)`, before, limit)
	return toServices + toOrganisations, err
}

// PurgeEvents implements directory.Store.
func (d Directory) PurgeEvents(ctx context.Context, before time.Time, limit int) (int64, error) {
	return d.DB.exec(ctx, `
		delete from events where id in (
			select id from events where created_at < $1 order by created_at, id limit $2)`, before, limit)
}
