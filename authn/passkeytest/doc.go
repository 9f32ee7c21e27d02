// Package passkeytest is an authenticator in software, for the tests of every
// package that takes keys: unlike the one of a real browser it also answers what
// no browser would.
package passkeytest
