package storage

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"slices"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// openSQLite opens or creates the file at path.
//
// There is one writing connection, so writers queue in a [groupWriter] instead of
// polling the file's lock, and a pool of reading ones beside it. Pragmas are in
// the DSN because each connection needs them; transactions begin immediate, since
// one that reads first and writes later fails at once when another has written.
func openSQLite(ctx context.Context, path string) (*DB, error) {
	writer, err := sql.Open("sqlite", sqliteDSN(path))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	writer.SetMaxOpenConns(1)
	if err := writer.PingContext(ctx); err != nil {
		return nil, fmt.Errorf("open database: %w", errors.Join(err, writer.Close()))
	}
	reader, err := sql.Open("sqlite", sqliteDSN(path))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", errors.Join(err, writer.Close()))
	}
	reader.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)))
	reader.SetMaxIdleConns(max(4, runtime.GOMAXPROCS(0)))
	reading := newPrepared(reader)
	writing, err := newGroupWriter(ctx, writer)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", errors.Join(err, reader.Close(), writer.Close()))
	}
	return &DB{
		Engine: SQLite,
		conn:   sqliteConn{reader: reading, writer: writing},
		begin:  writing.begin,
		ping:   reader.PingContext,
		pools:  func() []Pool { return []Pool{sqlitePool("reader", reader), writing.pool()} },
		close: func() error {
			return errors.Join(reading.close(), writing.close(), reader.Close(), writer.Close())
		},
	}, nil
}

func sqliteDSN(path string) string {
	v := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(5000)", "journal_mode(wal)", "synchronous(normal)", "foreign_keys(1)",
	}}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + v.Encode()
}

// sqliteConn runs what only reads beside the writer, and everything else in turn.
type sqliteConn struct {
	reader *prepared
	writer *groupWriter
}

func (c sqliteConn) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	m, err := c.writer.join(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = cmp.Or(m.leave(), err) }()
	return m.exec(ctx, query, args...)
}

func (c sqliteConn) query(ctx context.Context, query string, args ...any) (rows, error) {
	if reads(query) {
		r, err := c.reader.QueryContext(ctx, query, args...) //nolint:rowserrcheck // checked by DB.row and DB.each
		if err != nil {
			return nil, err
		}
		return sqliteRows{r}, nil
	}
	m, err := c.writer.join(ctx)
	if err != nil {
		return nil, err
	}
	r, err := m.query(ctx, query, args...)
	if err != nil {
		return nil, cmp.Or(m.leave(), err)
	}
	return &loneRows{memberRows: r.(memberRows)}, nil
}

// batch makes the statements one transaction, as PostgreSQL does by itself.
func (c sqliteConn) batch(ctx context.Context, all []statement) ([]int64, error) {
	t, err := c.writer.begin(ctx)
	if err != nil {
		return nil, err
	}
	changed, err := t.batch(ctx, all)
	if err != nil {
		return nil, cmp.Or(t.rollback(ctx), err)
	}
	return changed, t.commit(ctx)
}

// ask makes the questions one transaction, as PostgreSQL does by itself. Those that
// only read need none: there, too, each sees what is committed by then.
func (c sqliteConn) ask(ctx context.Context, all []*question) error {
	if !slices.ContainsFunc(all, func(q *question) bool { return !reads(q.query) }) {
		return askEach(ctx, c, all)
	}
	t, err := c.writer.begin(ctx)
	if err != nil {
		return err
	}
	if err := t.ask(ctx, all); err != nil {
		return cmp.Or(t.rollback(ctx), err)
	}
	return t.commit(ctx)
}

// insert makes the rows one transaction, as one COPY is.
func (c sqliteConn) insert(ctx context.Context, query string, all [][]any) error {
	t, err := c.writer.begin(ctx)
	if err != nil {
		return err
	}
	if err := t.insert(ctx, query, all); err != nil {
		return cmp.Or(t.rollback(ctx), err)
	}
	return t.commit(ctx)
}

type sqliteRows struct{ *sql.Rows }

// Close drops the error: what went wrong is in Err, as with pgx.
func (r sqliteRows) Close() { _ = r.Rows.Close() }
