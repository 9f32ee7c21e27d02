package authn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// signIn is a sign-in under way: the password was right and another factor is
// needed. It is kept in the cache under its id, and nothing of it ever changes
// but Next, for another of its choices.
type signIn struct {
	id     string
	UserID uuid.UUID `json:"user_id"`
	Next   Factor    `json:"next"`
	// Choices are the factors that serve in the place of Next. They are found anew
	// each time: the user may have got or lost one since.
	Choices []Factor `json:"-"`
	keys    int      // that the user has, found anew too
	// Proved is the second factor, where Next only proves the e-mail address anew.
	Proved Factor `json:"proved,omitempty"`
	// AMR are the methods of a key that was proved before, which depend on the key.
	AMR     []string `json:"amr,omitempty"`
	Pending bool     `json:"pending,omitempty"` // see Attempt.AdmitPending
	// Known says that the password was proved in a known browser while the account
	// was locked: codes are sent all the same.
	Known bool `json:"known,omitempty"`
	// Recipient stands for where the codes of Next go. One that was sent elsewhere
	// before shows nothing any more; "" for a factor that nothing is sent for.
	Recipient string `json:"recipient,omitempty"`
	Want
	BegunAt   time.Time `json:"begun_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// secondFactor is what the sign-in rests on beside the password.
func (in *signIn) secondFactor() Factor {
	if in.Proved != "" {
		return in.Proved
	}
	return in.Next
}

// signInTTL leaves room for another code after the first one has expired.
func (s *Service) signInTTL() time.Duration { return 2 * s.codeTTL() }

// challenge begins the wait for the factor that follows a password.
func (t *trial) challenge(ctx context.Context, choices []Factor) (*Outcome, error) {
	return t.wait(ctx, &signIn{
		UserID: t.user.ID, Next: choices[0], Choices: choices, keys: t.has.keys(), Pending: t.AdmitPending, Want: t.want(), BegunAt: t.at,
		Known: t.inBrowser != uuid.Nil,
	})
}

// wait keeps a sign-in under way, and sends the code that it waits for if it is one;
// with that the attempt is settled.
func (t *trial) wait(ctx context.Context, in *signIn) (*Outcome, error) {
	s := t.service
	token, err := s.newToken()
	if err != nil {
		return nil, err
	}
	in.id, in.ExpiresAt = signInID(token), t.at.Add(s.signInTTL())
	if err := s.putSignIn(ctx, in, t.user, t.at); err != nil {
		return nil, err
	}
	m, err := s.newCode(ctx, t.user, in, t.at)
	if err != nil {
		return nil, err
	}
	if err := t.goOn(ctx, m); err != nil {
		return nil, err
	}
	return in.outcome(token, t.user), nil
}

// goOn writes down that a factor was right: its message is queued, the failure
// taken back that was counted for it, and the trace kept, all or nothing.
func (t *trial) goOn(ctx context.Context, m *Message) error {
	err := t.service.Directory.InTx(ctx, func(ctx context.Context) error {
		if err := t.service.queueCode(ctx, m); err != nil {
			return err
		}
		if t.reserved {
			if err := t.takeBack(ctx); err != nil {
				return fmt.Errorf("take an attempt back: %w", err)
			}
		}
		return t.record(ctx, more)
	})
	if err == nil {
		t.reserved, t.recorded = false, true
	}
	return err
}

// putSignIn keeps a sign-in for what is left of its life.
func (s *Service) putSignIn(ctx context.Context, in *signIn, u *directory.User, now time.Time) error {
	in.Recipient = s.recipient(u, in.Next)
	state, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode sign-in: %w", err)
	}
	if err := s.Cache.PutSignIn(ctx, in.id, state, in.ExpiresAt.Sub(now)); err != nil {
		return fmt.Errorf("keep sign-in: %w", err)
	}
	return nil
}

func (in *signIn) outcome(token string, u *directory.User) *Outcome {
	return &Outcome{
		User: u, Next: in.Next, Choices: in.Choices, Keys: in.keys, Revalidation: in.Proved != "", SignIn: token, Hint: Hint(u, in.Next), At: in.BegunAt,
	}
}

// SignInUnderWay returns what a sign-in waits for, to show its page again.
// [ErrNoSignIn] says that there is none: it must begin with a password.
func (s *Service) SignInUnderWay(ctx context.Context, token string) (*Outcome, error) {
	in, user, err := s.underWay(ctx, token)
	if err != nil {
		return nil, err
	}
	return in.outcome(token, user), nil
}

// Awaited is the factor that a sign-in under way waits for, and whose it is, as
// they were left: whether the user may still complete it is seen when they try.
// [ErrNoSignIn] says that there is none.
func (s *Service) Awaited(ctx context.Context, token string) (Factor, uuid.UUID, error) {
	in, err := s.readSignIn(ctx, token)
	if err != nil {
		return "", uuid.Nil, err
	}
	return in.Next, in.UserID, nil
}

// ResendCode sends another code for a sign-in under way; the codes sent before
// stay good, and failures stay counted. A user with five live codes already is
// sent nothing and not told so. It is a [*ThrottledError] when too many codes
// went unused or the network has failed too often.
func (s *Service) ResendCode(ctx context.Context, token string, from netip.Addr) (*Outcome, error) {
	now := s.Clock()
	if err := s.mayAsk(ctx, from, now); err != nil {
		return nil, err
	}
	in, user, err := s.underWay(ctx, token)
	if err != nil {
		return nil, err
	}
	if err := s.sendCode(ctx, user, in, now); err != nil {
		return nil, err
	}
	return in.outcome(token, user), nil
}

// mayAsk reports whether a network has a try at failing left, without taking it.
func (s *Service) mayAsk(ctx context.Context, from netip.Addr, now time.Time) error {
	buckets := s.failureBuckets(Attempt{Front: Browser, Network: from})
	if err := takeAll(ctx, s.Cache, buckets, now); err != nil {
		return fmt.Errorf("limit codes: %w", err)
	}
	return giveBackAll(ctx, s.Cache, buckets, now)
}

// underWay finds a sign-in and its user, and makes sure that the user may still
// complete it: active, the same factor of use, the same password, the same number
// or address. Whether the account is locked is seen when the code is tried.
func (s *Service) underWay(ctx context.Context, token string) (*signIn, *directory.User, error) {
	in, err := s.readSignIn(ctx, token)
	if err != nil {
		return nil, nil, err
	}
	user, has, err := s.Store.Account(ctx, in.UserID)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil, nil, ErrNoSignIn
	case err != nil:
		return nil, nil, fmt.Errorf("find user: %w", err)
	}
	if !s.goesOn(in, user, has) {
		return nil, nil, ErrNoSignIn
	}
	return in, user, nil
}

// goesOn reports whether a user may still complete a sign-in, and notes how.
func (s *Service) goesOn(in *signIn, user *directory.User, has Enrolment) bool {
	p := policy(admitted(user, in.Pending), has, Browser, in.Want)
	serves := in.Proved == Passkey || slices.Contains(p.next, in.secondFactor())
	if p.refused != "" || !serves || s.moved(in.Recipient, user, in.Next) || in.Next == EmailCode && user.EmailAddress == "" ||
		user.PasswordChangedAt.After(in.BegunAt) {
		return false
	}
	in.keys = has.keys()
	if in.Proved == "" {
		in.Choices = p.next
	}
	return true
}

func (s *Service) readSignIn(ctx context.Context, token string) (*signIn, error) {
	in := &signIn{id: signInID(token)}
	if err := s.cached(ctx, token, in.id, in); err != nil {
		return nil, err
	}
	if !s.Clock().Before(in.ExpiresAt) {
		return nil, ErrNoSignIn
	}
	return in, nil
}

// cached reads what is kept of a sign-in under its id, which is made of a token.
func (s *Service) cached(ctx context.Context, token, id string, in any) error {
	if len(token) != tokenLength {
		return ErrNoSignIn
	}
	state, err := s.Cache.SignIn(ctx, id)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return ErrNoSignIn
	case err != nil:
		return fmt.Errorf("find sign-in: %w", err)
	}
	if err := json.Unmarshal(state, in); err != nil {
		return fmt.Errorf("decode sign-in: %w", err)
	}
	return nil
}

// end forgets a sign-in. It is of no use any more, so that a failure is only logged.
func (s *Service) end(ctx context.Context, in *signIn) {
	if err := s.Cache.DeleteSignIn(ctx, in.id); err != nil {
		s.log().LogAttrs(ctx, slog.LevelWarn, "forget a sign-in", slog.String("error", err.Error()))
	}
}

// Hint tells the owner of an address or a number that codes are sent to which
// one it is, without telling anybody else: "" for a factor that nothing is sent for.
func Hint(u *directory.User, f Factor) string {
	const mask = "•••••••"
	switch f {
	case SMSCode:
		number := u.MobileNumber
		return mask + number[max(0, len(number)-4):]
	case EmailCode:
		local, domain, _ := strings.Cut(u.EmailAddress, "@")
		_, size := utf8.DecodeRuneInString(local)
		return local[:size] + mask + "@" + domain
	default:
		return ""
	}
}
