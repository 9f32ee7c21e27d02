package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// Surface writes errors as RFC 6749 section 5.2 wants them.
type Surface struct{}

type errorBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// WriteError implements [web.Surface].
func (Surface) WriteError(w http.ResponseWriter, _ *http.Request, e *web.Error) {
	body, _ := json.Marshal(errorBody{Error: errorCode(e), Description: describable(e.Message)})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	_, _ = w.Write(append(body, '\n'))
}

func errorCode(e *web.Error) string {
	switch {
	case e.Code != "":
		return e.Code
	case e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests:
		return "temporarily_unavailable"
	case e.Status >= http.StatusInternalServerError:
		return "server_error"
	default:
		return "invalid_request"
	}
}

// refuse is an OAuth error with status 400.
func refuse(code, description string) *web.Error {
	return &web.Error{Status: http.StatusBadRequest, Code: code, Message: description}
}

// storeRetry is the time after which a client may ask again when a store is down.
const storeRetry = 5 * time.Second

// unavailable turns a store's failure into 503: an answer such as invalid_grant
// would make a client throw away what is still good.
func unavailable(err error) error {
	if errors.Is(err, directory.ErrUnavailable) {
		return web.Unavailable(err, storeRetry)
	}
	return err
}

// describable keeps the characters that RFC 6749 section 5.2 allows in a description.
func describable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '\\':
			return '\''
		case r < ' ' || r > '~':
			return '?'
		}
		return r
	}, text)
}
