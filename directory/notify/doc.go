// Package notify speaks the dialect of the GOV.UK Notify API over the directory:
// users and organisations for the machines of an admin application.
//
// It owns what that dialect looks like on the wire: its objects, its five shapes
// of errors with their exact texts, its two styles of validation, and the internal
// JWT with which its own application calls. It knows no SQL, and no rule that the
// directory itself does not have.
package notify
