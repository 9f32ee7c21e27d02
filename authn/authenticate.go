package authn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// trial is one attempt on its way through the rules.
type trial struct {
	Attempt
	service *Service
	at      time.Time
	steps   []Step
	user    *directory.User // nil until identified, and when nobody matches
	has     Enrolment       // of the user
	limiter limiter         // holds what was taken
	taken   []Bucket
	// reserved is true while a failure of the user is counted for this attempt.
	reserved bool
	failures int // the count with it
	// recorded is true once the trace is written, with what it is about.
	recorded bool
	// inBrowser is the known browser whose failure is counted; uuid.Nil for the account.
	inBrowser uuid.UUID
	// untraced is an attempt that a limit stopped like others before it: whoever goes on
	// must not fill the disk.
	untraced bool
	// known is the known browser that the attempt comes from, if it was looked up.
	known    *KnownBrowser
	lookedUp bool
	// browser and browserCookie are what the sign-in has made known.
	browser       uuid.UUID
	browserCookie string
	// amr are the methods of a key that was proved, which depend on the key.
	amr []string
	// judge is another system that decides about the password, elsewhere that it
	// did, and own what we make of it; see [Service.AuthenticateBeside].
	judge     Judge
	elsewhere bool
	own       Own
}

// Authenticate tries one factor. An [Outcome] says that the user is
// authenticated or which factor is needed next; everything that is not right is
// [ErrRefused], whatever the reason, which is in the trace. A limit is a
// [*ThrottledError]; directory.ErrUnavailable means that nothing was decided.
func (s *Service) Authenticate(ctx context.Context, a Attempt) (*Outcome, error) {
	t := &trial{Attempt: a, service: s, at: s.Clock(), limiter: s.Cache}
	outcome, err := t.run(ctx)
	return t.settle(ctx, outcome, err)
}

func (t *trial) run(ctx context.Context) (*Outcome, error) {
	if err := t.throttle(ctx); err != nil {
		return nil, err
	}
	switch t.Factor {
	case Password:
		return t.password(ctx)
	case Passkey:
		return t.passkey(ctx)
	case SecurityKey:
		return t.keyAfterPassword(ctx)
	case MagicLink:
		return t.emailed(ctx)
	default:
		return t.code(ctx)
	}
}

// throttle takes a try from the limits of failures before anything is looked
// up. Without Redis only a front that needs nothing else from it goes on.
func (t *trial) throttle(ctx context.Context) error {
	buckets := t.service.failureBuckets(t.Attempt)
	err := takeAll(ctx, t.limiter, buckets, t.at)
	if errors.Is(err, directory.ErrUnavailable) && t.Front != Browser && t.Factor == Password {
		t.step("limit", "counted in this process", "pass")
		t.limiter = &t.service.local
		err = takeAll(ctx, t.limiter, buckets, t.at)
	}
	if limit, ok := errors.AsType[*ThrottledError](err); ok {
		t.step("limit", "failures", "throttle")
		t.untraced = !t.service.noteLimit(ctx, t.limiter, limit.full, t.at, map[string]any{"front": t.Front, "caller": t.Caller})
	}
	if err != nil {
		return fmt.Errorf("limit failures: %w", err)
	}
	t.taken = buckets
	return nil
}

// password tries a password. For nobody, and for an account without one, it is
// compared with a dummy hash; for a locked account with nothing, which takes as
// long. Every refusal takes the same time.
func (t *trial) password(ctx context.Context) (*Outcome, error) {
	if len(t.Secret) > maxPasswordBytes {
		return nil, t.refuse("password", "too long to be one")
	}
	hash, err := t.credentials(ctx)
	if err != nil {
		return nil, err
	}
	p := t.plan()
	if p.refused != "" {
		t.release(ctx)
	}
	t.form(p, hash)
	if right, decided, err := t.consult(ctx); err != nil {
		return nil, err
	} else if decided {
		return t.judged(ctx, right)
	}
	if !t.reserved {
		hash = ""
	}
	if t.locked(p) {
		return nil, t.refuseUncompared(ctx)
	}
	match, err := t.service.Hasher.Verify(ctx, hash, t.Secret)
	if err != nil {
		return nil, err
	}
	if !match {
		return nil, t.wrongPassword(ctx, hash)
	}
	t.step("password", "", "pass")
	t.rehash(ctx, hash)
	if len(p.next) == 0 {
		return t.complete(ctx, Password, "")
	}
	return t.challenge(ctx, p.next)
}

// credentials finds the user, counts a failure and returns the hash to compare
// with, "" when there is none. For nobody, and for a user who may not sign in
// whatever they prove, none is counted, at the cost of the same statements.
func (t *trial) credentials(ctx context.Context) (string, error) {
	who, certain := t.who()
	found, err := t.attempt(ctx, who)
	if errors.Is(err, directory.ErrConflict) || err == nil && found == nil && !certain {
		found, err = t.identified(ctx)
	}
	if err != nil || found == nil {
		return "", err
	}
	return found.Hash, nil
}

