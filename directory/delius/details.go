package delius

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// UserByUsername answers GET /user/{username}.
func (a *API) UserByUsername(w http.ResponseWriter, r *http.Request) error {
	u, err := a.userByUsername(r, r.PathValue("username"))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, detailsOf(u))
}

func (a *API) userByUsername(r *http.Request, username string) (*directory.User, error) {
	u, err := a.Store.UserByUsername(r.Context(), username)
	return u, notFound(err, "username", username)
}

// UserByNumber answers GET /user/details/{userId}.
func (a *API) UserByNumber(w http.ResponseWriter, r *http.Request) error {
	given := r.PathValue("userId")
	n, err := strconv.ParseInt(given, 10, 64)
	if err != nil {
		return validationFailure(fields{invalid("typeMismatch", "userId", "must be an integer")})
	}
	u, err := a.Store.UserByNumber(r.Context(), n)
	if err != nil {
		return notFound(err, "userId", given)
	}
	return web.WriteJSON(w, http.StatusOK, detailsOf(u))
}

func notFound(err error, field, value string) error {
	if errors.Is(err, directory.ErrNotFound) {
		return web.Errorf(http.StatusNotFound, "User with %s of %s not found", field, value)
	}
	return err
}

// UsersByEmail answers GET /user?email=: every user of the address whom this
// dialect knows, that is who has a username.
func (a *API) UsersByEmail(w http.ResponseWriter, r *http.Request) error {
	addresses := r.URL.Query()["email"]
	switch {
	case len(addresses) == 0:
		return validationFailure(fields{invalid("NotNull", "email", "must not be null")})
	case len(addresses) > 1:
		return validationFailure(fields{invalid("Size", "email", "must be given once")})
	case strings.ContainsRune(addresses[0], 0) || !utf8.ValidString(addresses[0]):
		return validationFailure(fields{invalid("Email", "email", "must be text")})
	}
	users, err := a.Store.UsersByEmail(r.Context(), addresses[0])
	if err != nil {
		return err
	}
	found := []details{}
	for _, u := range users {
		if u.Username != "" {
			found = append(found, detailsOf(u))
		}
	}
	return web.WriteJSON(w, http.StatusOK, found)
}

// details is UserDetails of seed 004.
type details struct {
	UserID    int64    `json:"userId"`
	Username  string   `json:"username"`
	FirstName string   `json:"firstName"`
	Surname   string   `json:"surname"`
	Email     string   `json:"email,omitempty"`
	Enabled   bool     `json:"enabled"`
	Roles     []string `json:"roles"`
}

func detailsOf(u *directory.User) details {
	return details{
		UserID: u.Number, Username: u.Username, FirstName: u.FirstName, Surname: u.Surname, Email: u.EmailAddress,
		Enabled: u.Enabled(), Roles: append([]string{}, u.Roles...),
	}
}
