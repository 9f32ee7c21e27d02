package authn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// maxIdentifier bounds what is looked up; addresses are at most 320 bytes.
const maxIdentifier = 512

// identify finds the one user an attempt names; nil when there is none, or more
// than one.
func (s *Service) identify(ctx context.Context, a Attempt) (*directory.User, error) {
	user, err := s.lookUp(ctx, a)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("find user: %w", err)
	}
	return user, nil
}

// who is whom an attempt names, as far as it can be told without a look; certain
// reports that what was typed names nobody else.
func (a Attempt) who() (who Who, certain bool) {
	identifier := strings.TrimSpace(a.Identifier)
	switch {
	case a.UserID != uuid.Nil:
		return Who{ID: a.UserID}, true
	case !usableIdentifier(identifier):
		return Who{}, true
	case isAddress(identifier):
		return Who{Email: identifier}, true
	}
	_, err := directory.ParseMobile(identifier)
	return Who{Username: identifier}, err != nil
}

// isAddress reports whether an identifier is an e-mail address, which no username
// looks like, also in the full-width form that is normalised to one.
func isAddress(identifier string) bool { return strings.ContainsAny(identifier, "@\uff20") }

func (s *Service) lookUp(ctx context.Context, a Attempt) (*directory.User, error) {
	if a.UserID != uuid.Nil {
		return s.Directory.User(ctx, a.UserID)
	}
	identifier := strings.TrimSpace(a.Identifier)
	if !usableIdentifier(identifier) {
		return nil, directory.ErrNotFound
	}
	if isAddress(identifier) {
		users, err := s.Directory.UsersByEmail(ctx, identifier)
		return onlyOne(users, err)
	}
	user, err := s.Directory.UserByUsername(ctx, identifier)
	if !errors.Is(err, directory.ErrNotFound) {
		return user, err
	}
	number, err := directory.ParseMobile(identifier)
	if err != nil {
		return nil, directory.ErrNotFound
	}
	users, err := s.Directory.UsersByMobile(ctx, number)
	return onlyOne(users, err)
}

// usableIdentifier keeps out what no stored name can be, and no database takes.
func usableIdentifier(s string) bool {
	return s != "" && len(s) <= maxIdentifier && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// onlyOne picks the user whom a shared address or number means: the only one,
// or the only one who has no username to sign in with instead.
func onlyOne(users []*directory.User, err error) (*directory.User, error) {
	if err != nil {
		return nil, err
	}
	if len(users) == 1 {
		return users[0], nil
	}
	var found *directory.User
	for _, u := range users {
		if u.Username != "" {
			continue
		}
		if found != nil {
			return nil, directory.ErrNotFound
		}
		found = u
	}
	if found == nil {
		return nil, directory.ErrNotFound
	}
	return found, nil
}
