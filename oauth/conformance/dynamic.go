package conformance

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Dynamic is oidcc-dynamic-certification-test-plan for the response type code:
// each module registers its own client, which authenticates with
// private_key_jwt. The clients send PKCE, unlike those of the Foundation: a
// server may well not let strangers do without.
func Dynamic() Plan {
	const keyRotation = "oidcc-refresh-token-rp-key-rotation"
	return Plan{Name: "oidcc-dynamic-certification-test-plan", Waits: []string{keyRotation}, Modules: []Module{
		{"oidcc-idtoken-rs256", dynamicIDToken},
		{"oidcc-idtoken-unsigned", idTokenUnsigned},
		{"oidcc-userinfo-rs256", dynamicUserInfo},
		{"oidcc-ensure-redirect-uri-in-authorization-request", dynamicNoRedirectURI},
		{"oidcc-redirect-uri-query-OK", func(e *Env) { dynamicQuery(e, "?foo=bar", "?foo=bar") }},
		{"oidcc-redirect-uri-query-mismatch", func(e *Env) { dynamicQuery(e, "?foo=bar", "?bar=foo") }},
		{"oidcc-redirect-uri-query-added", func(e *Env) { dynamicQuery(e, "", "?foo=bar") }},
		{"oidcc-redirect-uri-regfrag", dynamicFragment},
		{"oidcc-discovery-endpoint-verification", dynamicDiscovery},
		{"oidcc-server", func(e *Env) { e.loginRegistered(nil) }},
		{"oidcc-registration-logo-uri", func(e *Env) { dynamicShown(e, "logo_uri") }},
		{"oidcc-registration-policy-uri", func(e *Env) { dynamicShown(e, "policy_uri") }},
		{"oidcc-registration-tos-uri", func(e *Env) { dynamicShown(e, "tos_uri") }},
		{"oidcc-registration-jwks-uri", dynamicKeys},
		{"oidcc-registration-sector-uri", func(e *Env) { dynamicSector(e, true) }},
		{"oidcc-registration-sector-bad", func(e *Env) { dynamicSector(e, false) }},
		{"oidcc-server-rotate-keys", dynamicServerKeys},
		{keyRotation, dynamicKeyRotation},
		{"oidcc-request-uri-unsigned", dynamicRequestURI},
		{"oidcc-request-uri-signed-rs256", dynamicRequestURI},
		{"oidcc-ensure-request-object-with-redirect-uri", dynamicRequestObject},
		{"oidcc-refresh-token", dynamicRefresh},
		{"oidcc-ensure-client-assertion-with-iss-aud-succeeds", func(e *Env) { e.loginRegistered(nil) }},
	}}
}

// loginRegistered registers a client and signs somebody in for it.
func (e *Env) loginRegistered(more map[string]any) *Tokens {
	e.t.Helper()
	return e.Login(e.Browser(), e.Request(e.Register(more)).withPKCE())
}

func dynamicIDToken(e *Env) {
	tokens := e.loginRegistered(map[string]any{"id_token_signed_response_alg": "RS256"})
	if tokens.ID.Alg != "RS256" {
		e.Errorf("the ID token is signed with %s", tokens.ID.Alg)
	}
}

// dynamicUserInfo asks for userinfo as a JWT (OpenID Connect Core section 5.3.2).
func dynamicUserInfo(e *Env) {
	if !slices.Contains(e.Metadata().UserInfoAlgs, "RS256") {
		e.Skip("not advertised: userinfo_signing_alg_values_supported has no RS256")
	}
	r := e.Request(e.Register(map[string]any{"userinfo_signed_response_alg": "RS256"})).withPKCE()
	code, _ := e.Code(e.Browser(), r)
	tokens := e.Redeem(r, code)
	call := e.newRequest(http.MethodGet, e.Metadata().UserInfoEndpoint, nil)
	call.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	answer := e.call(call)
	if answer.Status != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/jwt") {
		e.Fatalf("userinfo answers %d with the media type %q", answer.Status, answer.Header.Get("Content-Type"))
	}
	header, payload := e.verified("userinfo", string(answer.Body))
	claims := map[string]any{}
	e.must("decode userinfo", json.Unmarshal(payload, &claims))
	if header.Algorithm != "RS256" || claims["sub"] != tokens.ID.Subject || claims["iss"] != e.Issuer || !forClient(claims["aud"], r.Client.ID) {
		e.Errorf("userinfo is signed with %s by %v for %v", header.Algorithm, claims["iss"], claims["aud"])
	}
}

