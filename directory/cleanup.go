package directory

import (
	"context"
	"fmt"
	"time"
)

// How long the directory keeps what nobody needs any more (seed 002).
const (
	keepInvitations = 2 * 24 * time.Hour // whatever has become of them
	keepEvents      = 52 * 7 * 24 * time.Hour
)

// cleanupBatch bounds the rows that one statement deletes: it holds their locks,
// and SQLite's only writer, for no longer than a request would.
const cleanupBatch = 1000

// cleanupStore is the part of [Store] that forgets. Both delete at most limit rows
// made before a time, the oldest first, and return how many.
type cleanupStore interface {
	PurgeInvitations(ctx context.Context, before time.Time, limit int) (int64, error)
	PurgeEvents(ctx context.Context, before time.Time, limit int) (int64, error)
}

// CleanUp deletes invitations and events whose time is over. Nothing refers to
// either. Several replicas may do so at once: a row that another has deleted is
// not there.
func (r *Registry) CleanUp(ctx context.Context) error {
	now := r.Clock()
	if err := purge(ctx, r.Store.PurgeInvitations, now.Add(-keepInvitations)); err != nil {
		return fmt.Errorf("purge invitations: %w", err)
	}
	if err := purge(ctx, r.Store.PurgeEvents, now.Add(-keepEvents)); err != nil {
		return fmt.Errorf("purge events: %w", err)
	}
	return nil
}

// purge repeats a statement until it finds nothing more.
func purge(ctx context.Context, batch func(context.Context, time.Time, int) (int64, error), before time.Time) error {
	for {
		if n, err := batch(ctx, before, cleanupBatch); err != nil || n == 0 {
			return err
		}
	}
}
