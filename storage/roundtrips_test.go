package storage_test

import (
	"context"
	"errors"
	"testing"

	"gatehouse/storage"
)

// TestRoundTripsAreCounted pins what a request is said to have waited for.
func TestRoundTripsAreCounted(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		for _, c := range []struct {
			name string
			run  func(ctx context.Context) error
			want int64
		}{
			{"nothing", func(context.Context) error { return nil }, 0},
			{"a statement", func(ctx context.Context) error { return insert(ctx, db, 1) }, 1},
			{"a query", func(ctx context.Context) error {
				var n int
				return db.Row(ctx, "select count(*) from scratch", nil, &n)
			}, 1},
			{"a batch of two", func(ctx context.Context) error {
				return db.Together(ctx, "insert into scratch (n) values ($1)", 2, 3)
			}, 1},
			{"a transaction of two, one inside", func(ctx context.Context) error {
				return db.InTx(ctx, func(ctx context.Context) error {
					inner := func(ctx context.Context) error { return insert(ctx, db, 5) }
					return errors.Join(insert(ctx, db, 4), db.InTx(ctx, inner))
				})
			}, 3},
			{"a transaction of nothing", func(ctx context.Context) error {
				return db.InTx(ctx, func(context.Context) error { return nil })
			}, 0},
			{"a transaction of what can wait", func(ctx context.Context) error {
				return db.InTx(ctx, func(ctx context.Context) error { return errors.Join(later(ctx, db, 7), later(ctx, db, 8)) })
			}, 1},
			{"what can wait outside one", func(ctx context.Context) error { return later(ctx, db, 9) }, 1},
			{"a query after what can wait, and more of it", func(ctx context.Context) error {
				return db.InTx(ctx, func(ctx context.Context) error {
					var n int
					return errors.Join(later(ctx, db, 10), db.Row(ctx, "select count(*) from scratch", nil, &n), later(ctx, db, 11))
				})
			}, 2},
			{"a transaction taken back", func(ctx context.Context) error {
				err := db.InTx(ctx, func(ctx context.Context) error { return errors.Join(insert(ctx, db, 6), errStop) })
				if !errors.Is(err, errStop) {
					return errors.New("the transaction was kept")
				}
				return nil
			}, 2},
			{"one taken back before anything was sent", func(ctx context.Context) error {
				err := db.InTx(ctx, func(ctx context.Context) error { return errors.Join(later(ctx, db, 12), errStop) })
				if !errors.Is(err, errStop) {
					return errors.New("the transaction was kept")
				}
				return nil
			}, 0},
		} {
			ctx, trips := storage.CountRoundTrips(t.Context())
			if err := c.run(ctx); err != nil || trips.Count() != c.want {
				t.Errorf("%s: %d round trips, want %d; %v", c.name, trips.Count(), c.want, err)
			}
		}
	})
}
