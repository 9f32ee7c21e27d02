package errorsx

// WithStack returns err.
func WithStack(err error) error { return err }

// Cause returns the innermost error of a chain of causes.
func Cause(err error) error {
	for {
		c, ok := err.(interface{ Cause() error }) //nolint:errorlint // the chain is walked by hand
		if !ok || c.Cause() == nil {
			return err
		}
		err = c.Cause()
	}
}

// What an error may carry for the answer that is made of it.
type (
	// StatusCodeCarrier has an HTTP status code.
	StatusCodeCarrier interface{ StatusCode() int }
	// StatusCarrier has the text of a status.
	StatusCarrier interface{ Status() string }
	// RequestIDCarrier has the identifier of the request that failed.
	RequestIDCarrier interface{ RequestID() string }
	// ReasonCarrier has a reason for whoever asked.
	ReasonCarrier interface{ Reason() string }
	// DebugCarrier has what only an operator may see.
	DebugCarrier interface{ Debug() string }
	// DetailsCarrier has further values.
	DetailsCarrier interface{ Details() map[string]any }
)
