package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// openSQLite opens or creates the file at path.
//
// There is one writing connection, so writers queue here instead of polling the
// file's lock, and a pool of reading ones beside it. Pragmas are in the DSN
// because each connection needs them; transactions begin immediate, since one
// that reads first and writes later fails at once when another has written.
func openSQLite(ctx context.Context, path string) (*DB, error) {
	writer, err := sql.Open("sqlite", sqliteDSN(path, "immediate"))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	writer.SetMaxOpenConns(1)
	if err := writer.PingContext(ctx); err != nil {
		return nil, fmt.Errorf("open database: %w", errors.Join(err, writer.Close()))
	}
	reader, err := sql.Open("sqlite", sqliteDSN(path, "deferred"))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", errors.Join(err, writer.Close()))
	}
	reader.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)))
	reader.SetMaxIdleConns(max(4, runtime.GOMAXPROCS(0)))
	reading, writing := newPrepared(reader), newPrepared(writer)
	return &DB{
		Engine: SQLite,
		conn:   sqliteConn{reader: reading, writer: writing},
		begin: func(ctx context.Context) (tx, error) {
			t, err := writer.BeginTx(ctx, nil)
			if err != nil {
				return nil, err
			}
			q := &preparedTx{t: t, pool: writing}
			return sqliteTx{sqliteConn{reader: q, writer: q}, q}, nil
		},
		ping:  reader.PingContext,
		pools: func() []Pool { return []Pool{sqlitePool("reader", reader), sqlitePool("writer", writer)} },
		close: func() error {
			return errors.Join(reading.close(), writing.close(), reader.Close(), writer.Close())
		},
	}, nil
}

func sqliteDSN(path, txlock string) string {
	v := url.Values{"_txlock": {txlock}, "_pragma": {
		"busy_timeout(5000)", "journal_mode(wal)", "synchronous(normal)", "foreign_keys(1)",
	}}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + v.Encode()
}

// sqliteQuerier is what a pool and a transaction share.
type sqliteQuerier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

type sqliteConn struct{ reader, writer sqliteQuerier }

func (c sqliteConn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := c.writer.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c sqliteConn) query(ctx context.Context, query string, args ...any) (rows, error) {
	q := c.writer
	if reads(query) {
		q = c.reader
	}
	r, err := q.QueryContext(ctx, query, args...) //nolint:rowserrcheck // checked by DB.row and DB.each
	if err != nil {
		return nil, err
	}
	return sqliteRows{r}, nil
}

func (c sqliteConn) batch(ctx context.Context, all []statement) ([]int64, error) {
	changed := make([]int64, len(all))
	for i, s := range all {
		var err error
		if changed[i], err = c.exec(ctx, s.query, s.args...); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

type sqliteRows struct{ *sql.Rows }

// Close drops the error: what went wrong is in Err, as with pgx.
func (r sqliteRows) Close() { _ = r.Rows.Close() }

type sqliteTx struct {
	sqliteConn
	q *preparedTx
}

func (t sqliteTx) commit(ctx context.Context) error {
	if err := t.q.t.Commit(); err != nil {
		return err
	}
	t.q.compile(ctx)
	return nil
}

func (t sqliteTx) rollback(context.Context) error { return t.q.t.Rollback() }
