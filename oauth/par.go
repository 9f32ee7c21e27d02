package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// pushedPrefix begins the request_uri of a pushed request (RFC 9126 section 2.2).
const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

// pushed is an authorization request that its client has pushed.
type pushed struct {
	Params    url.Values `json:"params"`
	ExpiresAt time.Time  `json:"expires_at"`
}

// pushedBody is the answer to a push (RFC 9126 section 2.2).
type pushedBody struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int64  `json:"expires_in"`
}

// Push is the pushed authorization request endpoint (RFC 9126). The client
// authenticates as it does for tokens, and learns here what the authorization
// endpoint would refuse. What it gets back serves once, for a minute, and for
// this client alone.
func (s *Server) Push(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	key, err := s.proofKey(w, r)
	if err != nil {
		return err
	}
	client, err := s.Clients.Authenticate(r.Context(), r)
	if err != nil {
		return unavailable(err)
	}
	web.Note(r.Context(), slog.String("client", client.ID))
	if !form.Has("client_id") { // also beside a header or an assertion that names the client (RFC 9126 section 2)
		return refuse("invalid_request", "The parameter client_id is missing")
	}
	if err := s.countPush(r, client); err != nil {
		return err
	}
	a := &authorization{params: pushedParameters(client, form), pushed: true}
	if err := s.checkPushed(r.Context(), a, client); err != nil {
		return protocolError(err)
	}
	if err := a.bind(key); err != nil {
		return err
	}
	uri, err := s.putPushed(r.Context(), a)
	if err != nil {
		return unavailable(err)
	}
	return web.WriteJSON(w, http.StatusCreated, pushedBody{RequestURI: uri, ExpiresIn: int64(s.Lifetimes.pushed() / time.Second)})
}

// pushedParameters are those of the authorization, without what authenticated
// the client.
func pushedParameters(client *Client, form url.Values) url.Values {
	params := url.Values{}
	for name, values := range form {
		if !strings.HasPrefix(name, "client_") {
			params[name] = values
		}
	}
	params.Set("client_id", client.ID)
	return params
}

// checkPushed is what the authorization endpoint checks; there is no other
// request that a pushed one could stand for.
func (s *Server) checkPushed(ctx context.Context, a *authorization, client *Client) error {
	if a.params.Has("request_uri") {
		return refuse("invalid_request", "A pushed request cannot hold a request_uri")
	}
	if !MatchRedirect(client.RedirectURIs, a.params.Get("redirect_uri")) {
		return refuse("invalid_request", "The redirect_uri is not registered for the client")
	}
	a.from(client)
	return s.check(ctx, a)
}

// bind binds the code to the key that proved itself with the request, as the
// parameter dpop_jkt does by name; "" is no key (RFC 9449 section 10.1).
func (a *authorization) bind(key string) error {
	if key == "" {
		return nil
	}
	if named := a.params.Get("dpop_jkt"); named != "" && named != key {
		return invalidProof("The dpop_jkt is not the key of the DPoP proof")
	}
	a.params.Set("dpop_jkt", key)
	return nil
}

// putPushed keeps a request and returns its URI.
func (s *Server) putPushed(ctx context.Context, a *authorization) (string, error) {
	secret, err := s.randomText()
	if err != nil {
		return "", err
	}
	lifetime := s.Lifetimes.pushed()
	encoded, err := json.Marshal(pushed{Params: a.params, ExpiresAt: s.now().Add(lifetime)})
	if err != nil {
		return "", fmt.Errorf("encode pushed request: %w", err)
	}
	uri := pushedPrefix + secret
	return uri, s.Flows.PutPushed(ctx, a.client.ID, uri, encoded, lifetime)
}

// takePushed returns the request that a client has pushed, once. It is looked
// for under the client's id, so that another client's try does not use it up.
// Whatever else the browser brought counts for nothing (RFC 9126 section 4).
func (s *Server) takePushed(ctx context.Context, params url.Values) (*authorization, error) {
	encoded, err := s.Flows.TakePushed(ctx, params.Get("client_id"), params.Get("request_uri"))
	if errors.Is(err, directory.ErrNotFound) {
		return nil, errNotPushed
	}
	if err != nil {
		return nil, unavailable(err)
	}
	var request pushed
	if err := json.Unmarshal(encoded, &request); err != nil {
		return nil, fmt.Errorf("decode pushed request: %w", err)
	}
	if !s.now().Before(request.ExpiresAt) {
		return nil, errNotPushed
	}
	return &authorization{params: request.Params, pushed: true}, nil
}

// errNotPushed is shown on a page: where a request is not known, neither is
// where to send the browser.
var errNotPushed = &web.Error{
	Status: http.StatusBadRequest, Code: "invalid_request_uri",
	Message: "The request of the service that sent you here is unknown, has expired or was used before. Go back to the service and start again",
	Cause:   web.Reason("the request_uri was not pushed by this client, has expired, or was used before"),
}
