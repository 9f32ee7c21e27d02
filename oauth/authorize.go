package oauth

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse/authn"
	"gatehouse/authn/pages"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// authorization is an authorization request, valid once it was checked.
type authorization struct {
	params      url.Values
	pushed      bool  // the parameters came over [Server.Push]
	flow        *flow // nil until the browser had to go elsewhere
	client      *Client
	redirectURI string
	mode        string // of the response
	scopes      []string
	resources   []string // whom the tokens are for
	prompt      []string
	maxAge      time.Duration // noMaxAge when not asked for
	acrValues   []string      // the levels asked for; none for any
	claims      claimsRequest
	hint        string // the sub that somebody else's session does not serve; "" for anybody
	request     fositeAuthorization
	// visit is of whom it is, where that was looked up before; nil where it was not.
	visit *Visit
	// consent remembers what the user has just allowed, in the transaction of the
	// grant that follows from it; nil when nothing was asked.
	consent func(ctx context.Context) error
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
	a := &authorization{params: params}
	if strings.HasPrefix(params.Get("request_uri"), pushedPrefix) {
		if a, err = s.takePushed(r.Context(), params); err != nil {
			return err
		}
	}
	return s.authorize(w, r, a)
}

// authorize checks a request, new or from a flow, and decides what comes next.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request, a *authorization) error {
	client, err := s.clientOf(r.Context(), a.params)
	if err != nil {
		return err
	}
	a.from(client)
	if err := s.check(r.Context(), a); err != nil {
		return s.answerError(w, r, a, err)
	}
	if r.Method == http.MethodPost && a.flow == nil && s.Cookies.Get(r, authn.SessionCookie) == "" {
		// The browser keeps the session back from a form of another site. The
		// GET that it makes of our redirect brings it.
		return s.suspend(w, r, a, pages.SessionUnseen)
	}
	return s.dispatch(w, r, a)
}

// from notes whose request it is, and how an answer reaches them.
func (a *authorization) from(client *Client) {
	a.client, a.redirectURI, a.mode = client, a.params.Get("redirect_uri"), modeQuery
	if mode := a.params.Get("response_mode"); client.mayAnswerBy(mode, a.redirectURI) {
		a.mode = mode
	}
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
	if err := s.readResources(a); err != nil {
		return err
	}
	if err := a.checkChallenge(); err != nil {
		return err
	}
	if jkt := a.params.Get("dpop_jkt"); jkt != "" && !isSHA256(jkt) {
		return refuse("invalid_request", "The dpop_jkt is not the base64url of a SHA-256")
	}
	if err := a.readInteraction(); err != nil {
		return err
	}
	if err := s.readHint(ctx, a); err != nil {
		return err
	}
	if err := a.readClaims(); err != nil {
		return err
	}
	a.acrValues = a.levels()
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
	case !a.client.mayAnswerBy(cmp.Or(p.Get("response_mode"), modeQuery), a.redirectURI):
		return refuse("invalid_request", "The response mode is not supported, or not for this client")
	case !p.Has("scope"):
		return refuse("invalid_scope", "The parameter scope is missing")
	case a.client.RequirePAR && !a.pushed && a.flow == nil:
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
	if !isSHA256(challenge) {
		return refuse("invalid_request", "The code_challenge is not the base64url of a SHA-256")
	}
	return nil
}

// isSHA256 reports whether text is the base64url of a SHA-256.
func isSHA256(text string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && len(raw) == 32
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
