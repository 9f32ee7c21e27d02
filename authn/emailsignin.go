package authn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// EmailSignIn is what somebody says who wants to sign in with a mail alone, for a
// service that allows it.
type EmailSignIn struct {
	Identifier string
	Want       Want
	// Flow is what the browser was doing, and Network where it is.
	Flow    string
	Network netip.Addr
}

// mailed is a sign-in that waits for the link or the code of a mail. It is kept
// under a secret of the browser that asked, also where no mail was sent.
type mailed struct {
	id     string
	UserID uuid.UUID `json:"user_id"` // uuid.Nil where there is nobody to wait for
	Link   []byte    `json:"link,omitempty"`
	// Recipient stands for where the mail went; see [signIn].
	Recipient string `json:"recipient,omitempty"`
	Want
	BegunAt time.Time `json:"begun_at"`
}

// mailing is what the link of such a mail is about.
type mailing struct {
	Browser []byte `json:"browser"`
	Flow    string `json:"flow,omitempty"`
}

// mailedID is what such a sign-in is called in the stores. The token is none of a
// sign-in that a password began.
func mailedID(token string) string {
	sum := sha256.Sum256([]byte("email sign-in|" + token))
	return hex.EncodeToString(sum[:])
}

// signsInByEmail reports whether access to the mail may sign a user in. It never
// replaces another factor (seed 002): only whose password a code by e-mail follows
// anyway can do without the password, and only where no level is wanted.
func signsInByEmail(u *directory.User, e Enrolment, want Want) bool {
	p := policy(u, e, Browser, want)
	above := slices.Contains(want.ACRValues, ACRSingle) || want.multi() || want.Floor != ""
	return mayBeMailed(u) && u.AuthType == directory.EmailAuth && slices.Equal(p.next, []Factor{EmailCode}) && !e.strong() && !above
}

// AskEmailSignIn mails a link and a code to the user whom an identifier names, and
// returns the secret of the browser to which both are bound. It says nothing of
// whether there is such a user, or may sign in like this: see
// [Service.AskPasswordReset].
func (s *Service) AskEmailSignIn(ctx context.Context, a EmailSignIn) (string, error) {
	t := s.asking(MagicLink, Attempt{Identifier: a.Identifier, Network: a.Network})
	browser, err := s.newToken()
	if err != nil {
		return "", err
	}
	in := &mailed{id: mailedID(browser), Want: a.Want, BegunAt: t.at}
	err = t.ask(ctx, func(ctx context.Context) error {
		return t.sendEmailSignIn(ctx, in, mailing{tokenHash(browser), a.Flow})
	})
	if err != nil {
		return "", err
	}
	state, err := json.Marshal(in)
	if err != nil {
		return "", fmt.Errorf("encode sign-in: %w", err)
	}
	if err := s.Cache.PutSignIn(ctx, in.id, state, s.codeTTL()); err != nil {
		return "", fmt.Errorf("keep sign-in: %w", err)
	}
	return browser, nil
}

// sendEmailSignIn mails a link and a code, or word that the account signs in with
// its password.
func (t *trial) sendEmailSignIn(ctx context.Context, in *mailed, about mailing) error {
	s := t.service
	user, has, err := s.Store.Account(ctx, t.user.ID)
	if err != nil {
		return fmt.Errorf("find user: %w", err)
	}
	if !signsInByEmail(user, has, in.Want) {
		t.step("policy", "more than a mail is needed", "refuse")
		return s.mail(ctx, user.EmailAddress, "password_needed", s.codeTTL(), map[string]any{"name": user.Name, "signin_url": s.Issuer + "/signin"})
	}
	token, err := s.NewLink(ctx, SignInLink, user.ID, about, s.codeTTL())
	if err != nil {
		return err
	}
	code, err := randomDigits(s.random(), s.codeDigits())
	if err != nil {
		return err
	}
	in.UserID, in.Link, in.Recipient = user.ID, tokenHash(token), s.recipient(user, EmailCode)
	c := s.mailedCode(in, code)
	c.ExpiresAt = t.at.Add(s.codeTTL())
	if _, err := s.Cache.AddCode(ctx, c, t.at, s.maxLiveCodes(), s.codeTries()); err != nil {
		return fmt.Errorf("keep code: %w", err)
	}
	return s.mail(ctx, user.EmailAddress, "sign_in_link_or_code", s.codeTTL(), map[string]any{
		"name": user.Name, "url": s.linkURL("/email-auth/", token), "verify_code": code,
	})
}

