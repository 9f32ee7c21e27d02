package storage

import (
	"context"
	"errors"
	"fmt"
	"math"
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
