package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// RPInitiatedLogout is oidcc-rp-initiated-logout-certification-test-plan.
func RPInitiatedLogout() Plan {
	return Plan{Name: "oidcc-rp-initiated-logout-certification-test-plan", Modules: []Module{
		{"oidcc-rp-initiated-logout-discovery-endpoint-verification", endSessionDiscovery},
		{"oidcc-rp-initiated-logout", func(e *Env) { e.signedOut(nil) }},
		{"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri", func(e *Env) {
			e.notReturned(func(p url.Values, _ *Tokens) {
				p.Set("post_logout_redirect_uri", "https://bad.example.test/"+random(10))
			})
		}},
		{"oidcc-rp-initiated-logout-modified-id-token-hint", func(e *Env) {
			e.notReturned(func(p url.Values, tokens *Tokens) { p.Set("id_token_hint", e.withoutSignature(tokens.IDToken)) })
		}},
		{"oidcc-rp-initiated-logout-no-id-token-hint", func(e *Env) {
			e.notReturned(func(p url.Values, _ *Tokens) { p.Del("id_token_hint") })
		}},
		{"oidcc-rp-initiated-logout-no-params", func(e *Env) {
			e.signedOutHere("id_token_hint", "post_logout_redirect_uri", "state")
		}},
		{"oidcc-rp-initiated-logout-no-post-logout-redirect-uri", func(e *Env) { e.signedOutHere("post_logout_redirect_uri") }},
		{"oidcc-rp-initiated-logout-no-state", func(e *Env) { e.signedOut(func(p url.Values) { p.Del("state") }) }},
		{"oidcc-rp-initiated-logout-only-state", func(e *Env) { e.signedOutHere("id_token_hint", "post_logout_redirect_uri") }},
		{"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri", func(e *Env) {
			e.notReturned(func(p url.Values, _ *Tokens) {
				p.Set("post_logout_redirect_uri", e.Clients.Basic.PostLogoutRedirectURI+"?foo=bar")
			})
		}},
		{"oidcc-rp-initiated-logout-bad-id-token-hint", func(e *Env) {
			e.notReturned(func(p url.Values, tokens *Tokens) { p.Set("id_token_hint", e.forged(tokens.IDToken)) })
		}},
	}}
}

func endSessionDiscovery(e *Env) {
	if e.Metadata().EndSessionEndpoint == "" {
		e.Errorf("end_session_endpoint is missing")
	}
	e.checkEndpoints()
}

// endSession takes a browser to the end-session endpoint.
func (e *Env) endSession(b *Browser, params url.Values) *Arrival {
	e.t.Helper()
	endpoint := e.Metadata().EndSessionEndpoint
	if endpoint == "" {
		e.Fatalf("end_session_endpoint is missing")
	}
	if len(params) > 0 {
		endpoint += "?" + params.Encode()
	}
	return b.Go(endpoint)
}

// endSessionParams are those of a well-behaved client (RP-Initiated Logout section 2).
func endSessionParams(c *Client, tokens *Tokens) url.Values {
	return url.Values{"id_token_hint": {tokens.IDToken}, "post_logout_redirect_uri": {c.PostLogoutRedirectURI}, "state": {random(128)}}
}

// signedOut signs in and out again, and expects the browser back at the client
// with the state and nothing else, and nobody signed in.
func (e *Env) signedOut(change func(params url.Values)) {
	e.t.Helper()
	b := e.Browser()
	c := e.Clients.Basic
	params := endSessionParams(c, e.Login(b, e.Request(c)))
	if change != nil {
		change(params)
	}
	e.returned(e.endSession(b, params), params)
	e.nobodySignedIn(b, c)
}

// returned checks an arrival at post_logout_redirect_uri.
func (e *Env) returned(a *Arrival, params url.Values) {
	e.t.Helper()
	if !a.At(params.Get("post_logout_redirect_uri")) {
		e.Fatalf("the browser is not sent back after the logout")
	}
	if a.Params.Get("state") != params.Get("state") || a.Params.Has("state") != params.Has("state") {
		e.Errorf("the state after the logout is %q, sent %q", a.Params.Get("state"), params.Get("state"))
	}
	for name := range a.Params {
		if name != "state" {
			e.Errorf("the browser is sent back with the parameter %s", name)
		}
	}
}

// signedOutHere signs out without some of the parameters, and expects a page of
// the server and nobody signed in.
func (e *Env) signedOutHere(without ...string) {
	e.t.Helper()
	b := e.Browser()
	c := e.Clients.Basic
	params := endSessionParams(c, e.Login(b, e.Request(c)))
	for _, name := range without {
		params.Del(name)
	}
	a := e.endSession(b, params)
	if a.Page == nil || a.Page.Status >= 400 {
		e.Fatalf("there is no page that says that the logout succeeded, but %s", a.URL)
	}
	e.nobodySignedIn(b, c)
}

// notReturned signs out with parameters that are wrong, and expects the browser
// to stay with the server: on a page that says so, or that asks.
func (e *Env) notReturned(change func(params url.Values, tokens *Tokens)) {
	e.t.Helper()
	b := e.Browser()
	c := e.Clients.Basic
	tokens := e.Login(b, e.Request(c))
	params := endSessionParams(c, tokens)
	change(params, tokens)
	a := e.endSession(b, params)
	if a.Page == nil {
		e.Fatalf("the browser is sent to %s", a.URL)
	}
	if a.Page.Status < 400 && !a.asked(SignOut) {
		e.Errorf("status %d without an error and without asking", a.Page.Status)
	}
}

// nobodySignedIn sends a request that may not ask anybody anything.
func (e *Env) nobodySignedIn(b *Browser, c *Client) {
	e.t.Helper()
	e.Refused(b, e.Request(c, "prompt", "none", "state", random(128)), interaction...)
}

// withoutSignature changes a token's algorithm to none.
func (e *Env) withoutSignature(token string) string {
	e.t.Helper()
	return unsigned(e.payload(token))
}

// forged signs a token's claims with a key that nobody knows.
func (e *Env) forged(token string) string {
	e.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	e.must("make key", err)
	return e.sign(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: random(10)}}, "JWT", json.RawMessage(e.payload(token)))
}

func (e *Env) payload(token string) []byte {
	e.t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		e.Fatalf("the token has %d parts", len(parts))
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	e.must("decode token", err)
	return payload
}
