package web

import (
	"errors"
	"net/http"
)

// Reason says why a request was refused, in words for whoever runs the service
// and not for the caller. It is put into the chain of an error, such as the
// Cause of an [Error]. It holds nothing of the request itself: no token, code,
// address or number.
type Reason string

// Error implements error.
func (r Reason) Error() string { return string(r) }

// NoteRefusal notes that the request which w answers is refused although its
// status does not say so: an authorization that ends in a redirect, a token
// that is reported as inactive. The reason is the [Reason] in err, or else the
// message of the [Error] in it. The first note of a request counts.
func NoteRefusal(w http.ResponseWriter, code string, err error) {
	ev := eventBehind(w)
	if ev == nil || ev.Code != "" || ev.Reason != "" {
		return
	}
	ev.Code, ev.Reason = code, reasonOf(err)
}

// noteFailure is NoteRefusal for what an endpoint answers with an error. What
// has neither a code nor a reason tells no more than its status does.
func noteFailure(w http.ResponseWriter, e *Error, err error) {
	if _, explained := errors.AsType[Reason](err); explained || e.Code != "" {
		NoteRefusal(w, e.Code, err)
	}
}

func reasonOf(err error) string {
	if reason, ok := errors.AsType[Reason](err); ok {
		return string(reason)
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Message
	}
	return ""
}

// eventBehind finds the event of a response, whatever it is wrapped in.
func eventBehind(w http.ResponseWriter) *Event {
	for {
		if rec, ok := w.(*recorder); ok {
			return &rec.event
		}
		wrapped, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = wrapped.Unwrap()
	}
}
