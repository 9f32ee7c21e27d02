package storage

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse/oauth"
)

// OAuthKeys implements oauth.KeyStore.
type OAuthKeys struct{ DB *DB }

var _ oauth.KeyStore = OAuthKeys{}

// InTx implements oauth.KeyStore.
func (o OAuthKeys) InTx(ctx context.Context, f func(ctx context.Context) error) error {
	return o.DB.InTx(ctx, f)
}

// SigningKeys implements oauth.KeyStore.
func (o OAuthKeys) SigningKeys(ctx context.Context) ([]oauth.SigningKey, error) {
	var keys []oauth.SigningKey
	err := o.DB.each(ctx, `
		select id, alg, state, sealed, public_jwk, created_at, activates_at, retired_at, expires_at
		from signing_keys order by created_at, id`, nil,
		func(scan func(dest ...any) error) error {
			var k oauth.SigningKey
			var public string
			err := scan(&k.ID, &k.Alg, &k.State, &k.Sealed, &public, timeInto(&k.CreatedAt),
				timeInto(&k.ActivatesAt), timeInto(&k.RetiredAt), timeInto(&k.ExpiresAt))
			k.PublicJWK = json.RawMessage(public)
			keys = append(keys, k)
			return err
		})
	return keys, err
}

// AddSigningKey implements oauth.KeyStore.
func (o OAuthKeys) AddSigningKey(ctx context.Context, k oauth.SigningKey) (bool, error) {
	return o.changed(ctx, `
		insert into signing_keys (id, alg, state, sealed, public_jwk, created_at, activates_at)
		values ($1, $2, $3, $4, $5, $6, $7)
		on conflict do nothing`,
		k.ID, k.Alg, string(k.State), k.Sealed, string(k.PublicJWK), k.CreatedAt, k.ActivatesAt)
}

// ScheduleSigningKey implements oauth.KeyStore.
func (o OAuthKeys) ScheduleSigningKey(ctx context.Context, id string, at time.Time) (bool, error) {
	return o.changed(ctx, `
		update signing_keys set activates_at = $2
		where id = $1 and state = 'next' and activates_at is null`, id, at)
}

// RetireSigningKey implements oauth.KeyStore.
func (o OAuthKeys) RetireSigningKey(ctx context.Context, id string, at, expires time.Time) (bool, error) {
	return o.changed(ctx, `
		update signing_keys set state = 'retired', sealed = $2, retired_at = $3, expires_at = $4
		where id = $1 and state = 'active'`, id, []byte{}, at, expires)
}

// ActivateSigningKey implements oauth.KeyStore.
func (o OAuthKeys) ActivateSigningKey(ctx context.Context, id string, at time.Time) (bool, error) {
	return o.changed(ctx, `
		update signing_keys set state = 'active', activates_at = $2
		where id = $1 and state = 'next'`, id, at)
}

// DeleteSigningKeys implements oauth.KeyStore.
func (o OAuthKeys) DeleteSigningKeys(ctx context.Context, expired time.Time) error {
	_, err := o.DB.exec(ctx, `delete from signing_keys where state = 'retired' and expires_at <= $1`, expired)
	return err
}

func (o OAuthKeys) changed(ctx context.Context, query string, args ...any) (bool, error) {
	n, err := o.DB.exec(ctx, query, args...)
	return n > 0, err
}
