package authn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// reserve counts a failure before the password is compared, so that of any
// number of parallel guesses no more than the limit are ever compared. Nobody
// costs the same statement as somebody: it runs for an id that does not exist.
func (t *trial) reserve(ctx context.Context, p plan) error {
	id := uuid.Nil
	if t.user != nil && p.refused == "" {
		id = t.user.ID
	}
	return t.reserveFailure(ctx, id)
}

// reserveFailure notes in the trial whether a failure could be counted: on the
// account or, while that is locked, on a browser that is known.
func (t *trial) reserveFailure(ctx context.Context, id uuid.UUID) error {
	count, err := t.service.Store.ReserveFailure(ctx, id, t.Factor != Password, t.at)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		if id != uuid.Nil {
			t.step("lock", "", "refuse")
		}
		return t.reserveInBrowser(ctx, id)
	case err != nil:
		return fmt.Errorf("count attempt: %w", err)
	}
	t.reserved, t.failures = true, count
	t.step("lock", fmt.Sprintf("%d of %d", count, directory.MaxFailedLogins), "pass")
	return nil
}

// locked reports whether no further failure could be counted.
func (t *trial) locked(p plan) bool { return t.user != nil && p.refused == "" && !t.reserved }

// release takes back the failure that was reserved, if one still is.
func (t *trial) release(ctx context.Context) {
	if !t.reserved {
		return
	}
	t.reserved = false
	if err := t.takeBack(ctx); err != nil && !errors.Is(err, directory.ErrNotFound) {
		t.service.log().LogAttrs(ctx, slog.LevelError, "release a failure", slog.String("error", err.Error()))
	}
}

// takeBack undoes what was reserved where it was counted.
func (t *trial) takeBack(ctx context.Context) error {
	if t.inBrowser != uuid.Nil {
		return t.service.Store.ReleaseInBrowser(ctx, t.inBrowser)
	}
	return t.service.Store.ReleaseFailure(ctx, t.user.ID, t.Factor != Password)
}

// noteLock writes down that this failure has locked the account, and tells its
// owner. The lock holds without it, and the answer must not differ.
func (t *trial) noteLock(ctx context.Context) {
	if !t.reserved || t.inBrowser != uuid.Nil || t.failures < directory.MaxFailedLogins {
		return
	}
	s := t.service
	err := s.Directory.InTx(ctx, func(ctx context.Context) error {
		data := map[string]any{"front": t.Front, "factor": t.Factor}
		if err := s.event(ctx, "lock_user", directory.Actor{Kind: "system"}, t.user.ID, data); err != nil {
			return err
		}
		return s.tell(ctx, t.user, "account_locked")
	})
	if err != nil {
		s.log().LogAttrs(ctx, slog.LevelError, "note a lock", slog.String("error", err.Error()))
	}
}

// Unlock sets a user's failures to zero. Only a completed reset, an
// administrator or an operator may; a new password does not (seed 004).
func (s *Service) Unlock(ctx context.Context, userID uuid.UUID, actor directory.Actor) error {
	return s.Directory.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.Unlock(ctx, userID); err != nil {
			return fmt.Errorf("unlock user: %w", err)
		}
		return s.event(ctx, "unlock_user", actor, userID, nil)
	})
}
