package conformance

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// fapiAssertions are the modules about private_key_jwt.
func fapiAssertions() []Module {
	atToken := func(change func(a *assertion)) func(e *Env) { return func(e *Env) { fapiAssertionAtToken(e, change) } }
	atPush := func(change func(e *Env, a *assertion)) func(e *Env) {
		return func(e *Env) { fapiAssertionAtPush(e, func(a *assertion) { change(e, a) }) }
	}
	return []Module{
		{"ensure-signed-client-assertion-with-RS256-fails", func(e *Env) { fapiAssertionAtToken(e, signedRS256(e)) }},
		{"ensure-client-assertion-in-token-endpoint", fapiNoAssertion},
		{"ensure-client-assertion-with-exp-is-5-minutes-in-past-fails", atToken(expired)},
		{"ensure-client-assertion-with-wrong-aud-fails", atToken(claim("aud", "https://other.example.test"))},
		{"ensure-client-assertion-with-no-sub-fails", atToken(noClaim("sub"))},
		{"ensure-invalid-client-assertions-fail", fapiInvalidAssertions},
		{"par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted", func(e *Env) {
			f := e.fapi(e.Clients.FAPI)
			f.pushOK(f.request(), how{noProof: true, assertion: issuedIn(8 * time.Second)})
		}},
		{"par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails", atPush(func(_ *Env, a *assertion) { issuedIn(70 * time.Second)(a) })},
		{"par-test-array-as-audience-fails", atPush(audienceList)},
		{"par-test-par-endpoint-url-as-audience-fails", atPush(audiencePAR)},
		{"par-test-token-endpoint-url-as-audience-fails", atPush(audienceToken)},
	}
}

func claim(name string, value any) func(a *assertion) {
	return func(a *assertion) { a.claims[name] = value }
}

func noClaim(name string) func(a *assertion) { return func(a *assertion) { delete(a.claims, name) } }

func expired(a *assertion) {
	now := a.claims["iat"].(int64)
	a.claims["iat"], a.claims["exp"] = now-int64(6*time.Minute/time.Second), now-int64(5*time.Minute/time.Second)
}

// issuedIn is an assertion from the future.
func issuedIn(d time.Duration) func(a *assertion) {
	return func(a *assertion) {
		at := a.claims["iat"].(int64) + int64(d/time.Second)
		a.claims["iat"], a.claims["nbf"], a.claims["exp"] = at, at, at+60
	}
}

func audienceList(e *Env, a *assertion) {
	a.claims["aud"] = []string{e.Issuer, "https://other.example.test"}
}

func audiencePAR(e *Env, a *assertion) { a.claims["aud"] = e.Metadata().PushedEndpoint }

func audienceToken(e *Env, a *assertion) { a.claims["aud"] = e.Metadata().TokenEndpoint }

// signedRS256 uses a key that the client is registered with for PS256 alone.
func signedRS256(e *Env) func(a *assertion) {
	c := e.Clients.FAPI
	return func(a *assertion) {
		a.sign = func(a *assertion) string {
			key := jose.JSONWebKey{Key: c.RSAKey, KeyID: c.KeyID + "-rsa"}
			return e.sign(jose.SigningKey{Algorithm: jose.RS256, Key: key}, "JWT", a.claims)
		}
	}
}

// fapiAssertionAtToken redeems a code with an assertion that must not be taken.
func fapiAssertionAtToken(e *Env, change func(a *assertion)) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	code := f.code(e.Browser(), r, unboundPush)
	e.notIssued(f.exchange(r, code, how{assertion: change}), "invalid_client")
}

// fapiAssertionAtPush pushes a request with an assertion that must not be taken.
func fapiAssertionAtPush(e *Env, change func(a *assertion)) {
	f := e.fapi(e.Clients.FAPI)
	f.pushRefused(f.request(), how{noProof: true, assertion: change})
}

func (f *fapiClient) pushRefused(r *Request, h how) {
	f.e.t.Helper()
	answer := f.push(r, h)
	if answer.Status == http.StatusCreated {
		f.e.Errorf("the assertion was taken")
		return
	}
	f.e.notIssued(answer, "invalid_client", "invalid_request")
}

func fapiNoAssertion(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	code := f.code(e.Browser(), r, unboundPush)
	e.notIssued(f.exchange(r, code, how{noAssertion: true}), "invalid_client", "invalid_request")
}

// fapiInvalidAssertions pushes with assertions that are wrong in one thing each,
// and with two that are right.
func fapiInvalidAssertions(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	typed := func(change func(form map[string][]string)) how {
		return how{noProof: true, form: func(form url.Values) { change(form) }}
	}
	f.pushRefused(f.request(), how{noProof: true, noAssertion: true})
	f.pushRefused(f.request(), typed(func(form map[string][]string) { delete(form, "client_assertion_type") }))
	f.pushRefused(f.request(), typed(func(form map[string][]string) { form["client_assertion_type"] = []string{"urn:wrong"} }))
	for _, change := range []func(a *assertion){
		noClaim("sub"), claim("sub", "wrong"), noClaim("iss"), claim("iss", "wrong"), noClaim("aud"), claim("aud", "https://other.example.test"),
		func(a *assertion) { audiencePAR(e, a) }, func(a *assertion) { audienceToken(e, a) }, func(a *assertion) { audienceList(e, a) },
		expired, issuedIn(70 * time.Second), signedRS256(e), unsecured,
		func(a *assertion) { a.finish = brokenSignature },
	} {
		f.pushRefused(f.request(), how{noProof: true, assertion: change})
	}
	f.pushOK(f.request(), how{noProof: true, assertion: issuedIn(8 * time.Second)})
	f.pushOK(f.request(), unboundPush)
}

// unsecured is an assertion that nobody signed.
func unsecured(a *assertion) {
	a.sign = func(a *assertion) string {
		payload, err := json.Marshal(a.claims)
		if err != nil {
			return ""
		}
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
	}
}
