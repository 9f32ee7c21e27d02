package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Config says where the stores are.
type Config struct {
	// DatabaseURL is postgres://…; empty means SQLite in Dir.
	DatabaseURL string
	// Dir is the data directory, created when missing; only used by SQLite.
	Dir string
	// MaxConns bounds the PostgreSQL pool; 0 keeps the driver's default.
	MaxConns int
	// RedisURL is redis://, rediss://, redis-cluster:// or redis-sentinel://;
	// empty means the in-process Redis.
	RedisURL string
	// RedisPrefix is put in front of every key; "gatehouse:" by default.
	RedisPrefix string
}

// Stores are the database and the Redis beside it.
type Stores struct {
	DB    *DB
	Redis *Redis
}

// Open connects both stores. It does not migrate: see [Migrate].
func Open(ctx context.Context, c Config) (*Stores, error) {
	db, err := OpenDB(ctx, c)
	if err != nil {
		return nil, err
	}
	redis, err := OpenRedis(c.RedisURL, cmp.Or(c.RedisPrefix, "gatehouse:"))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Stores{DB: db, Redis: redis}, nil
}

// CheckURLs reports what is wrong with the stores' URLs, without connecting and
// without showing them: they may hold passwords.
func CheckURLs(databaseURL, redisURL string) error {
	var faults []error
	if databaseURL != "" {
		if _, err := pgxpool.ParseConfig(databaseURL); err != nil || !isPostgres(databaseURL) {
			faults = append(faults, errors.New("GATEHOUSE_DATABASE_URL: want postgres://user:password@host:port/database"))
		}
	}
	if redisURL != "" {
		if _, err := redisOptions(redisURL); err != nil {
			faults = append(faults, errors.New("GATEHOUSE_REDIS_URL: want redis://, rediss://, redis-cluster:// or redis-sentinel://"))
		}
	}
	return errors.Join(faults...)
}

func isPostgres(databaseURL string) bool {
	return strings.HasPrefix(databaseURL, "postgres://") || strings.HasPrefix(databaseURL, "postgresql://")
}

// OpenDB connects the database alone.
func OpenDB(ctx context.Context, c Config) (*DB, error) {
	if isPostgres(c.DatabaseURL) {
		return openPostgres(ctx, c.DatabaseURL, c.MaxConns)
	}
	if c.DatabaseURL != "" {
		return nil, errors.New("database URL must start with postgres://")
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data directory: %w", err)
	}
	return openSQLite(ctx, sqlitePath(c.Dir))
}

func sqlitePath(dir string) string { return filepath.Join(dir, "gatehouse.db") }

// Advance moves the in-process Redis's clock; a real Redis keeps its own.
func (s *Stores) Advance(d time.Duration) { s.Redis.advance(d) }

// Close frees both.
func (s *Stores) Close() error { return errors.Join(s.Redis.Close(), s.DB.Close()) }
