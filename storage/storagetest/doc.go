// Package storagetest opens fresh stores for any test and holds the conformance
// suite that every engine passes.
//
// [Each] runs a test on SQLite with the in-process Redis, and on PostgreSQL with
// Redis when GATEHOUSE_TEST_DATABASE_URL and GATEHOUSE_TEST_REDIS_URL say where
// they are, as `make test` does. In CI their absence is a failure.
package storagetest
