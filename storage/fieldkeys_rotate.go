package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"gatehouse/directory"
)

// retireFieldKeyAfter is how long an old key stays after a new one took over: no
// replica encrypts with it any more when nothing is left that it encrypted.
const retireFieldKeyAfter = time.Hour

// FieldKey is one of the keys, without itself.
type FieldKey struct {
	ID      uint32 `json:"id"`
	Primary bool   `json:"primary"` // encrypts
	// Users are how many users of the marketplace have values of this key.
	Users int64 `json:"users"`
}

// List returns the keys, the oldest first, with what each encrypts.
func (k *FieldKeys) List(ctx context.Context) ([]FieldKey, error) {
	s, err := k.load(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]FieldKey, len(s.ids))
	for i, id := range s.ids {
		all[i] = FieldKey{ID: id, Primary: id == s.primary}
		if err := k.DB.row(ctx, `select count(*) from marketplace_users where key_id = $1`, []any{int64(id)}, &all[i].Users); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Rotate makes a new key that encrypts from now on. What older keys encrypted
// stays readable; [Profiles.Reencrypt] moves it to the new one. A rotation that
// another one overtakes returns directory.ErrConflict.
func (k *FieldKeys) Rotate(ctx context.Context, by directory.Actor) error {
	s, err := k.load(ctx)
	if err != nil {
		return err
	}
	manager := keyset.NewManagerFromHandle(s.handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("make field key: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return fmt.Errorf("use field key: %w", err)
	}
	return k.store(ctx, s, manager, by, "rotate_field_key", id)
}

// retire deletes the keys that encrypt nothing any more, once no replica can
// still be using them, and reports how many.
func (k *FieldKeys) retire(ctx context.Context) (int, error) {
	s, err := k.load(ctx)
	if err != nil || len(s.ids) < 2 || k.Clock().Before(s.rotatedAt.Add(retireFieldKeyAfter)) {
		return 0, err
	}
	for _, id := range s.ids {
		used := false
		err := k.DB.row(ctx, `select exists (select 1 from marketplace_users where key_id = $1)`, []any{int64(id)}, &used)
		if err != nil {
			return 0, err
		}
		if used || id == s.primary {
			continue
		}
		manager := keyset.NewManagerFromHandle(s.handle)
		if err := manager.Delete(id); err != nil {
			return 0, fmt.Errorf("delete field key: %w", err)
		}
		if err := k.store(ctx, s, manager, directory.Actor{Kind: "system"}, "delete_field_key", id); err != nil {
			return 0, err
		}
		more, err := k.retire(ctx)
		return more + 1, err
	}
	return 0, nil
}

// store writes a change of the keys that was made of one version of them.
func (k *FieldKeys) store(ctx context.Context, s *fieldKeyset, manager *keyset.Manager, by directory.Actor, kind string, id uint32) error {
	handle, err := manager.Handle()
	if err != nil {
		return fmt.Errorf("change field keys: %w", err)
	}
	sealed, err := k.seal(handle)
	if err != nil {
		return err
	}
	now := k.Clock()
	rotated := s.rotatedAt
	if handle.KeysetInfo().GetPrimaryKeyId() != s.primary {
		rotated = now
	}
	err = k.DB.InTx(ctx, func(ctx context.Context) error {
		n, err := k.DB.exec(ctx, `
			update keysets set sealed = $2, rotated_at = $3, version = version + 1
			where name = $1 and version = $4`, fieldKeysName, sealed, rotated, s.version)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("field keys: %w", directory.ErrConflict)
		}
		return Directory{DB: k.DB}.AppendEvent(ctx, directory.Event{
			ID: uuid.New(), Type: kind, Actor: by, Subject: fmt.Sprint(id), At: now,
		})
	})
	if err != nil {
		return err
	}
	_, err = k.load(ctx)
	return err
}
