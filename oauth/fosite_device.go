package oauth

import (
	"bytes"
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/rfc8628"

	"gatehouse/directory"
)

// Fosite's handlers of the device grant read the state of a code, and invalidate
// it later. As with other codes, reading is redeeming here: the getter decides
// about the poll, and of several polls of an approved code one redeems it. That
// fosite's OpenID Connect handler deletes its session by the code itself and not
// by the signature harms nothing, since there is no such session to delete.
// Fosite's device authorization endpoint is not used: it knows no repeated
// parameters and chooses the user code itself.

var (
	_ rfc8628.RFC8628CoreStorage  = fositeStore{}
	_ rfc8628.RFC8628CodeStrategy = fositeTokens{}
)

// GetDeviceCodeSession redeems a device code, or says why it cannot be yet.
func (st fositeStore) GetDeviceCodeSession(ctx context.Context, code string, session fosite.Session) (fosite.DeviceRequester, error) {
	x := session.(*exchange)
	if x.grant == nil {
		if err := st.redeemDevice(ctx, x, code); err != nil {
			return nil, err
		}
	}
	return &fosite.DeviceRequest{Request: *x.request, UserCodeState: fosite.UserCodeAccepted}, nil
}

// redeemDevice redeems the code of the grant that the user's approval made. The
// statement that redeems any code does it, and it refuses when the user has been
// locked, disabled or given a new password since.
func (st fositeStore) redeemDevice(ctx context.Context, x *exchange, code string) error {
	id, hash, ok := st.s.references().parse(deviceReference, code)
	if !ok {
		return because(fosite.ErrNotFound, "the device code is not one that this service made")
	}
	if err := st.checkApproved(ctx, x, id, hash); err != nil {
		return err
	}
	_, err := st.redeem(ctx, x, id, hash)
	return err
}

// checkApproved answers a poll of a request that is not approved (RFC 8628
// section 3.5). A request that is not there any more was ours, and expired.
func (st fositeStore) checkApproved(ctx context.Context, x *exchange, id uuid.UUID, hash []byte) error {
	d, err := st.s.Store.Device(ctx, id)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return errDeviceExpired
	case err != nil:
		return err
	case d.ClientID != x.client.ID, !bytes.Equal(d.DeviceHash, hash):
		return because(fosite.ErrNotFound, "the device code was issued to another client")
	case d.State == DeviceDenied:
		return refuse("access_denied", "The user did not allow it")
	case !st.s.now().Before(d.ExpiresAt):
		return errDeviceExpired
	case d.State == DevicePending:
		return st.stillPending(ctx, id)
	}
	return nil
}

var errDeviceExpired = refuse("expired_token", "The device code has expired: begin again")

// stillPending counts a poll. Only those of a request that waits are paced: once
// it is approved, the first poll redeems it.
func (st fositeStore) stillPending(ctx context.Context, id uuid.UUID) error {
	inTime, err := st.s.Store.PollDevice(ctx, id, st.s.now(), deviceInterval)
	switch {
	case err != nil:
		return err
	case !inTime:
		return refuse("slow_down", "The device polls too often: the interval is now 5 seconds longer")
	default:
		return refuse("authorization_pending", "The user has not answered yet")
	}
}

// InvalidateDeviceCodeSession is done by GetDeviceCodeSession.
func (fositeStore) InvalidateDeviceCodeSession(context.Context, string) error { return nil }

// CreateDeviceAuthSession is done by the device authorization endpoint.
func (fositeStore) CreateDeviceAuthSession(context.Context, string, string, fosite.DeviceRequester) error {
	return errNotAsked
}

// DeviceCodeSignature implements rfc8628.DeviceCodeStrategy.
func (fositeTokens) DeviceCodeSignature(_ context.Context, code string) (string, error) {
	return code, nil
}

// ValidateDeviceCode has nothing to add to what fositeStore checked.
func (fositeTokens) ValidateDeviceCode(context.Context, fosite.DeviceRequester, string) error {
	return nil
}

// ShouldRateLimit leaves the pace to fositeStore, which knows the request.
func (fositeTokens) ShouldRateLimit(context.Context, string) (bool, error) { return false, nil }

// GenerateDeviceCode is done by the device authorization endpoint.
func (fositeTokens) GenerateDeviceCode(context.Context) (code, signature string, err error) {
	return "", "", errNotAsked
}

// UserCodeSignature is done by the device authorization endpoint.
func (fositeTokens) UserCodeSignature(context.Context, string) (string, error) {
	return "", errNotAsked
}

// GenerateUserCode is done by the device authorization endpoint.
func (fositeTokens) GenerateUserCode(context.Context) (code, signature string, err error) {
	return "", "", errNotAsked
}

// ValidateUserCode is done by the page.
func (fositeTokens) ValidateUserCode(context.Context, fosite.DeviceRequester, string) error {
	return errNotAsked
}
