// Package storage keeps what the other packages declare they need kept: it
// implements directory.Store, authn.Store, authn.Cache, oauth.Store and
// message.Store on PostgreSQL with Redis, and, with nothing configured, on one
// SQLite file with an in-process Redis.
//
// It is the only package that imports pgx, database/sql, the SQLite driver and
// go-redis. One portable SQL text serves both engines behind [DB]; where one
// query must differ the branch stands beside it. A transaction travels in the
// context and nowhere else. Times are stored as microseconds since 1970 in UTC.
// Redis holds only what may be lost with a sign-in.
//
// It knows no HTTP and no rule of the domain beyond what a single statement or
// script must decide atomically.
package storage