func dynamicNoRedirectURI(e *Env) {
	r := e.Request(e.Register(nil), "redirect_uri", "").withPKCE()
	e.StaysOnPage(e.Browser(), r)
}

// dynamicQuery registers a redirect URI with one query and uses another.
func dynamicQuery(e *Env, registered, used string) {
	c := &Client{}
	metadata := e.registration(c, nil)
	plain := c.RedirectURI
	metadata["redirect_uris"] = []string{plain + registered}
	e.registerAs(c, metadata)
	c.RedirectURI = plain + used
	r := e.Request(c).withPKCE()
	if registered == used {
		e.Login(e.Browser(), r)
		return
	}
	e.StaysOnPage(e.Browser(), r)
}

func dynamicFragment(e *Env) {
	c := &Client{}
	metadata := e.registration(c, nil)
	metadata["redirect_uris"] = []string{c.RedirectURI + "#foobar"}
	e.notRegistered(metadata, "invalid_redirect_uri", "invalid_request", "invalid_client_metadata")
}

// dynamicDiscovery also wants what OpenID Connect Discovery section 3 demands of
// providers for dynamic clients, the implicit flow among it.
func dynamicDiscovery(e *Env) {
	discoveryEndpointVerification(e)
	m := e.Metadata()
	if m.RegistrationEndpoint == "" {
		e.Errorf("registration_endpoint is missing")
	}
	var missing []string
	for _, want := range []string{"id_token", "id_token token"} {
		if !slices.ContainsFunc(m.ResponseTypes, func(got string) bool { return sameWords(got, want) }) {
			missing = append(missing, "the response type "+want)
		}
	}
	if m.raw["grant_types_supported"] != nil && !slices.Contains(m.GrantTypes, "implicit") {
		missing = append(missing, "the grant type implicit")
	}
	if len(missing) > 0 {
		e.declinable("implicit flow", "not supported: %s", strings.Join(missing, ", "))
	}
}

