package storage

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresTx is a transaction of as few round trips as can be: BEGIN is sent with
// its first statement, and what is queued with the next one or with COMMIT. One
// of which nothing was sent before needs neither word: PostgreSQL makes what
// comes in one go a transaction by itself.
type postgresTx struct {
	c      *pgxpool.Conn
	queued []statement
}

// open reports whether the server has begun the transaction, failed or not.
func (t *postgresTx) open() bool { return t.c.Conn().PgConn().TxStatus() != 'I' }

// before takes what has to be sent before the next statement.
func (t *postgresTx) before() []statement {
	queued := t.queued
	t.queued = nil
	if t.open() {
		return queued
	}
	return append([]statement{{query: "begin"}}, queued...)
}

// queue implements tx.
func (t *postgresTx) queue(_ context.Context, s statement) error {
	t.queued = append(t.queued, s)
	return nil
}

// exec implements conn.
func (t *postgresTx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	changed, err := t.batch(ctx, []statement{{query: query, args: args}})
	if err != nil {
		return 0, err
	}
	return changed[0], nil
}

// batch implements conn.
func (t *postgresTx) batch(ctx context.Context, all []statement) ([]int64, error) {
	before := t.before()
	changed, err := postgresConn{t.c}.batch(ctx, append(before, all...))
	if err != nil {
		return nil, err
	}
	return changed[len(before):], nil
}

// query implements conn.
func (t *postgresTx) query(ctx context.Context, query string, args ...any) (rows, error) {
	before := t.before()
	if len(before) == 0 {
		return postgresConn{t.c}.query(ctx, query, args...)
	}
	b := pipelined(before)
	b.Queue(query, args...)
	results := t.c.SendBatch(ctx, b)
	_, err := changedBy(results, before)
	if err != nil {
		return nil, cmp.Or(err, results.Close())
	}
	r, err := results.Query()
	if err != nil {
		return nil, cmp.Or(err, results.Close())
	}
	return &pipelinedRows{Rows: r, results: results}, nil
}

// ask implements conn.
func (t *postgresTx) ask(ctx context.Context, all []*question) error {
	return askBehind(ctx, t.c, t.before(), all)
}

// insert implements conn. A COPY is not sent with anything else.
func (t *postgresTx) insert(ctx context.Context, query string, all [][]any) error {
	if before := t.before(); len(before) > 0 {
		if _, err := (postgresConn{t.c}).batch(ctx, before); err != nil {
			return err
		}
	}
	return postgresConn{t.c}.insert(ctx, query, all)
}

// commit implements tx.
func (t *postgresTx) commit(ctx context.Context) error {
	defer t.c.Release()
	all := t.queued
	if t.open() {
		all = append(all, statement{query: "commit"})
	}
	if len(all) == 0 {
		return nil
	}
	_, err := postgresConn{t.c}.batch(ctx, all)
	if err != nil && t.open() {
		t.abandon(ctx)
	}
	return err
}

// rollback implements tx. What PostgreSQL says to it is dropped: the change is
// lost already.
func (t *postgresTx) rollback(ctx context.Context) error {
	defer t.c.Release()
	if t.open() {
		t.abandon(ctx)
	}
	return nil
}

// abandon ends what the server has begun, so that the connection serves others;
// the pool closes one on which that fails.
func (t *postgresTx) abandon(ctx context.Context) {
	_, _ = t.c.Exec(ctx, "rollback")
}

// pipelinedRows are those of the last of several statements.
type pipelinedRows struct {
	pgx.Rows
	results pgx.BatchResults
	fault   error
}

// Close implements rows. Only then has the whole answer been read.
func (r *pipelinedRows) Close() {
	r.Rows.Close()
	r.fault = cmp.Or(r.fault, r.results.Close())
}

// Err implements rows.
func (r *pipelinedRows) Err() error { return cmp.Or(r.Rows.Err(), r.fault) }
