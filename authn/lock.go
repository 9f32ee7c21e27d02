package authn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// attempt counts a failure of a user before anything is compared, so that of any
// number of parallel guesses no more than the limit are ever compared: on the
// account or, while that is locked, on a browser that is known. It returns what
// there is to compare with; nil for nobody, which costs the same.
func (t *trial) attempt(ctx context.Context, who Who) (*Attempted, error) {
	found, err := t.service.Store.Attempt(ctx, Tried{
		Who: who, Code: t.Factor != Password, Pending: t.AdmitPending || t.Front != Browser, At: t.at,
		Browser: t.shown(), UnusedSince: t.at.Add(-KnownFor),
	})
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("count attempt: %w", err)
	}
	t.user, t.has, t.known, t.lookedUp = found.User, found.Has, found.Browser, true
	switch {
	case found.Failures > 0:
	case closed(admitted(t.user, t.AdmitPending), t.Front) != "":
		return found, nil // nobody can guess their way in, so nobody is locked out
	default:
		t.step("lock", "", "refuse")
		return found, t.reserveInBrowser(ctx, t.user.ID)
	}
	t.reserved, t.failures = true, found.Failures
	t.step("lock", fmt.Sprintf("%d of %d", found.Failures, directory.MaxFailedLogins), "pass")
	return found, nil
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
