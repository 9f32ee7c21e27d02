package oauth

import (
	"errors"
	"net/http"

	"github.com/ory/fosite"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// protocolError turns an error of fosite into ours. What fosite keeps for
// debugging stays in the log.
func protocolError(err error) error {
	if errors.Is(err, directory.ErrUnavailable) {
		return web.Unavailable(err, storeRetry)
	}
	if ours, ok := errors.AsType[*web.Error](err); ok {
		return ours
	}
	theirs, ok := errors.AsType[*fosite.RFC6749Error](err)
	if !ok || theirs.CodeField >= http.StatusInternalServerError {
		return err
	}
	return &web.Error{Status: theirs.CodeField, Code: theirs.ErrorField, Message: explanation(theirs), Cause: err}
}

// explanation is the part of an error that is about this request.
func explanation(e *fosite.RFC6749Error) string {
	if e.HintField != "" {
		return e.HintField
	}
	return e.DescriptionField
}

// isRefusal reports whether an error of fosite is an answer, not a failure.
func isRefusal(err error) bool {
	e, ok := errors.AsType[*web.Error](protocolError(err))
	return ok && e.Status < http.StatusInternalServerError
}
