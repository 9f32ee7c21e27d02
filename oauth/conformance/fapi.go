package conformance

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
)

const (
	fapiPrefix        = "fapi2-security-profile-final-"
	expiredCode       = "ensure-token-endpoint-fails-with-expired-auth-code"
	expiredRequestURI = "par-attempt-to-use-expired-request_uri"
)

// FAPI2SecurityProfile is fapi2-security-profile-final-test-plan with
// private_key_jwt, DPoP, OpenID Connect and plain_fapi: the 62 modules that
// remain of 78 without those about signed requests, 6 of which are for the
// profiles of single countries, and the later one about invalid assertions.
func FAPI2SecurityProfile() Plan {
	plan := Plan{Name: "fapi2-security-profile-final-test-plan", Waits: []string{fapiPrefix + expiredCode, fapiPrefix + expiredRequestURI}}
	for _, group := range [][]Module{fapiRequests(), fapiBinding(), fapiCodes(), fapiAssertions(), fapiPushed(), fapiOtherProfiles()} {
		for _, m := range group {
			plan.Modules = append(plan.Modules, Module{fapiPrefix + m.Name, m.Run})
		}
	}
	return plan
}

// fapiRequests are the modules about authorization requests that are in order,
// and about what a server may do with odd ones.
func fapiRequests() []Module {
	return []Module{
		{"discovery-end-point-verification", fapiDiscovery},
		{"happy-flow", fapiHappyFlow},
		{"user-rejects-authentication", fapiUserRejects},
		{"ensure-authorization-request-without-state-success", fapiSucceeds("state", "")},
		{"ensure-authorization-request-without-nonce-success", fapiSucceeds("nonce", "")},
		{"ensure-authorization-request-with-64-char-nonce-success", func(e *Env) { fapiSucceeds("nonce", random(64))(e) }},
		{"ensure-other-scope-order-succeeds", fapiSucceeds("scope", "email openid")},
		{"test-claims-parameter-identity-claims", fapiIdentityClaims},
		{"access-token-type-header-case-sensitivity", fapiTokenTypeCase},
		{"ensure-authorization-request-with-long-nonce", func(e *Env) { fapiKeptOrRefused(e, "nonce", random(384)) }},
		{"ensure-authorization-request-with-long-state", func(e *Env) { fapiKeptOrRefused(e, "state", random(1000)) }},
		{"refresh-token", fapiRefreshToken},
	}
}

// fapiOtherProfiles belong to profiles that this plan is not run for.
func fapiOtherProfiles() []Module {
	other := func(profile string) func(e *Env) { return func(e *Env) { e.Skip("not of plain_fapi: " + profile) } }
	return []Module{
		{"ensure-registered-redirect-uri", other("profiles whose redirect URIs have to be registered")},
		{"australia-connectid-ensure-invalid-purpose-fails", other("ConnectID Australia")},
		{"australia-connectid-test-claims-parameter-idtoken-identity-claims", other("ConnectID Australia")},
		{"brazil-ensure-bad-payment-signature-fails", other("Open Finance Brazil")},
		{"ensure-server-handles-non-matching-intent-id", other("Open Banking UK")},
		{"test-essential-acr-sca-claim", other("Open Banking UK")},
	}
}

func fapiDiscovery(e *Env) {
	m := e.Metadata()
	e.checkIssuer()
	e.checkEndpoints()
	e.keys()
	if m.PushedEndpoint == "" {
		e.Errorf("pushed_authorization_request_endpoint is missing")
	}
	if !m.ResponseIssuer {
		e.Errorf("authorization_response_iss_parameter_supported is not true")
	}
	e.contains("response_types_supported", m.ResponseTypes, "code")
	e.contains("scopes_supported", m.Scopes, "openid")
	e.contains("subject_types_supported", m.SubjectTypes, "public", "pairwise")
	e.contains("dpop_signing_alg_values_supported", m.DPoPAlgs, fapiAlgs...)
	e.contains("id_token_signing_alg_values_supported", m.IDTokenAlgs, fapiAlgs...)
	e.contains("token_endpoint_auth_methods_supported", m.AuthMethods, "private_key_jwt")
	e.contains("token_endpoint_auth_signing_alg_values_supported", m.AuthAlgs, fapiAlgs...)
	e.contains("code_challenge_methods_supported", m.Challenges, "S256")
	if m.raw["userinfo_signing_alg_values_supported"] != nil {
		e.contains("userinfo_signing_alg_values_supported", m.UserInfoAlgs, fapiAlgs...)
	}
}

// fapiSucceeds is a login with parameters changed.
func fapiSucceeds(more ...string) func(e *Env) {
	return func(e *Env) {
		f := e.fapi(e.Clients.FAPI)
		f.login(e.Browser(), f.request(more...), unboundPush)
	}
}

