package storage

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx", which goose needs
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// Migrate brings the database of c to the newest schema and returns the names
// of the migrations it applied. Any number of processes may start at once: one
// migrates, under an advisory lock on PostgreSQL and a locked file beside the
// SQLite database, and the others find nothing left to do.
func Migrate(ctx context.Context, c Config) (applied []string, err error) {
	provider, done, err := migrator(c)
	if err != nil {
		return nil, err
	}
	defer done()
	results, err := provider.Up(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	for _, r := range results {
		applied = append(applied, r.Source.Path)
	}
	return applied, nil
}

// PendingMigrations returns how many migrations the database of c still lacks.
func PendingMigrations(ctx context.Context, c Config) (int, error) {
	provider, done, err := migrator(c)
	if err != nil {
		return 0, err
	}
	defer done()
	statuses, err := provider.Status(ctx)
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	pending := 0
	for _, s := range statuses {
		if s.State == goose.StatePending {
			pending++
		}
	}
	return pending, nil
}

func migrator(c Config) (*goose.Provider, func(), error) {
	if c.DatabaseURL == "" {
		return sqliteMigrator(c.Dir)
	}
	db, err := sql.Open("pgx", c.DatabaseURL)
	if err != nil {
		return nil, nil, fmt.Errorf("open database: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, nil, fmt.Errorf("migrate: %w", err)
	}
	return newProvider(goose.DialectPostgres, db, func() {}, goose.WithSessionLocker(locker))
}

func sqliteMigrator(dir string) (*goose.Provider, func(), error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("create data directory: %w", err)
	}
	path := sqlitePath(dir)
	file, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("lock database: %w", err)
	}
	unlock := func() { _ = file.Close() } // closing releases the lock
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		unlock()
		return nil, nil, fmt.Errorf("lock database: %w", err)
	}
	db, err := sql.Open("sqlite", sqliteDSN(path))
	if err != nil {
		unlock()
		return nil, nil, fmt.Errorf("open database: %w", err)
	}
	return newProvider(goose.DialectSQLite3, db, unlock)
}

func newProvider(dialect goose.Dialect, db *sql.DB, unlock func(), options ...goose.ProviderOption) (*goose.Provider, func(), error) {
	done := func() {
		_ = db.Close()
		unlock()
	}
	dir := "postgres"
	if dialect == goose.DialectSQLite3 {
		dir = "sqlite"
	}
	files, err := fs.Sub(migrations, "migrations/"+dir)
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("read migrations: %w", err)
	}
	provider, err := goose.NewProvider(dialect, db, files, append(options, goose.WithDisableGlobalRegistry(true))...)
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("migrate: %w", err)
	}
	return provider, done, nil
}

// MigrationTexts returns the text of every PostgreSQL migration in order, so
// that tests can tell whether a migrated database is still the right one.
func MigrationTexts() []string {
	var texts []string
	files, err := fs.Glob(migrations, "migrations/postgres/*.sql")
	if err != nil {
		panic(err) // only for a malformed pattern
	}
	for _, name := range files {
		text, err := migrations.ReadFile(name)
		if err != nil {
			panic(err) // the file is embedded
		}
		texts = append(texts, string(text))
	}
	return texts
}
