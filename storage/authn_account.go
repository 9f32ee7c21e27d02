package storage

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
)

// DeleteSessionOf implements authn.Store.
func (a Authn) DeleteSessionOf(ctx context.Context, userID, id uuid.UUID) (*authn.Session, error) {
	var s authn.Session
	err := a.DB.row(ctx, `delete from sessions where user_id = $1 and id = $2 returning `+sessionColumns,
		[]any{userID, id}, sessionFields(&s)...)
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// RefusedAttempts implements authn.Store.
func (a Authn) RefusedAttempts(ctx context.Context, userID uuid.UUID, before time.Time, limit int) ([]time.Time, error) {
	var all []time.Time
	err := a.DB.each(ctx, `
		select created_at from traces where user_id = $1 and verdict = 'refused' and created_at < $2
		order by created_at desc limit $3`,
		[]any{userID, last(before), limit}, func(scan func(dest ...any) error) error {
			var at time.Time
			err := scan(timeInto(&at))
			all = append(all, at)
			return err
		})
	return all, err
}

// DeleteFactors implements authn.Store.
func (a Authn) DeleteFactors(ctx context.Context, userID uuid.UUID) error {
	for _, statement := range []string{
		`delete from totp_secrets where user_id = $1`,
		`delete from recovery_codes where user_id = $1`,
		`delete from links where user_id = $1`,
		`delete from known_browsers where user_id = $1`,
	} {
		if _, err := a.DB.exec(ctx, statement, userID); err != nil {
			return err
		}
	}
	return nil
}
