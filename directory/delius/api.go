package delius

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// API answers the routes of the dialect. Callers present the route's [Role].
type API struct {
	Store directory.Store
	Authn Authn
}

// Authn is what the API needs of package authn.
type Authn interface {
	Authenticate(ctx context.Context, a authn.Attempt) (*authn.Outcome, error)
	SetPassword(ctx context.Context, userID uuid.UUID, password string, actor directory.Actor) error
}

// Authenticate answers POST /authenticate: 200 without a body, or the one 401.
func (a *API) Authenticate(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Username *string `json:"username"`
		Password *string `json:"password"`
	}
	if err := read(r, &body); err != nil {
		return err
	}
	var faults fields
	username, password := notBlank("username", body.Username, &faults), notBlank("password", body.Password, &faults)
	if faults != nil {
		return validationFailure(faults)
	}
	_, err := a.Authn.Authenticate(r.Context(), authn.Attempt{
		Front: authn.Legacy, Factor: authn.Password, Identifier: username, Secret: password,
		Network: web.Network(r), Caller: directory.CallerFrom(r.Context()).ClientID,
	})
	if errors.Is(err, authn.ErrRefused) {
		return &web.Error{Status: http.StatusUnauthorized, Message: "Authentication failed for '" + username + "'", Cause: refusal{}}
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// SetPassword answers POST /user/{username}/password. The body is judged before
// the user is looked up.
func (a *API) SetPassword(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Password *string `json:"password"`
	}
	if err := read(r, &body); err != nil {
		return err
	}
	var faults fields
	password := notBlank("password", body.Password, &faults)
	if faults != nil {
		return validationFailure(faults)
	}
	u, err := a.userByUsername(r, r.PathValue("username"))
	if err != nil {
		return err
	}
	err = a.Authn.SetPassword(r.Context(), u.ID, password, directory.CallerFrom(r.Context()).Actor())
	if weak, ok := errors.AsType[*authn.PasswordError](err); ok {
		return validationFailure(fields{invalid("PasswordPolicy", "password", weak.Reason)})
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func read(r *http.Request, body any) error {
	err := web.ReadJSON(r, body, false)
	if errors.Is(err, web.ErrBody) {
		return web.Errorf(http.StatusBadRequest, "The request body is not the JSON document that is read here")
	}
	return err
}

// notBlank returns a field of a body, or adds its fault. No field of a user can
// hold a NUL character, and PostgreSQL takes none.
func notBlank(name string, value *string, faults *fields) string {
	switch {
	case value == nil || strings.TrimSpace(*value) == "":
		*faults = append(*faults, blank(name))
	case strings.ContainsRune(*value, 0):
		*faults = append(*faults, invalid("Pattern", name, "must not hold a NUL character"))
	default:
		return *value
	}
	return ""
}
