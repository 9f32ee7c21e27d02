package authn

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// registrationTTL is how long somebody who asked for an account has to read the mail.
const registrationTTL = 24 * time.Hour

// Accounts is what a registration needs of [directory.Registry].
type Accounts interface {
	CheckNewUser(n directory.NewUser) error
	// Registrable returns whose an address is; nil when it is free to register with.
	Registrable(ctx context.Context, email string) (*directory.User, error)
	RegisterUser(ctx context.Context, n directory.NewUser, also func(ctx context.Context, u *directory.User) error) (*directory.User, error)
}

// Registration is what somebody says who asks for an account.
type Registration struct {
	Name, Email, Mobile, Password string
	// Flow is what the browser was doing, and Network where it is.
	Flow    string
	Network netip.Addr
}

// registering is what the link to an account is about. Until it is used there is
// no account: nobody can sit on an address that is not theirs.
type registering struct {
	Name   string `json:"name"`
	Email  string `json:"email"`
	Mobile string `json:"mobile,omitempty"`
	Hash   string `json:"hash"` // of the password
	Asked  []byte `json:"asked"`
	Flow   string `json:"flow,omitempty"`
}

func (r *registering) user() directory.NewUser {
	return directory.NewUser{Name: r.Name, EmailAddress: r.Email, MobileNumber: r.Mobile}
}

// Register queues a link that makes the account. The owner of an address that has
// one gets a mail that says so instead; whoever asked gets the same answer after
// the same work. The secret returned is for the cookie of the browser that asked.
// Errors: [*PasswordError], [*directory.FieldError], [*ThrottledError], and a
// [*directory.MobileError] for a number that text messages are not sent to.
func (s *Service) Register(ctx context.Context, r Registration) (string, error) {
	r.Email = directory.ShownEmail(r.Email)
	t := s.asking("registration", Attempt{Identifier: r.Email, Network: r.Network})
	about := registering{Name: r.Name, Email: r.Email, Mobile: r.Mobile, Flow: r.Flow}
	if err := s.Accounts.CheckNewUser(about.user()); err != nil {
		return "", err
	}
	if r.Mobile != "" {
		if err := s.CheckTexting(r.Mobile); err != nil {
			return "", err
		}
	}
	if err := s.CheckNewPassword(r.Password); err != nil {
		return "", err
	}
	if err := t.throttleAsking(ctx); err != nil {
		return "", err
	}
	prepared, err := s.PreparePassword(ctx, r.Password)
	if err != nil {
		return "", err
	}
	browser, err := s.newToken()
	if err != nil {
		return "", err
	}
	about.Hash, about.Asked = prepared.hash, tokenHash(browser)
	if t.user, err = s.Accounts.Registrable(ctx, r.Email); err != nil {
		return "", err
	}
	return browser, t.answerAlike(ctx, directory.NormaliseEmail(r.Email), func(ctx context.Context) (string, error) {
		return t.sendRegistration(ctx, about)
	})
}

// sendRegistration mails a link, or word that there is an account already. Nothing
// in it is of whoever asked, not even the name, since anybody can ask for anybody.
func (t *trial) sendRegistration(ctx context.Context, about registering) (string, error) {
	s := t.service
	if t.user != nil {
		t.step("registration", "the address has an account", "refuse")
		return refused, s.mail(ctx, t.user.EmailAddress, "account_exists", registrationTTL, map[string]any{
			"signin_url": s.Issuer + "/signin", "forgot_password_url": s.Issuer + "/forgotten-password",
		})
	}
	token, err := s.NewLink(ctx, RegistrationLink, uuid.Nil, about, registrationTTL)
	if err != nil {
		return "", err
	}
	return more, s.mail(ctx, about.Email, "verify_email", registrationTTL, map[string]any{
		"name": "", "url": s.linkURL("/verify-email/", token),
	})
}

// Registering is what the page of a link to an account shows.
type Registering struct {
	Name, Email string
	Flow        string
	// Same reports whether this is the browser that asked. In another the
	// password that was chosen is asked for: whoever reads the mail must not make
	// an account by a click that somebody else knows the password of.
	Same bool
}

// OpenRegistration looks at a link to an account without using it up.
func (s *Service) OpenRegistration(ctx context.Context, token, browser string) (*Registering, error) {
	var about registering
	if _, err := s.OpenLink(ctx, RegistrationLink, token, &about); err != nil {
		return nil, err
	}
	return about.shown(browser), nil
}

func (r *registering) shown(browser string) *Registering {
	same := subtle.ConstantTimeCompare(tokenHash(browser), r.Asked) == 1
	return &Registering{Name: r.Name, Email: r.Email, Flow: r.Flow, Same: same}
}

// ConfirmRegistration makes the account of a link, with the address proved. It
// signs nobody in. Errors: [ErrLinkClosed], also when the address got an account
// meanwhile, and [ErrRefused] for a browser that did not ask and a password that
// is not the one chosen, after which the link is still good.
func (s *Service) ConfirmRegistration(ctx context.Context, token, browser, password string, from netip.Addr) error {
	var about registering
	if _, err := s.OpenLink(ctx, RegistrationLink, token, &about); err != nil {
		return err
	}
	if !about.shown(browser).Same {
		if err := s.proveChosen(ctx, about.Hash, password, from); err != nil {
			return err
		}
	}
	err := s.Directory.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.UseLink(ctx, RegistrationLink, token, &about); err != nil {
			return err
		}
		_, err := s.Accounts.RegisterUser(ctx, about.user(), func(ctx context.Context, u *directory.User) error {
			return s.StorePassword(ctx, u.ID, PreparedPassword{hash: about.Hash}, directory.Actor{Kind: "user", ID: u.ID.String()})
		})
		return err
	})
	switch {
	case errors.Is(err, directory.ErrConflict):
		return ErrLinkClosed
	case err != nil:
		return fmt.Errorf("make account: %w", err)
	}
	return nil
}

// proveChosen compares a password with the one that was chosen for an account
// which does not exist yet. Failures count on the network.
func (s *Service) proveChosen(ctx context.Context, hash, password string, from netip.Addr) error {
	now, buckets := s.Clock(), s.failureBuckets(Attempt{Front: Browser, Factor: Password, Secret: password, Network: from})
	if err := takeAll(ctx, s.Cache, buckets, now); err != nil {
		return fmt.Errorf("limit failures: %w", err)
	}
	if len(password) > maxPasswordBytes {
		return ErrRefused
	}
	match, err := s.Hasher.Verify(ctx, hash, password)
	switch {
	case err != nil:
		return err
	case !match:
		return ErrRefused
	}
	return giveBackAll(ctx, s.Cache, buckets, now)
}
