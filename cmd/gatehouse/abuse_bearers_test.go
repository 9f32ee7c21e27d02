package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/oauth"
)

// forged is a token with a header of the attacker's own; its claims are those
// of a token that would open everything.
func (a *abuse) forged(header map[string]any, sign func(input string) []byte) string {
	a.t.Helper()
	encode := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			a.t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	now := time.Now().Unix()
	input := encode(header) + "." + encode(map[string]any{
		"iss": a.s.url, "sub": "machine", "aud": a.s.url, "client_id": "machine", "exp": now + 600, "iat": now, "jti": "forged", "scope": "openid notify.admin",
	})
	return input + "." + base64.RawURLEncoding.EncodeToString(sign(input))
}

// keys are our published keys.
func (a *abuse) keys() []jose.JSONWebKey {
	a.t.Helper()
	var set jose.JSONWebKeySet
	do(a.t, http.DefaultClient, request(a.t, http.MethodGet, a.s.url+"/oauth/jwks", nil)).json(a.t, &set)
	if len(set.Keys) < 3 {
		a.t.Fatalf("%d keys", len(set.Keys))
	}
	return set.Keys
}

// unsignedToken (J01): a token without a signature is none.
func (a *abuse) unsignedToken() {
	nothing := func(string) []byte { return nil }
	for _, alg := range []string{"none", "None", "nOnE", "", "ES256", "RS256"} {
		for _, key := range a.keys() {
			a.a401("alg "+alg, a.forged(map[string]any{"alg": alg, "typ": "at+jwt", "kid": key.KeyID}, nothing))
		}
	}
}

// confusedAlgorithm (J02): a public key is no shared secret, and a key in the
// token is not believed.
func (a *abuse) confusedAlgorithm() {
	for _, key := range a.keys() {
		der, err := x509.MarshalPKIXPublicKey(key.Key)
		if err != nil {
			a.t.Fatal(err)
		}
		jwk, err := key.MarshalJSON()
		if err != nil {
			a.t.Fatal(err)
		}
		for what, secret := range map[string][]byte{"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "DER": der, "JWK": jwk} {
			token := a.forged(map[string]any{"alg": "HS256", "typ": "at+jwt", "kid": key.KeyID, "jwk": json.RawMessage(jwk), "jku": "https://evil.example/jwks"}, func(input string) []byte {
				mac := hmac.New(sha256.New, secret)
				mac.Write([]byte(input))
				return mac.Sum(nil)
			})
			a.a401("HS256 with the "+what+" of "+key.Algorithm, token)
		}
	}
}

// otherTokens (J10): what was made for something else is no access token.
func (a *abuse) otherTokens() {
	got := a.granted(a.j)
	for what, token := range map[string]string{
		"an ID token": got.IDToken, "a refresh token": got.RefreshToken, "a code": a.code(a.j, a.conf), "a client secret": a.conf.ClientSecret,
		"an assertion": a.forged(map[string]any{"alg": "ES256", "typ": "client-authentication+jwt"}, func(string) []byte { return make([]byte, 64) }),
		"nothing":      "x", "a truncated token": got.AccessToken[:len(got.AccessToken)-1], "a longer token": got.AccessToken + "A",
	} {
		a.a401(what, token)
	}
	// Every claim of an access token and a signature of ours: the type alone tells.
	for _, typ := range []string{oauth.TypeLogoutToken, oauth.TypeIDToken, oauth.TypeUserInfo} {
		token := a.d.signedAs(typ, a.s.url, "machine", nil)
		if a.a401("of type "+typ, token); a.active(a.machine, token) {
			a.t.Errorf("of type %q: active", typ)
		}
	}
}

