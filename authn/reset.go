package authn

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// resetTTL is how long a link to choose a new password is good.
const resetTTL = time.Hour

// resetting is what a link to choose a new password is about.
type resetting struct {
	Email string `json:"email"` // where it was sent, normalised
	Flow  string `json:"flow,omitempty"`
}

// AskPasswordReset queues a link to choose a new password for the user whom an
// identifier names. It says nothing of whether there is one: everybody gets the
// same answer after the same time, and only the mail differs. Flow is what the
// browser was doing, given back by [Service.PasswordReset]. A network that asks
// too often gets a [*ThrottledError].
func (s *Service) AskPasswordReset(ctx context.Context, identifier, flow string, from netip.Addr) error {
	t := s.asking("password_reset", Attempt{Identifier: identifier, Network: from})
	return t.ask(ctx, func(ctx context.Context) error {
		return s.sendReset(ctx, t.user, flow)
	})
}

func (s *Service) sendReset(ctx context.Context, u *directory.User, flow string) error {
	about := resetting{Email: directory.NormaliseEmail(u.EmailAddress), Flow: flow}
	token, err := s.NewLink(ctx, ResetLink, u.ID, about, resetTTL)
	if err != nil {
		return err
	}
	return s.mail(ctx, u.EmailAddress, "password_reset", resetTTL, map[string]any{
		"user_name": u.Name, "url": s.linkURL("/new-password/", token),
	})
}

// mail queues an e-mail that is worth sending for as long as its link is good.
func (s *Service) mail(ctx context.Context, to, template string, ttl time.Duration, words map[string]any) error {
	m := Message{Channel: "email", To: to, Template: template, Personalisation: words, ExpiresAt: s.Clock().Add(ttl)}
	if err := s.Messages.Send(ctx, m); err != nil {
		return fmt.Errorf("queue message: %w", err)
	}
	return nil
}

// PasswordReset reports whether a link to choose a new password is good, without
// using it, and returns what the browser that asked for it was doing.
// [ErrLinkClosed] when it is not.
func (s *Service) PasswordReset(ctx context.Context, token string) (string, error) {
	_, about, err := s.openReset(ctx, s.OpenLink, token)
	return about.Flow, err
}

// ResetPassword gives the user of a link a new password and unlocks the account:
// whoever reads the mail has shown more than somebody who guesses. Sessions and
// what was issued end, and so do the user's other links. It signs nobody in, so
// that the second factor is asked for as ever. Errors: [ErrLinkClosed],
// [*PasswordError], after which the link is still good.
func (s *Service) ResetPassword(ctx context.Context, token, password string) error {
	// No guess at a link costs the work of a hash.
	if _, _, err := s.openReset(ctx, s.OpenLink, token); err != nil {
		return err
	}
	prepared, err := s.PreparePassword(ctx, password)
	if err != nil {
		return err
	}
	return s.Directory.InTx(ctx, func(ctx context.Context) error {
		user, _, err := s.openReset(ctx, s.UseLink, token)
		if err != nil {
			return err
		}
		actor := directory.Actor{Kind: "user", ID: user.ID.String()}
		if err := s.StorePassword(ctx, user.ID, prepared, actor); err != nil {
			return err
		}
		if err := s.Store.Unlock(ctx, user.ID); err != nil {
			return fmt.Errorf("unlock user: %w", err)
		}
		return s.event(ctx, "reset_password", actor, user.ID, map[string]any{"unlocked": user.Locked()})
	})
}

type linkReader func(ctx context.Context, p LinkPurpose, token string, about any) (*Link, error)

// openReset finds whom a link is for: a user who may still sign in, with the
// address that the link was sent to.
func (s *Service) openReset(ctx context.Context, read linkReader, token string) (*directory.User, resetting, error) {
	var about resetting
	l, err := read(ctx, ResetLink, token, &about)
	if err != nil {
		return nil, about, err
	}
	user, err := s.linkedUser(ctx, l.UserID.UUID, about.Email)
	return user, about, err
}

// linkedUser returns the user of a link, who must be active and have the address
// that it was sent to.
func (s *Service) linkedUser(ctx context.Context, id uuid.UUID, email string) (*directory.User, error) {
	user, err := s.Directory.User(ctx, id)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil, ErrLinkClosed
	case err != nil:
		return nil, fmt.Errorf("find user: %w", err)
	case !mayBeMailed(user) || directory.NormaliseEmail(user.EmailAddress) != email:
		return nil, ErrLinkClosed
	}
	return user, nil
}

// mayBeMailed reports whether a user is sent links. A pending user has an
// invitation to go on with, an archived one nothing.
func mayBeMailed(u *directory.User) bool {
	return u != nil && u.State == directory.Active && u.EmailAddress != ""
}
