package storage

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresConnectTimeout leaves room for an answer within three seconds when
// the server cannot be reached.
const postgresConnectTimeout = 2 * time.Second

// openPostgres connects a pool; maxConns 0 keeps the driver's default.
func openPostgres(ctx context.Context, url string, maxConns int) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse database URL: %w", err)
	}
	if maxConns > 0 && maxConns <= math.MaxInt32 {
		config.MaxConns = int32(maxConns)
	}
	config.ConnConfig.ConnectTimeout = postgresConnectTimeout
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &DB{
		Engine: PostgreSQL,
		conn:   postgresConn{pool},
		begin: func(ctx context.Context) (tx, error) {
			t, err := pool.Begin(ctx)
			if err != nil {
				return nil, err
			}
			return postgresTx{postgresConn{t}, t}, nil
		},
		ping:  pool.Ping,
		close: func() error { pool.Close(); return nil },
		pools: func() []Pool { return []Pool{postgresPool(pool)} },
	}, nil
}

// postgresQuerier is what pgxpool.Pool and pgx.Tx share.
type postgresQuerier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

type postgresConn struct{ q postgresQuerier }

func (c postgresConn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := c.q.Exec(ctx, query, args...)
	return tag.RowsAffected(), err
}

func (c postgresConn) query(ctx context.Context, query string, args ...any) (rows, error) {
	return c.q.Query(ctx, query, args...) //nolint:sqlclosecheck // closed by DB.row and DB.each
}

// batch pipelines the statements. Outside a transaction the server makes them
// one by itself, because only one Sync follows them all.
func (c postgresConn) batch(ctx context.Context, all []statement) (changed []int64, err error) {
	var b pgx.Batch
	for _, s := range all {
		b.Queue(s.query, s.args...)
	}
	results := c.q.SendBatch(ctx, &b)
	defer func() { err = errors.Join(err, results.Close()) }()
	for range all {
		tag, err := results.Exec()
		if err != nil {
			return nil, err
		}
		changed = append(changed, tag.RowsAffected())
	}
	return changed, nil
}

// insert copies the rows into the table that the statement names: its text says
// the same as a COPY does.
func (c postgresConn) insert(ctx context.Context, query string, all [][]any) error {
	table, columns, err := insertTarget(query)
	if err != nil {
		return err
	}
	_, err = c.q.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(all))
	return err
}

// insertTarget reads the table and the columns of "insert into table (a, b) values ($1, $2)".
func insertTarget(query string) (table string, columns []string, err error) {
	head, rest, opened := strings.Cut(query, "(")
	list, _, closed := strings.Cut(rest, ")")
	words := strings.Fields(head)
	if !opened || !closed || len(words) != 3 {
		return "", nil, errors.New("not an insert of one row")
	}
	for column := range strings.SplitSeq(list, ",") {
		columns = append(columns, strings.TrimSpace(column))
	}
	return words[2], columns, nil
}

type postgresTx struct {
	postgresConn
	t pgx.Tx
}

func (t postgresTx) commit(ctx context.Context) error { return t.t.Commit(ctx) }

// rollback drops what PostgreSQL says to it: the change is lost already.
func (t postgresTx) rollback(ctx context.Context) error {
	_ = t.t.Rollback(ctx)
	return nil
}
