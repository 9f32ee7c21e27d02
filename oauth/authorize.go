package oauth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// authorization is a valid authorization request.
type authorization struct {
	client      *Client
	params      url.Values
	redirectURI string
	scopes      []string
	prompt      []string
	maxAge      time.Duration // noMaxAge when not asked for
	acrValues   []string
	hint        string // the sub of id_token_hint; "" for none
	request     fositeAuthorization
	flow        *flow // nil until the browser had to go elsewhere
}

const noMaxAge = time.Duration(-1)

func (a *authorization) wants(prompt string) bool { return slices.Contains(a.prompt, prompt) }

// Authorize is the authorization endpoint, for GET and POST (RFC 6749 section 3.1).
//
// What is wrong before the redirect URI is known to be the client's own is
// answered by a page: sending the browser anywhere would make an open redirector.
func (s *Server) Authorize(w http.ResponseWriter, r *http.Request) error {
	params, err := authorizeParameters(r)
	if err != nil {
		return err
	}
	return s.authorize(w, r, params, nil)
}

// authorize checks a request, new or from a flow, and decides what comes next.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request, params url.Values, f *flow) error {
	client, err := s.clientOf(r.Context(), params)
	if err != nil {
		return err
	}
	a := &authorization{client: client, params: params, redirectURI: params.Get("redirect_uri"), flow: f}
	if err := s.check(r.Context(), a); err != nil {
		return s.answerError(w, a, err)
	}
	return s.dispatch(w, r, a)
}

// authorizeParameters merges the query and, for POST, the form.
func authorizeParameters(r *http.Request) (url.Values, error) {
	if r.Method == http.MethodPost {
		if _, err := readForm(r); err != nil {
			return nil, err
		}
	} else if err := parseForm(r); err != nil {
		return nil, err
	}
	return parameters(r.Form)
}

// clientOf returns the client whose redirect URI the parameters name.
func (s *Server) clientOf(ctx context.Context, params url.Values) (*Client, error) {
	client, err := s.Clients.Get(ctx, params.Get("client_id"))
	if errors.Is(err, directory.ErrNotFound) {
		return nil, ownPage("The service that sent you here is not known", "no client has this client_id")
	}
	if err != nil {
		return nil, unavailable(err)
	}
	web.Note(ctx, slog.String("client", client.ID))
	if !MatchRedirect(client.RedirectURIs, params.Get("redirect_uri")) {
		return nil, ownPage("The service that sent you here gave an address to return to that is not its own",
			"the redirect_uri is not registered for the client")
	}
	return client, nil
}

// check fills a in, or fails with what the client is told.
func (s *Server) check(ctx context.Context, a *authorization) error {
	if err := a.checkSupported(); err != nil {
		return err
	}
	if err := s.checkResource(a.params); err != nil {
		return err
	}
	if err := a.checkChallenge(); err != nil {
		return err
	}
	if err := a.readInteraction(); err != nil {
		return err
	}
	if err := s.readHint(ctx, a); err != nil {
		return err
	}
	a.scopes = unique(scopeList(a.params.Get("scope")))
	return s.parse(ctx, a)
}

// checkSupported refuses what this server does not do, with the codes that are
// registered for it (OpenID Connect Core section 3.1.2.6).
func (a *authorization) checkSupported() error {
	p := a.params
	switch {
	case p.Has("request"):
		return refuse("request_not_supported", "Request objects are not supported")
	case p.Has("request_uri"):
		return refuse("request_uri_not_supported", "Request URIs are not supported")
	case p.Has("registration"):
		return refuse("registration_not_supported", "Registration in a request is not supported")
	case !p.Has("response_type"):
		return refuse("invalid_request", "The parameter response_type is missing")
	case p.Get("response_type") != "code":
		return refuse("unsupported_response_type", "Only the response type code is supported")
	case p.Has("response_mode") && p.Get("response_mode") != "query":
		return refuse("invalid_request", "Only the response mode query is supported")
	case !p.Has("scope"):
		return refuse("invalid_scope", "The parameter scope is missing")
	case a.client.RequirePAR:
		return refuse("invalid_request", "The client has to push its authorization requests")
	case !slices.Contains(a.client.GrantTypes, GrantAuthorizationCode):
		return refuse("unauthorized_client", "The client is not registered for authorization codes")
	}
	return nil
}

