package directory

import "errors"

// Sentinels shared by everything that keeps or looks things up. The edge of
// each dialect decides which status and body they become.
var (
	// ErrNotFound says that no row matches.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that a unique value is taken; see [ConflictError] for which.
	ErrConflict = errors.New("already exists")
	// ErrUnavailable says that a store could not be reached or did not answer
	// in time. Nothing was decided: the caller may try again.
	ErrUnavailable = errors.New("store unavailable")
	// ErrInvalid says that a value breaks a rule; see [FieldError] for which.
	ErrInvalid = errors.New("invalid")
)

// ConflictError names the field whose value is taken.
type ConflictError struct {
	Field string // for example "email_address", "username", "name"
}

func (e *ConflictError) Error() string { return e.Field + " already exists" }

// Is makes errors.Is(err, ErrConflict) true.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// FieldError is one value that breaks a rule.
type FieldError struct {
	Field  string // the field's name on the wire, for example "email_address"
	Reason string // a sentence for the caller, without the value
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// Is makes errors.Is(err, ErrInvalid) true.
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }
