package storage

import (
	"cmp"
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
			c, err := pool.Acquire(ctx)
			if err != nil {
				return nil, err
			}
			return &postgresTx{c: c}, nil
		},
		ping:  pool.Ping,
		close: func() error { pool.Close(); return nil },
		pools: func() []Pool { return []Pool{postgresPool(pool)} },
	}, nil
}

// postgresQuerier is what pgxpool.Pool and pgxpool.Conn share.
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
func (c postgresConn) batch(ctx context.Context, all []statement) ([]int64, error) {
	results := c.q.SendBatch(ctx, pipelined(all))
	changed, err := changedBy(results, all)
	return changed, cmp.Or(err, results.Close())
}

// ask pipelines the questions, see batch.
func (c postgresConn) ask(ctx context.Context, all []*question) error {
	return askBehind(ctx, c.q, nil, all)
}

// askBehind pipelines questions, behind statements that come before them.
func askBehind(ctx context.Context, q postgresQuerier, before []statement, all []*question) error {
	b := pipelined(before)
	for _, question := range all {
		b.Queue(question.query, question.args...)
	}
	results := q.SendBatch(ctx, b)
	_, err := changedBy(results, before)
	for i := 0; err == nil && i < len(all); i++ {
		err = answer(results, all[i])
	}
	return cmp.Or(err, results.Close())
}

func answer(results pgx.BatchResults, q *question) error {
	r, err := results.Query() //nolint:sqlclosecheck // closed by question.read
	if err != nil {
		return err
	}
	return q.read(r)
}

func pipelined(all []statement) *pgx.Batch {
	var b pgx.Batch
	for _, s := range all {
		query := s.query
		if s.otherwise != nil {
			query = whatChanged + query + orElse
		}
		b.Queue(query, s.args...)
	}
	return &b
}

// These make a statement that changes no row fail, see [statement.fault].
const (
	whatChanged = "with changed as ("
	orElse      = " returning 1) select 1 / count(*) from changed"
)

// changedBy reads how many rows each of some pipelined statements changed.
func changedBy(results pgx.BatchResults, all []statement) ([]int64, error) {
	changed := make([]int64, len(all))
	for i, s := range all {
		tag, err := results.Exec()
		if err != nil {
			return nil, s.fault(err)
		}
		changed[i] = tag.RowsAffected()
	}
	return changed, nil
}

// fault reads the error that stands for a statement which changed no row: only
// an error keeps what is sent behind it from taking effect.
func (s statement) fault(err error) error {
	const divisionByZero = "22012"
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == divisionByZero && s.otherwise != nil {
		return s.otherwise
	}
	return err
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