func sameWords(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// dynamicShown registers an address that people should see when they are asked.
func dynamicShown(e *Env, name string) {
	address := "https://rp.example.test/" + random(10)
	b := e.Browser()
	e.Login(b, e.Request(e.Register(map[string]any{name: address})).withPKCE())
	if !slices.ContainsFunc(b.pages, func(p *Page) bool { return strings.Contains(p.Body, address) }) {
		e.Warn("no page shows the " + name)
	}
}

func dynamicKeys(e *Env) {
	c := &Client{}
	metadata := e.registration(c, nil)
	metadata["jwks_uri"] = e.publish("/"+c.KeyID+"/jwks.json", metadata["jwks"])
	delete(metadata, "jwks")
	e.Login(e.Browser(), e.Request(e.registerAs(c, metadata)).withPKCE())
}

// dynamicSector registers with a sector document that lists the redirect URI, or
// does not.
func dynamicSector(e *Env, listed bool) {
	if !slices.Contains(e.Metadata().SubjectTypes, "pairwise") {
		e.Skip("not advertised: subject_types_supported has no pairwise")
	}
	c := &Client{}
	metadata := e.registration(c, map[string]any{"subject_type": "pairwise"})
	uris := []string{"https://rp.example.test/other/cb"}
	if listed {
		uris = append(uris, c.RedirectURI)
	}
	metadata["sector_identifier_uri"] = e.publish("/"+c.KeyID+"/redirect_uris.json", uris)
	if listed {
		e.registerAs(c, metadata)
		return
	}
	e.notRegistered(metadata, "invalid_client_metadata")
}

// rotationPatience is how long it may take until rotated keys are published.
const rotationPatience = 40 * time.Second

// dynamicServerKeys rotates the server's keys: there are new ones, and the old
// ones still.
func dynamicServerKeys(e *Env) {
	before := e.keys()
	e.RotateKeys(e.t)
	after := e.keys()
	for waited := time.Duration(0); !hasOther(after, before) && waited < rotationPatience; waited += time.Second {
		e.wait(time.Second)
		after = e.keys()
	}
	if !hasOther(after, before) {
		e.Errorf("no key is new after the rotation")
	}
	if hasOther(before, after) {
		e.Warn("a key is gone at once after the rotation")
	}
}

// hasOther reports whether a has a key that b has not.
func hasOther(a, b *jose.JSONWebKeySet) bool {
	return slices.ContainsFunc(a.Keys, func(key jose.JSONWebKey) bool { return len(b.Key(key.KeyID)) == 0 })
}

// keyRotationWait lets the server look at a client's keys again, which it need
// not do all the time.
const keyRotationWait = 60 * time.Second

// dynamicKeyRotation changes the client's key at its jwks_uri and refreshes.
func dynamicKeyRotation(e *Env) {
	c := &Client{}
	metadata := e.registration(c, map[string]any{"grant_types": []string{"authorization_code", "refresh_token"}})
	path := "/" + c.KeyID + "/jwks.json"
	metadata["jwks_uri"] = e.publish(path, metadata["jwks"])
	delete(metadata, "jwks")
	e.registerAs(c, metadata)
	r := e.Request(c, "scope", "openid offline_access", "prompt", "consent").withPKCE()
	code, _ := e.Code(e.Browser(), r)
	tokens := e.Redeem(r, code)
	if tokens.RefreshToken == "" {
		e.Fatalf("there is no refresh token")
	}
	c.Key, c.KeyID = e.newKey(), random(10)
	e.publish(path, e.publicKeys(c))
	e.wait(keyRotationWait)
	refreshed := e.issued(e.tokenCall(c, refreshForm(tokens.RefreshToken)))
	e.checkRefreshed(r, tokens, refreshed)
	e.UserInfo(refreshed)
}

func dynamicRequestURI(e *Env) {
	r := e.Request(e.Register(nil), "request_uri", e.SiteURL+"/request.jwt").withPKCE()
	if e.Metadata().supportsRequestURI() {
		e.Fatalf("request_uri is claimed to work, which this module does not know how to serve")
	}
	e.Refused(e.Browser(), r, "request_uri_not_supported")
	e.Skip("not supported: request_uri, refused with request_uri_not_supported")
}

func dynamicRequestObject(e *Env) {
	if e.Metadata().RequestParam {
		e.Fatalf("request objects are claimed to work, for which this module has no answer to expect")
	}
	r := e.unsignedObject(e.Request(e.Register(nil)).withPKCE())
	r.Params.Set("redirect_uri", r.Client.RedirectURI+"/"+random(10))
	e.StaysOnPage(e.Browser(), r)
	e.Skip("not supported: request objects; the browser stayed with the server")
}

func dynamicRefresh(e *Env) {
	grants := map[string]any{"grant_types": []string{"authorization_code", "refresh_token"}}
	first, second := e.Register(grants), e.Register(grants)
	mine, others := e.refreshing(first), e.refreshing(second)
	if mine.RefreshToken == others.RefreshToken {
		e.Errorf("two clients have the same refresh token")
	}
	e.notIssued(e.tokenCall(first, refreshForm(others.RefreshToken)), "invalid_grant")
}