// identified counts a failure of whom an address that several share means, or a
// mobile number.
func (t *trial) identified(ctx context.Context) (*Attempted, error) {
	user, err := t.service.identify(ctx, t.Attempt)
	if err != nil {
		return nil, err
	}
	if user == nil {
		return t.attempt(ctx, Who{})
	}
	return t.attempt(ctx, Who{ID: user.ID})
}

func (t *trial) plan() plan {
	if t.user == nil {
		t.step("user", "", "unknown")
		return plan{}
	}
	p := policy(admitted(t.user, t.AdmitPending), t.has, t.Front, t.want())
	switch {
	case p.refused != "":
		t.step("policy", p.refused, "refuse")
	case len(p.next) > 0:
		t.step("policy", string(t.user.AuthType), "need "+anyOf(p.next))
	default:
		t.step("policy", string(t.Front), "password alone")
	}
	return p
}

func (t *trial) wrongPassword(ctx context.Context, hash string) error {
	if hash != "" {
		t.step("password", "", "refuse")
	}
	t.noteLock(ctx)
	return t.holdBack(ctx)
}

// refuseUncompared refuses without a look at the password, no sooner than one
// that was compared: neither by the answer's time nor by that of others behind it
// in the queue does a flood of guesses show whose account is locked. One that
// queues for long is refused all the same: a lock must not turn guesses into errors.
func (t *trial) refuseUncompared(ctx context.Context) error {
	const patience = time.Second / 2
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := t.service.Hasher.Pretend(waiting)
	if err != nil && (waiting.Err() == nil || ctx.Err() != nil) {
		return err
	}
	return t.wrongPassword(ctx, "")
}

// levelTime lets a refusal take RefusalTime, whatever was done for it: no work,
// ours, or that of a hash made elsewhere with dearer parameters.
func (t *trial) levelTime(ctx context.Context) { t.takeAtLeast(ctx, t.service.refusalTime()) }

// rehash replaces an imported hash, or one with old parameters, while the
// password is at hand. The sign-in does not depend on it.
func (t *trial) rehash(ctx context.Context, old string) {
	s := t.service
	if s.Hasher.current(old) {
		return
	}
	hash, err := s.Hasher.Hash(ctx, t.Secret)
	if err == nil {
		err = s.Store.ReplacePassword(ctx, t.user.ID, old, hash)
	}
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		s.log().LogAttrs(ctx, slog.LevelWarn, "replace an imported hash", slog.String("error", err.Error()))
	}
}

// complete ends a sign-in whose every factor was right, in one transaction with
// its audit event and its trace. last is the factor that completed it, signIn
// the id of the sign-in under way.
func (t *trial) complete(ctx context.Context, last Factor, signIn string) (*Outcome, error) {
	s := t.service
	amr := t.methods(last)
	outcome := &Outcome{User: t.user, AMR: amr, ACR: last.acr(), At: t.at}
	t.step("sign in", "", "pass")
	err := s.Directory.InTx(ctx, func(ctx context.Context) error {
		if t.Also != nil {
			if err := t.Also(ctx, t.user); err != nil {
				return err
			}
		}
		if err := t.settleCount(ctx, signIn); err != nil {
			return err
		}
		data := map[string]any{"front": t.Front, "amr": amr, "caller": t.Caller, "email_proved": t.Factor.provesEmail()}
		actor := directory.Actor{Kind: "user", ID: t.user.ID.String()}
		if err := t.recognise(ctx); err != nil {
			return err
		}
		if err := s.event(ctx, "sign_in", actor, t.user.ID, data); err != nil {
			return err
		}
		if err := t.begin(ctx, outcome); err != nil {
			return err
		}
		return t.record(ctx, authenticated)
	})
	switch {
	case errors.Is(err, directory.ErrConflict):
		return nil, t.refuse("sign in", "used before")
	case errors.Is(err, directory.ErrNotFound):
		return nil, t.refuse("sign in", "the user has changed meanwhile")
	case err != nil:
		return nil, fmt.Errorf("complete sign-in: %w", err)
	}
	t.reserved = false
	return outcome, nil
}

// begin starts the session of a sign-in that is complete, in the browser that is
// known by now, where one is wanted.
func (t *trial) begin(ctx context.Context, o *Outcome) (err error) {
	o.Browser, o.Known = t.browser, t.browserCookie
	if t.Begin != nil {
		o.Session, _, err = t.service.StartSession(ctx, o, *t.Begin)
	}
	return err
}

// methods are the authentication methods (RFC 8176) of a sign-in that a factor completed.
func (t *trial) methods(last Factor) []string {
	switch {
	case len(t.amr) == 0:
		return last.AMR()
	case last == SecurityKey:
		return append([]string{"pwd"}, t.amr...)
	default:
		return t.amr
	}
}

// settleCount forgives failures. A password alone forgives only those of
// passwords: whoever knows it could otherwise guess codes for ever.
func (t *trial) settleCount(ctx context.Context, signIn string) error {
	s := t.service
	switch {
	case t.Factor == Password:
		return s.Store.PasswordProved(ctx, t.user.ID)
	case t.Front == Machine:
		return t.settleMachine(ctx, signIn)
	}
	return s.Store.SignedIn(ctx, t.user.ID, signIn, t.at.Add(s.signInTTL()), t.Factor.provesEmail(), t.at)
}
