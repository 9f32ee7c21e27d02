package storage

import (
	"database/sql"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Pool says how busy the connections of a database are.
type Pool struct {
	Name             string // "postgres", or SQLite's "reader" and "writer"
	Max, InUse, Idle int64
	Waits            int64 // how often a connection had to be waited for, since the start
}

// Pools returns the database's pools; it asks nobody.
func (db *DB) Pools() []Pool { return db.pools() }

func postgresPool(p *pgxpool.Pool) Pool {
	s := p.Stat()
	return Pool{
		Name: string(PostgreSQL), Max: int64(s.MaxConns()), InUse: int64(s.AcquiredConns()), Idle: int64(s.IdleConns()),
		Waits: s.EmptyAcquireCount(),
	}
}

func sqlitePool(name string, db *sql.DB) Pool {
	s := db.Stats()
	return Pool{Name: name, Max: int64(s.MaxOpenConnections), InUse: int64(s.InUse), Idle: int64(s.Idle), Waits: s.WaitCount}
}
