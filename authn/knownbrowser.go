package authn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// A browser in which somebody has signed in completely is known from then on, by a
// random token in a cookie. It never replaces a factor. It is what the owner of an
// account has and a stranger has not while the stranger's guesses keep the account
// locked, and what a sign-in from elsewhere is told apart by.

// KnownFor is how long a browser stays known that its user does not sign in with.
const KnownFor = 180 * 24 * time.Hour

const (
	// usersPerBrowser are remembered in one cookie: people share browsers.
	usersPerBrowser = 4
	// browsersPerUser are known of a user; the one used longest ago makes room.
	browsersPerUser = 20
)

// KnownBrowser is a browser in which a user has signed in.
type KnownBrowser struct {
	ID, UserID uuid.UUID
	TokenHash  []byte    // of the token that its cookie holds at present
	CreatedAt  time.Time // when it became known; set by Browsers alone
	SeenAt     time.Time // when its user last signed in with it
}

// BrowserTokens are the hashes of the tokens that a browser shows, one at most for
// each user who has signed in there; those that are left over hash nothing.
type BrowserTokens [usersPerBrowser][]byte

// browserStore keeps known browsers. None counts that its user has last signed in
// with at unusedSince or before.
type browserStore interface {
	// ReserveInBrowser counts a failure of a user in a known browser before its
	// proof is looked at, and returns which one it is and the count with it. It is
	// directory.ErrNotFound for a browser that is not known or has none left, and
	// for a user who is archived.
	ReserveInBrowser(ctx context.Context, userID uuid.UUID, tokens BrowserTokens, unusedSince time.Time) (browser uuid.UUID, count int, err error)
	// ReleaseInBrowser takes one reservation back.
	ReleaseInBrowser(ctx context.Context, browser uuid.UUID) error
	// FindBrowser returns the known browser that a token is of.
	FindBrowser(ctx context.Context, userID uuid.UUID, tokens BrowserTokens, unusedSince time.Time) (*KnownBrowser, error)
	// RenewBrowser gives a browser the token and the time of again, and forgives its
	// failures. Where its token is no longer b's, because another tab was faster or it
	// was forgotten, again is kept beside it.
	RenewBrowser(ctx context.Context, b *KnownBrowser, again KnownBrowser) error
	// AddBrowser keeps another browser of a user, and forgets the one used longest
	// ago when there are more than most.
	AddBrowser(ctx context.Context, b *KnownBrowser, most int) error
	// Browsers lists those of a user, the one used last first.
	Browsers(ctx context.Context, userID uuid.UUID, unusedSince time.Time) ([]*KnownBrowser, error)
	// BrowsersSince returns how many of a user's browsers became known after a time.
	BrowsersSince(ctx context.Context, userID uuid.UUID, since time.Time) (int, error)
	// ForgetBrowsers forgets every browser of a user but the one that a session was
	// started in; uuid.Nil spares none.
	ForgetBrowsers(ctx context.Context, userID, exceptOf uuid.UUID) error
	// ForgetBrowser forgets one browser, if it is known.
	ForgetBrowser(ctx context.Context, id uuid.UUID) error
}

// Browsers lists the browsers that a user is known by, the one used last first.
func (s *Service) Browsers(ctx context.Context, userID uuid.UUID) ([]*KnownBrowser, error) {
	all, err := s.Store.Browsers(ctx, userID, s.Clock().Add(-KnownFor))
	if err != nil {
		return nil, fmt.Errorf("list known browsers: %w", err)
	}
	return all, nil
}

// shownTokens are those in the value of a cookie, the latest first. Others may have
// written it: what is no token is left out.
func shownTokens(cookie string) []string {
	var all []string
	for token := range strings.SplitSeq(cookie, ".") {
		if len(token) == tokenLength && len(all) < usersPerBrowser {
			all = append(all, token)
		}
	}
	return all
}

func hashShown(tokens []string) BrowserTokens {
	var hashes BrowserTokens
	for i := range hashes {
		hashes[i] = []byte{}
		if i < len(tokens) {
			hashes[i] = tokenHash(tokens[i])
		}
	}
	return hashes
}

// withToken is the value of the cookie once a token has taken the place of the one
// that has a hash, or of the oldest.
func withToken(tokens []string, replaced []byte, token string) string {
	all := []string{token}
	for _, t := range tokens {
		if string(tokenHash(t)) != string(replaced) && len(all) < usersPerBrowser {
			all = append(all, t)
		}
	}
	return strings.Join(all, ".")
}

// reserveInBrowser counts a failure on the browser, where the account could count
// none. Whether the browser is known makes no difference to the answer.
func (t *trial) reserveInBrowser(ctx context.Context, userID uuid.UUID) error {
	if t.Front != Browser || t.known == nil {
		return nil
	}
	browser, count, err := t.service.Store.ReserveInBrowser(ctx, userID, t.shown(), t.at.Add(-KnownFor))
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("count attempt: %w", err)
	}
	t.reserved, t.failures, t.inBrowser = true, count, browser
	t.step("known browser", fmt.Sprintf("%d of %d", count, directory.MaxFailedLogins), "pass")
	return nil
}

// recognise makes the browser of a sign-in that is complete known, or renews what
// it is known by, in the transaction in ctx. The owner is told of a browser that
// was not known, but for the first one ever. Access to the mail alone makes no
// browser known.
func (t *trial) recognise(ctx context.Context) error {
	if t.Front != Browser || t.Factor == MagicLink {
		return nil
	}
	token, err := t.service.newToken()
	if err != nil {
		return err
	}
	known, err := t.knownBrowser(ctx)
	if err != nil {
		return err
	}
	id, err := t.service.newID()
	if err != nil {
		return err
	}
	now := KnownBrowser{ID: id, UserID: t.user.ID, TokenHash: tokenHash(token), SeenAt: t.at}
	shown := shownTokens(t.Known)
	if known != nil {
		t.browser, t.browserCookie = known.ID, withToken(shown, known.TokenHash, token)
		return t.service.Store.RenewBrowser(ctx, known, now)
	}
	t.browser, t.browserCookie = id, withToken(shown, now.TokenHash, token)
	return t.addBrowser(ctx, &now)
}

// knownBrowser is the one that the sign-in is made in; nil when it is not known.
func (t *trial) knownBrowser(ctx context.Context) (*KnownBrowser, error) {
	if t.lookedUp {
		return t.known, nil
	}
	known, err := t.service.Store.FindBrowser(ctx, t.user.ID, t.shown(), t.at.Add(-KnownFor))
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return nil, fmt.Errorf("find known browser: %w", err)
	}
	return known, nil
}

// shown are the hashes of the tokens that the browser shows.
func (t *trial) shown() BrowserTokens { return hashShown(shownTokens(t.Known)) }

func (t *trial) addBrowser(ctx context.Context, b *KnownBrowser) error {
	if err := t.service.Store.AddBrowser(ctx, b, browsersPerUser); err != nil {
		return fmt.Errorf("keep known browser: %w", err)
	}
	if t.user.RecognisedAt.IsZero() {
		return nil
	}
	return t.tellNewBrowser(ctx)
}
