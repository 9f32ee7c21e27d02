package conformance

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Request is an authorization request under way: what the client has to
// remember of it.
type Request struct {
	Client   *Client
	Params   url.Values
	Verifier string // of PKCE; "" for a request without
	Post     bool   // sent as a form
	// Reversed sends the parameters in the reverse of their usual order.
	Reversed bool
}

// Request begins an authorization request of a client for the scope openid, with
// a state, a nonce and the variant's response mode. More parameters follow by
// name and value; an empty value removes the parameter.
func (e *Env) Request(c *Client, more ...string) *Request {
	r := &Request{Client: c, Params: url.Values{
		"client_id": {c.ID}, "redirect_uri": {c.RedirectURI}, "response_type": {"code"}, "scope": {"openid"},
		"state": {random(10)}, "nonce": {random(10)},
	}}
	if e.Variant.FormPost {
		r.Params.Set("response_mode", "form_post")
	}
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] == "" {
			r.Params.Del(more[i])
		} else {
			r.Params.Set(more[i], more[i+1])
		}
	}
	return r
}

// withPKCE adds a challenge (RFC 7636 section 4).
func (r *Request) withPKCE() *Request {
	r.Verifier = random(64)
	sum := sha256.Sum256([]byte(r.Verifier))
	r.Params.Set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
	r.Params.Set("code_challenge_method", "S256")
	return r
}

// query is the request's query.
func (r *Request) query() string {
	if !r.Reversed {
		return r.Params.Encode()
	}
	pairs := strings.Split(r.Params.Encode(), "&")
	slices.Reverse(pairs)
	return strings.Join(pairs, "&")
}

// Send takes a browser to the authorization endpoint and on from there.
func (e *Env) Send(b *Browser, r *Request) *Arrival {
	e.t.Helper()
	endpoint := e.Metadata().AuthorizationEndpoint
	if r.Post {
		return b.Open(e.newRequest(http.MethodPost, endpoint, r.Params))
	}
	return b.Open(e.newRequest(http.MethodGet, endpoint+"?"+r.query(), nil))
}

// answered checks what every answer to an authorization request is like: it
// arrives at the redirect URI in the response mode, with the state, and says
// who made it (RFC 9207).
func (e *Env) answered(r *Request, a *Arrival) {
	e.t.Helper()
	if a.Page != nil {
		e.Fatalf("the browser stays at %s with status %d, title %q", a.URL.Path, a.Page.Status, title(a.Page))
	}
	if !a.At(r.Params.Get("redirect_uri")) {
		e.Fatalf("the browser is sent to %s", a.URL)
	}
	e.checkMode(r, a)
	e.takeOwnQuery(r, a)
	if got := a.Params.Get("state"); got != r.Params.Get("state") {
		e.Errorf("the state is %q, sent %q", got, r.Params.Get("state"))
	}
	if iss := a.Params.Get("iss"); iss != e.Issuer && (iss != "" || e.Metadata().ResponseIssuer) {
		e.Errorf("the iss parameter is %q", iss)
	}
	for name, values := range a.Params {
		if len(values) != 1 {
			e.Errorf("the parameter %s is there %d times", name, len(values))
		}
	}
}

// takeOwnQuery checks that the query of the redirect URI itself is still there,
// and takes it out of what the server said.
func (e *Env) takeOwnQuery(r *Request, a *Arrival) {
	e.t.Helper()
	own, err := url.Parse(r.Params.Get("redirect_uri"))
	e.must("redirect_uri", err)
	for name, values := range own.Query() {
		if !slices.Equal(a.URL.Query()[name], values) {
			e.Errorf("the parameter %s of the redirect URI did not come back", name)
		}
		a.Params.Del(name)
	}
}

func (e *Env) checkMode(r *Request, a *Arrival) {
	e.t.Helper()
	if wantPost := r.Params.Get("response_mode") == "form_post"; a.Posted != wantPost {
		e.Errorf("the answer is posted: %t, want %t", a.Posted, wantPost)
	}
	if q := a.URL.Query(); a.Posted && (q.Has("code") || q.Has("error")) {
		e.Errorf("a posted answer is in the URL too")
	}
	if a.URL.Fragment != "" {
		e.Errorf("the answer has a fragment")
	}
}

func title(p *Page) string {
	_, after, _ := strings.Cut(p.Body, "<title>")
	before, _, _ := strings.Cut(after, "</title>")
	return strings.TrimSpace(before)
}

// Code sends a request that has to succeed and returns its code.
func (e *Env) Code(b *Browser, r *Request) (string, *Arrival) {
	e.t.Helper()
	a := e.Send(b, r)
	e.answered(r, a)
	if a.Params.Has("error") {
		e.Fatalf("refused with %s: %s", a.Params.Get("error"), a.Params.Get("error_description"))
	}
	if a.Params.Get("code") == "" {
		e.Fatalf("there is no code in the answer")
	}
	return a.Params.Get("code"), a
}

// Refused sends a request that has to be answered with one of the error codes.
func (e *Env) Refused(b *Browser, r *Request, codes ...string) {
	e.t.Helper()
	e.refusedWith(r, e.Send(b, r), codes...)
}

func (e *Env) refusedWith(r *Request, a *Arrival, codes ...string) {
	e.t.Helper()
	e.answered(r, a)
	if a.Params.Has("code") || a.Params.Has("access_token") || a.Params.Has("id_token") {
		e.Errorf("an error comes with something else")
	}
	if code := a.Params.Get("error"); !slices.Contains(codes, code) {
		e.Errorf("the error is %q, want one of %q", code, codes)
	}
	e.checkErrorText(a.Params.Get("error_description"), a.Params.Get("error_uri"))
	for name := range a.Params {
		if !slices.Contains([]string{"error", "error_description", "error_uri", "state", "iss"}, name) {
			e.Warn("an error has the parameter " + name)
		}
	}
}

// checkErrorText checks the characters of RFC 6749 sections 4.1.2.1 and 5.2.
func (e *Env) checkErrorText(description, uri string) {
	e.t.Helper()
	if strings.ContainsFunc(description, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		e.Errorf("error_description has a character that is not allowed: %q", description)
	}
	if _, err := url.Parse(uri); err != nil || strings.ContainsAny(uri, " \"\\") {
		e.Errorf("error_uri is no URI: %q", uri)
	}
}

// StaysOnPage sends a request that is so wrong that the browser must stay on a
// page of the server which says so.
func (e *Env) StaysOnPage(b *Browser, r *Request) {
	e.t.Helper()
	a := e.Send(b, r)
	if a.Page == nil {
		e.Fatalf("the browser is sent to %s", a.URL)
	}
	if a.Page.Status < http.StatusBadRequest || a.Page.Status >= http.StatusInternalServerError {
		e.Errorf("the page that says what is wrong has status %d", a.Page.Status)
	}
	if len(a.Asked) > 0 {
		e.Errorf("somebody was asked to %s before being told", a.Asked[0])
	}
}
