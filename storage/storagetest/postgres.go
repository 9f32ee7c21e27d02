package storagetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"gatehouse/storage"
)

// Keys of the advisory locks, in the database that the environment names.
const (
	templateLock = 4711
	databaseLock = 4712 // with the number of a database
)

var (
	//go:embed remember.sql
	remember string
	//go:embed reset.sql
	reset string
)

// Postgres returns the configuration of a fresh, migrated PostgreSQL database
// and a Redis prefix of its own. Without a server at hand it skips, or fails in CI.
//
// Databases are used again, by other tests and other processes: making and
// dropping one takes a second where two cores are busy, emptying one some
// milliseconds. A lock that its holder's connection keeps says whose one is.
func Postgres(t testing.TB) storage.Config {
	t.Helper()
	base, redisURL := os.Getenv("GATEHOUSE_TEST_DATABASE_URL"), os.Getenv("GATEHOUSE_TEST_REDIS_URL")
	if base == "" || redisURL == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("GATEHOUSE_TEST_DATABASE_URL and GATEHOUSE_TEST_REDIS_URL are not set; in CI nothing is skipped")
		}
		t.Skip("no PostgreSQL and Redis at hand: run make test")
	}
	admin, err := pgx.Connect(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.WithoutCancel(t.Context())) })
	c := cluster{t, admin, base}
	template := c.template()
	return storage.Config{DatabaseURL: c.url(c.database(template)), RedisURL: redisURL, RedisPrefix: "t_" + strings.ToLower(rand.Text()) + ":", MaxConns: 8}
}

// cluster is the server that tests have their databases on.
type cluster struct {
	t     testing.TB
	admin *pgx.Conn
	base  string
}

// template returns the name of a migrated database to copy, made by whichever
// test process comes first.
func (c cluster) template() string {
	c.t.Helper()
	h := sha256.New()
	for _, m := range append(storage.MigrationTexts(), remember) {
		h.Write([]byte(m))
	}
	name := "gatehouse_" + hex.EncodeToString(h.Sum(nil))[:16]
	c.must("select pg_advisory_lock($1)", templateLock)
	defer c.must("select pg_advisory_unlock($1)", templateLock)
	if c.is("select exists (select 1 from pg_database where datname = $1)", name) {
		return name
	}
	begun := name + "_begun"
	c.must("drop database if exists " + begun)
	c.must("create database " + begun)
	if _, err := storage.Migrate(c.t.Context(), storage.Config{DatabaseURL: c.url(begun)}); err != nil {
		c.t.Fatal(err)
	}
	if err := c.in(begun, remember); err != nil {
		c.t.Fatal(err)
	}
	c.must("alter database " + begun + " rename to " + name)
	return name
}

// database returns the name of a copy of the template that no other test uses,
// as good as new.
func (c cluster) database(template string) string {
	c.t.Helper()
	number := 0
	for !c.is("select pg_try_advisory_lock($1, $2)", databaseLock, number) {
		number++
	}
	name := fmt.Sprintf("%s_%d", template, number)
	if c.is("select exists (select 1 from pg_database where datname = $1)", name) {
		c.must("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
		if c.in(name, reset) == nil {
			return name
		}
		c.must("drop database " + name + " with (force)") // a test has changed its schema
	}
	c.must("create database " + name + " template " + template)
	return name
}

// in runs statements in a database of the cluster.
func (c cluster) in(database, statements string) error {
	conn, err := pgx.Connect(c.t.Context(), c.url(database))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(c.t.Context()) }()
	_, err = conn.Exec(c.t.Context(), statements)
	return err
}

func (c cluster) must(statement string, args ...any) {
	c.t.Helper()
	if _, err := c.admin.Exec(c.t.Context(), statement, args...); err != nil {
		c.t.Fatal(err)
	}
}

// is returns what a query for one boolean says.
func (c cluster) is(query string, args ...any) (yes bool) {
	c.t.Helper()
	if err := c.admin.QueryRow(c.t.Context(), query, args...).Scan(&yes); err != nil {
		c.t.Fatal(err)
	}
	return yes
}

// url is the base with another database.
func (c cluster) url(database string) string {
	c.t.Helper()
	u, err := url.Parse(c.base)
	if err != nil {
		c.t.Fatal(err)
	}
	u.Path = "/" + database
	return u.String()
}
