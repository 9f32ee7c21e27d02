package storagetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"gatehouse/storage"
)

// Each runs a test on every engine at hand, with fresh and migrated stores.
func Each(t *testing.T, test func(t *testing.T, s *storage.Stores)) {
	t.Helper()
	EachConfig(t, func(t *testing.T, c storage.Config) { test(t, open(t, c)) })
}

// EachConfig is [Each] for tests that open the stores themselves, for example
// twice, as two replicas do.
func EachConfig(t *testing.T, test func(t *testing.T, c storage.Config)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// Open returns fresh stores on the embedded engines.
func Open(t testing.TB) *storage.Stores {
	t.Helper()
	return open(t, SQLite(t))
}

// OpenConfig opens the stores of c and closes them with the test.
func OpenConfig(t testing.TB, c storage.Config) *storage.Stores {
	t.Helper()
	return open(t, c)
}

// SQLite returns the configuration of a fresh, migrated SQLite database.
func SQLite(t testing.TB) storage.Config {
	t.Helper()
	c := storage.Config{Dir: t.TempDir()}
	template := sqliteTemplate(t)
	if err := os.WriteFile(filepath.Join(c.Dir, "gatehouse.db"), template, 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// sqliteTemplate migrates one database per process and hands out copies.
var sqliteTemplate = func() func(t testing.TB) []byte {
	var once sync.Once
	var template []byte
	return func(t testing.TB) []byte {
		t.Helper()
		once.Do(func() {
			dir := t.TempDir()
			if _, err := storage.Migrate(t.Context(), storage.Config{Dir: dir}); err != nil {
				t.Fatal(err)
			}
			// goose has closed the database, which folds the log into the file.
			var err error
			if template, err = os.ReadFile(filepath.Join(dir, "gatehouse.db")); err != nil {
				t.Fatal(err)
			}
		})
		return template
	}
}()

// Postgres returns the configuration of a fresh, migrated PostgreSQL database
// and a Redis prefix of its own. Without a server at hand it skips, or fails in CI.
func Postgres(t testing.TB) storage.Config {
	t.Helper()
	base, redisURL := os.Getenv("GATEHOUSE_TEST_DATABASE_URL"), os.Getenv("GATEHOUSE_TEST_REDIS_URL")
	if base == "" || redisURL == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("GATEHOUSE_TEST_DATABASE_URL and GATEHOUSE_TEST_REDIS_URL are not set; in CI nothing is skipped")
		}
		t.Skip("no PostgreSQL and Redis at hand: run make test")
	}
	admin, err := pgx.Connect(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.WithoutCancel(t.Context())) }()
	template := postgresTemplate(t, admin, base)
	name := "t_" + strings.ToLower(rand.Text())
	if _, err := admin.Exec(t.Context(), "create database "+name+" template "+template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dropDatabase(base, name) })
	return storage.Config{DatabaseURL: withDatabase(t, base, name), RedisURL: redisURL, RedisPrefix: name + ":", MaxConns: 8}
}

// postgresTemplate returns the name of a migrated database to copy, made by
// whichever test process comes first.
func postgresTemplate(t testing.TB, admin *pgx.Conn, base string) string {
	t.Helper()
	name := "template_" + migrationsHash(t)
	ctx := t.Context()
	if _, err := admin.Exec(ctx, "select pg_advisory_lock(4711)"); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = admin.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock(4711)") }()
	var exists bool
	if err := admin.QueryRow(ctx, "select exists (select 1 from pg_database where datname = $1)", name).Scan(&exists); err != nil {
		t.Fatal(err)
	}
	if exists {
		return name
	}
	if _, err := admin.Exec(ctx, "create database "+name+"_new"); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Migrate(ctx, storage.Config{DatabaseURL: withDatabase(t, base, name+"_new")}); err != nil {
		dropDatabase(base, name+"_new")
		t.Fatal(err)
	}
	if _, err := admin.Exec(ctx, "alter database "+name+"_new rename to "+name); err != nil {
		t.Fatal(err)
	}
	return name
}

func migrationsHash(t testing.TB) string {
	t.Helper()
	h := sha256.New()
	for _, m := range storage.MigrationTexts() {
		h.Write([]byte(m))
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

func withDatabase(t testing.TB, base, name string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func dropDatabase(base, name string) {
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, base)
	if err != nil {
		return // the server went away with the test run
	}
	defer func() { _ = admin.Close(ctx) }()
	_, _ = admin.Exec(ctx, "drop database if exists "+name+" with (force)")
}

func open(t testing.TB, c storage.Config) *storage.Stores {
	t.Helper()
	s, err := storage.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
