package storage_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// scratch makes a table of one number on either engine.
func scratch(t *testing.T, db *storage.DB) {
	t.Helper()
	if _, err := db.Exec(t.Context(), "create table scratch (n bigint primary key, x bigint)"); err != nil {
		t.Fatal(err)
	}
}

func insert(ctx context.Context, db *storage.DB, n int) error {
	_, err := db.Exec(ctx, "insert into scratch (n) values ($1)", n)
	return err
}

func count(t *testing.T, db *storage.DB) int {
	t.Helper()
	var n int
	if err := db.Row(t.Context(), "select count(*) from scratch", nil, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// eachScratch is storagetest.Each with the scratch table.
func eachScratch(t *testing.T, test func(t *testing.T, db *storage.DB)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		scratch(t, s.DB)
		test(t, s.DB)
	})
}

var errStop = errors.New("stop")

func TestTransactionTakesEffectTogether(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			return errors.Join(insert(ctx, db, 1), insert(ctx, db, 2))
		})
		if err != nil || count(t, db) != 2 {
			t.Fatalf("%v, %d rows", err, count(t, db))
		}
		err = db.InTx(t.Context(), func(ctx context.Context) error {
			return errors.Join(insert(ctx, db, 3), errStop)
		})
		if !errors.Is(err, errStop) || count(t, db) != 2 {
			t.Errorf("%v, %d rows after an error", err, count(t, db))
		}
	})
}

func TestTransactionSeesItsOwnWrites(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			if err := insert(ctx, db, 1); err != nil {
				return err
			}
			var n int
			if err := db.Row(ctx, "select n from scratch", nil, &n); err != nil || n != 1 {
				t.Errorf("inside: %d, %v", n, err)
			}
			if seen := count(t, db); seen != 0 {
				t.Errorf("outside: %d rows before the commit", seen)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestInnerTransactionJoinsTheOuterOne(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			inner := db.InTx(ctx, func(ctx context.Context) error { return insert(ctx, db, 1) })
			return errors.Join(inner, errStop)
		})
		if !errors.Is(err, errStop) || count(t, db) != 0 {
			t.Errorf("%v, %d rows: the inner one was committed by itself", err, count(t, db))
		}
	})
}

func TestPanicRollsBack(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = db.InTx(t.Context(), func(ctx context.Context) error {
				_ = insert(ctx, db, 1)
				panic("stop")
			})
		}()
		if err := insert(t.Context(), db, 2); err != nil || count(t, db) != 1 {
			t.Errorf("%v, %d rows", err, count(t, db))
		}
	})
}

// A statement that fails makes PostgreSQL refuse the rest of its transaction.
// SQLite must not keep half of what PostgreSQL would not.
func TestFailedStatementDoomsItsTransaction(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			_ = insert(ctx, db, 1)
			if err := insert(ctx, db, 1); !errors.Is(err, directory.ErrConflict) {
				t.Errorf("got %v", err)
			}
			return nil // as if the conflict did not matter
		})
		if err == nil || count(t, db) != 0 {
			t.Errorf("committed: %v, %d rows", err, count(t, db))
		}
	})
}

func TestMissingRowDoesNotDoomATransaction(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			var n int
			if err := db.Row(ctx, "select n from scratch where n = $1", []any{7}, &n); !errors.Is(err, directory.ErrNotFound) {
				t.Errorf("got %v", err)
			}
			return insert(ctx, db, 7)
		})
		if err != nil || count(t, db) != 1 {
			t.Errorf("%v, %d rows", err, count(t, db))
		}
	})
}

func TestWhatWaitsForACommitRunsOnlyAfterIt(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		var seen []int
		hear := func() { seen = append(seen, count(t, db)) }
		_ = db.InTx(t.Context(), func(ctx context.Context) error {
			db.AfterCommit(ctx, hear)
			return errStop
		})
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			db.AfterCommit(ctx, hear)
			return insert(ctx, db, 1)
		})
		db.AfterCommit(t.Context(), hear) // without a transaction: now
		if err != nil || len(seen) != 2 || seen[0] != 1 {
			t.Errorf("%v, heard with these rows: %v", err, seen)
		}
	})
}

