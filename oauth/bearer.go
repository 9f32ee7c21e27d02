package oauth

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// Bearer protects a route with an access token made for this service, which
// comes with a proof when it is bound to a key. The caller it stands for is in
// the context of the handler's request, after need has agreed to it; need's error
// decides the answer, see [NeedScope].
func (s *Server) Bearer(need func(*directory.Caller) error, h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		shown, err := shownToken(r)
		if err != nil {
			return s.denied(shown, err)
		}
		caller, err := s.caller(w, r, shown)
		if err != nil {
			return s.denied(shown, err)
		}
		if err := need(caller); err != nil {
			return s.denied(shown, err)
		}
		return h(w, r.WithContext(directory.WithCaller(r.Context(), caller)))
	}
}

// NeedScope needs one of some scopes.
func NeedScope(scopes ...string) func(*directory.Caller) error {
	return func(c *directory.Caller) error {
		if slices.ContainsFunc(scopes, c.HasScope) {
			return nil
		}
		return insufficientScope(strings.Join(scopes, " "))
	}
}

// NeedRole needs one of some roles, as an authority or as a scope.
func NeedRole(roles ...string) func(*directory.Caller) error {
	return func(c *directory.Caller) error {
		if slices.ContainsFunc(roles, c.HasRole) {
			return nil
		}
		return insufficientScope("")
	}
}

func (s *Server) caller(w http.ResponseWriter, r *http.Request, shown shown) (*directory.Caller, error) {
	t, err := s.accessToken(r.Context(), shown.token)
	if err != nil {
		return nil, tokenError(err)
	}
	web.Note(r.Context(), slog.String("client", t.ClientID))
	if !s.forUs(t) {
		return nil, tokenError(errAudience)
	}
	if err := s.checkPossession(w, r, shown, t); err != nil {
		return nil, err
	}
	c := &directory.Caller{ClientID: t.ClientID, Scopes: t.scopes(), Authorities: make([]string, len(t.Authorities)), ACR: t.ACR}
	if t.Grant != uuid.Nil {
		c.Subject, c.AuthTime = t.user.String(), time.Unix(t.AuthTime, 0)
	}
	for i, authority := range t.Authorities {
		c.Authorities[i] = strings.TrimPrefix(authority, rolePrefix)
	}
	return c, nil
}

// forUs reports whether this service is the only audience of a token: one that
// others accept too could have been taken from them.
func (s *Server) forUs(t *accessToken) bool {
	return len(t.Audience) == 1 && t.Audience[0] == s.Issuer
}

// errAudience says that a token is not for this service alone.
var errAudience = because(errInvalidToken, "the token's audience is not this service alone")
