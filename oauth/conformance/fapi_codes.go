package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"time"
)

// fapiCodes are the modules about redeeming codes.
func fapiCodes() []Module {
	return []Module{
		{"ensure-client-id-in-token-endpoint", fapiClientID},
		{"ensure-holder-of-key-required", fapiHolderOfKey},
		{"ensure-authorization-code-is-bound-to-client", fapiCodeOfClient},
		{"attempt-reuse-authorization-code-after-one-second", fapiCodeReuse},
		{expiredCode, fapiExpiredCode},
		{"ensure-pkce-code-verifier-required", func(e *Env) {
			fapiVerifier(e, func(form url.Values) { form.Del("code_verifier") })
		}},
		{"incorrect-pkce-code-verifier-rejected", func(e *Env) {
			fapiVerifier(e, func(form url.Values) { form.Set("code_verifier", random(64)) })
		}},
	}
}

// fapiClientID names the second client, whose assertion the first one signs.
func fapiClientID(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	code := f.code(e.Browser(), r, unboundPush)
	second := f.with(f.key)
	second.Client = &Client{ID: e.Clients.FAPI2.ID, AuthMethod: f.AuthMethod, Key: f.Key, KeyID: e.Clients.FAPI2.KeyID}
	e.notIssued(second.exchange(r, code, how{}), "invalid_client", "invalid_grant")
}

func fapiHolderOfKey(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	code := f.code(e.Browser(), r, unboundPush)
	e.notIssued(f.exchange(r, code, how{noProof: true}), "invalid_request", "invalid_grant", "invalid_dpop_proof")
}

func fapiCodeOfClient(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	code := f.code(e.Browser(), r, unboundPush)
	e.notIssued(e.fapi(e.Clients.FAPI2).exchange(r, code, how{}), "invalid_grant")
}

func fapiCodeReuse(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	code := f.code(e.Browser(), r, unboundPush)
	tokens := f.redeem(r, code, how{})
	f.resourceOK(tokens, nil)
	e.wait(time.Second)
	e.notIssued(f.exchange(r, code, how{}), "invalid_grant")
	if f.resource(tokens, nil).Status < http.StatusBadRequest {
		e.Warn("the access token of a code that was used twice still works")
	}
}

// fapiExpiredCode waits for longer than a code may live (FAPI 2.0 Security
// Profile section 5.3.2.1).
func fapiExpiredCode(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	code := f.code(e.Browser(), r, unboundPush)
	e.wait(62 * time.Second)
	e.notIssued(f.exchange(r, code, how{}), "invalid_grant")
}

func fapiVerifier(e *Env, change func(form url.Values)) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	code := f.code(e.Browser(), r, unboundPush)
	e.notIssued(f.exchange(r, code, how{form: change}), "invalid_grant")
}

// fapiRefreshToken refreshes with both clients and tries what must not work.
func fapiRefreshToken(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	latest := f.refreshing()
	f.refreshRefused(latest, how{noAssertion: true}, "invalid_client", "invalid_request", "invalid_grant")
	f.refreshRefused(latest, how{noProof: true}, "invalid_request", "invalid_grant", "invalid_dpop_proof")
	second := e.fapi(e.Clients.FAPI2)
	others := second.refreshing()
	f.notOurs(others)
	f.refreshRefused(others, how{}, "invalid_grant")
}

func (f *fapiClient) refresh(token string, h how) *Answer {
	f.e.t.Helper()
	return f.send(f.e.Metadata().TokenEndpoint, refreshForm(token), h)
}

func (f *fapiClient) refreshRefused(tokens *Tokens, h how, codes ...string) {
	f.e.t.Helper()
	f.e.notIssued(f.refresh(tokens.RefreshToken, h), codes...)
}

// lostAnswer is the time after which a client that lost an answer asks again.
const lostAnswer = 30 * time.Second

// refreshing logs in and refreshes, and calls the resource with the new token.
// A server that rotates refresh tokens must take the old one again, for clients
// that the answer was lost on (FAPI 2.0 Security Profile section 5.3.2.1).
func (f *fapiClient) refreshing() *Tokens {
	f.e.t.Helper()
	r := f.request()
	if slices.Contains(f.e.Metadata().Scopes, "offline_access") {
		r = f.request("scope", "openid offline_access", "prompt", "consent")
	}
	first := f.redeem(r, f.code(f.e.Browser(), r, unboundPush), how{})
	if first.RefreshToken == "" {
		f.e.Skip("not issued: a refresh token")
	}
	second := f.refreshed(r, first)
	if second.RefreshToken != first.RefreshToken {
		f.e.wait(lostAnswer)
		second = f.refreshed(r, first)
	}
	f.resourceOK(second, nil)
	return second
}

// refreshed uses a refresh token.
func (f *fapiClient) refreshed(r *Request, first *Tokens) *Tokens {
	f.e.t.Helper()
	next := f.e.issued(f.refresh(first.RefreshToken, how{}))
	if next.RefreshToken == "" {
		next.RefreshToken = first.RefreshToken
	}
	f.e.checkRefreshed(r, first, next)
	return next
}
