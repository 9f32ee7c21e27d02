package authn

import (
	"context"
	"errors"
	"fmt"

	"gatehouse/directory"
)

// While callers move here from another system, that system is asked about the
// same passwords. Both answers obey one set of rules: the limits are taken and the
// failure is counted before anybody compares anything, so that whoever guesses
// gains nothing by there being two.

// Judge asks another system whether the password of an attempt is right. Its word
// counts in the place of ours; [ErrNoVerdict] lets our own comparison decide, and
// any other error ends the attempt as one about which nothing was decided.
type Judge func(ctx context.Context) (right bool, err error)

// ErrNoVerdict says that the other system gave no answer and that ours counts.
var ErrNoVerdict = errors.New("no verdict from the other system")

// Opinion is what this service has to say of a password beside another system.
// It is for comparing the two and never for whoever presented the password.
type Opinion string

// The opinions.
const (
	NotAsked   Opinion = ""                    // a limit or a store stood in the way
	OwnRight   Opinion = "right"               // it is the password
	OwnWrong   Opinion = "other_password_here" // the user has another
	OwnUnknown Opinion = "unknown_here"        // nobody, or not only one, is called that
	OwnNone    Opinion = "no_password_here"    // the user has none yet
	OwnClosed  Opinion = "disabled_here"       // the user may not sign in
	OwnLocked  Opinion = "locked_here"         // the account takes no more attempts
	// OwnOpen is a password that another system has judged and that was not yet
	// compared with ours; [Service.Compare] does.
	OwnOpen Opinion = "open"
)

// Own is our own opinion of an attempt, with what it rests on.
type Own struct {
	Opinion Opinion
	User    *directory.User // nil for nobody
	hash    string
}

// AuthenticateBeside is [Service.Authenticate] for a password of which another
// system is asked too: judge decides, or, when it is nil, this service does. The
// count, the lock, the audit event and the trace follow the decision.
//
// A user who is locked, disabled or unknown here is let in when judge says so:
// nothing is reset, and no password compared. What was refused counts whoever
// refused it.
func (s *Service) AuthenticateBeside(ctx context.Context, a Attempt, judge Judge) (*Outcome, Own, error) {
	t := &trial{Attempt: a, service: s, at: s.Clock(), limiter: s.Cache, judge: judge}
	outcome, err := t.run(ctx)
	outcome, err = t.settle(ctx, outcome, err)
	if t.own.Opinion == OwnOpen && !t.elsewhere {
		switch {
		case err == nil:
			t.own.Opinion = OwnRight
		case errors.Is(err, ErrRefused):
			t.own.Opinion = OwnWrong
		default:
			t.own.Opinion = NotAsked
		}
	}
	return outcome, t.own, err
}

// form notes what our opinion will rest on.
func (t *trial) form(p plan, hash string) {
	t.own = Own{Opinion: OwnOpen, User: t.user, hash: hash}
	switch {
	case t.user == nil:
		t.own.Opinion = OwnUnknown
	case p.refused != "":
		t.own.Opinion = OwnClosed
	case !t.reserved:
		t.own.Opinion = OwnLocked
	case hash == "":
		t.own.Opinion = OwnNone
	}
}

// consult lets the other system decide, if there is one and it does.
func (t *trial) consult(ctx context.Context) (right, decided bool, err error) {
	if t.judge == nil {
		return false, false, nil
	}
	right, err = t.judge(ctx)
	if errors.Is(err, ErrNoVerdict) {
		t.step("password", "no verdict elsewhere", "pass")
		return false, false, nil
	}
	t.elsewhere = true
	return right, true, err
}

// judged ends an attempt as the other system said.
func (t *trial) judged(ctx context.Context, right bool) (*Outcome, error) {
	if !right {
		t.step("password", "elsewhere", "refuse")
		return nil, t.wrongPassword(ctx, "")
	}
	t.step("password", "elsewhere", "pass")
	if t.reserved {
		return t.complete(ctx, Password, "")
	}
	if err := t.record(ctx, authenticated); err != nil {
		return nil, fmt.Errorf("record trace: %w", err)
	}
	return &Outcome{User: t.user, AMR: Password.AMR(), ACR: Password.acr(), At: t.at}, nil
}

// Compare forms an opinion that was left open. Nothing is counted: the attempt
// was. It is a [*ThrottledError] when too many passwords are being compared.
func (s *Service) Compare(ctx context.Context, own Own, password string) (Opinion, error) {
	if own.Opinion != OwnOpen {
		return own.Opinion, nil
	}
	match, err := s.Hasher.Verify(ctx, own.hash, password)
	switch {
	case err != nil:
		return NotAsked, err
	case match:
		return OwnRight, nil
	default:
		return OwnWrong, nil
	}
}

// Adopt stores a password that another system has called right for an active
// user who has none, and reports whether it did: of any number of attempts one
// does. Where another came first the opinion is about the password there is by
// now. Sessions stay, since none can rest on a password that was not there.
func (s *Service) Adopt(ctx context.Context, own Own, password, caller string) (bool, Opinion, error) {
	if own.Opinion != OwnNone {
		return false, own.Opinion, nil
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return false, OwnNone, err
	}
	err = s.Directory.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.AdoptPassword(ctx, own.User.ID, hash, s.Clock()); err != nil {
			return err
		}
		return s.event(ctx, "adopt_password", directory.Actor{Kind: "client", ID: caller}, own.User.ID, nil)
	})
	if err == nil {
		return true, OwnRight, nil
	}
	if !errors.Is(err, directory.ErrNotFound) {
		return false, OwnNone, fmt.Errorf("adopt password: %w", err)
	}
	own.hash, err = s.Store.Password(ctx, own.User.ID)
	if errors.Is(err, directory.ErrNotFound) {
		return false, OwnNone, nil // not somebody who is given one
	}
	if err != nil {
		return false, OwnNone, fmt.Errorf("read password: %w", err)
	}
	own.Opinion = OwnOpen
	opinion, err := s.Compare(ctx, own, password)
	return false, opinion, err
}
