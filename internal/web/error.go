package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Error is an error with the HTTP status it deserves. Message may be shown to
// the caller; Cause is for the log alone, except that a surface may look in it
// for the details its dialect shows.
type Error struct {
	Status  int
	Code    string // a machine-readable word where the dialect has one
	Message string
	Header  http.Header // further response headers, such as WWW-Authenticate
	Cause   error
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%d %s", e.Status, e.Message)
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf returns an Error whose message is for the caller.
func Errorf(status int, format string, args ...any) *Error {
	return &Error{Status: status, Message: fmt.Sprintf(format, args...)}
}

// Unavailable is 503 with the time to wait before another try.
func Unavailable(cause error, retry time.Duration) *Error {
	seconds := max(1, int(retry.Seconds()))
	return &Error{
		Status: http.StatusServiceUnavailable, Message: "The service is temporarily unavailable",
		Header: http.Header{"Retry-After": {strconv.Itoa(seconds)}}, Cause: cause,
	}
}

// TooManyRequests is 429 with the time to wait.
func TooManyRequests(retry time.Duration) *Error {
	return &Error{
		Status: http.StatusTooManyRequests, Message: "Too many requests",
		Header: http.Header{"Retry-After": {strconv.Itoa(max(1, int(retry.Round(time.Second).Seconds())))}},
	}
}

// classify finds the Error in err, or makes a 500 that hides it.
func classify(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return &Error{Status: http.StatusRequestEntityTooLarge, Message: "The request body is too large", Cause: err}
	}
	return &Error{Status: http.StatusInternalServerError, Message: "Internal server error", Cause: err}
}
