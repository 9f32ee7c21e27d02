package storage_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

func TestTakenValueNamesItsField(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		for _, statement := range []string{
			"create table long_named_things (a text, n bigint, full_name text, login_normalised text, constraint pk primary key (a, n))",
			"create unique index long_named_things_full_name_key on long_named_things (full_name)",
			"create unique index long_named_things_login_normalised_key on long_named_things (login_normalised)",
			"insert into long_named_things (a, n, full_name, login_normalised) values ('a', 1, 'f', 'l')",
		} {
			if _, err := s.DB.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		for field, values := range map[string][]any{
			"id": {"a", 1, "f2", "l2"}, "full_name": {"a", 2, "f", "l2"}, "login": {"a", 2, "f2", "l"},
		} {
			_, err := s.DB.Exec(t.Context(), "insert into long_named_things (a, n, full_name, login_normalised) values ($1, $2, $3, $4)", values...)
			var conflict *directory.ConflictError
			if !errors.As(err, &conflict) || conflict.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
	})
}

func TestBrokenReferenceAndCheckAreNotConflicts(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		for _, statement := range []string{
			"create table parent (n bigint primary key)",
			"create table child (parent bigint references parent (n), x bigint check (x > 0))",
		} {
			if _, err := s.DB.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		_, err := s.DB.Exec(t.Context(), "insert into child (parent, x) values (1, 1)")
		if !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("reference: %v", err)
		}
		_, err = s.DB.Exec(t.Context(), "insert into child (x) values (0)")
		if err == nil || errors.Is(err, directory.ErrConflict) || errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("check: %v", err)
		}
	})
}

func TestWrongStatementIsNotUnavailable(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		if _, err := s.DB.Exec(t.Context(), "update nothing set x = 1"); err == nil || errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}

// soon fails the test when f takes longer than a request may.
func soon(t *testing.T, what string, f func(ctx context.Context) error) error {
	t.Helper()
	began := time.Now()
	err := f(t.Context())
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("%s took %v", what, took)
	}
	return err
}

func TestLostDatabaseIsUnavailableAndComesBack(t *testing.T) {
	c := storagetest.Postgres(t)
	proxied, p := storagetest.Behind(t, c.DatabaseURL)
	c.DatabaseURL = proxied
	db := storagetest.OpenConfig(t, c).DB
	scratch(t, db)

	uses := map[string]func(ctx context.Context) error{
		"ping":   db.Ping,
		"insert": func(ctx context.Context) error { return insert(ctx, db, 1) },
		"begin": func(ctx context.Context) error {
			return db.InTx(ctx, func(context.Context) error { return nil })
		},
		"select": func(ctx context.Context) error {
			var n int
			return db.Row(ctx, "select count(*) from scratch", nil, &n)
		},
	}
	under := make(chan error)
	go func() {
		_, err := db.Exec(t.Context(), "select pg_sleep(60)")
		under <- err
	}()
	inTx := db.InTx(t.Context(), func(ctx context.Context) error {
		if err := insert(ctx, db, 2); err != nil {
			t.Error(err)
		}
		time.Sleep(50 * time.Millisecond) // until the other statement is under way
		p.Break(storagetest.Refuses)
		return nil // so that the commit is what finds out
	})
	if !errors.Is(inTx, directory.ErrUnavailable) {
		t.Errorf("commit: %v", inTx)
	}
	if err := <-under; !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("statement under way: %v", err)
	}
	for name, use := range uses {
		if err := soon(t, name, use); !errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.Heal()
	for name, use := range uses {
		if err := soon(t, name, use); err != nil {
			t.Errorf("%s after it came back: %v", name, err)
		}
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows: what was not committed is there", n)
	}
}

func TestLostRedisIsUnavailableAndComesBack(t *testing.T) {
	raw := os.Getenv("GATEHOUSE_TEST_REDIS_URL")
	if raw == "" {
		storagetest.Postgres(t) // skips, or fails in CI
	}
	proxied, p := storagetest.Behind(t, raw)
	r, err := storage.OpenRedis(proxied, "lost:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if err := r.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Break(storagetest.Refuses)
	if err := soon(t, "ping", r.Ping); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	p.Heal()
	deadline := time.Now().Add(30 * time.Second) // the client waits a little before it dials again
	for err = r.Ping(t.Context()); err != nil && time.Now().Before(deadline); err = r.Ping(t.Context()) {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Errorf("after it came back: %v", err)
	}
}
