package authn

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// A trusted application that shows its own pages keeps no sign-in under way here:
// it asks for codes and presents them when it likes. Its codes are bound to the
// user alone, several may be live, and each is good once. Wrong ones count on the
// account like every other failure.

// What a trusted application is told beyond [ErrRefused].
var (
	// ErrCodeSpent says that a code was right once: it was used or has expired.
	ErrCodeSpent = fmt.Errorf("%w: the code was used or has expired", ErrRefused)
	// ErrLocked says that the account takes no proof, right or wrong.
	ErrLocked = fmt.Errorf("%w: the account takes no more attempts", ErrRefused)
)

// keepSpentCodes is how long a code can be told from one that never was.
const keepSpentCodes = 24 * time.Hour

// SendUserCode makes a new code of a user acceptable and queues the message that
// word makes of it; to is where it goes, for the limits. A user with five live
// codes already is sent nothing and not told so. It is a [*ThrottledError] when
// too many codes went unused or were sent in a day, and a [*directory.MobileError]
// for a number of a country that is not sent to.
func (s *Service) SendUserCode(ctx context.Context, u *directory.User, f Factor, to string, word func(code string) (Message, error)) error {
	now := s.Clock()
	there := *u
	there.MobileNumber, there.EmailAddress = to, to
	buckets, err := s.spend(ctx, &there, f, now)
	if err != nil {
		return err
	}
	code, err := s.newUserCode(f)
	if err != nil {
		return err
	}
	c := s.userCode(u.ID, f, code)
	c.ExpiresAt = now.Add(s.codeTTL())
	added, err := s.Cache.AddUserCode(ctx, c, now, s.maxLiveCodes(), keepSpentCodes)
	if err != nil {
		return fmt.Errorf("keep code: %w", err)
	}
	if !added {
		return giveBackAll(ctx, s.Cache, buckets, now)
	}
	m, err := word(code)
	if err != nil {
		return err
	}
	m.ExpiresAt, m.Language = c.ExpiresAt, asked(ctx, u)
	if err := s.Messages.Send(ctx, m); err != nil {
		return fmt.Errorf("queue code: %w", err)
	}
	return nil
}

// newUserCode is digits for people to type, and a UUID for links.
func (s *Service) newUserCode(f Factor) (string, error) {
	if f == SMSCode {
		return randomDigits(s.random(), s.codeDigits())
	}
	id, err := s.newID()
	return id.String(), err
}

// userCode binds a code to its purpose and its user.
func (s *Service) userCode(userID uuid.UUID, f Factor, code string) LiveCode {
	mac := s.mac("user code", string(f), userID.String(), code)
	return LiveCode{UserID: userID, MAC: base64.RawURLEncoding.EncodeToString(mac)}
}

// userCode tries a code that [Service.SendUserCode] sent.
func (t *trial) userCode(ctx context.Context) (*Outcome, error) {
	if err := t.reserveKnown(ctx); err != nil {
		return nil, err
	}
	c := t.service.userCode(t.user.ID, t.Factor, t.Secret)
	verdict, expires, err := t.service.Cache.UseUserCode(ctx, c, t.at)
	switch {
	case err != nil:
		return nil, fmt.Errorf("compare code: %w", err)
	case verdict == CodeRight:
		t.step("code", "", "pass")
		outcome, err := t.complete(ctx, t.Factor, c.MAC+"/"+strconv.FormatInt(expires.UnixMicro(), 10))
		if err == nil {
			t.forgetSent(ctx, t.Factor)
		}
		return outcome, err
	}
	t.noteLock(ctx)
	if verdict == CodeGone {
		t.step("code", "used or expired", "refuse")
		return nil, ErrCodeSpent
	}
	return nil, t.refuse("code", "")
}

// reserveKnown counts a failure of the user whom a trusted caller names.
func (t *trial) reserveKnown(ctx context.Context) error {
	user, err := t.service.identify(ctx, t.Attempt)
	if err != nil {
		return err
	}
	if user == nil {
		return t.refuse("user", "unknown")
	}
	if _, err := t.attempt(ctx, Who{ID: user.ID}); err != nil {
		return err
	}
	if !t.reserved {
		return ErrLocked
	}
	return nil
}

// SecurityKey completes the sign-in of a user whose security key a trusted
// application has checked, or counts a failure that it reports. The function also
// joins the transaction of the sign-in. A failure that was counted is
// [ErrRefused]; an account that takes no attempt is [ErrLocked].
func (s *Service) SecurityKey(ctx context.Context, userID uuid.UUID, caller string, right bool, also func(ctx context.Context) error) error {
	t := &trial{
		Attempt: Attempt{Front: Machine, Factor: SecurityKey, UserID: userID, Caller: caller},
		service: s, at: s.Clock(), limiter: s.Cache,
	}
	outcome, err := t.securityKey(ctx, right, also)
	_, err = t.settle(ctx, outcome, err)
	return err
}

func (t *trial) securityKey(ctx context.Context, right bool, also func(ctx context.Context) error) (*Outcome, error) {
	if err := t.reserveKnown(ctx); err != nil {
		return nil, err
	}
	if !right {
		t.noteLock(ctx)
		return nil, t.refuse("security key", "the caller says so")
	}
	t.step("security key", "the caller says so", "pass")
	var outcome *Outcome
	err := t.service.Directory.InTx(ctx, func(ctx context.Context) error {
		if err := also(ctx); err != nil {
			return err
		}
		var err error
		outcome, err = t.complete(ctx, SecurityKey, "")
		return err
	})
	if err != nil && outcome != nil {
		t.reserved = true // what complete had settled was undone
	}
	return outcome, err
}

// settleMachine signs a user in to the trusted application, whose session gets a
// new identifier: the one before is over. proof is what must not be used twice.
func (t *trial) settleMachine(ctx context.Context, proof string) error {
	s := t.service
	if proof != "" {
		if err := s.Store.UseSignIn(ctx, proof, t.at.Add(s.codeTTL())); err != nil {
			return err
		}
	}
	session, err := s.newID()
	if err != nil {
		return err
	}
	return s.Store.SignedInElsewhere(ctx, t.user.ID, session, t.Factor == EmailCode, t.at)
}

// Disable takes from a user everything that signs in: the password and other
// factors, sessions, what was issued and what services were allowed, in the
// transaction in ctx.
func (s *Service) Disable(ctx context.Context, userID uuid.UUID) error {
	if err := s.Store.DeletePassword(ctx, userID); err != nil && !errors.Is(err, directory.ErrNotFound) {
		return fmt.Errorf("disable user: %w", err)
	}
	if err := s.Store.DeletePasskeys(ctx, userID); err != nil {
		return fmt.Errorf("disable user: %w", err)
	}
	if err := s.Store.DeleteFactors(ctx, userID); err != nil {
		return fmt.Errorf("disable user: %w", err)
	}
	if err := s.endAll(ctx, userID, uuid.Nil); err != nil {
		return fmt.Errorf("disable user: %w", err)
	}
	if s.Revoker == nil {
		return nil
	}
	if err := s.Revoker.ForgetConsents(ctx, userID); err != nil {
		return fmt.Errorf("disable user: %w", err)
	}
	return nil
}
