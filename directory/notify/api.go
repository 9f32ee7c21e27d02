package notify

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// API answers the routes of the dialect. Callers have passed a [Gate].
type API struct {
	Registry  *directory.Registry
	Passwords Passwords
	Proofs    Proofs
	Messages  Messages
	Links     *Links
}

// Messages queues what is sent to people; it joins the transaction in ctx.
type Messages interface {
	Send(ctx context.Context, m authn.Message) error
}

// Passwords is what the API needs of [authn.Service].
type Passwords interface {
	CheckNewPassword(password string) error
	PreparePassword(ctx context.Context, password string) (authn.PreparedPassword, error)
	// StorePassword joins the transaction in ctx.
	StorePassword(ctx context.Context, userID uuid.UUID, p authn.PreparedPassword, actor directory.Actor) error
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
