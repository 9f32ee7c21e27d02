package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// WebAuthnCredential is a security key as Notify's application keeps it here; that
// application checks its assertions itself.
type WebAuthnCredential struct {
	ID     uuid.UUID
	UserID uuid.UUID
	Name   string
	// Data and RegistrationResponse are the application's, as it gave them.
	Data                 string
	RegistrationResponse string
	CreatedAt            time.Time
	UpdatedAt            time.Time // zero when never changed
	LoggedInAt           time.Time // zero when never
}

// credentialStore keeps security keys. Those of another user are not found.
type credentialStore interface {
	CreateCredential(ctx context.Context, c *WebAuthnCredential) error
	Credential(ctx context.Context, userID, id uuid.UUID) (*WebAuthnCredential, error)
	// Credentials returns a user's keys, the oldest first.
	Credentials(ctx context.Context, userID uuid.UUID) ([]*WebAuthnCredential, error)
	RenameCredential(ctx context.Context, userID, id uuid.UUID, name string, at time.Time) error
	// UseCredential notes that somebody signed in with a key.
	UseCredential(ctx context.Context, userID, id uuid.UUID, at time.Time) error
	DeleteCredential(ctx context.Context, userID, id uuid.UUID) error
}

// ErrLastCredential says that a user's only security key must stay.
var ErrLastCredential = errors.New("it is the user's last security key")

// CreateCredential gives a user a security key. It does not change what the user
// signs in with.
func (r *Registry) CreateCredential(ctx context.Context, c WebAuthnCredential, actor Actor) (*WebAuthnCredential, error) {
	if err := validText("name", c.Name); err != nil {
		return nil, err
	}
	c.ID, c.CreatedAt = r.NewID(), r.Clock()
	_, err := r.changeUser(ctx, c.UserID, "create_webauthn_credential", actor, func(ctx context.Context, _ *User) (map[string]any, error) {
		if err := r.Store.CreateCredential(ctx, &c); err != nil {
			return nil, fmt.Errorf("create credential: %w", err)
		}
		return map[string]any{"credential": c.ID}, nil
	})
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// RenameCredential gives a security key another name.
func (r *Registry) RenameCredential(ctx context.Context, userID, id uuid.UUID, name string, actor Actor) (*WebAuthnCredential, error) {
	if err := validText("name", name); err != nil {
		return nil, err
	}
	_, err := r.changeUser(ctx, userID, "update_webauthn_credential", actor, func(ctx context.Context, _ *User) (map[string]any, error) {
		before, err := r.Store.Credential(ctx, userID, id)
		if err != nil {
			return nil, fmt.Errorf("look up credential: %w", err)
		}
		if err := r.Store.RenameCredential(ctx, userID, id, name, r.Clock()); err != nil {
			return nil, fmt.Errorf("rename credential: %w", err)
		}
		return map[string]any{"credential": id, "before": before.Name, "after": name}, nil
	})
	if err != nil {
		return nil, err
	}
	return r.Store.Credential(ctx, userID, id)
}

// DeleteCredential takes a security key from a user; [ErrLastCredential] for the
// only one, however many are deleted at once.
func (r *Registry) DeleteCredential(ctx context.Context, userID, id uuid.UUID, actor Actor) error {
	_, err := r.changeUser(ctx, userID, "delete_webauthn_credential", actor, func(ctx context.Context, _ *User) (map[string]any, error) {
		if _, err := r.Store.Credential(ctx, userID, id); err != nil {
			return nil, fmt.Errorf("look up credential: %w", err)
		}
		all, err := r.Store.Credentials(ctx, userID)
		if err != nil {
			return nil, fmt.Errorf("look up credentials: %w", err)
		}
		if len(all) == 1 {
			return nil, ErrLastCredential
		}
		if err := r.Store.DeleteCredential(ctx, userID, id); err != nil {
			return nil, fmt.Errorf("delete credential: %w", err)
		}
		return map[string]any{"credential": id}, nil
	})
	return err
}
