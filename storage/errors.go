package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"gatehouse/directory"
)

// translate turns a driver's error into the directory's sentinels, keeping the
// cause: no row, a taken unique value, a store that did not answer.
func translate(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows), errors.Is(err, pgx.ErrNoRows):
		return directory.ErrNotFound
	}
	if field, ok := uniqueViolation(err); ok {
		return &directory.ConflictError{Field: field}
	}
	if foreignKeyViolation(err) {
		return fmt.Errorf("what a value refers to: %w: %w", directory.ErrNotFound, err)
	}
	if unavailable(err) {
		return fmt.Errorf("%w: %w", directory.ErrUnavailable, err)
	}
	return err
}

// uniqueViolation returns the field whose unique value is taken. Unique
// constraints and indexes are named table_field_key on both engines, so that
// the name tells the field.
func uniqueViolation(err error) (field string, ok bool) {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" {
		return postgresField(pg.TableName, pg.ConstraintName), true
	}
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return "", false
	}
	switch lite.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return primaryKey, true
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return sqliteField(lite.Error()), true
	default:
		return "", false
	}
}

// primaryKey is the field of every primary key, whatever its columns.
const primaryKey = "id"

// foreignKeyViolation reports whether a value refers to a row that is not there.
func foreignKeyViolation(err error) bool {
	var pg *pgconn.PgError
	var lite *sqlite.Error
	return errors.As(err, &pg) && pg.Code == "23503" ||
		errors.As(err, &lite) && lite.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}

// postgresField reads the field out of an index name such as users_username_normalised_key.
func postgresField(table, constraint string) string {
	field, ok := strings.CutSuffix(strings.TrimPrefix(constraint, table+"_"), "_key")
	if !ok {
		return primaryKey
	}
	return strings.TrimSuffix(field, "_normalised")
}

// sqliteField reads the column out of "UNIQUE constraint failed: users.username_normalised (2067)",
// SQLite's only account of which constraint failed.
func sqliteField(message string) string {
	_, columns, ok := strings.Cut(message, "UNIQUE constraint failed: ")
	if !ok {
		return primaryKey
	}
	column, _, _ := strings.Cut(columns, ",")
	column, _, _ = strings.Cut(column, " ")
	if _, after, ok := strings.Cut(column, "."); ok {
		column = after
	}
	return strings.TrimSuffix(column, "_normalised")
}

// unavailable reports whether the store, not the statement, is at fault.
func unavailable(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return true
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		// 08 connection, 53 resources, 57P administrator's shutdown, 40001 and 40P01 a lost race that may be tried again.
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "53") || strings.HasPrefix(pg.Code, "57P") ||
			pg.Code == "25006" || pg.Code == "40001" || pg.Code == "40P01"
	}
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) {
		return true
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
			return true
		}
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}
