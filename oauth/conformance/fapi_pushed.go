package conformance

import (
	"net/http"
	"net/url"
	"time"
)

// fapiPushed are the modules about pushed requests.
func fapiPushed() []Module {
	return []Module{
		{"ensure-different-nonce-inside-and-outside-request-object", func(e *Env) { fapiOutside(e, "nonce", random(10)) }},
		{"ensure-different-state-inside-and-outside-request-object", func(e *Env) { fapiOutside(e, "state", random(10)) }},
		{"state-only-outside-request-object-not-used", fapiStateOutside},
		{"ensure-request-object-without-redirect-uri-fails", fapiRefused("redirect_uri", "", "invalid_request", "invalid_request_object")},
		{"plain-fapi-tolerate-unregistered-redirect-uri", fapiUnregisteredRedirectURI},
		{"ensure-unsigned-authorization-request-without-using-par-fails", fapiNotPushed},
		{"ensure-redirect-uri-in-authorization-request", fapiRefused("redirect_uri", "", "invalid_request", "invalid_request_object")},
		{"ensure-response-type-code-idtoken-fails", fapiRefused("response_type", "code id_token", "unsupported_response_type", "invalid_request", "unauthorized_client")},
		{"ensure-response-type-token-fails", fapiRefused("response_type", "token", "unsupported_response_type", "invalid_request", "unauthorized_client")},
		{"par-ensure-reused-request-uri-prior-to-auth-completion-succeeds", fapiReusedBefore},
		{"par-attempt-reuse-request_uri", fapiReusedAfter},
		{expiredRequestURI, fapiExpiredRequestURI},
		{"par-attempt-to-use-request_uri-for-different-client", fapiOtherClientsRequestURI},
		{"par-authorization-request-containing-request_uri-form-param", fapiRequestURIPushed},
		{"par-attempt-invalid-http-method", fapiPushMethod},
		{"par-ensure-pkce-required", fapiNoChallenge},
		{"par-plain-pkce-rejected", fapiPlainChallenge},
		{"par-without-duplicate-parameters", fapiWithoutDuplicates},
	}
}

// refusedAnywhere expects a request to be refused where it is pushed, or else
// where a browser brings it: with one of the codes or on a page.
func (f *fapiClient) refusedAnywhere(r *Request, codes ...string) {
	f.e.t.Helper()
	b := f.e.Browser()
	answer := f.push(r, unboundPush)
	if answer.Status != http.StatusCreated {
		f.e.notIssued(answer, codes...)
		return
	}
	f.refusedHere(r, f.open(b, r, f.accepted(answer).RequestURI), codes...)
}

// refusedHere expects an error in the answer, or a page that says what is wrong.
func (f *fapiClient) refusedHere(r *Request, a *Arrival, codes ...string) {
	f.e.t.Helper()
	if a.Page == nil {
		f.e.refusedWith(r, a, codes...)
		return
	}
	if a.Page.Status < http.StatusBadRequest || a.Page.Status >= http.StatusInternalServerError || len(a.Asked) > 0 {
		f.e.Errorf("the browser stays on a page of status %d after %q", a.Page.Status, a.Asked)
	}
}

// fapiRefused is a request with one parameter changed that has to be refused.
func fapiRefused(name, value string, codes ...string) func(e *Env) {
	return func(e *Env) {
		f := e.fapi(e.Clients.FAPI)
		f.refusedAnywhere(f.request(name, value), codes...)
	}
}

// fapiOutside repeats a parameter in the query with another value: what was
// pushed counts, or the request is refused.
func fapiOutside(e *Env, name, value string) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	a := f.open(e.Browser(), r, f.pushOK(r, unboundPush).RequestURI, name, value)
	if a.Page != nil || a.Params.Has("error") {
		f.refusedHere(r, a, "invalid_request")
		return
	}
	f.redeem(r, f.codeOf(r, a), how{})
}

// fapiStateOutside adds a state that was not pushed.
func fapiStateOutside(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request("state", "")
	a := f.open(e.Browser(), r, f.pushOK(r, unboundPush).RequestURI, "state", random(10))
	if a.Page != nil || a.Params.Has("error") {
		f.refusedHere(r, a, "invalid_request", "invalid_request_object", "invalid_request_uri", "access_denied")
		return
	}
	f.redeem(r, f.codeOf(r, a), how{})
}

