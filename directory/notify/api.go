package notify

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// API answers the routes of the dialect. Callers have passed a [Gate].
type API struct {
	Registry  *directory.Registry
	Passwords Passwords
}

// Passwords is what the API needs of package authn.
type Passwords interface {
	// CheckNewPassword returns authn.ErrWeakPassword, whose text is for the
	// password's owner, or nil.
	CheckNewPassword(password string) error
	// SetPassword joins the transaction in ctx.
	SetPassword(ctx context.Context, userID uuid.UUID, password string, actor directory.Actor) error
}

// WithID lets a request through to next when the path's segment is a UUID; any
// other is a path that does not exist, before anybody asks who is calling.
func WithID(segment string, next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !validID(r.PathValue(segment)) {
			return errNoRoute
		}
		return next(w, r)
	}
}

// pathID returns the UUID that [WithID] has seen.
func pathID(r *http.Request, segment string) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue(segment))
	if err != nil {
		return uuid.Nil, errNoRoute
	}
	return id, nil
}

// data wraps what most user routes answer.
type data struct {
	Data any `json:"data"`
}
