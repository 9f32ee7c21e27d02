package oauth

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// DeviceState is what became of a device's request.
type DeviceState string

// States of a device's request. It leaves pending once.
const (
	DevicePending  DeviceState = "pending"
	DeviceApproved DeviceState = "approved"
	DeviceDenied   DeviceState = "denied"
)

// DeviceAuthorization is a device's request for authorization (RFC 8628). When
// its user approves it, a [Grant] of the same id is made whose code is the
// device code: from there on a device is like any other client with a code.
type DeviceAuthorization struct {
	ID uuid.UUID
	// DeviceHash is the SHA-256 of the device code.
	DeviceHash []byte
	// UserCodeMAC authenticates the user code, which is too short to be hashed.
	UserCodeMAC []byte
	ClientID    string
	Scopes      []string
	Audience    []string
	// KeyThumbprint is the key that the request was sent with (RFC 9449); "" for none.
	KeyThumbprint string
	State         DeviceState
	// Interval is the time that the device has to wait between two polls.
	Interval  time.Duration
	CreatedAt time.Time
	ExpiresAt time.Time
}

// DeviceStore keeps the requests of devices, in the database: each is approved
// and redeemed once, whatever happens to a cache.
type DeviceStore interface {
	// CreateDevice reports false, and stores nothing, when the user code is taken.
	CreateDevice(ctx context.Context, d *DeviceAuthorization) (bool, error)
	// Device returns a request in any state.
	Device(ctx context.Context, id uuid.UUID) (*DeviceAuthorization, error)
	// DeviceByUserCode returns the request that waits for its user, or
	// directory.ErrNotFound: for a code that is unknown, used or expired alike.
	DeviceByUserCode(ctx context.Context, mac []byte, now time.Time) (*DeviceAuthorization, error)
	// DecideDevice takes a request that waits, and is in time, to another state;
	// of several that try only one is told true.
	DecideDevice(ctx context.Context, id uuid.UUID, state DeviceState, now time.Time) (bool, error)
	// PollDevice records a poll of a request that waits and reports whether it
	// was in time; the interval of one that came too soon grows by slower.
	PollDevice(ctx context.Context, id uuid.UUID, now time.Time, slower time.Duration) (bool, error)
}
