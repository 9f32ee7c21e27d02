// Package directory answers who exists: users, organisations, services, the
// memberships between them, and the audit trail of every change.
//
// It owns the types, the constructors that normalise and validate what comes
// from outside, and the rules that need more than one row. It knows no HTTP, no
// SQL and no cryptography: [Store] says what it needs kept, the packages below
// it (notify, delius, marketplace) speak the dialects of existing clients over
// this model, and package authn proves that somebody is one of its users.
package directory
