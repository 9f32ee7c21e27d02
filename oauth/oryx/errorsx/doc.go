// Package errorsx has the part of github.com/ory/x/errorsx that fosite uses. It
// records no stack traces: an error of the protocol is an answer, not a fault.
package errorsx
