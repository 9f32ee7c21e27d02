package authn

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"gatehouse/directory"
)

// ChooseLanguage notes the choice of whoever a session's token belongs to, so that
// messages that nobody asks for are in it too. It does nothing for a token of no
// session.
func (s *Service) ChooseLanguage(ctx context.Context, token string, l directory.Language) error {
	_, user, err := s.Session(ctx, token)
	if errors.Is(err, ErrNoSession) {
		return nil
	}
	if err != nil {
		return err
	}
	if l = another(user, l); l == "" {
		return nil
	}
	if err := s.Store.SetLanguage(ctx, user.ID, l); err != nil {
		return fmt.Errorf("remember a language: %w", err)
	}
	return nil
}

// another returns the language when a user is spoken to in a different one, and ""
// when there is nothing to remember.
func another(u *directory.User, l directory.Language) directory.Language {
	if l == u.Language {
		return ""
	}
	return l
}

// asked is the language of a message that somebody asks for: that of the page, or
// else what the user was last spoken to in. What happened to an account is told
// in the latter, see [Service.tell]: it may be a stranger who did it.
func asked(ctx context.Context, u *directory.User) directory.Language {
	return cmp.Or(directory.LanguageFrom(ctx), u.Language)
}
