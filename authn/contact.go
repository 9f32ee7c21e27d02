package authn

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Contact is a way to reach a user.
type Contact string

// The ways.
const (
	EmailContact  Contact = "email"
	MobileContact Contact = "mobile"
)

// contactChange is a new address or number that waits for its code. It belongs to
// the session in which it was entered, and is sealed in the cache.
type contactChange struct {
	ID        uuid.UUID `json:"id"`
	To        string    `json:"to"`
	ExpiresAt time.Time `json:"expires_at"`
}

// BeginContactChange sends a code to a new address or number of somebody who is
// signed in; an earlier one of the same session waits no more. Nothing tells
// whether somebody else has the address. A user with five live codes already is
// sent nothing and not told so. It is a [*ThrottledError] when too many codes
// went unused or were sent in a day, and a [*directory.MobileError] for a number of
// a country that is not sent to.
func (s *Service) BeginContactChange(ctx context.Context, session *Session, u *directory.User, c Contact, to string) error {
	now := s.Clock()
	id, err := s.newID()
	if err != nil {
		return err
	}
	if c == EmailContact {
		to = directory.ShownEmail(to)
	}
	change := &contactChange{ID: id, To: to, ExpiresAt: now.Add(s.codeTTL())}
	there, f := reachedAt(u, c, to)
	buckets, err := s.spend(ctx, there, f, now)
	if err != nil {
		return err
	}
	if err := s.keepContactChange(ctx, session, c, change); err != nil {
		return err
	}
	code, err := randomDigits(s.random(), s.codeDigits())
	if err != nil {
		return err
	}
	live := s.contactCode(session.UserID, c, change, code)
	live.ExpiresAt = change.ExpiresAt
	added, err := s.Cache.AddCode(ctx, live, now, s.maxLiveCodes(), s.codeTries())
	if err != nil {
		return fmt.Errorf("keep code: %w", err)
	}
	if !added {
		return giveBackAll(ctx, s.Cache, buckets, now)
	}
	return s.queueContactCode(ctx, u, c, change, code)
}

// reachedAt is a user as if they were reached at to already, and how codes get there.
func reachedAt(u *directory.User, c Contact, to string) (*directory.User, Factor) {
	there := *u
	there.EmailAddress, there.MobileNumber = to, to
	if c == MobileContact {
		return &there, SMSCode
	}
	return &there, EmailCode
}

// contactKey is what a change is called in the cache: nobody who knows the
// session's public id can work it out.
func (s *Service) contactKey(session *Session, c Contact) string {
	return hex.EncodeToString(s.mac("contact change", string(c), session.ID.String()))
}

func (s *Service) keepContactChange(ctx context.Context, session *Session, c Contact, change *contactChange) error {
	state, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("encode change: %w", err)
	}
	key := s.contactKey(session, c)
	if err := s.Cache.PutSignIn(ctx, key, s.Sealer.Seal(state, "contact changes/"+key), s.codeTTL()); err != nil {
		return fmt.Errorf("keep change: %w", err)
	}
	return nil
}

// contactChange finds the change that a session waits for; [ErrNoSignIn] when
// there is none any more.
func (s *Service) contactChange(ctx context.Context, session *Session, c Contact) (*contactChange, error) {
	key := s.contactKey(session, c)
	sealed, err := s.Cache.SignIn(ctx, key)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil, ErrNoSignIn
	case err != nil:
		return nil, fmt.Errorf("find change: %w", err)
	}
	state, err := s.Sealer.Open(sealed, "contact changes/"+key)
	if err != nil {
		return nil, ErrNoSignIn // its key has been taken away since
	}
	var change contactChange
	if err := json.Unmarshal(state, &change); err != nil {
		return nil, fmt.Errorf("decode change: %w", err)
	}
	if !s.Clock().Before(change.ExpiresAt) {
		return nil, ErrNoSignIn
	}
	return &change, nil
}

// contactCode binds a code to its purpose, its user, and what it proves.
func (s *Service) contactCode(user uuid.UUID, c Contact, change *contactChange, code string) LiveCode {
	id := change.ID.String()
	mac := s.mac("contact code", string(c), user.String(), id, change.To, code)
	return LiveCode{UserID: user, SignIn: id, MAC: base64.RawURLEncoding.EncodeToString(mac)}
}

// queueContactCode sends a code to whoever has the new address or number. It greets
// nobody by name: until the code comes back this is a stranger's mailbox, and a name
// is any text that its owner likes.
func (s *Service) queueContactCode(ctx context.Context, u *directory.User, c Contact, change *contactChange, code string) error {
	m := Message{
		Channel: "email", To: change.To, Template: "change_email_code", Language: asked(ctx, u),
		Personalisation: map[string]any{"name": "", "verify_code": code}, ExpiresAt: change.ExpiresAt,
	}
	if c == MobileContact {
		m.Channel, m.Template = "sms", "change_mobile_code"
		delete(m.Personalisation, "name")
	}
	if err := s.Messages.Send(ctx, m); err != nil {
		return fmt.Errorf("queue code: %w", err)
	}
	return nil
}

