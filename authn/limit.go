package authn

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"gatehouse/directory"
)

// Limit lets Burst tries through at once and the same number again, evenly
// spread, in every Per (the generic cell rate algorithm).
type Limit struct {
	Burst int
	Per   time.Duration
}

// Limits bound failures beside the account's own count. Only failures use them
// up: an office of hundreds behind one address signs in undisturbed. The zero
// value of each is its default.
type Limits struct {
	// NetworkFailures are those of one address, or one /64 of IPv6, on the
	// hosted pages; 200, and again in 10 minutes.
	NetworkFailures Limit
	// CallerFailures are those one client presented; 2000, and again in 10 minutes.
	CallerFailures Limit
	// PasswordFailures are those of one password, whoever tried it on whom and
	// from where; 500, and again in an hour. It stops one password from being
	// tried on everybody from many addresses.
	PasswordFailures Limit
	// CodesPerUser and CodesPerNumber are codes sent that nobody used; 20, and
	// again in an hour.
	CodesPerUser   Limit
	CodesPerNumber Limit
	// TextsPerDay and MailsPerDay are codes sent to one user, and to one number or
	// address, used or not; 50 and 100, and again in a day.
	TextsPerDay Limit
	MailsPerDay Limit
	// DeviceCodesPerUser are wrong codes of devices that a user entered; 10, and
	// again in 10 minutes.
	DeviceCodesPerUser Limit
	// AskingPerNetwork are requests for a message from people who have proved
	// nothing yet, such as a link to choose a new password; 60, and again in an hour.
	AskingPerNetwork Limit
	// MailsPerAddress are the messages that one account or address gets for them;
	// 5, and again in an hour. Further ones are answered alike and send nothing.
	MailsPerAddress Limit
}

func (l Limits) orDefaults() Limits {
	return Limits{
		NetworkFailures:  cmp.Or(l.NetworkFailures, Limit{Burst: 200, Per: 10 * time.Minute}),
		CallerFailures:   cmp.Or(l.CallerFailures, Limit{Burst: 2000, Per: 10 * time.Minute}),
		PasswordFailures: cmp.Or(l.PasswordFailures, Limit{Burst: 500, Per: time.Hour}),
		CodesPerUser:     cmp.Or(l.CodesPerUser, Limit{Burst: 20, Per: time.Hour}),
		CodesPerNumber:   cmp.Or(l.CodesPerNumber, Limit{Burst: 20, Per: time.Hour}),

		TextsPerDay: cmp.Or(l.TextsPerDay, Limit{Burst: 50, Per: 24 * time.Hour}),
		MailsPerDay: cmp.Or(l.MailsPerDay, Limit{Burst: 100, Per: 24 * time.Hour}),

		DeviceCodesPerUser: cmp.Or(l.DeviceCodesPerUser, Limit{Burst: 10, Per: 10 * time.Minute}),
		AskingPerNetwork:   cmp.Or(l.AskingPerNetwork, Limit{Burst: 60, Per: time.Hour}),
		MailsPerAddress:    cmp.Or(l.MailsPerAddress, Limit{Burst: 5, Per: time.Hour}),
	}
}

// Bucket is what one limit is counted in.
type Bucket struct {
	Key string // without anything personal: what is counted is behind a MAC
	Limit
}

// Interval is the time in which one try comes back.
func (l Limit) Interval() time.Duration { return l.Per / time.Duration(l.Burst) }

func (s *Service) bucket(kind, subject string, l Limit) Bucket {
	const enough = 12 // bytes of the MAC: buckets do not meet by chance
	return Bucket{Key: kind + ":" + base64.RawURLEncoding.EncodeToString(s.mac("limit."+kind, subject)[:enough]), Limit: l}
}

// failureBuckets are those an attempt must find a try in. A client that
// presents other people's attempts is counted instead of its server's address.
func (s *Service) failureBuckets(a Attempt) []Bucket {
	limits := s.Limits.orDefaults()
	var all []Bucket
	switch {
	case a.Front != Browser:
		all = append(all, s.bucket("caller", a.Caller, limits.CallerFailures))
	case a.Network.IsValid():
		all = append(all, s.bucket("network", network(a.Network).String(), limits.NetworkFailures))
	}
	if a.Factor == Password {
		all = append(all, s.bucket("password", a.Secret, limits.PasswordFailures))
	}
	return all
}

// codeBuckets are those of a code sent to a user.
func (s *Service) codeBuckets(u *directory.User, f Factor) []Bucket {
	limits := s.Limits.orDefaults()
	return []Bucket{
		s.bucket("codes", u.ID.String(), limits.CodesPerUser),
		s.bucket("number", codeRecipient(u, f), limits.CodesPerNumber),
	}
}

// NetworkOf is what limits count an address as: itself, or all of a /64 of IPv6.
func NetworkOf(addr netip.Addr) netip.Prefix { return network(addr) }

// network groups addresses that one subscriber has: all of a /64 of IPv6.
func network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	prefix, _ := addr.Prefix(bits) // only wrong for a length that the family does not have
	return prefix
}

// takeAll takes a try from every bucket, or from none: then it is a
// [*ThrottledError] with the time until the one that has none left has one again.
func takeAll(ctx context.Context, l limiter, buckets []Bucket, now time.Time) error {
	for i, b := range buckets {
		wait, err := l.Take(ctx, b, now)
		if err == nil && wait == 0 {
			continue
		}
		if lost := giveBackAll(ctx, l, buckets[:i], now); err != nil || lost != nil {
			return fmt.Errorf("take from %s: %w", b.kind(), errors.Join(err, lost))
		}
		return &ThrottledError{RetryAfter: wait, full: b.Key}
	}
	return nil
}

// kind is which limit a bucket is of.
func (b Bucket) kind() string {
	kind, _, _ := strings.Cut(b.Key, ":")
	return kind
}

func giveBackAll(ctx context.Context, l limiter, buckets []Bucket, now time.Time) error {
	for _, b := range buckets {
		if err := l.GiveBack(ctx, b, now); err != nil {
			return err
		}
	}
	return nil
}
