// Package marketplace speaks the users API of a marketplace (seed 003) over
// directory.Marketplace: partner companies bring users in, provider companies
// see those who consented, under a pseudonym of their own.
//
// It owns what is on the wire, which fields can be written, and the problem
// documents (RFC 9457). It knows no SQL and no OAuth: who calls is the Caller
// that the protection in front of it put into the context.
package marketplace
