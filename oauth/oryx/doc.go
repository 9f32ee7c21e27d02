// Package oryx stands in for github.com/ory/x, of which fosite uses a handful of
// functions: the original brings exporters, a gRPC stack and a database toolkit
// into the binary for them. The go.mod beside this file and a replace line in the
// program's own put it in place; see docs/adr/0005.
package oryx
