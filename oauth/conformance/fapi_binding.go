package conformance

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// fapiBinding are the modules about DPoP.
func fapiBinding() []Module {
	return []Module{
		{"check-dpop-proof-nbf-exp", fapiProofTimes},
		{"ensure-dpopproof-with-iat-10seconds-before-succeeds", func(e *Env) { fapiProofsAt(e, -10*time.Second) }},
		{"ensure-dpopproof-with-iat-10seconds-after-succeeds", func(e *Env) { fapiProofsAt(e, 10*time.Second) }},
		{"ensure-mismatched-dpop-jkt-fails", fapiMismatchedThumbprint},
		{"ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt", func(e *Env) { fapiOtherKey(e, false) }},
		{"ensure-token-endpoint-fails-with-mismatched-dpop-jkt", func(e *Env) { fapiOtherKey(e, true) }},
		{"ensure-dpopproof-at-par-endpoint-binding-success", fapiBoundByProof},
		{"ensure-dpop-auth-code-binding-success", fapiBoundByThumbprint},
		{"dpop-negative-tests", fapiProofs},
	}
}

func fapiProofTimes(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	timed := func(p *proof) {
		p.claims["nbf"] = p.claims["iat"]
		p.claims["exp"] = p.claims["iat"].(int64) + int64(5*time.Minute/time.Second)
	}
	f.resourceOK(f.redeem(r, f.code(e.Browser(), r, unboundPush), how{proof: timed}), timed)
}

// fapiProofsAt sends proofs made by a clock that is off.
func fapiProofsAt(e *Env, off time.Duration) {
	f := e.fapi(e.Clients.FAPI)
	r := f.request()
	code := f.code(e.Browser(), r, how{proof: later(off)})
	f.resourceOK(f.redeem(r, code, how{proof: later(off)}), later(off))
}

func fapiMismatchedThumbprint(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	e.notIssued(f.push(f.request("dpop_jkt", e.thumbprint(e.newKey())), how{}), "invalid_request", "invalid_dpop_proof")
}

// fapiOtherKey binds a code to one key, by a proof or by dpop_jkt, and redeems
// it with another.
func fapiOtherKey(e *Env, named bool) {
	f := e.fapi(e.Clients.FAPI)
	r, push := f.request(), how{}
	if named {
		r, push = f.request("dpop_jkt", e.thumbprint(f.key)), unboundPush
	}
	code := f.code(e.Browser(), r, push)
	e.notIssued(f.with(e.newKey()).exchange(r, code, how{}), "invalid_grant", "invalid_dpop_proof", "invalid_request")
}

func fapiBoundByProof(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	f.login(e.Browser(), f.request(), how{})
}

func fapiBoundByThumbprint(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	f.login(e.Browser(), f.request("dpop_jkt", e.thumbprint(f.key)), how{})
}

// proofCase is a proof at the protected resource, and whether it is let in.
type proofCase struct {
	name   string
	change func(p *proof)
	ok     bool
	should bool // a warning when it is otherwise
}

// fapiProofs tries proofs that are wrong in one thing (RFC 9449 section 4.3), and
// some that only look wrong.
func fapiProofs(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	tokens := f.login(e.Browser(), f.request(), unboundPush)
	for _, c := range append(f.headerCases(), f.claimCases()...) {
		f.try(tokens, c)
	}
	f.tryWithoutProof(tokens, "DPoP")
	f.tryWithoutProof(tokens, "Bearer")
	f.try(tokens, proofCase{"a correct proof at the end", nil, true, false})
}

func (f *fapiClient) try(tokens *Tokens, c proofCase) {
	f.e.t.Helper()
	status := f.resource(tokens, c.change).Status
	if c.ok && status == http.StatusOK || !c.ok && (status == http.StatusBadRequest || status == http.StatusUnauthorized) {
		return
	}
	if c.should {
		f.e.Warn(c.name + " is not treated as recommended")
		return
	}
	f.e.Errorf("%s is answered with %d", c.name, status)
}

