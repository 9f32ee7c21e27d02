package storage

import (
	"context"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// What the tests of the engines reach into.

func (db *DB) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	return db.exec(ctx, query, args...)
}

func (db *DB) Row(ctx context.Context, query string, args []any, dest ...any) error {
	return db.row(ctx, query, args, dest...)
}

func (db *DB) Rows(ctx context.Context, query string, args []any, scan func(scan func(dest ...any) error) error) error {
	return db.each(ctx, query, args, scan)
}

// Together runs a statement for each of several values, as one batch.
func (db *DB) Together(ctx context.Context, query string, values ...any) error {
	all := make([]statement, len(values))
	for i, value := range values {
		all[i] = statement{query: query, args: []any{value}}
	}
	_, err := db.together(ctx, all...)
	return err
}

// Later queues a statement, which fails with otherwise when it changes no row.
func (db *DB) Later(ctx context.Context, otherwise error, query string, args ...any) error {
	return db.later(ctx, statement{query: query, args: args, otherwise: otherwise})
}

// AfterOthers has SQLite's writer hand what it does after others to f instead.
func (db *DB) AfterOthers(f func(func())) { db.conn.(sqliteConn).writer.afterOthers = f }

func (r *Redis) Client() redis.UniversalClient { return r.client }

func TimeInto(t *time.Time) any  { return timeInto(t) }
func ListInto(l *[]string) any   { return listInto(l) }
func StringInto(s *string) any   { return stringInto(s) }
func Nullable(s string) any      { return nullable(s) }
func RedisError(err error) error { return redisError(err) }

func RedisOptions(url string) (*redis.UniversalOptions, error) { return redisOptions(url) }

// TokenStatements are what is done to opaque tokens, each with two arguments.
func TokenStatements() []string {
	i := slices.IndexFunc(cleanupRules, func(rule cleanupRule) bool { return rule.table == "access_tokens" })
	return []string{tokenByEnd, deleteTokenByEnd, cleanupRules[i].statement}
}

// SQLitePath is where the database of a data directory is.
func SQLitePath(dir string) string { return sqlitePath(dir) }
