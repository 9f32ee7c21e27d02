package storage_test

import (
	"context"
	"errors"
	"testing"

	"gatehouse/directory"
	"gatehouse/storage"
)

// later inserts a number without waiting for the result.
func later(ctx context.Context, db *storage.DB, n int) error {
	return db.Later(ctx, nil, "insert into scratch (n) values ($1)", n)
}

// change must change the row of a number.
func change(ctx context.Context, db *storage.DB, n int) error {
	return db.Later(ctx, directory.ErrNotFound, "update scratch set x = 1 where n = $1", n)
}

// TestWhatWaitsIsSeenByWhatFollows holds the order of a transaction, whatever of
// it is sent together.
func TestWhatWaitsIsSeenByWhatFollows(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			var n int
			if err := errors.Join(later(ctx, db, 1), later(ctx, db, 2)); err != nil {
				return err
			}
			if err := db.Row(ctx, "select count(*) from scratch", nil, &n); err != nil || n != 2 {
				t.Errorf("%d rows, %v", n, err)
			}
			if changed, err := db.Exec(ctx, "delete from scratch where n = $1", 1); err != nil || changed != 1 {
				t.Errorf("%d deleted, %v", changed, err)
			}
			return later(ctx, db, 3)
		})
		if err != nil || count(t, db) != 2 {
			t.Errorf("%v, %d rows", err, count(t, db))
		}
	})
}

// TestWhatWaitsFailsItsTransaction: whenever a statement is sent, nothing of its
// transaction is kept when it fails, and InTx says why.
func TestWhatWaitsFailsItsTransaction(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		if err := insert(t.Context(), db, 1); err != nil {
			t.Fatal(err)
		}
		look := func(ctx context.Context) error {
			var n int
			return db.Row(ctx, "select n from scratch where n = $1", []any{1}, &n)
		}
		taken := func(ctx context.Context) error { return later(ctx, db, 1) }
		missing := func(ctx context.Context) error { return change(ctx, db, 99) }
		for name, c := range map[string]struct {
			want  error
			steps []func(ctx context.Context) error
		}{
			"taken, at the commit":                 {directory.ErrConflict, []func(context.Context) error{taken}},
			"missing, at the commit":               {directory.ErrNotFound, []func(context.Context) error{missing}},
			"taken, with a query":                  {directory.ErrConflict, []func(context.Context) error{taken, look}},
			"missing, with a query":                {directory.ErrNotFound, []func(context.Context) error{missing, look}},
			"taken, after a query, at the commit":  {directory.ErrConflict, []func(context.Context) error{look, taken}},
			"missing, after a query, and another":  {directory.ErrNotFound, []func(context.Context) error{look, missing, look}},
			"the first of two tells what is wrong": {directory.ErrNotFound, []func(context.Context) error{missing, taken}},
		} {
			err := db.InTx(t.Context(), func(ctx context.Context) error {
				_ = later(ctx, db, 2)
				for _, step := range c.steps {
					_ = step(ctx) // as if it did not matter
				}
				return nil
			})
			if !errors.Is(err, c.want) || count(t, db) != 1 {
				t.Errorf("%s: %v, %d rows", name, err, count(t, db))
			}
		}
		if err := insert(t.Context(), db, 3); err != nil {
			t.Errorf("the connection is of no more use: %v", err)
		}
	})
}

// TestWhatMustChangeARowDoes also outside a transaction, and with what is beside it.
func TestWhatMustChangeARowDoes(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		if err := insert(t.Context(), db, 1); err != nil {
			t.Fatal(err)
		}
		if err := change(t.Context(), db, 2); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("changed nothing: %v", err)
		}
		if err := change(t.Context(), db, 1); err != nil {
			t.Error(err)
		}
		err := db.InTx(t.Context(), func(ctx context.Context) error { return errors.Join(later(ctx, db, 2), change(ctx, db, 2)) })
		if err != nil || count(t, db) != 2 {
			t.Errorf("%v, %d rows", err, count(t, db))
		}
	})
}

// TestNothingThatWaitedIsKeptOfATransactionThatIsTakenBack covers what was never sent.
func TestNothingThatWaitedIsKeptOfATransactionThatIsTakenBack(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		hooks := 0
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			db.AfterCommit(ctx, func() { hooks++ })
			return errors.Join(later(ctx, db, 1), errStop)
		})
		if !errors.Is(err, errStop) || count(t, db) != 0 || hooks != 0 {
			t.Errorf("%v, %d rows, %d told", err, count(t, db), hooks)
		}
	})
}