// tryWithoutProof shows the token under a scheme, and no proof.
func (f *fapiClient) tryWithoutProof(tokens *Tokens, scheme string) {
	f.e.t.Helper()
	r := f.e.newRequest(http.MethodGet, f.e.Metadata().UserInfoEndpoint, nil)
	r.Header.Set("Authorization", scheme+" "+tokens.AccessToken)
	if status := f.e.call(r).Status; status != http.StatusBadRequest && status != http.StatusUnauthorized {
		f.e.Errorf("a bound token without a proof, as %s, is answered with %d", scheme, status)
	}
}

// headerCases are about the request's header and the proof's.
func (f *fapiClient) headerCases() []proofCase {
	set := func(name string, value any) func(p *proof) { return func(p *proof) { p.header[name] = value } }
	without := func(name string) func(p *proof) { return func(p *proof) { delete(p.header, name) } }
	twice := func(h http.Header, token string) { h["Dpop"] = []string{token, token} }
	shouted := func(h http.Header, token string) { h["DPOP"] = []string{token} }
	private := f.e.publicJWK(f.key)
	return []proofCase{
		{"a proof in a header of capitals", func(p *proof) { p.attach = shouted }, true, true},
		{"two proofs", func(p *proof) { p.attach = twice }, false, false},
		{"a proof that is no JWT", func(p *proof) {
			p.finish = func(token string) string { return "no." + strings.ReplaceAll(token, ".", "-") }
		}, false, false},
		{"a proof without typ", without("typ"), false, false},
		{"a proof without alg", without("alg"), false, false},
		{"a proof without jwk", without("jwk"), false, false},
		{"a proof with another typ", set("typ", "JWT"), false, false},
		{"a proof with alg none", func(p *proof) {
			p.header["alg"] = "none"
			p.finish = func(token string) string { return token[:strings.LastIndexByte(token, '.')+1] }
		}, false, false},
		{"a proof with a broken signature", func(p *proof) { p.finish = brokenSignature }, false, false},
		{"a proof with a private key", set("jwk", private), false, false},
		{"a proof signed with another key than it shows", func(p *proof) { p.key = f.e.newKey() }, false, false},
		{"a proof of another key", func(p *proof) {
			p.key = f.e.newKey()
			p.header["jwk"] = f.e.publicJWK(p.key.Public())
		}, false, false},
		{"a proof with more in its header", set("extra", "x"), true, false},
	}
}

// claimCases are about the proof's claims.
func (f *fapiClient) claimCases() []proofCase {
	set := func(name string, value any) func(p *proof) { return func(p *proof) { p.claims[name] = value } }
	without := func(name string) func(p *proof) { return func(p *proof) { delete(p.claims, name) } }
	htu := func(change func(u *url.URL)) func(p *proof) {
		return func(p *proof) {
			u, err := url.Parse(p.claims["htu"].(string))
			f.e.must("htu", err)
			change(u)
			p.claims["htu"] = u.String()
		}
	}
	once := random(26)
	return []proofCase{
		{"a proof without jti", without("jti"), false, false},
		{"a proof without htm", without("htm"), false, false},
		{"a proof without htu", without("htu"), false, false},
		{"a proof without iat", without("iat"), false, false},
		{"a proof without ath", without("ath"), false, false},
		{"a proof for another method", set("htm", http.MethodPut), false, false},
		{"a proof whose htu has a query and a fragment", htu(func(u *url.URL) { u.RawQuery, u.Fragment = "a=b", "c" }), true, false},
		{"a proof for another address", htu(func(u *url.URL) { u.Path += "/other" }), false, false},
		{"a proof made in an hour", later(time.Hour), false, false},
		{"a proof made an hour ago", later(-time.Hour), false, false},
		{"a proof used for the first time", set("jti", once), true, false},
		{"a proof used for the second time", set("jti", once), false, true},
		{"a proof for another token", set("ath", random(43)), false, false},
		{"a proof with more claims", set("extra", "x"), true, false},
		{"a proof whose htu has capitals in scheme and host", htu(func(u *url.URL) {
			u.Scheme, u.Host = strings.ToUpper(u.Scheme), strings.ToUpper(u.Host)
		}), true, true},
		{"a proof whose htu names the port of its scheme", htu(func(u *url.URL) {
			if u.Port() == "" {
				u.Host += ":443"
			}
		}), true, true},
	}
}
