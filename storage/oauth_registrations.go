package storage

import (
	"context"
	"time"

	"gatehouse/directory"
	"gatehouse/oauth"
)

// OAuthRegistrations implements oauth.RegistrationStore.
type OAuthRegistrations struct{ DB *DB }

var _ oauth.RegistrationStore = OAuthRegistrations{}

// CreateInitialToken implements oauth.RegistrationStore.
func (o OAuthRegistrations) CreateInitialToken(ctx context.Context, t oauth.InitialToken) error {
	_, err := o.DB.exec(ctx, `
		insert into initial_access_tokens (hash, note, uses_left, created_at, expires_at) values ($1, $2, $3, $4, $5)`,
		t.Hash, t.Note, t.Uses, t.CreatedAt, t.ExpiresAt)
	return err
}

// LiveInitialToken implements oauth.RegistrationStore.
func (o OAuthRegistrations) LiveInitialToken(ctx context.Context, hash []byte, now time.Time) error {
	var one int
	return o.DB.row(ctx, `select 1 from initial_access_tokens where hash = $1 and uses_left > 0 and expires_at > $2`, []any{hash, now}, &one)
}

// UseInitialToken implements oauth.RegistrationStore.
func (o OAuthRegistrations) UseInitialToken(ctx context.Context, hash []byte, now time.Time) error {
	n, err := o.DB.exec(ctx, `
		update initial_access_tokens set uses_left = uses_left - 1
		where hash = $1 and uses_left > 0 and expires_at > $2`, hash, now)
	if err == nil && n == 0 {
		return directory.ErrNotFound
	}
	return err
}
