// Command bench measures Gatehouse against a bare net/http handler that answers
// a small JSON document, and against npm's oidc-provider, in one run on one
// machine, and writes the result to docs/performance.md:
//
//	make bench
//	make bench-scale
//	make bench-import
//
// It builds the program, starts it on the embedded engines and, when
// GATEHOUSE_TEST_DATABASE_URL and GATEHOUSE_TEST_REDIS_URL say where they are, on
// PostgreSQL with Redis, and loads one endpoint after the other with wrk. At scale
// it fills PostgreSQL with a large directory instead, and asks that, and for
// imports it has files brought in. It
// uses the commands and the HTTP interface that everybody has, and nothing else
// of the program.
package main
