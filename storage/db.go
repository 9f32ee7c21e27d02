package storage

import (
	"context"
	"strings"
	"time"
)

// Engine names the database behind a [DB].
type Engine string

// The two engines.
const (
	PostgreSQL Engine = "postgres"
	SQLite     Engine = "sqlite"
)

// DB is one database, whichever its engine. Its methods take portable SQL with
// $1 placeholders; a transaction in the context is used when there is one.
// Arguments of type time.Time are bound as microseconds (the zero time as
// NULL), []string as a JSON array.
type DB struct {
	Engine Engine

	conn  conn
	begin func(ctx context.Context) (tx, error)
	ping  func(ctx context.Context) error
	close func() error
}

// conn runs statements, in a transaction or outside one.
type conn interface {
	exec(ctx context.Context, query string, args ...any) (int64, error)
	query(ctx context.Context, query string, args ...any) (rows, error)
}

// tx is a conn whose statements take effect together or not at all.
type tx interface {
	conn
	commit(ctx context.Context) error
	rollback(ctx context.Context) error
}

// rows is what both drivers' results have in common.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

type txKey struct{}

// rollbackTimeout bounds the rollback of a transaction whose context is already over.
const rollbackTimeout = 2 * time.Second

// InTx runs f in one transaction and commits when it returns nil; an
// outer transaction in ctx is joined, and then the outer one decides.
func (db *DB) InTx(ctx context.Context, f func(ctx context.Context) error) error {
	if _, joined := ctx.Value(txKey{}).(tx); joined {
		return f(ctx)
	}
	t, err := db.begin(ctx)
	if err != nil {
		return translate(err)
	}
	done := false
	defer func() {
		if done {
			return
		}
		// The caller's context may be over, but its connection must still be freed.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_ = t.rollback(ctx)
	}()
	if err := f(context.WithValue(ctx, txKey{}, t)); err != nil {
		return err
	}
	// A failed commit has already ended the transaction.
	done = true
	return translate(t.commit(ctx))
}

// Begin starts a transaction that travels in the returned context until
// [DB.Commit] or [DB.Rollback]. It exists for fosite, which leaves no room for a
// closure; everything else uses [DB.InTx].
func (db *DB) Begin(ctx context.Context) (context.Context, error) {
	t, err := db.begin(ctx)
	if err != nil {
		return ctx, translate(err)
	}
	return context.WithValue(ctx, txKey{}, t), nil
}

// Commit ends the transaction of [DB.Begin].
func (db *DB) Commit(ctx context.Context) error {
	if t, ok := ctx.Value(txKey{}).(tx); ok {
		return translate(t.commit(ctx))
	}
	return nil
}

// Rollback undoes the transaction of [DB.Begin].
func (db *DB) Rollback(ctx context.Context) error {
	t, ok := ctx.Value(txKey{}).(tx)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	return translate(t.rollback(ctx))
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return translate(db.ping(ctx)) }

// Close frees every connection.
func (db *DB) Close() error { return db.close() }

func (db *DB) on(ctx context.Context) conn {
	if t, ok := ctx.Value(txKey{}).(tx); ok {
		return t
	}
	return db.conn
}

// exec runs a statement and returns how many rows it changed.
func (db *DB) exec(ctx context.Context, query string, args ...any) (int64, error) {
	n, err := db.on(ctx).exec(ctx, query, bind(args)...)
	return n, translate(err)
}

// row runs a query and scans its only row; no row is directory.ErrNotFound.
func (db *DB) row(ctx context.Context, query string, args []any, dest ...any) error {
	r, err := db.on(ctx).query(ctx, query, bind(args)...)
	if err != nil {
		return translate(err)
	}
	defer r.Close()
	if !r.Next() {
		if err := r.Err(); err != nil {
			return translate(err)
		}
		return translate(errNoRows)
	}
	if err := r.Scan(dest...); err != nil {
		return translate(err)
	}
	r.Close()
	return translate(r.Err())
}

// each runs a query and calls scan for every row.
func (db *DB) each(ctx context.Context, query string, args []any, scan func(scan func(dest ...any) error) error) error {
	r, err := db.on(ctx).query(ctx, query, bind(args)...)
	if err != nil {
		return translate(err)
	}
	defer r.Close()
	for r.Next() {
		if err := scan(r.Scan); err != nil {
			return translate(err)
		}
	}
	return translate(r.Err())
}

// reads reports whether a statement only reads, so that SQLite may run it
// beside the writer.
func reads(query string) bool {
	q := strings.TrimLeft(query, " \t\n")
	return len(q) >= 6 && (strings.EqualFold(q[:6], "select"))
}