// otherAudience (J12): our own signature does not help where the audience is another's.
func (a *abuse) otherAudience() {
	if good := a.d.signed(a.s.url, "machine", nil); a.s.call(good, http.MethodGet, "/organisations", nil).status != http.StatusOK {
		a.t.Fatal("the token of this test is not good to begin with")
	}
	for what, audience := range map[string]any{
		"another service": "https://rs2.example", "a list": []string{a.s.url, "https://rs2.example"}, "a prefix": a.s.url + "/api", "a part": a.s.url[:len(a.s.url)-1],
		"an empty list": []string{}, "none": nil, "a slash": a.s.url + "/",
	} {
		a.a401(what, a.d.signed(a.s.url, "machine", map[string]any{"aud": audience}))
	}
	a.a401("another issuer", a.d.signed(a.s.url, "machine", map[string]any{"iss": "https://evil.example"}))
	a.a401("no end", a.d.signed(a.s.url, "machine", map[string]any{"exp": 0}))
}

// endedToken (J18): N is 0, revocation counts at once.
func (a *abuse) endedToken() {
	got := a.granted(a.j)
	if res := a.send("/oauth/revoke", a.conf, url.Values{"token": {got.AccessToken}}); res.status != http.StatusOK {
		a.t.Errorf("revoke: %d %s", res.status, res.body)
	}
	a.a401("revoked", got.AccessToken)
	if a.active(a.conf, got.AccessToken) {
		a.t.Error("a revoked token is active")
	}
	u := a.user("Leaver", "07700900211")
	j := a.signIn(u)
	j.authorize(a.conf, "openid notify.admin") // offline_access is what outlives a sign-out
	_, left := a.redeem(a.conf, j.code(), callback, verifier)
	if res := j.submit("/signout", url.Values{}); res.status >= http.StatusBadRequest {
		a.t.Fatalf("sign out: %d %s", res.status, res.body)
	}
	a.a401("signed out", left.AccessToken)
}

// tokenInQuery (J20): a URL ends up in logs, so no token is read from it, and
// every resource answers as to a request without one (RFC 6750 section 3.1).
func (a *abuse) tokenInQuery() {
	got := a.granted(a.j)
	where := `resource_metadata="` + a.s.url + `/.well-known/oauth-protected-resource"`
	want := []string{`Bearer realm="gatehouse", ` + where, `DPoP algs="ES256 PS256 EdDSA", ` + where}
	for _, path := range []string{"/oauth/userinfo", "/organisations", "/user/john", "/users"} {
		for _, query := range []string{"", "?access_token=" + got.AccessToken} {
			res := do(a.t, http.DefaultClient, request(a.t, http.MethodGet, a.s.url+path+query, nil))
			if challenges := res.header.Values("WWW-Authenticate"); res.status != http.StatusUnauthorized || !slices.Equal(challenges, want) {
				a.t.Errorf("%s: %d %q %s", path, res.status, challenges, res.body)
			}
		}
	}
}

// anonymousIntrospection (I01): nobody introspects without proving who they are.
func (a *abuse) anonymousIntrospection() {
	token := a.granted(a.j).AccessToken
	for what, r := range map[string]*http.Request{
		"nobody":       request(a.t, http.MethodPost, a.s.url+"/oauth/introspect", url.Values{"token": {token}}),
		"a public one": request(a.t, http.MethodPost, a.s.url+"/oauth/introspect", url.Values{"token": {token}, "client_id": {"pub"}}),
	} {
		a.oauthError(what, do(a.t, http.DefaultClient, r), http.StatusUnauthorized, "invalid_client")
	}
	r := request(a.t, http.MethodPost, a.s.url+"/oauth/introspect", url.Values{"token": {token}})
	r.SetBasicAuth("conf", "wrong")
	res := do(a.t, http.DefaultClient, r)
	a.oauthError("a wrong secret", res, http.StatusUnauthorized, "invalid_client")
	if !strings.HasPrefix(res.header.Get("WWW-Authenticate"), "Basic ") {
		a.t.Errorf("no challenge: %q", res.header.Get("WWW-Authenticate"))
	}
}

// othersIntrospection (I02): a client learns nothing about another's tokens.
func (a *abuse) othersIntrospection() {
	got := a.granted(a.j)
	for _, token := range []string{got.AccessToken, got.RefreshToken} {
		if a.active(a.post, token) || !a.active(a.conf, token) {
			a.t.Error("introspection answers the wrong client")
		}
	}
}
