package authn

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"gatehouse/directory"
)

// Texting bounds what text messages can be made to cost: whoever can have codes
// sent, and owns a stretch of numbers that are dear to call, is paid for each.
type Texting struct {
	// Countries are those whose numbers are sent to, by their codes (ISO 3166-1
	// alpha-2); "*" is every one. Empty: the United Kingdom and the islands that
	// share its numbers.
	Countries []string
	// PerHour are all texts together, and again in an hour; 0: no bound.
	PerHour int
}

// homeCountries share the country code 44.
var homeCountries = []string{"GB", "GG", "IM", "JE"}

// errCountry is a number that nothing is sent to.
var errCountry = &directory.MobileError{
	Short: "Not a country that we send text messages to",
	Long:  "Text messages are not sent to this country - double check the mobile number you entered",
}

// allows returns a [*directory.MobileError] for a number that is not sent to.
func (x Texting) allows(number string) error {
	country, err := directory.MobileCountry(number)
	if err != nil {
		return err
	}
	listed := x.Countries
	if len(listed) == 0 {
		listed = homeCountries
	}
	if slices.Contains(listed, "*") || slices.Contains(listed, country) {
		return nil
	}
	return errCountry
}

// CheckTexting returns a [*directory.MobileError] for a number that text messages
// are not sent to. What nothing could ever be sent to is to be refused where it is
// entered.
func (s *Service) CheckTexting(number string) error { return s.Texting.allows(number) }

// sendBuckets are codeBuckets and, whether the codes are used or not, those of a
// day for the user and the address or number, and of all texts.
func (s *Service) sendBuckets(u *directory.User, f Factor) []Bucket {
	limits := s.Limits.orDefaults()
	all := s.codeBuckets(u, f)
	daily := limits.MailsPerDay
	if f == SMSCode {
		daily = limits.TextsPerDay
	}
	all = append(all, s.bucket("daily", string(f)+u.ID.String(), daily), s.bucket("daily", string(f)+codeRecipient(u, f), daily))
	if f == SMSCode && s.Texting.PerHour > 0 {
		all = append(all, Bucket{Key: "texts:all", Limit: Limit{Burst: s.Texting.PerHour, Per: time.Hour}})
	}
	return all
}

// codeRecipient is where a code goes, in one spelling.
func codeRecipient(u *directory.User, f Factor) string {
	if f != SMSCode {
		return directory.NormaliseEmail(u.EmailAddress)
	}
	number, err := directory.ParseMobile(u.MobileNumber)
	if err != nil {
		return u.MobileNumber
	}
	return number
}

// recipient stands for where a user's codes go, without telling; "" for a factor
// that nothing is sent for.
func (s *Service) recipient(u *directory.User, f Factor) string {
	if !isCode(f) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(s.mac("recipient", string(f), u.ID.String(), codeRecipient(u, f)))
}

// moved reports whether codes go elsewhere than when what stands for it was noted.
func (s *Service) moved(recipient string, u *directory.User, f Factor) bool {
	return recipient != "" && recipient != s.recipient(u, f)
}

// spend takes what a code costs from its budgets. It is a [*ThrottledError] when
// one has none left, and a [*directory.MobileError] for a number that nothing is
// sent to; either is in the audit trail, once an hour.
func (s *Service) spend(ctx context.Context, u *directory.User, f Factor, now time.Time) ([]Bucket, error) {
	if f == SMSCode {
		if err := s.Texting.allows(u.MobileNumber); err != nil {
			s.noteLimit(ctx, s.Cache, s.bucket("country", u.ID.String(), Limit{}).Key, now, map[string]any{"user": u.ID})
			return nil, err
		}
	}
	buckets := s.sendBuckets(u, f)
	err := takeAll(ctx, s.Cache, buckets, now)
	if limit, ok := errors.AsType[*ThrottledError](err); ok {
		s.noteLimit(ctx, s.Cache, limit.full, now, map[string]any{"user": u.ID})
	}
	if err != nil {
		return nil, fmt.Errorf("limit codes: %w", err)
	}
	return buckets, nil
}

// noteLimit counts that a limit was reached and writes it down, now and then, which
// it reports. What follows does not depend on it.
func (s *Service) noteLimit(ctx context.Context, l limiter, full string, now time.Time, data map[string]any) bool {
	if s.ObserveLimit != nil {
		s.ObserveLimit(Bucket{Key: full}.kind())
	}
	written, err := s.alert(ctx, l, full, now, data)
	if err != nil {
		s.log().LogAttrs(ctx, slog.LevelWarn, "note a limit", slog.String("error", err.Error()))
	}
	return written
}
