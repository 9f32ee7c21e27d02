package oauth

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// introspection is an answer of the introspection endpoint (RFC 7662 section 2.2).
type introspection struct {
	Active bool `json:"active"`
	*accessClaims
	TokenType string `json:"token_type,omitempty"`

	why error // it is not active
}

// inactive tells the client nothing; why is for whoever runs the service.
func inactive(why error) *introspection { return &introspection{why: why} }

// The reasons that have no error of their own.
const (
	othersToken = web.Reason("the token is for another client")
	deadRefresh = web.Reason("the refresh token is another client's, was replaced, has expired or was revoked, or its user is locked or not active")
)

// Introspect is the introspection endpoint (RFC 7662). Only the client a token
// was issued to, and who it is for, learn anything about it.
func (s *Server) Introspect(w http.ResponseWriter, r *http.Request) error {
	client, form, err := s.tokenCaller(r)
	if err != nil {
		return err
	}
	if client.Public {
		return &web.Error{Status: http.StatusUnauthorized, Code: "invalid_client", Message: "Public clients cannot introspect tokens"}
	}
	answer, err := s.introspect(r.Context(), client, form.Get("token"))
	if err != nil {
		return unavailable(err)
	}
	if !answer.Active {
		web.NoteRefusal(w, "inactive", answer.why)
	}
	return web.WriteJSON(w, http.StatusOK, answer)
}

// tokenCaller returns the client of a request about a token, and its form.
func (s *Server) tokenCaller(r *http.Request) (*Client, url.Values, error) {
	form, err := readForm(r)
	if err != nil {
		return nil, nil, err
	}
	client, err := s.Clients.Authenticate(r.Context(), r)
	if err != nil {
		return nil, nil, unavailable(err)
	}
	web.Note(r.Context(), slog.String("client", client.ID))
	return client, form, require(form, "token")
}

func (s *Server) introspect(ctx context.Context, client *Client, raw string) (*introspection, error) {
	if strings.HasPrefix(raw, string(refreshReference)) {
		return s.introspectRefresh(ctx, client, raw)
	}
	t, err := s.accessToken(ctx, raw)
	if errors.Is(err, errInvalidToken) {
		return inactive(err), nil
	}
	if err != nil {
		return nil, err
	}
	if t.ClientID != client.ID && !s.receives(client, t.Audience) {
		return inactive(othersToken), nil
	}
	return &introspection{Active: true, accessClaims: &t.accessClaims, TokenType: tokenType(t.key())}, nil
}

func (s *Server) introspectRefresh(ctx context.Context, client *Client, raw string) (*introspection, error) {
	g, hash, err := s.refreshGrant(ctx, client, raw)
	if err != nil || g == nil || !bytes.Equal(g.RefreshHash, hash) || !s.Clock().Before(g.ExpiresAt) {
		return inactive(deadRefresh), err
	}
	if _, err := s.Store.LiveGrant(ctx, g.ID, ""); errors.Is(err, directory.ErrNotFound) {
		return inactive(deadRefresh), nil
	} else if err != nil {
		return nil, err
	}
	return &introspection{Active: true, accessClaims: &accessClaims{
		Issuer: s.Issuer, Subject: g.sub(), Audience: g.Audience, Expires: g.ExpiresAt.Unix(),
		IssuedAt: g.RefreshedAt.Unix(), ClientID: g.ClientID, Scope: strings.Join(g.Scopes, " "), SessionID: g.SessionID,
	}}, nil
}

// refreshGrant finds the grant of a client's refresh token, nil when there is none.
func (s *Server) refreshGrant(ctx context.Context, client *Client, raw string) (*Grant, []byte, error) {
	id, hash, ok := s.references().parse(refreshReference, raw)
	if !ok {
		return nil, nil, nil
	}
	g, err := s.Store.Grant(ctx, id)
	if errors.Is(err, directory.ErrNotFound) || err == nil && g.ClientID != client.ID {
		return nil, nil, nil
	}
	return g, hash, err
}