// mailedCode binds a code to its purpose, its user and the browser that asked.
func (s *Service) mailedCode(in *mailed, code string) LiveCode {
	mac := s.mac("mailed code", in.UserID.String(), in.id, code)
	return LiveCode{UserID: in.UserID, SignIn: in.id, MAC: base64.RawURLEncoding.EncodeToString(mac)}
}

// OpenEmailSignIn looks at the link of a mail without using it up. Same reports
// whether this is the browser that asked; in another the link signs nobody in.
// Flow is what the browser was doing. [ErrLinkClosed] when it is good for nothing.
func (s *Service) OpenEmailSignIn(ctx context.Context, token, browser string) (flow string, same bool, err error) {
	var about mailing
	if _, err := s.OpenLink(ctx, SignInLink, token, &about); err != nil {
		return "", false, err
	}
	return about.Flow, bytes.Equal(tokenHash(browser), about.Browser), nil
}

// emailed tries the link or the code of a mail, in the browser that asked.
func (t *trial) emailed(ctx context.Context) (*Outcome, error) {
	if t.Front != Browser {
		return nil, t.refuse("front", "no links here")
	}
	in, err := t.service.readMailed(ctx, t.SignIn)
	if err != nil {
		return nil, err
	}
	right, err := t.proveMail(ctx, in)
	if err != nil {
		return nil, err
	}
	if !right {
		t.noteLock(ctx)
		t.levelTime(ctx)
		return nil, ErrRefused
	}
	t.useLinkToo(in)
	outcome, err := t.complete(ctx, MagicLink, in.id)
	if errors.Is(err, ErrRefused) {
		t.levelTime(ctx)
	}
	return outcome, err
}

func (s *Service) readMailed(ctx context.Context, token string) (*mailed, error) {
	in := &mailed{id: mailedID(token)}
	if err := s.cached(ctx, token, in.id, in); err != nil {
		return nil, err
	}
	if s.Clock().Sub(in.BegunAt) >= s.codeTTL() {
		return nil, ErrNoSignIn
	}
	return in, nil
}

// proveMail counts a failure and compares what came from the mail. Nobody is found
// for a sign-in that waits for nobody.
func (t *trial) proveMail(ctx context.Context, in *mailed) (bool, error) {
	found, err := t.attempt(ctx, Who{ID: in.UserID})
	switch {
	case err != nil:
		return false, err
	case found == nil:
		t.step("user", "", "unknown")
		return false, nil
	case !signsInByEmail(t.user, t.has, in.Want), t.user.PasswordChangedAt.After(in.BegunAt), t.service.moved(in.Recipient, t.user, EmailCode):
		t.release(ctx)
		t.step("policy", "the user has changed meanwhile", "refuse")
		return false, nil
	case !t.reserved:
		return false, nil
	}
	if len(t.Secret) == tokenLength {
		right := bytes.Equal(tokenHash(t.Secret), in.Link)
		t.step("link", "", verdictFor(right))
		return right, nil
	}
	verdict, err := t.service.Cache.TryCode(ctx, t.service.mailedCode(in, strings.TrimSpace(t.Secret)), t.at, t.service.codeTries())
	if err != nil {
		return false, fmt.Errorf("compare code: %w", err)
	}
	t.step("code", "", verdictFor(verdict == CodeRight))
	return verdict == CodeRight, nil
}

func verdictFor(right bool) string {
	if right {
		return "pass"
	}
	return "refuse"
}

// useLinkToo makes the link of a mail part of the sign-in that it completes, with
// the code beside it or by itself: one mail signs in once.
func (t *trial) useLinkToo(in *mailed) {
	also := t.Also
	t.Also = func(ctx context.Context, u *directory.User) error {
		if _, err := t.service.Store.UseLink(ctx, SignInLink, in.Link, t.at); err != nil || also == nil {
			return err
		}
		return also(ctx, u)
	}
}
