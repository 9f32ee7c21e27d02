package authn

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"gatehouse/directory"
)

// code tries a code that was sent for a sign-in under way.
func (t *trial) code(ctx context.Context) (*Outcome, error) {
	if t.Front == Machine && isCode(t.Factor) {
		return t.userCode(ctx)
	}
	if t.Front != Browser {
		return nil, t.refuse("front", "no codes here")
	}
	in, err := t.continued(ctx)
	if err != nil {
		return nil, err
	}
	if t.Factor != in.Next || !isCode(t.Factor) && t.Factor != TOTP && t.Factor != RecoveryCode {
		return nil, t.refuse("policy", "another factor is needed")
	}
	if err := t.attemptToContinue(ctx, in); err != nil {
		return nil, err
	}
	if !isCode(t.Factor) {
		return t.possession(ctx, in)
	}
	return t.compareCode(ctx, in)
}

// continued is the sign-in under way that an attempt belongs to.
func (t *trial) continued(ctx context.Context) (*signIn, error) {
	in, err := t.service.readSignIn(ctx, t.SignIn)
	if errors.Is(err, ErrNoSignIn) {
		t.step("sign in", "none under way", "refuse")
	}
	return in, err
}

// attemptToContinue counts a failure of the user of a sign-in under way, who may
// still complete it.
func (t *trial) attemptToContinue(ctx context.Context, in *signIn) error {
	t.AdmitPending = in.Pending
	found, err := t.attempt(ctx, Who{ID: in.UserID})
	if err != nil {
		return err
	}
	if found == nil || !t.service.goesOn(in, t.user, t.has) {
		t.release(ctx)
		t.step("sign in", "none under way", "refuse")
		return ErrNoSignIn
	}
	if !t.reserved {
		return ErrRefused
	}
	t.amr = in.AMR
	return nil
}

// provesEmail reports whether the factor shows that the address is the user's.
func (f Factor) provesEmail() bool { return f == EmailCode || f == MagicLink }

func isCode(f Factor) bool { return f == SMSCode || f == EmailCode }

// compareCode spends one of the sign-in's tries. A code that is right is gone
// from the cache before the sign-in completes: if that fails, another is needed.
func (t *trial) compareCode(ctx context.Context, in *signIn) (*Outcome, error) {
	s := t.service
	c := s.liveCode(in, strings.TrimSpace(t.Secret))
	verdict, err := s.Cache.TryCode(ctx, c, t.at, s.codeTries())
	if err != nil {
		return nil, fmt.Errorf("compare code: %w", err)
	}
	switch verdict {
	case CodeRight:
		t.step("code", "", "pass")
		return t.afterCode(ctx, in)
	case CodeGone:
		// There was nothing to guess at, so that it was no failure.
		t.release(ctx)
		return nil, t.refuse("code", "none is live")
	case CodeDead:
		s.end(ctx, in)
		t.step("code", "last try", "refuse")
	default:
		t.step("code", "", "refuse")
	}
	t.noteLock(ctx)
	return nil, ErrRefused
}

// afterCode completes a sign-in whose code was right, or asks for another.
func (t *trial) afterCode(ctx context.Context, in *signIn) (*Outcome, error) {
	var outcome *Outcome
	var err error
	if mustRevalidate(t.user, in.Next, t.at, t.service.EmailRevalidation) {
		outcome, err = t.revalidate(ctx, in)
	} else {
		outcome, err = t.complete(ctx, in.secondFactor(), in.id)
	}
	if err == nil {
		t.service.end(ctx, in)
		if isCode(in.Next) {
			t.forgetSent(ctx, in.Next)
		}
	}
	return outcome, err
}

// revalidate begins the wait for a code that goes to the e-mail address. The
// sign-in before it is used up: what it proved is in the new one.
func (t *trial) revalidate(ctx context.Context, in *signIn) (*Outcome, error) {
	s := t.service
	err := s.Store.UseSignIn(ctx, in.id, t.at.Add(s.signInTTL()))
	switch {
	case errors.Is(err, directory.ErrConflict):
		return nil, t.refuse("sign in", "used before")
	case err != nil:
		return nil, fmt.Errorf("use sign-in: %w", err)
	}
	t.step("policy", "the address was proved long ago", "need "+string(EmailCode))
	return t.wait(ctx, &signIn{
		UserID: in.UserID, Next: EmailCode, Proved: in.Next, AMR: t.amr, Pending: in.Pending, Want: in.Want, BegunAt: in.BegunAt, Known: in.Known,
	})
}

