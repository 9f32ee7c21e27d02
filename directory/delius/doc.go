// Package delius speaks the dialect of the probation service's user API over
// the directory and package authn (seed 004): user details, the password, and
// the door at which another system asks whether a password is right.
//
// It owns what that dialect looks like on the wire and the roles it asks for. It
// knows no SQL, and checks no password itself.
package delius