// checkChallenge wants a well-formed S256 challenge (RFC 7636 section 4.2) of
// every client, but those confidential ones that were excused.
func (a *authorization) checkChallenge() error {
	challenge, method := a.params.Get("code_challenge"), a.params.Get("code_challenge_method")
	if challenge == "" && method == "" && a.client.PKCEOptional && !a.client.Public {
		return nil
	}
	if method != "S256" {
		return refuse("invalid_request", "A code_challenge with the method S256 is required")
	}
	if raw, err := base64.RawURLEncoding.DecodeString(challenge); err != nil || len(raw) != 32 {
		return refuse("invalid_request", "The code_challenge is not the base64url of a SHA-256")
	}
	return nil
}

// readInteraction reads the parameters that say how the user is to be met.
func (a *authorization) readInteraction() error {
	a.prompt = strings.Fields(a.params.Get("prompt"))
	for _, p := range a.prompt {
		if !slices.Contains([]string{"none", "login", "consent", "select_account"}, p) {
			return refuse("invalid_request", "The prompt is not known")
		}
	}
	if a.wants("none") && len(a.prompt) > 1 {
		return refuse("invalid_request", "The prompt none goes with no other")
	}
	a.acrValues = strings.Fields(a.params.Get("acr_values"))
	a.maxAge = noMaxAge
	if a.params.Has("max_age") {
		seconds, err := strconv.ParseUint(a.params.Get("max_age"), 10, 31)
		if err != nil {
			return refuse("invalid_request", "The max_age is not a number of seconds")
		}
		a.maxAge = time.Duration(seconds) * time.Second
	}
	return nil
}

// readHint reads whom id_token_hint is about. An ID token serves after it has
// expired, and after its key was retired.
func (s *Server) readHint(ctx context.Context, a *authorization) error {
	if !a.params.Has("id_token_hint") {
		return nil
	}
	v, err := s.Keys.Verify(ctx, a.params.Get("id_token_hint"))
	if errors.Is(err, directory.ErrUnavailable) {
		return err
	}
	if err != nil || v.Type != TypeIDToken {
		return refuse("invalid_request", "The id_token_hint is not an ID token of this service")
	}
	a.hint, err = subjectOf(v.Claims)
	return err
}

// subjectOf reads the sub of verified claims.
func subjectOf(claims json.RawMessage) (string, error) {
	var c struct {
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(claims, &c); err != nil {
		return "", fmt.Errorf("decode claims: %w", err)
	}
	return c.Subject, nil
}

// parse lets fosite read the request. It sees only the parameters it has a say
// in: how the user is to be met is decided by dispatch.
func (s *Server) parse(ctx context.Context, a *authorization) error {
	form := url.Values{"state": {noState}}
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "scope", "nonce", "code_challenge", "code_challenge_method"} {
		if a.params.Has(name) {
			form[name] = a.params[name]
		}
	}
	ctx = withFositeClient(ctx, fositeClient{Client: a.client, redirectURIs: []string{a.redirectURI}})
	request, err := s.fosite().authorize.NewAuthorizeRequest(ctx, fositeRequest(ctx, form))
	a.request = request
	return err
}

// answerError tells the client what went wrong; a store's failure is answered here.
func (s *Server) answerError(w http.ResponseWriter, a *authorization, err error) error {
	var refusal *web.Error
	if err = protocolError(err); !errors.As(err, &refusal) || refusal.Status >= http.StatusInternalServerError {
		return err
	}
	web.NoteRefusal(w, refusal.Code, err)
	return s.answer(w, a, url.Values{"error": {refusal.Code}, "error_description": {describable(refusal.Message)}})
}

// answer sends the browser back to the client with a response that says who
// made it (RFC 9207). The status is 303: 307 would repeat a POST with what it held.
func (s *Server) answer(w http.ResponseWriter, a *authorization, response url.Values) error {
	response.Set("iss", s.Issuer)
	if a.params.Has("state") {
		response.Set("state", a.params.Get("state"))
	}
	separator := "?"
	if strings.Contains(a.redirectURI, "?") {
		separator = "&"
	}
	return seeOther(w, a.redirectURI+separator+response.Encode())
}

func seeOther(w http.ResponseWriter, location string) error {
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}
