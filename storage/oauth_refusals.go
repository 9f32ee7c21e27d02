package storage

import (
	"context"

	"github.com/google/uuid"

	"gatehouse/oauth"
)

// OAuthRefusals implements oauth.RefusalStore.
type OAuthRefusals struct{ DB *DB }

var _ oauth.RefusalStore = OAuthRefusals{}

// AddRefusals implements oauth.RefusalStore.
func (o OAuthRefusals) AddRefusals(ctx context.Context, ids []uuid.UUID, refusals []oauth.Refusal) error {
	return o.DB.InTx(ctx, func(ctx context.Context) error {
		for i, r := range refusals {
			_, err := o.DB.exec(ctx, `
				insert into refusals (id, request_id, endpoint, client_id, code, reason, created_at)
				values ($1, $2, $3, $4, $5, $6, $7)`, ids[i], r.RequestID, r.Endpoint, r.ClientID, r.Code, r.Reason, r.At)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// RefusalsOf implements oauth.RefusalStore.
func (o OAuthRefusals) RefusalsOf(ctx context.Context, requestID string) ([]oauth.Refusal, error) {
	var all []oauth.Refusal
	err := o.DB.each(ctx, `
		select request_id, endpoint, client_id, code, reason, created_at from refusals
		where request_id = $1 order by created_at, id`, []any{requestID},
		func(scan func(dest ...any) error) error {
			var r oauth.Refusal
			err := scan(&r.RequestID, &r.Endpoint, &r.ClientID, &r.Code, &r.Reason, timeInto(&r.At))
			all = append(all, r)
			return err
		})
	return all, err
}
