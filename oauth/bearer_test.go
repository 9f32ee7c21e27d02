package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/oauth"
	"gatehouse/storage/storagetest"
)

// claimsOf reads a JWT's claims without verifying it.
func claimsOf(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %q", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestTheClaimsOfTokens(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	got := g.tokens("conf")
	at, id := claimsOf(t, got.text("access_token")), claimsOf(t, got.text("id_token"))
	now := float64(g.clock.Now().Unix())
	for name, want := range map[string]any{
		"iss": testIssuer, "sub": g.alice.ID.String(), "aud": testIssuer, "client_id": "conf", "iat": now, "exp": now + 600, "scope": allScopes, "auth_time": now,
	} {
		if at[name] != want {
			t.Errorf("access token: %s is %v, want %v", name, at[name], want)
		}
	}
	if at["authorities"] != nil || at["jti"] == nil || at["gid"] == nil {
		t.Errorf("access token: %v", at)
	}
	for name, want := range map[string]any{
		"iss": testIssuer, "sub": g.alice.ID.String(), "aud": "conf", "iat": now, "exp": now + 3600, "auth_time": now, "nonce": "n-0S6_WzA2Mj", "azp": nil, "sid": at["sid"],
	} {
		if id[name] != want {
			t.Errorf("ID token: %s is %v, want %v", name, id[name], want)
		}
	}
	if id["at_hash"] == nil || id["acr"] == nil || id["amr"] == nil || id["sid"] == nil {
		t.Errorf("ID token: %v", id)
	}
	without := claimsOf(t, g.exchange("conf", g.signedIn().code(request("conf", "nonce", ""))).text("id_token"))
	if _, ok := without["nonce"]; ok {
		t.Error("a nonce that nobody sent")
	}
	machine := claimsOf(t, g.token("machine", "grant_type", "client_credentials").text("access_token"))
	if authorities, _ := machine["authorities"].([]any); len(authorities) != 1 || authorities[0] != "ROLE_PROBATION_API" || machine["sub"] != "machine" {
		t.Errorf("a client's own token: %v", machine)
	}
}

func TestOnlyAnAccessTokenIsABearerToken(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		b := g.signedIn()
		tokens := g.exchange("conf", b.code(request("conf")))
		at := tokens.text("access_token")
		parts := strings.Split(at, ".")
		encode := base64.RawURLEncoding.EncodeToString
		for name, token := range map[string]string{
			"ID token":         tokens.text("id_token"),
			"refresh token":    tokens.text("refresh_token"),
			"code":             b.code(request("conf")),
			"alg none":         encode([]byte(`{"alg":"none","typ":"at+jwt"}`)) + "." + parts[1] + ".",
			"alg None":         encode([]byte(`{"alg":"None","typ":"at+jwt"}`)) + "." + parts[1] + "." + parts[2],
			"HS256":            encode([]byte(`{"alg":"HS256","typ":"at+jwt"}`)) + "." + parts[1] + "." + parts[2],
			"no signature":     parts[0] + "." + parts[1] + ".",
			"another payload":  parts[0] + "." + encode([]byte(`{"iss":"`+testIssuer+`","sub":"root"}`)) + "." + parts[2],
			"nonsense":         "x",
			"made-up opaque":   "gh_at_" + strings.Repeat("A", 64),
			"trailing garbage": at + "A",
		} {
			got := g.bearer("/admin", token)
			if got.status != http.StatusUnauthorized || !strings.Contains(got.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
				t.Errorf("%s: %d %s", name, got.status, got.header.Get("WWW-Authenticate"))
			}
			if g.active("conf", token) && name != "refresh token" {
				t.Errorf("%s is active", name)
			}
		}
		none := g.bearer("/admin", "")
		if none.status != http.StatusUnauthorized || strings.Contains(none.header.Get("WWW-Authenticate"), "error=") {
			t.Errorf("no token: %d %s", none.status, none.header.Get("WWW-Authenticate"))
		}
		if got := g.bearer("/admin?access_token="+at, ""); got.status != http.StatusUnauthorized {
			t.Errorf("a token in the query: %d", got.status)
		}
		if got := g.bearer("/admin", at); got.status != http.StatusOK {
			t.Errorf("the token itself: %d %s", got.status, got.body)
		}
		g.clock.Advance(10 * time.Minute)
		if got := g.bearer("/admin", at); got.status != http.StatusUnauthorized {
			t.Errorf("after its time: %d", got.status)
		}
	})
}

func TestUserInfoTakesTheTokenFromHeaderOrForm(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	at := g.tokens("conf").text("access_token")
	b := g.browser()
	if got := b.do(http.MethodPost, "/oauth/userinfo", url.Values{"access_token": {at}}); got.text("sub") != g.alice.ID.String() {
		t.Errorf("in the form: %d %s", got.status, got.body)
	}
	if got := b.do(http.MethodPost, "/oauth/userinfo", url.Values{}); got.status != http.StatusUnauthorized {
		t.Errorf("nowhere: %d %s", got.status, got.body)
	}
	noOpenID := g.exchange("conf", g.signedIn().code(request("conf", "scope", "email")))
	if noOpenID.text("id_token") != "" {
		t.Error("an ID token without the scope openid")
	}
	if got := g.bearer("/oauth/userinfo", noOpenID.text("access_token")); got.status != http.StatusForbidden {
		t.Errorf("without the scope openid: %d", got.status)
	}
}

