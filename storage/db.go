package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	// ask asks several questions, as one transaction.
	ask(ctx context.Context, all []*question) error
	// insert runs an insert of one row for many.
	insert(ctx context.Context, query string, all [][]any) error
}

// statement is one of several that are sent together.
type statement struct {
	query string
	args  []any
	// otherwise is what all of them fail with when this one changes no row, so that
	// none takes effect; nil where it may change none. It has no returning clause then.
	otherwise error
}

// question is a query, which may change what it returns.
type question struct {
	query string
	args  []any
	scan  func(scan func(dest ...any) error) error // is called for every row
	dest  []any                                    // or is where the only row goes
	found bool                                     // there was a row
}

// read takes the answer, and frees what holds it.
func (q *question) read(r rows) error {
	defer r.Close()
	for r.Next() {
		q.found = true
		if q.scan == nil {
			if err := r.Scan(q.dest...); err != nil {
				return err
			}
			break
		}
		if err := q.scan(r.Scan); err != nil {
			return err
		}
	}
	r.Close()
	return r.Err()
}

// tx is a conn whose statements take effect together or not at all.
type tx interface {
	conn
	// queue runs a statement with the next one or with the commit, or at once.
	queue(ctx context.Context, s statement) error
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
// once it has been committed, and what the first statement in it that failed
// failed with.
type transaction struct {
	tx
	after []func()
	fault error
	// sent and queued tell whether anything of it was sent, and is waiting.
	sent, queued bool
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
// outer transaction in ctx is joined, and then the outer one decides. PostgreSQL
// hears of its beginning with its first statement. What waits for the commit,
// see [DB.later], may fail only then: InTx returns it.
func (db *DB) InTx(ctx context.Context, f func(ctx context.Context) error) error {
	if transactionOf(ctx) != nil {
		return f(ctx)
	}
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
	if err == nil && t.fault != nil {
		err = fmt.Errorf("%w: %w", errDoomed, t.fault)
	}
	if err != nil {
		return cmp.Or(translate(rollback(ctx, t)), err)
	}
	if t.sent || t.queued {
		countRoundTrip(ctx)
	}
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
func rollback(ctx context.Context, t *transaction) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	if t.sent {
		countRoundTrip(ctx)
	}
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
		t.sent, t.queued = true, false
		return t
	}
	return db.conn
}

// failed translates a driver's error and dooms the transaction it happened in.
func failed(ctx context.Context, err error) error {
	err = translate(err)
	if t := transactionOf(ctx); t != nil && t.fault == nil {
		t.fault = err
	}
	return err
}

// exec runs a statement and returns how many rows it changed.
func (db *DB) exec(ctx context.Context, query string, args ...any) (int64, error) {
	n, err := db.on(ctx).exec(ctx, query, bind(args)...)
	return n, failed(ctx, err)
}

// later runs statements whose results nobody waits for. In a transaction they
// wait for the next statement, or for the commit, and PostgreSQL is sent both in
// one round trip; a fault of theirs ends the transaction then. Outside a
// transaction they are one, at once.
func (db *DB) later(ctx context.Context, all ...statement) error {
	t := transactionOf(ctx)
	if t == nil {
		_, err := db.together(ctx, all...)
		return err
	}
	for _, s := range all {
		s.args, t.queued = bind(s.args), true
		if err := t.queue(ctx, s); err != nil {
			return failed(ctx, err)
		}
	}
	return nil
}

// together runs statements as one transaction, which PostgreSQL is sent in one
// round trip, and returns how many rows each changed; for one that must change
// any that is at least one. Nothing is decided between them: what one depends on
// must be in its own condition.
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
	q := question{dest: dest}
	if err := q.read(r); err != nil {
		return failed(ctx, err)
	}
	if !q.found {
		return directory.ErrNotFound
	}
	return nil
}

// ask asks several questions as one transaction, which PostgreSQL is sent in one
// round trip. Each tells by itself whether there was a row.
func (db *DB) ask(ctx context.Context, all ...*question) error {
	for _, q := range all {
		q.args = bind(q.args)
	}
	return failed(ctx, db.on(ctx).ask(ctx, all))
}

// each runs a query and calls scan for every row.
func (db *DB) each(ctx context.Context, query string, args []any, scan func(scan func(dest ...any) error) error) error {
	r, err := db.on(ctx).query(ctx, query, bind(args)...)
	if err != nil {
		return failed(ctx, err)
	}
	q := question{scan: scan}
	return failed(ctx, q.read(r))
}

// reads reports whether a statement only reads, so that SQLite may run it
// beside the writer.
func reads(query string) bool {
	q := strings.TrimLeft(query, " \t\n")
	return len(q) >= 6 && (strings.EqualFold(q[:6], "select"))
}
