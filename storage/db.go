package storage

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"gatehouse/directory"
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
	pools func() []Pool
}

// conn runs statements, in a transaction or outside one.
type conn interface {
	exec(ctx context.Context, query string, args ...any) (int64, error)
	query(ctx context.Context, query string, args ...any) (rows, error)
	// batch runs statements one after the other, as one transaction, and returns how
	// many rows each changed.
	batch(ctx context.Context, all []statement) ([]int64, error)
	// insert runs an insert of one row for many.
	insert(ctx context.Context, query string, all [][]any) error
}

// statement is one of several that are sent together.
type statement struct {
	query string
	args  []any
}

// tx is a conn whose statements take effect together or not at all.
type tx interface {
	conn
	commit(ctx context.Context) error
	// rollback returns an error when the transaction may have seen what others had
	// not committed, and that was not written either.
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

// transaction is what travels in a context: the engine's transaction, what to do
// once it has been committed, and whether a statement in it has failed.
type transaction struct {
	tx
	after  []func()
	failed bool
}

// errDoomed is the commit of a transaction in which a statement failed.
// PostgreSQL refuses such a commit by itself; SQLite would keep the other half.
var errDoomed = errors.New("transaction holds a failed statement")

func transactionOf(ctx context.Context) *transaction {
	t, _ := ctx.Value(txKey{}).(*transaction)
	return t
}

// rollbackTimeout bounds the rollback of a transaction whose context is already over.
const rollbackTimeout = 2 * time.Second

// InTx runs f in one transaction and commits when it returns nil; an
// outer transaction in ctx is joined, and then the outer one decides.
func (db *DB) InTx(ctx context.Context, f func(ctx context.Context) error) error {
	if transactionOf(ctx) != nil {
		return f(ctx)
	}
	countRoundTrip(ctx)
	begun, err := db.begin(ctx)
	if err != nil {
		return translate(err)
	}
	t := &transaction{tx: begun}
	over := false
	defer func() {
		if !over { // f has panicked
			_ = rollback(ctx, t)
		}
	}()
	err = f(context.WithValue(ctx, txKey{}, t))
	over = true
	if err == nil && t.failed {
		err = errDoomed
	}
	if err != nil {
		return cmp.Or(translate(rollback(ctx, t)), err)
	}
	countRoundTrip(ctx)
	if err := t.commit(ctx); err != nil {
		return translate(err)
	}
	for _, f := range t.after {
		f()
	}
	return nil
}

// rollback ends a transaction whose context may be over: its connection must
// be freed all the same.
func rollback(ctx context.Context, t tx) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	countRoundTrip(ctx)
	return t.rollback(ctx)
}

// AfterCommit runs f when the transaction in ctx has been committed, and at once
// when there is none. It is for what others may only hear of when it is true.
func (db *DB) AfterCommit(ctx context.Context, f func()) {
	if t := transactionOf(ctx); t != nil {
		t.after = append(t.after, f)
		return
	}
	f()
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return translate(db.ping(ctx)) }

// Close frees every connection.
func (db *DB) Close() error { return db.close() }

// on returns what runs the next statement of ctx, or the next few in one go. It
// is asked once for each round trip.
func (db *DB) on(ctx context.Context) conn {
	countRoundTrip(ctx)
	if t := transactionOf(ctx); t != nil {
		return t
	}
	return db.conn
}

// failed translates a driver's error and dooms the transaction it happened in.
func failed(ctx context.Context, err error) error {
	if t := transactionOf(ctx); t != nil && err != nil {
		t.failed = true
	}
	return translate(err)
}

// exec runs a statement and returns how many rows it changed.
func (db *DB) exec(ctx context.Context, query string, args ...any) (int64, error) {
	n, err := db.on(ctx).exec(ctx, query, bind(args)...)
	return n, failed(ctx, err)
}

// together runs statements as one transaction, which PostgreSQL is sent in one
// round trip, and returns how many rows each changed. Nothing is decided between
// them: what a later one depends on must be in its own condition.
func (db *DB) together(ctx context.Context, all ...statement) ([]int64, error) {
	for i := range all {
		all[i].args = bind(all[i].args)
	}
	changed, err := db.on(ctx).batch(ctx, all)
	return changed, failed(ctx, err)
}

// insertAll runs an insert of one row, of nothing but parameters in the order of
// its columns, for many rows. PostgreSQL is sent them all at once.
func (db *DB) insertAll(ctx context.Context, query string, all [][]any) error {
	if len(all) == 0 {
		return nil
	}
	for i := range all {
		all[i] = bind(all[i])
	}
	return failed(ctx, db.on(ctx).insert(ctx, query, all))
}

// row runs a query and scans its only row; no row is directory.ErrNotFound.
func (db *DB) row(ctx context.Context, query string, args []any, dest ...any) error {
	r, err := db.on(ctx).query(ctx, query, bind(args)...)
	if err != nil {
		return failed(ctx, err)
	}
	defer r.Close()
	if !r.Next() {
		if err := r.Err(); err != nil {
			return failed(ctx, err)
		}
		return directory.ErrNotFound
	}
	if err := r.Scan(dest...); err != nil {
		return failed(ctx, err)
	}
	r.Close()
	return failed(ctx, r.Err())
}

// each runs a query and calls scan for every row.
func (db *DB) each(ctx context.Context, query string, args []any, scan func(scan func(dest ...any) error) error) error {
	r, err := db.on(ctx).query(ctx, query, bind(args)...)
	if err != nil {
		return failed(ctx, err)
	}
	defer r.Close()
	for r.Next() {
		if err := scan(r.Scan); err != nil {
			return failed(ctx, err)
		}
	}
	return failed(ctx, r.Err())
}

// reads reports whether a statement only reads, so that SQLite may run it
// beside the writer.
func reads(query string) bool {
	q := strings.TrimLeft(query, " \t\n")
	return len(q) >= 6 && (strings.EqualFold(q[:6], "select"))
}
