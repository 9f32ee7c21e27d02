package storage

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/oauth"
)

// CreateDevice implements oauth.DeviceStore.
func (s OAuthGrants) CreateDevice(ctx context.Context, d *oauth.DeviceAuthorization) (bool, error) {
	n, err := s.DB.exec(ctx, `
		insert into device_authorizations (id, device_hash, user_code_mac, client_id, scopes, audience, dpop_jkt, state,
			poll_interval, created_at, expires_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (user_code_mac) do nothing`,
		d.ID, d.DeviceHash, d.UserCodeMAC, d.ClientID, d.Scopes, d.Audience, d.KeyThumbprint, string(d.State),
		int64(d.Interval/time.Second), d.CreatedAt, d.ExpiresAt)
	return n > 0, err
}

const selectDevice = `select id, device_hash, user_code_mac, client_id, scopes, audience, dpop_jkt, state, poll_interval, created_at, expires_at
	from device_authorizations `

// Device implements oauth.DeviceStore.
func (s OAuthGrants) Device(ctx context.Context, id uuid.UUID) (*oauth.DeviceAuthorization, error) {
	return s.device(ctx, selectDevice+`where id = $1`, id)
}

// DeviceByUserCode implements oauth.DeviceStore.
func (s OAuthGrants) DeviceByUserCode(ctx context.Context, mac []byte, now time.Time) (*oauth.DeviceAuthorization, error) {
	return s.device(ctx, selectDevice+`where user_code_mac = $1 and state = 'pending' and expires_at > $2`, mac, now)
}

func (s OAuthGrants) device(ctx context.Context, query string, args ...any) (*oauth.DeviceAuthorization, error) {
	var d oauth.DeviceAuthorization
	var state string
	var seconds int64
	err := s.DB.row(ctx, query, args, &d.ID, &d.DeviceHash, &d.UserCodeMAC, &d.ClientID, listInto(&d.Scopes), listInto(&d.Audience),
		&d.KeyThumbprint, &state, &seconds, timeInto(&d.CreatedAt), timeInto(&d.ExpiresAt))
	if err != nil {
		return nil, err
	}
	d.State, d.Interval = oauth.DeviceState(state), time.Duration(seconds)*time.Second
	return &d, nil
}

// DecideDevice implements oauth.DeviceStore.
func (s OAuthGrants) DecideDevice(ctx context.Context, id uuid.UUID, state oauth.DeviceState, now time.Time) (bool, error) {
	n, err := s.DB.exec(ctx, `
		update device_authorizations set state = $1 where id = $2 and state = 'pending' and expires_at > $3`,
		string(state), id, now)
	return n > 0, err
}

// PollDevice implements oauth.DeviceStore. Of polls at the same moment the first
// statement lets one through.
func (s OAuthGrants) PollDevice(ctx context.Context, id uuid.UUID, now time.Time, slower time.Duration) (bool, error) {
	n, err := s.DB.exec(ctx, `
		update device_authorizations set polled_at = $1
		where id = $2 and state = 'pending' and (polled_at is null or polled_at + poll_interval * 1000000 <= $1)`, now, id)
	if err != nil || n > 0 {
		return n > 0, err
	}
	_, err = s.DB.exec(ctx, `
		update device_authorizations set polled_at = $1, poll_interval = poll_interval + $2 where id = $3 and state = 'pending'`,
		now, int64(slower/time.Second), id)
	return false, err
}