// forgetSent gives the sending of a code back to its limits, since it was used.
func (t *trial) forgetSent(ctx context.Context, f Factor) {
	if err := giveBackAll(ctx, t.service.Cache, t.service.codeBuckets(t.user, f), t.at); err != nil {
		t.service.log().LogAttrs(ctx, slog.LevelWarn, "give back a code", slog.String("error", err.Error()))
	}
}

// sendCode makes a new code acceptable and queues its message, if there is one.
func (s *Service) sendCode(ctx context.Context, u *directory.User, in *signIn, now time.Time) error {
	m, err := s.newCode(ctx, u, in, now)
	if err != nil {
		return err
	}
	return s.queueCode(ctx, m)
}

// newCode makes a new code acceptable and returns its message; nil for a factor
// that is no code, for a user who is locked where the sign-in is, or when enough
// codes are live.
func (s *Service) newCode(ctx context.Context, u *directory.User, in *signIn, now time.Time) (*Message, error) {
	if !isCode(in.Next) || u.Locked() && !in.Known {
		return nil, nil
	}
	buckets, err := s.spend(ctx, u, in.Next, now)
	if errors.Is(err, directory.ErrInvalid) {
		return nil, nil // no number that is sent to: people have other ways, or ask for help
	}
	if err != nil {
		return nil, err
	}
	code, err := randomDigits(s.random(), s.codeDigits())
	if err != nil {
		return nil, err
	}
	c := s.liveCode(in, code)
	c.ExpiresAt = now.Add(s.codeTTL())
	added, err := s.Cache.AddCode(ctx, c, now, s.maxLiveCodes(), s.codeTries())
	if err != nil {
		return nil, fmt.Errorf("keep code: %w", err)
	}
	if !added {
		return nil, giveBackAll(ctx, s.Cache, buckets, now)
	}
	return codeMessage(ctx, u, in.Next, code, c.ExpiresAt), nil
}

func codeMessage(ctx context.Context, u *directory.User, f Factor, code string, expires time.Time) *Message {
	m := &Message{
		Channel: "sms", To: u.MobileNumber, Template: string(f), Language: asked(ctx, u),
		Personalisation: map[string]any{"verify_code": code}, ExpiresAt: expires,
	}
	if f == EmailCode {
		m.Channel, m.To = "email", u.EmailAddress
		m.Personalisation["name"] = u.Name
	}
	return m
}

// queueCode queues the message of a code, in the transaction in ctx.
func (s *Service) queueCode(ctx context.Context, m *Message) error {
	if m == nil {
		return nil
	}
	if err := s.Messages.Send(ctx, *m); err != nil {
		return fmt.Errorf("queue code: %w", err)
	}
	return nil
}

// tell sends a user word of what happened to the account, in the user's own
// language; nothing without an address.
func (s *Service) tell(ctx context.Context, u *directory.User, template string) error {
	return s.tellWith(ctx, u, template, map[string]any{})
}

// tellWith is tell with more to say than the user's name.
func (s *Service) tellWith(ctx context.Context, u *directory.User, template string, data map[string]any) error {
	if u.EmailAddress == "" {
		return nil
	}
	data["name"] = u.Name
	m := Message{Channel: "email", To: u.EmailAddress, Template: template, Language: u.Language, Personalisation: data}
	if err := s.Messages.Send(ctx, m); err != nil {
		return fmt.Errorf("queue message: %w", err)
	}
	return nil
}

// liveCode binds a code to its purpose, its user and its sign-in.
func (s *Service) liveCode(in *signIn, code string) LiveCode {
	mac := s.mac("code", string(in.Next), in.UserID.String(), in.id, code)
	return LiveCode{UserID: in.UserID, SignIn: in.id, MAC: base64.RawURLEncoding.EncodeToString(mac)}
}

// randomDigits returns n digits, each equally likely.
func randomDigits(random io.Reader, n int) (string, error) {
	// Ten divides 250: bytes from there on would favour the low digits.
	const fair = 250
	digits := make([]byte, 0, n)
	var b [1]byte
	for len(digits) < n {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("read random bytes: %w", err)
		}
		if b[0] < fair {
			digits = append(digits, '0'+b[0]%10)
		}
	}
	return string(digits), nil
}