// PendingContact is the new address or number for which a session has a code to
// enter; [ErrNoSignIn] when there is none.
func (s *Service) PendingContact(ctx context.Context, session *Session, c Contact) (string, error) {
	change, err := s.contactChange(ctx, session, c)
	if err != nil {
		return "", err
	}
	return change.To, nil
}

// ChangeContact tries the code of a change. When it is right, change runs in one
// transaction with what follows from it: the user's other sessions and links end,
// and the address before is told. A wrong code is [ErrRefused], and counts on the
// account: whoever guesses at an address has no more tries than whoever guesses at an
// account. So is every other after the last try.
func (s *Service) ChangeContact(ctx context.Context, session *Session, u *directory.User, c Contact, code string, change func(ctx context.Context, to string) error) error {
	pending, err := s.contactChange(ctx, session, c)
	if err != nil {
		return err
	}
	now := s.Clock()
	_, f := reachedAt(u, c, pending.To)
	t := &trial{Attempt: Attempt{Front: Browser, Factor: f, UserID: u.ID}, service: s, at: now, limiter: s.Cache, user: u}
	outcome, err := t.contactCode(ctx, s.contactCode(session.UserID, c, pending, strings.TrimSpace(code)))
	if _, err := t.settle(ctx, outcome, err); err != nil {
		return err
	}
	err = s.Directory.InTx(ctx, func(ctx context.Context) error {
		if err := s.useContactChange(ctx, pending, now); err != nil {
			return err
		}
		if err := change(ctx, pending.To); err != nil {
			return err
		}
		return s.contactChanged(ctx, session, u, c)
	})
	if err != nil {
		return err
	}
	if err := giveBackAll(ctx, s.Cache, s.codeBuckets(reachedAt(u, c, pending.To)), now); err != nil {
		return fmt.Errorf("give back a code: %w", err)
	}
	return s.forgetContactChange(ctx, session, c)
}

// contactCode tries the code of a change, which is counted before it is compared and
// given back when it is right.
func (t *trial) contactCode(ctx context.Context, c LiveCode) (*Outcome, error) {
	if _, err := t.attempt(ctx, Who{ID: t.user.ID}); err != nil {
		return nil, err
	}
	if !t.reserved {
		return nil, ErrRefused
	}
	verdict, err := t.service.Cache.TryCode(ctx, c, t.at, t.service.codeTries())
	switch {
	case err != nil:
		return nil, fmt.Errorf("compare code: %w", err)
	case verdict == CodeRight:
		t.step("code", "of a change", "pass")
		return &Outcome{User: t.user, Next: t.Factor, At: t.at}, nil
	case verdict == CodeGone: // there was nothing to guess at
		t.release(ctx)
	}
	t.step("code", "of a change", "refuse")
	t.noteLock(ctx)
	return nil, ErrRefused
}

// RemoveMobile lets a user be without a number, in one transaction with what
// follows from it as from another number. change writes it, and refuses it for an
// account that codes are sent to.
func (s *Service) RemoveMobile(ctx context.Context, session *Session, u *directory.User, change func(ctx context.Context) error) error {
	return s.Directory.InTx(ctx, func(ctx context.Context) error {
		if err := change(ctx); err != nil {
			return err
		}
		return s.contactChanged(ctx, session, u, MobileContact)
	})
}

// useContactChange holds when the cache is rolled back to a moment at which the
// code was still good.
func (s *Service) useContactChange(ctx context.Context, change *contactChange, now time.Time) error {
	err := s.Store.UseSignIn(ctx, "contact change/"+change.ID.String(), now.Add(2*s.codeTTL()))
	if errors.Is(err, directory.ErrConflict) {
		return ErrRefused
	}
	return err
}

func (s *Service) contactChanged(ctx context.Context, session *Session, u *directory.User, c Contact) error {
	actor := directory.Actor{Kind: "user", ID: u.ID.String()}
	if err := s.EndSessions(ctx, u.ID, session.ID, actor); err != nil {
		return err
	}
	if err := s.Store.EndLinks(ctx, u.ID, s.Clock()); err != nil {
		return fmt.Errorf("end links: %w", err)
	}
	if c == MobileContact {
		return s.tell(ctx, u, "mobile_changed")
	}
	return s.tell(ctx, u, "email_changed")
}

func (s *Service) forgetContactChange(ctx context.Context, session *Session, c Contact) error {
	if err := s.Cache.DeleteSignIn(ctx, s.contactKey(session, c)); err != nil {
		return fmt.Errorf("forget change: %w", err)
	}
	return nil
}