// fapiUnregisteredRedirectURI may be taken from a client that authenticates
// (RFC 9126 section 2.4), or refused.
func fapiUnregisteredRedirectURI(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	b, r := e.Browser(), f.request("redirect_uri", f.RedirectURI+"/"+random(10))
	answer := f.push(r, unboundPush)
	if answer.Status != http.StatusCreated {
		e.notIssued(answer, "invalid_request", "invalid_request_object")
		return
	}
	a := f.open(b, r, f.accepted(answer).RequestURI)
	if a.Page != nil {
		f.refusedHere(r, a)
		return
	}
	f.redeem(r, f.codeOf(r, a), how{})
}

func fapiNotPushed(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	f.refusedHere(r, e.Send(e.Browser(), r), "invalid_request", "invalid_request_object", "invalid_request_uri")
}

// fapiReusedBefore opens a request twice before anybody has signed in, as when a
// page is reloaded.
func fapiReusedBefore(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	b, r := e.Browser(), f.request()
	requestURI := f.pushOK(r, unboundPush).RequestURI
	f.glance(b, requestURI)
	a := f.open(b, r, requestURI)
	if a.Page != nil || a.Params.Has("error") {
		e.Warn("a request_uri that nobody has finished is not taken a second time")
		f.refusedHere(r, a, "invalid_request_uri")
		return
	}
	f.redeem(r, f.codeOf(r, a), how{})
}

// glance opens a pushed request and leaves before answering anything.
func (f *fapiClient) glance(b *Browser, requestURI string) {
	f.e.t.Helper()
	query := url.Values{"client_id": {f.ID}, "request_uri": {requestURI}}
	a := &Arrival{}
	b.hop(f.e.newRequest(http.MethodGet, f.e.Metadata().AuthorizationEndpoint+"?"+query.Encode(), nil), a)
	if a.URL != nil {
		f.e.Fatalf("the first visit ends at %s", a.URL.Path)
	}
}

func fapiReusedAfter(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	b, r := e.Browser(), f.request()
	requestURI := f.pushOK(r, unboundPush).RequestURI
	tokens := f.redeem(r, f.codeOf(r, f.open(b, r, requestURI)), how{})
	f.resourceOK(tokens, nil)
	a := f.open(b, r, requestURI)
	if a.Page == nil && a.Params.Has("code") {
		e.Warn("a request_uri can be used again")
		return
	}
	f.refusedHere(r, a, "invalid_request_uri")
}

func fapiExpiredRequestURI(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	p := f.pushOK(r, unboundPush)
	e.wait(time.Duration(p.ExpiresIn)*time.Second + 2*time.Second)
	f.refusedHere(r, f.open(e.Browser(), r, p.RequestURI), "invalid_request_uri")
}

func fapiOtherClientsRequestURI(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	b, r := e.Browser(), f.request()
	requestURI := f.pushOK(r, unboundPush).RequestURI
	second := e.fapi(e.Clients.FAPI2)
	f.refusedHere(r, second.open(b, r, requestURI), "invalid_request", "invalid_request_object", "invalid_request_uri")
}

func fapiRequestURIPushed(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	answer := f.push(f.request("request_uri", "urn:ietf:params:oauth:request_uri:"+random(26)), unboundPush)
	e.notIssued(answer, "invalid_request", "invalid_request_object", "request_uri_not_supported")
}

func fapiPushMethod(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	if status := f.push(f.request(), how{noProof: true, method: http.MethodPut}).Status; status != http.StatusMethodNotAllowed {
		e.Errorf("PUT is answered with %d", status)
	}
}

func fapiNoChallenge(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	f.refusedAnywhere(e.Request(f.Client), "invalid_request")
}

func fapiPlainChallenge(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	r.Params.Set("code_challenge_method", "plain")
	r.Params.Set("code_challenge", r.Verifier)
	f.refusedAnywhere(r, "invalid_request")
}

func fapiWithoutDuplicates(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	b, r := e.Browser(), f.request()
	requestURI := f.pushOK(r, unboundPush).RequestURI
	query := url.Values{"client_id": {f.ID}, "request_uri": {requestURI}}
	a := b.Go(e.Metadata().AuthorizationEndpoint + "?" + query.Encode())
	f.resourceOK(f.redeem(r, f.codeOf(r, a), how{}), nil)
}
