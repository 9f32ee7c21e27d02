package storagetest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

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
