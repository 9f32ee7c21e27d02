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

// prepared keeps the statements of a SQLite pool, or of one connection, compiled:
// compiling one costs about as much as running it. PostgreSQL's driver does the
// same by itself.
type prepared struct {
	db preparer

	mu         sync.RWMutex
	statements map[string]*sql.Stmt
}

// preparer is what a pool and a connection share.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func newPrepared(db preparer) *prepared {
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

// ExecContext is that of database/sql.
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

// QueryContext is that of database/sql.
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
