package storage

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// maxPrepared bounds how many statements a pool keeps. The statements of this
// package are far fewer; one whose text varies must not fill the memory.
const maxPrepared = 512

// prepared keeps the statements of one SQLite pool compiled: compiling one costs
// about as much as running it. PostgreSQL's driver does the same by itself.
type prepared struct {
	db *sql.DB

	mu         sync.RWMutex
	statements map[string]*sql.Stmt
}

func newPrepared(db *sql.DB) *prepared {
	return &prepared{db: db, statements: map[string]*sql.Stmt{}}
}

// find returns the statement of a query if it is compiled already.
func (p *prepared) find(query string) *sql.Stmt {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.statements[query]
}

// get returns the statement of a query, compiling it at its first use; nil when
// there is no room for one more.
func (p *prepared) get(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := p.find(query); s != nil {
		return s, nil
	}
	s, err := p.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if first := p.statements[query]; first != nil {
		return first, s.Close()
	}
	if len(p.statements) >= maxPrepared {
		return nil, s.Close()
	}
	p.statements[query] = s
	return s, nil
}

// ExecContext implements sqliteQuerier.
func (p *prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := p.get(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return p.db.ExecContext(ctx, query, args...)
	}
	return s.ExecContext(ctx, args...)
}

// QueryContext implements sqliteQuerier.
func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.get(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return p.db.QueryContext(ctx, query, args...)
	}
	return s.QueryContext(ctx, args...)
}

func (p *prepared) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var faults []error
	for _, s := range p.statements {
		faults = append(faults, s.Close())
	}
	p.statements = nil
	return errors.Join(faults...)
}

// preparedTx runs a transaction's statements compiled where they are. One that
// is not cannot be compiled for the pool meanwhile, whose only connection the
// transaction holds: it is, once the transaction has ended.
type preparedTx struct {
	t    *sql.Tx
	pool *prepared
	seen []string // statements to compile
}

// ExecContext implements sqliteQuerier.
func (p *preparedTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if s := p.find(query); s != nil {
		return p.t.StmtContext(ctx, s).ExecContext(ctx, args...)
	}
	return p.t.ExecContext(ctx, query, args...)
}

// QueryContext implements sqliteQuerier.
func (p *preparedTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := p.find(query); s != nil {
		return p.t.StmtContext(ctx, s).QueryContext(ctx, args...)
	}
	return p.t.QueryContext(ctx, query, args...)
}

func (p *preparedTx) find(query string) *sql.Stmt {
	s := p.pool.find(query)
	if s == nil {
		p.seen = append(p.seen, query)
	}
	return s
}

// compile prepares what the transaction has run and the next one will run again.
func (p *preparedTx) compile(ctx context.Context) {
	for _, query := range p.seen {
		if _, err := p.pool.get(ctx, query); err != nil {
			return // it is tried again at its next use
		}
	}
}
