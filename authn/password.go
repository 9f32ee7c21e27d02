package authn

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/secure/precis"

	"gatehouse/directory"
)

// maxPasswordBytes bounds a password: above it nothing is hashed or compared.
const maxPasswordBytes = 1024

// CheckNewPassword reports whether a password may be chosen: long enough, not
// one of the well-known ones, of characters that can be typed. There are no
// rules of composition (NIST SP 800-63B-4, 3.1.1.2). The error is a [*PasswordError].
func (s *Service) CheckNewPassword(password string) error {
	if len(password) > maxPasswordBytes {
		return &PasswordError{Reason: fmt.Sprintf("Password must be %d bytes or fewer", maxPasswordBytes)}
	}
	normalised, err := precis.OpaqueString.String(password)
	switch {
	case password != "" && err != nil:
		return &PasswordError{Reason: "Password must not contain control or invisible characters"}
	case utf8.RuneCountInString(normalised) < s.minPasswordLength():
		return &PasswordError{Reason: fmt.Sprintf("Password must be %d characters or more", s.minPasswordLength())}
	case denied(normalised):
		return &PasswordError{Reason: "Choose a password that’s harder to guess"}
	}
	return nil
}

// PreparedPassword is a new password that was found acceptable and hashed.
type PreparedPassword struct{ hash string }

// PreparePassword checks and hashes a new password. It takes long, which is why
// it is apart from [Service.StorePassword]: no transaction should wait for it.
func (s *Service) PreparePassword(ctx context.Context, password string) (PreparedPassword, error) {
	if err := s.CheckNewPassword(password); err != nil {
		return PreparedPassword{}, err
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return PreparedPassword{}, err
	}
	return PreparedPassword{hash: hash}, nil
}

// StorePassword gives a user a new password: sessions and what was issued end,
// and the owner of a password that was replaced is told, all in the transaction
// in ctx or one of its own. It does not unlock.
func (s *Service) StorePassword(ctx context.Context, userID uuid.UUID, p PreparedPassword, actor directory.Actor) error {
	return s.storePassword(ctx, userID, p, actor, uuid.Nil)
}

// storePassword is [Service.StorePassword] that goes on knowing the browser in which
// a session was started.
func (s *Service) storePassword(ctx context.Context, userID uuid.UUID, p PreparedPassword, actor directory.Actor, session uuid.UUID) error {
	if p.hash == "" {
		return errors.New("store password: it was not prepared")
	}
	err := s.Directory.InTx(ctx, func(ctx context.Context) error {
		replaced, err := s.replacesPassword(ctx, userID)
		if err != nil {
			return err
		}
		if err := s.Store.PutPassword(ctx, userID, p.hash, s.Clock()); err != nil {
			return err
		}
		if err := s.endAll(ctx, userID, session); err != nil {
			return err
		}
		if err := s.event(ctx, "change_password", actor, userID, nil); err != nil || !replaced {
			return err
		}
		return s.tellPasswordChanged(ctx, userID)
	})
	if err != nil {
		return fmt.Errorf("store password: %w", err)
	}
	return nil
}

func (s *Service) replacesPassword(ctx context.Context, userID uuid.UUID) (bool, error) {
	_, err := s.Store.Password(ctx, userID)
	if errors.Is(err, directory.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// endAll ends whatever the old password led to, and forgets every known browser but
// the one in which a session was started.
func (s *Service) endAll(ctx context.Context, userID, session uuid.UUID) error {
	if err := s.Store.ForgetBrowsers(ctx, userID, session); err != nil {
		return err
	}
	if err := s.Store.EndLinks(ctx, userID, s.Clock()); err != nil {
		return err
	}
	ended, err := s.Store.DeleteSessions(ctx, userID, uuid.Nil)
	if err != nil || s.Revoker == nil {
		return err
	}
	return s.Revoker.EndUser(ctx, userID, ended)
}

func (s *Service) tellPasswordChanged(ctx context.Context, userID uuid.UUID) error {
	user, err := s.Directory.User(ctx, userID)
	if err != nil {
		return err
	}
	return s.tell(ctx, user, "password_changed")
}

// SetPassword is [Service.PreparePassword] and [Service.StorePassword]. The
// hash is made in the caller's transaction when there is one in ctx.
func (s *Service) SetPassword(ctx context.Context, userID uuid.UUID, password string, actor directory.Actor) error {
	p, err := s.PreparePassword(ctx, password)
	if err != nil {
		return err
	}
	return s.StorePassword(ctx, userID, p, actor)
}

// ImportPassword stores a hash that another system made, for its password to go
// on working; the first sign-in replaces it. A password that was used or chosen
// here since another import stays. What [ForeignHash] refuses is [ErrForeignHash].
func (s *Service) ImportPassword(ctx context.Context, userID uuid.UUID, hash string) error {
	stored, err := ForeignHash(hash)
	if err != nil {
		return err
	}
	if err := s.Store.PutImportedPassword(ctx, userID, stored, s.Clock()); err != nil {
		return fmt.Errorf("import password: %w", err)
	}
	return nil
}
