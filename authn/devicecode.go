package authn

import (
	"context"
	"net/netip"

	"github.com/google/uuid"
)

// CountDeviceCode counts a try of a user who is signed in at the code that a
// device shows (RFC 8628 section 5.1), before the code is looked up. It fails
// with a [*ThrottledError] when the user or the network has none left, and with
// directory.ErrUnavailable when that cannot be known: nothing is looked up
// without a count.
func (s *Service) CountDeviceCode(ctx context.Context, userID uuid.UUID, network netip.Addr) error {
	return takeAll(ctx, s.Cache, s.deviceCodeBuckets(userID, network), s.Clock())
}

// ForgiveDeviceCode gives the try of a code that was right back: only failures
// use the limits up.
func (s *Service) ForgiveDeviceCode(ctx context.Context, userID uuid.UUID, network netip.Addr) error {
	return giveBackAll(ctx, s.Cache, s.deviceCodeBuckets(userID, network), s.Clock())
}

// deviceCodeBuckets are the user's, however many sessions and browsers there are,
// and those that other failures from the network are counted in.
func (s *Service) deviceCodeBuckets(userID uuid.UUID, addr netip.Addr) []Bucket {
	limits := s.Limits.orDefaults()
	all := []Bucket{s.bucket("device", userID.String(), limits.DeviceCodesPerUser)}
	if addr.IsValid() {
		all = append(all, s.bucket("network", network(addr).String(), limits.NetworkFailures))
	}
	return all
}