// A request that is cancelled in a transaction must give its connection back,
// or the pool runs dry.
func TestCancelledTransactionFreesItsConnection(t *testing.T) {
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) {
		c.MaxConns = 1
		db := storagetest.OpenConfig(t, c).DB
		scratch(t, db)
		for n := range 5 {
			ctx, cancel := context.WithCancel(t.Context())
			err := db.InTx(ctx, func(ctx context.Context) error {
				if err := insert(ctx, db, n); err != nil {
					t.Error(err)
				}
				cancel()
				return insert(ctx, db, 100+n)
			})
			if !errors.Is(err, directory.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := insert(ctx, db, 1); err != nil || count(t, db) != 1 {
			t.Errorf("%v, %d rows", err, count(t, db))
		}
	})
}

func TestStatementWaitsNoLongerThanItsContext(t *testing.T) {
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) {
		c.MaxConns = 1
		db := storagetest.OpenConfig(t, c).DB
		scratch(t, db)
		err := db.InTx(t.Context(), func(context.Context) error { // holds the only connection
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			began := time.Now()
			if err := insert(ctx, db, 1); !errors.Is(err, directory.ErrUnavailable) || time.Since(began) > 4*time.Second {
				t.Errorf("got %v after %v", err, time.Since(began))
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// Every single-use thing rests on this: of many who run one conditional
// statement, one changes the row, and it has changed when they are told.
func TestConditionalUpdateHasOneWinner(t *testing.T) {
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) {
		replicas := []*storage.DB{storagetest.OpenConfig(t, c).DB, storagetest.OpenConfig(t, c).DB}
		scratch(t, replicas[0])
		if err := insert(t.Context(), replicas[0], 1); err != nil {
			t.Fatal(err)
		}
		var racers sync.WaitGroup
		won := make(chan int, 32)
		for i := range 32 {
			racers.Go(func() {
				var n int
				err := replicas[i%2].Row(t.Context(), "update scratch set x = $1 where n = 1 and x is null returning x", []any{i}, &n)
				if err == nil {
					won <- n
				} else if !errors.Is(err, directory.ErrNotFound) {
					t.Error(err)
				}
			})
		}
		racers.Wait()
		close(won)
		if len(won) != 1 {
			t.Fatalf("%d winners", len(won))
		}
		var x int
		if err := replicas[1].Row(t.Context(), "select x from scratch", nil, &x); err != nil || x != <-won {
			t.Errorf("the row holds %d, %v", x, err)
		}
	})
}

// A statement that returns rows must have changed all of them even when only
// the first is read.
func TestReturningChangesEveryRow(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *storage.DB) {
		for n := range 3 {
			if err := insert(t.Context(), db, n); err != nil {
				t.Fatal(err)
			}
		}
		var n int
		if err := db.Row(t.Context(), "delete from scratch returning n", nil, &n); err != nil || count(t, db) != 0 {
			t.Errorf("%v, %d rows left", err, count(t, db))
		}
	})
}

// Two processes write to one SQLite file: a server and a command.
func TestParallelWritersNeverFail(t *testing.T) {
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) {
		replicas := []*storage.DB{storagetest.OpenConfig(t, c).DB, storagetest.OpenConfig(t, c).DB}
		scratch(t, replicas[0])
		if err := insert(t.Context(), replicas[0], 0); err != nil {
			t.Fatal(err)
		}
		const writers, each = 8, 15
		var all sync.WaitGroup
		for i := range writers {
			db := replicas[i%2]
			all.Go(func() {
				for range each {
					err := db.InTx(t.Context(), func(ctx context.Context) error {
						var n int // reads first: SQLite refuses the upgrade of a deferred transaction
						if err := db.Row(ctx, "select count(*) from scratch", nil, &n); err != nil {
							return err
						}
						_, err := db.Exec(ctx, "update scratch set x = coalesce(x, 0) + 1")
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		var x int
		if err := replicas[0].Row(t.Context(), "select x from scratch", nil, &x); err != nil || x != writers*each {
			t.Errorf("%d updates, %v; want %d", x, err, writers*each)
		}
	})
}

func TestDataDirectoryMayHaveAnyName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%41&e=f")
	c := storage.Config{Dir: dir}
	if _, err := storage.Migrate(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	db := storagetest.OpenConfig(t, c).DB
	scratch(t, db)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*"))
	if err != nil || len(files) != 1 || files[0] != dir {
		t.Errorf("files %q, %v", files, err)
	}
}