// TestATokenSentTwiceIsChallenged: RFC 6750 sections 2 and 3.1 at every resource,
// in the scheme of the header.
func TestATokenSentTwiceIsChallenged(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	at := g.tokens("conf").text("access_token")
	get := func(path string, headers ...string) *http.Request {
		r := g.call(http.MethodGet, path, "", "")
		r.Header["Authorization"] = headers
		return r
	}
	post := func(query, form string, headers ...string) *http.Request {
		r := g.call(http.MethodPost, "/oauth/userinfo"+query, "", "")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(form)), int64(len(form))
		r.Header = http.Header{"Authorization": headers, "Content-Type": {"application/x-www-form-urlencoded"}}
		return r
	}
	const twice = "The access token was sent twice"
	for name, c := range map[string]struct {
		r            *http.Request
		scheme, says string
	}{
		"header and query":                {get("/admin?access_token="+at, "Bearer "+at), `Bearer realm="gatehouse"`, twice},
		"two headers":                     {get("/admin", "Bearer "+at, "Bearer "+at), `Bearer realm="gatehouse"`, twice},
		"userinfo: header and query":      {get("/oauth/userinfo?access_token="+at, "Bearer "+at), `Bearer realm="gatehouse"`, twice},
		"userinfo: header and form":       {post("", "access_token="+at, "Bearer "+at), `Bearer realm="gatehouse"`, twice},
		"userinfo: query and form":        {post("?access_token="+at, "access_token="+at), `Bearer realm="gatehouse"`, twice},
		"userinfo: twice in the form":     {post("", "access_token="+at+"&access_token="+at), `Bearer realm="gatehouse"`, "A parameter is repeated"},
		"userinfo: another scheme beside": {post("", "access_token="+at, "DPoP "+at), `DPoP algs="ES256 PS256 EdDSA"`, twice},
	} {
		got := g.send(c.r)
		got.refused(http.StatusBadRequest, "invalid_request")
		want := c.scheme + `, error="invalid_request", error_description="` + c.says + `"`
		if challenges := got.header.Values("WWW-Authenticate"); len(challenges) != 1 || challenges[0] != want || got.text("error_description") != c.says {
			t.Errorf("%s: %q %s", name, challenges, got.body)
		}
	}
}

func TestAStrangerLearnsNothingFromIntrospection(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		tokens := g.tokens("conf")
		for _, name := range []string{"access_token", "refresh_token"} {
			if !g.active("conf", tokens.text(name)) || g.active("other", tokens.text(name)) {
				t.Errorf("%s: not for its client alone", name)
			}
		}
		g.post("/oauth/introspect", "pub", url.Values{"token": {tokens.text("access_token")}}).refused(http.StatusUnauthorized, "invalid_client")
		g.post("/oauth/introspect", "", url.Values{"token": {tokens.text("access_token")}}).refused(http.StatusUnauthorized, "invalid_client")
		g.post("/oauth/introspect", "conf", url.Values{"x": {"y"}}).refused(http.StatusBadRequest, "invalid_request")
	})
}

func TestRevocation(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		for _, format := range []oauth.TokenFormat{oauth.JWT, oauth.Opaque} {
			id := "app-" + string(format)
			g.client(oauth.Client{ID: id, TokenFormat: format, FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"}})
			tokens := g.tokens(id)
			second := g.refresh(id, tokens.text("refresh_token"))
			revoke := func(client, token string) {
				if got := g.post("/oauth/revoke", client, url.Values{"token": {token}}); got.status != http.StatusOK || got.body != "" {
					t.Errorf("revoke: %d %s", got.status, got.body)
				}
			}
			revoke("conf", tokens.text("access_token"))
			revoke("conf", second.text("refresh_token"))
			revoke(id, "nonsense")
			for _, token := range []string{tokens.text("access_token"), second.text("access_token"), second.text("refresh_token")} {
				if !g.active(id, token) {
					t.Fatalf("%s: another client revoked a token", id)
				}
			}
			revoke(id, tokens.text("access_token"))
			if g.active(id, tokens.text("access_token")) || !g.active(id, second.text("access_token")) {
				t.Errorf("%s: not just the one access token was revoked", id)
			}
			revoke(id, second.text("refresh_token"))
			if g.active(id, second.text("access_token")) {
				t.Errorf("%s: an access token outlived its grant", id)
			}
			g.refresh(id, second.text("refresh_token")).refused(http.StatusBadRequest, "invalid_grant")
		}
		g.post("/oauth/revoke", "", url.Values{"token": {"x"}}).refused(http.StatusUnauthorized, "invalid_client")
	})
}

func TestASecretIsRotatedWithoutLosingTokens(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	g.client(oauth.Client{ID: "opaque", TokenFormat: oauth.Opaque, FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"}})
	tokens := g.tokens("opaque")
	g.server.Secrets = append([][]byte{[]byte("another secret of some thirty bytes")}, g.server.Secrets...)
	if !g.active("opaque", tokens.text("access_token")) || g.refresh("opaque", tokens.text("refresh_token")).status != http.StatusOK {
		t.Error("tokens made with the old secret were refused")
	}
	g.server.Secrets = g.server.Secrets[:1]
	if g.active("opaque", tokens.text("access_token")) {
		t.Error("a token of a secret that was withdrawn is active")
	}
}
