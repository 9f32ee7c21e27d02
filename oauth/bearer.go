package oauth

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// Bearer protects a route with an access token made for this service. The
// caller it stands for is in the context of the handler's request, after need
// has agreed to it; need's error decides the answer, see [NeedScope].
func (s *Server) Bearer(need func(*directory.Caller) error, h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		caller, err := s.caller(r)
		if err != nil {
			return err
		}
		if err := need(caller); err != nil {
			return err
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

func (s *Server) caller(r *http.Request) (*directory.Caller, error) {
	raw, err := bearerToken(r)
	if err != nil {
		return nil, err
	}
	t, err := s.accessToken(r.Context(), raw)
	if err != nil {
		return nil, bearerError(err)
	}
	web.Note(r.Context(), slog.String("client", t.ClientID))
	if !s.forUs(t) {
		return nil, bearerError(errAudience)
	}
	c := &directory.Caller{ClientID: t.ClientID, Scopes: t.scopes(), Authorities: make([]string, len(t.Authorities))}
	if t.Grant != uuid.Nil {
		c.Subject = t.user.String()
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

// bearerToken returns the token of the Authorization header, the only place it
// is looked for: in a URL it would end up in logs (RFC 6750 section 5.3).
func bearerToken(r *http.Request) (string, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return "", challenge(http.StatusUnauthorized, "", "An access token is required", "")
	}
	scheme, token, ok := strings.Cut(headers[0], " ")
	if len(headers) > 1 || !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", challenge(http.StatusUnauthorized, "", "An access token is required", "")
	}
	if r.URL.RawQuery != "" && r.URL.Query().Has("access_token") {
		return "", challenge(http.StatusBadRequest, "invalid_request", "The access token was sent twice", "")
	}
	return strings.TrimSpace(token), nil
}

// errAudience says that a token is not for this service alone.
var errAudience = because(errInvalidToken, "the token's audience is not this service alone")

// bearerError is the answer to a token that accessToken refused.
func bearerError(err error) error {
	if !errors.Is(err, errInvalidToken) {
		return unavailable(err)
	}
	e := challenge(http.StatusUnauthorized, "invalid_token", "The access token is invalid, has expired or was revoked", "")
	e.Cause = err
	return e
}

func insufficientScope(scope string) error {
	return challenge(http.StatusForbidden, "insufficient_scope", "The access token does not allow this", scope)
}

// challenge is an error with the WWW-Authenticate header of RFC 6750 section 3.
func challenge(status int, code, message, scope string) *web.Error {
	header := `Bearer realm="gatehouse"`
	if code != "" {
		header += `, error="` + code + `", error_description="` + message + `"`
	}
	if scope != "" {
		header += `, scope="` + scope + `"`
	}
	return &web.Error{Status: status, Code: code, Message: message, Header: http.Header{"Www-Authenticate": {header}}}
}