// fapiHappyFlow logs in with two clients. The second one names its key in
// dpop_jkt alone (RFC 9449 section 10), and the first one tries its own key with
// the second one's token.
func fapiHappyFlow(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	tokens := f.login(e.Browser(), f.request(), unboundPush)
	e.notAskedFor(tokens.ID)
	f.tokenInQuery(tokens)
	f.resourceOK(tokens, nil, "Accept", "application/json;charset=UTF-8")
	f.resourceOK(tokens, nil, "Accept", "application/json, application/*+json, */*")

	second := e.fapi(e.Clients.FAPI2)
	others := second.login(e.Browser(), second.request("nonce", random(43), "dpop_jkt", e.thumbprint(second.key)), unboundPush)
	f.notOurs(others)
}

// notAskedFor warns about claims of a user that a request for the scope openid
// alone brings in the ID token.
func (e *Env) notAskedFor(id *IDToken) {
	e.t.Helper()
	for _, names := range scopeClaims {
		for _, name := range names {
			if id.Claims[name] != nil {
				e.Warn("the ID token has claims that nobody asked for")
			}
		}
	}
}

// tokenInQuery is refused (FAPI 2.0 Security Profile section 5.3.4).
func (f *fapiClient) tokenInQuery(tokens *Tokens) {
	f.e.t.Helper()
	r := f.e.newRequest(http.MethodGet, f.e.Metadata().UserInfoEndpoint+"?access_token="+tokens.AccessToken, nil)
	f.prove(r, tokens.AccessToken, nil)
	if status := f.e.call(r).Status; status < http.StatusBadRequest || status >= http.StatusInternalServerError {
		f.e.Errorf("an access token in the query is answered with %d", status)
	}
}

// notOurs tries this client's key with another client's token.
func (f *fapiClient) notOurs(tokens *Tokens) {
	f.e.t.Helper()
	if status := f.resource(tokens, nil).Status; status < http.StatusBadRequest || status >= http.StatusInternalServerError {
		f.e.Errorf("a token bound to another key is answered with %d", status)
	}
}

func fapiUserRejects(e *Env) {
	for _, c := range []*Client{e.Clients.FAPI, e.Clients.FAPI2} {
		f := e.fapi(c)
		b := e.Browser()
		b.Refuses = true
		r := f.request("state", random(128), "prompt", "consent")
		e.refusedWith(r, f.open(b, r, f.pushOK(r, unboundPush).RequestURI), "access_denied")
	}
}

// fapiIdentityClaims asks for each standard claim that is claimed to be
// supported, and for some that nobody knows, in both places.
func fapiIdentityClaims(e *Env) {
	if !e.Metadata().ClaimsParam {
		e.Skip("not advertised: claims_parameter_supported")
	}
	var wanted []string
	for _, names := range scopeClaims {
		for _, name := range names {
			if slices.Contains(e.Metadata().Claims, name) {
				wanted = append(wanted, name)
			}
		}
	}
	slices.Sort(wanted)
	members := []string{`"` + random(10) + `":null`, `"` + random(10) + `":{"essential":true}`}
	for i, name := range wanted {
		members = append(members, `"`+name+`":`+[]string{"null", `{"essential":true}`, `{"essential":false}`}[i%3])
	}
	list := "{" + strings.Join(members, ",") + "}"
	f := e.fapi(e.Clients.FAPI)
	tokens := f.login(e.Browser(), f.request("claims", `{"id_token":`+list+`,"userinfo":`+list+`}`), unboundPush)
	info := f.resourceOK(tokens, nil)
	var missing []string
	for _, name := range wanted {
		if info[name] == nil && tokens.ID.Claims[name] == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		e.Warn("neither the ID token nor userinfo has the claims " + strings.Join(missing, ", "))
	}
}

// fapiTokenTypeCase names the scheme in another case (RFC 9110 section 11.1).
func fapiTokenTypeCase(e *Env) {
	f := e.fapi(e.Clients.FAPI)
	tokens := f.login(e.Browser(), f.request(), unboundPush)
	inverted := strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, tokens.TokenType)
	f.resourceOK(tokens, nil, "Authorization", inverted+" "+tokens.AccessToken)
}

// fapiKeptOrRefused sends a very long value, which comes back as it was or is
// refused.
func fapiKeptOrRefused(e *Env, name, value string) {
	f := e.fapi(e.Clients.FAPI)
	b, r := e.Browser(), f.request(name, value)
	answer := f.push(r, unboundPush)
	if answer.Status >= http.StatusBadRequest {
		e.notIssued(answer, "invalid_request")
		return
	}
	a := f.open(b, r, f.accepted(answer).RequestURI)
	if a.Params.Has("error") {
		e.refusedWith(r, a, "invalid_request")
		return
	}
	f.redeem(r, f.codeOf(r, a), how{})
}
