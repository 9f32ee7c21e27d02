package authn

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"gatehouse/directory"
)

// Key is what a user proves to have with our own pages: a passkey, or a
// security key that follows a password.
type Key struct {
	ID           uuid.UUID
	UserID       uuid.UUID
	CredentialID []byte // chosen by the authenticator, 1 to 1023 bytes, unique over all users
	Credential   string // the library's record, as JSON, without the counter's history
	SignCount    uint32
	Name         string // chosen by the user; "" when none was
	// Passwordless says that it is a passkey: the authenticator finds it without
	// being told whose it is, and verifies the user each time.
	Passwordless bool
	CreatedAt    time.Time
	UsedAt       time.Time // zero when never
}

// passkeyStore is the part of [Store] that keeps keys. Those of another user are
// directory.ErrNotFound.
type passkeyStore interface {
	// CreatePasskey is directory.ErrConflict for a credential id that anybody has.
	CreatePasskey(ctx context.Context, p *Key) error
	// Passkeys returns a user's keys, the oldest first.
	Passkeys(ctx context.Context, userID uuid.UUID) ([]*Key, error)
	// PasskeyOf finds a key by its credential id, with its user.
	PasskeyOf(ctx context.Context, credentialID []byte) (*Key, *directory.User, error)
	// UsePasskey notes a use, with the record and the counter as they are now,
	// unless the counter is no longer what it was.
	UsePasskey(ctx context.Context, p *Key, was uint32, at time.Time) error
	RenamePasskey(ctx context.Context, userID, id uuid.UUID, name string) error
	DeletePasskey(ctx context.Context, userID, id uuid.UUID) error
	// DeletePasskeys takes every key from a user, who may have none.
	DeletePasskeys(ctx context.Context, userID uuid.UUID) error
}

func (p *Key) decode() (webauthn.Credential, error) {
	var c webauthn.Credential
	if err := json.Unmarshal([]byte(p.Credential), &c); err != nil {
		return c, fmt.Errorf("decode passkey: %w", err)
	}
	c.Authenticator.SignCount = p.SignCount // the column is what is compared and set
	return c, nil
}

// encode keeps what later proofs are checked with. The attestation tells the
// model of an authenticator and is not asked for; what comes anyway is dropped.
func (p *Key) encode(c *webauthn.Credential) error {
	kept := *c
	kept.Attestation = webauthn.CredentialAttestation{}
	record, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("encode passkey: %w", err)
	}
	p.Credential, p.SignCount = string(record), c.Authenticator.SignCount
	return nil
}

// keyAMR is what a key proves (RFC 8176): one that can be copied between devices
// is held in software, whatever the device. With the user verified by the
// authenticator it is two factors by itself.
func keyAMR(c *webauthn.Credential) []string {
	if c.Flags.BackupEligible {
		return []string{"swk", "user", "mfa"}
	}
	return []string{"hwk", "user", "mfa"}
}

// Passkeys lists a user's keys, the oldest first.
func (s *Service) Passkeys(ctx context.Context, userID uuid.UUID) ([]*Key, error) {
	all, err := s.Store.Passkeys(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("list passkeys: %w", err)
	}
	return all, nil
}

// RenamePasskey gives a user's key another name. The error is a
// [*directory.FieldError] for one that cannot be used.
func (s *Service) RenamePasskey(ctx context.Context, userID, id uuid.UUID, name string) error {
	name, err := keyName(name)
	if err != nil {
		return err
	}
	return s.Directory.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.RenamePasskey(ctx, userID, id, name); err != nil {
			return fmt.Errorf("rename passkey: %w", err)
		}
		return s.event(ctx, "rename_passkey", ownerOf(userID), userID, map[string]any{"passkey": id})
	})
}

// RemovePasskey takes a key from a user, who is told, and ends every other session
// than the one it was removed in. Errors: directory.ErrLastCredential and
// [ErrLastFactor] for one that the account cannot do without, however many are
// removed at once.
func (s *Service) RemovePasskey(ctx context.Context, userID, session, id uuid.UUID) error {
	return s.Directory.InTx(ctx, func(ctx context.Context) error {
		user, _, err := s.lockKeys(ctx, userID)
		if err != nil {
			return err
		}
		if err := s.Store.DeletePasskey(ctx, userID, id); err != nil {
			return fmt.Errorf("remove passkey: %w", err)
		}
		if err := s.stillOpens(ctx, userID); err != nil {
			return err
		}
		if err := s.event(ctx, "remove_passkey", ownerOf(userID), userID, map[string]any{"passkey": id}); err != nil {
			return err
		}
		return s.factorsChanged(ctx, user, session, "passkey_removed", ownerOf(userID))
	})
}

// lockKeys reads a user and the keys, which nobody else changes until the
// transaction ends.
func (s *Service) lockKeys(ctx context.Context, userID uuid.UUID) (*directory.User, []*Key, error) {
	if err := s.Directory.LockUser(ctx, userID); err != nil {
		return nil, nil, fmt.Errorf("lock user: %w", err)
	}
	user, err := s.Directory.User(ctx, userID)
	if err != nil {
		return nil, nil, fmt.Errorf("find user: %w", err)
	}
	keys, err := s.Store.Passkeys(ctx, userID)
	if err != nil {
		return nil, nil, fmt.Errorf("list passkeys: %w", err)
	}
	return user, keys, nil
}

func ownerOf(userID uuid.UUID) directory.Actor {
	return directory.Actor{Kind: "user", ID: userID.String()}
}
