// Package conformance re-implements modules of the OpenID Foundation's
// conformance plans for providers, as subtests that bear the modules' names and
// drive a running server over HTTP.
//
// It knows the server under test by nothing but the wire: its issuer, clients
// that are registered with it, and a [Person] who can fill in its pages. It
// belongs to the tests of whoever starts the server; cmd/gatehouse runs it on
// every engine and writes docs/conformance.md from the results. To pass these
// modules is not to be certified: only the Foundation's own suite certifies.
package conformance
