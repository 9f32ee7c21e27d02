package authn

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// LinkPurpose is what a link in a message is good for; for anything else it is none.
type LinkPurpose string

// The purposes of links.
const (
	// ResetLink lets whoever reads a user's mail choose a new password.
	ResetLink LinkPurpose = "password_reset"
	// RegistrationLink makes the account that somebody asked for.
	RegistrationLink LinkPurpose = "registration"
	// SignInLink signs in to a service that accepts access to the mail as proof.
	SignInLink LinkPurpose = "email_sign_in"
)

// Link is a link in a message. It is good for one purpose, once.
type Link struct {
	Hash    []byte // SHA-256 of the token, which is in the message alone
	Purpose LinkPurpose
	// UserID is unset for a link of somebody who is no user yet.
	UserID    uuid.NullUUID
	Sealed    []byte // what the link is about
	CreatedAt time.Time
	ExpiresAt time.Time
}

// linkStore is what the store does for links.
type linkStore interface {
	PutLink(ctx context.Context, l *Link) error
	// Link returns a link of a purpose that was not used and has not expired.
	Link(ctx context.Context, p LinkPurpose, hash []byte, now time.Time) (*Link, error)
	// UseLink is Link, of which one caller gets each link, once.
	UseLink(ctx context.Context, p LinkPurpose, hash []byte, now time.Time) (*Link, error)
	// EndLinks uses up whatever links a user has.
	EndLinks(ctx context.Context, userID uuid.UUID, at time.Time) error
}

// Sealer encrypts a value for one place; storage.Keyring is one.
type Sealer interface {
	Seal(plaintext []byte, place string) []byte
	Open(sealed []byte, place string) ([]byte, error)
}

// ErrLinkClosed says that a link is none of ours, was used, has expired, or is of
// no use any more: they are not told apart.
var ErrLinkClosed = errors.New("the link is not good any more")

// NewLink keeps a link for ttl, in the transaction in ctx when there is one, and
// returns its token of 256 random bits. About is what it is for in detail; it is
// sealed, and comes back from [Service.OpenLink]. User uuid.Nil is nobody yet.
func (s *Service) NewLink(ctx context.Context, p LinkPurpose, user uuid.UUID, about any, ttl time.Duration) (string, error) {
	token, err := s.newToken()
	if err != nil {
		return "", err
	}
	plaintext, err := json.Marshal(about)
	if err != nil {
		return "", fmt.Errorf("encode link: %w", err)
	}
	now, hash := s.Clock(), tokenHash(token)
	l := &Link{
		Hash: hash, Purpose: p, UserID: uuid.NullUUID{UUID: user, Valid: user != uuid.Nil},
		Sealed: s.Sealer.Seal(plaintext, linkPlace(hash)), CreatedAt: now, ExpiresAt: now.Add(ttl),
	}
	if err := s.Store.PutLink(ctx, l); err != nil {
		return "", fmt.Errorf("keep link: %w", err)
	}
	return token, nil
}

// linkPlace binds what is sealed to its row.
func linkPlace(hash []byte) string { return "links/" + hex.EncodeToString(hash) }

// OpenLink looks at a link without using it up, and decodes what it is about;
// [ErrLinkClosed] when it is good for nothing. Programs that look for malware
// open links too.
func (s *Service) OpenLink(ctx context.Context, p LinkPurpose, token string, about any) (*Link, error) {
	return s.readLink(ctx, s.Store.Link, p, token, about)
}

// UseLink is [Service.OpenLink] and uses the link up: of any number of callers
// one succeeds. It joins the transaction in ctx, and is undone with it.
func (s *Service) UseLink(ctx context.Context, p LinkPurpose, token string, about any) (*Link, error) {
	return s.readLink(ctx, s.Store.UseLink, p, token, about)
}

func (s *Service) readLink(
	ctx context.Context, read func(context.Context, LinkPurpose, []byte, time.Time) (*Link, error), p LinkPurpose, token string, about any,
) (*Link, error) {
	if len(token) != tokenLength {
		return nil, ErrLinkClosed
	}
	l, err := read(ctx, p, tokenHash(token), s.Clock())
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil, ErrLinkClosed
	case err != nil:
		return nil, fmt.Errorf("find link: %w", err)
	}
	plaintext, err := s.Sealer.Open(l.Sealed, linkPlace(l.Hash))
	if err != nil {
		return nil, ErrLinkClosed // its key has been taken away since
	}
	if err := json.Unmarshal(plaintext, about); err != nil {
		return nil, fmt.Errorf("decode link: %w", err)
	}
	return l, nil
}

// linkURL is where a link leads: always the configured issuer, whatever host the
// request that asked for it named.
func (s *Service) linkURL(path, token string) string { return s.Issuer + path + token }
