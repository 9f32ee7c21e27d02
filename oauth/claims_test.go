package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

func TestClaimsAreGivenWhereTheyWereAskedFor(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		tokens := g.exchange("conf", g.signedIn().code(request("conf", "scope", "openid offline_access",
			"claims", `{"userinfo":{"email":null,"secret":null},"id_token":{"name":{"essential":true},"given_name":{"value":"X"}},"other":1}`)))
		again := g.refresh("conf", tokens.text("refresh_token"))
		for _, got := range []*answer{tokens, again} {
			claims := claimsOf(t, got.text("id_token"))
			if claims["name"] != "Alice Example" || claims["given_name"] != "Alice" || claims["email"] != nil || claims["sub"] != g.alice.ID.String() {
				t.Errorf("ID token %v", claims)
			}
			info := g.bearer("/oauth/userinfo", got.text("access_token")).json()
			if info["email"] != "alice@example.com" || info["name"] != nil || len(info) != 2 {
				t.Errorf("userinfo %v", info)
			}
		}
	})
}

// TestLocaleIsTheLanguageThatThePersonReads: it is told while it is known, as it is
// when somebody asks, and with the scope profile alone.
func TestLocaleIsTheLanguageThatThePersonReads(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		tokens := g.exchange("conf", g.signedIn().code(request("conf", "scope", "openid profile offline_access", "claims", `{"id_token":{"locale":null}}`)))
		narrow := g.exchange("conf", g.signedIn().code(request("conf", "scope", "openid email"))).text("access_token")
		for _, want := range []any{nil, "cy", "en"} {
			if language, known := want.(string); known {
				if err := (storage.Authn{DB: g.stores.DB}).SetLanguage(t.Context(), g.alice.ID, directory.Language(language)); err != nil {
					t.Fatal(err)
				}
				tokens = g.refresh("conf", tokens.text("refresh_token"))
			}
			info, id := g.bearer("/oauth/userinfo", tokens.text("access_token")).json(), claimsOf(t, tokens.text("id_token"))
			if info["locale"] != want || id["locale"] != want {
				t.Errorf("userinfo %v, ID token %v, want %v", info["locale"], id["locale"], want)
			}
			if info := g.bearer("/oauth/userinfo", narrow).json(); info["locale"] != nil {
				t.Errorf("without the scope: %v", info)
			}
		}
	})
}

func TestAClaimNeedsItsScopeAndConsent(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.client(oauth.Client{ID: "few", FirstParty: true, Scopes: []string{"openid"}, GrantTypes: []string{"authorization_code"}})
		claims := `{"userinfo":{"email":{"essential":true}}}`
		tokens := g.exchange("few", g.signedIn().code(request("few", "scope", "openid", "claims", claims)))
		if info := g.bearer("/oauth/userinfo", tokens.text("access_token")).json(); len(info) != 1 {
			t.Errorf("a claim of a scope that is not registered: %v", info)
		}
		b := g.signedIn()
		ask := func() *answer { return b.authorize(request("third", "scope", "openid", "claims", claims)) }
		id := ask().flow("/consent")
		if page := b.get("/consent?flow=" + id); !strings.Contains(page.body, "see your email address") {
			t.Errorf("the page does not say it: %s", page.body)
		}
		b.do(http.MethodPost, "/consent", url.Values{"flow": {id}, "consent": {"accept"}}).redirect()
		if got := ask().redirect(); !got.Has("code") {
			t.Errorf("asked again: %v", got)
		}
	})
}

func TestAnEssentialLevelIsReachedOrRefused(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		essential := func(level string) string {
			return `{"id_token":{"acr":{"essential":true,"values":["` + level + `"]}}}`
		}
		b := g.signedIn()
		for name, c := range map[string]struct{ level, prompt, want string }{
			"reached":           {authn.ACRSingle, "", ""},
			"unknown":           {"urn:example:gold", "", "unmet_authentication_requirements"},
			"unknown, no pages": {"urn:example:gold", "none", "unmet_authentication_requirements"},
			"above, no pages":   {authn.ACRMulti, "none", "login_required"},
		} {
			if got := b.authorize(request("conf", "claims", essential(c.level), "prompt", c.prompt)).redirect(); got.Get("error") != c.want {
				t.Errorf("%s: %v", name, got)
			}
		}
		begin := func(level string) string {
			g.clock.Advance(time.Second)
			return b.authorize(request("conf", "claims", essential(level), "prompt", "login")).flow("/signin")
		}
		id := begin(authn.ACRMulti)
		if f, err := g.server.Flow(t.Context(), id, b.cookies[authn.BrowserCookie]); err != nil || len(f.ACRValues) != 1 || f.ACRValues[0] != authn.ACRMulti {
			t.Errorf("the sign-in page is not told the level: %+v %v", f, err)
		}
		b.signIn(g.alice, authn.ACRSingle)
		if got := b.get("/oauth/continue?flow=" + id).redirect(); got.Get("error") != "unmet_authentication_requirements" {
			t.Errorf("signed in below: %v", got)
		}
		for _, level := range []string{authn.ACRMulti, authn.ACRSingle} {
			id := begin(level)
			b.signIn(g.alice, authn.ACRMulti)
			code := b.get("/oauth/continue?flow=" + id).redirect().Get("code")
			if claims := claimsOf(t, g.exchange("conf", code).text("id_token")); claims["acr"] != level {
				t.Errorf("acr %v, want %s", claims["acr"], level)
			}
		}
	})
}

func TestASubjectThatIsAskedForIsTheOne(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	hint := g.tokens("conf").text("id_token")
	for name, c := range map[string]struct{ sub, hint, want string }{
		"the user":          {g.alice.ID.String(), "", ""},
		"somebody else":     {"8d1b0c3e-4a3f-4e15-9d53-1f8a8b0cf001", "", "login_required"},
		"another than hint": {"8d1b0c3e-4a3f-4e15-9d53-1f8a8b0cf001", hint, "invalid_request"},
		"the hint's":        {g.alice.ID.String(), hint, ""},
	} {
		claims := `{"id_token":{"sub":{"value":"` + c.sub + `"}}}`
		got := g.signedIn().authorize(request("conf", "prompt", "none", "claims", claims, "id_token_hint", c.hint)).redirect()
		if got.Get("error") != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAHintServesAfterItHasExpired(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	hint := g.tokens("conf").text("id_token")
	g.clock.Advance(48 * time.Hour)
	if got := g.signedIn().authorize(request("conf", "prompt", "none", "id_token_hint", hint)).redirect(); !got.Has("code") {
		t.Errorf("response %v", got)
	}
}

func TestMalformedClaimsAreRefused(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	for _, claims := range []string{
		"{", "[]", `"x"`, `{} {}`, `{"userinfo":[]}`, `{"id_token":{"acr":1}}`, `{"id_token":{"acr":{"essential":"yes"}}}`,
		`{"id_token":{},"id_token":{}}`, `{"userinfo":{"x":"` + strings.Repeat("x", 4096) + `"}}`,
	} {
		if got := g.signedIn().authorize(request("conf", "claims", claims)).redirect(); got.Get("error") != "invalid_request" {
			t.Errorf("%.40s: %v", claims, got)
		}
	}
}

// FuzzClaims holds the parameter to an answer of the protocol, whatever is in it.
func FuzzClaims(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `{"id_token":{"acr":{"essential":true,"values":["a",1,null]}}}`, `{"userinfo":{"email":null}}`,
		`{"id_token":{"sub":{"value":{}}}}`, `{"id_token":null,"x":[[[[]]]]}`, "\xff", `{"ID_TOKEN":{}}`,
	} {
		f.Add(seed)
	}
	g := newRig(f, storagetest.Open(f))
	b := g.signedIn()
	f.Fuzz(func(t *testing.T, claims string) {
		g.t = t
		got := b.authorize(request("conf", "prompt", "none", "claims", claims))
		switch {
		case got.status == http.StatusSeeOther && strings.HasPrefix(got.location, callback+"?"):
		case got.status == http.StatusBadRequest && strings.ContainsFunc(claims, func(r rune) bool { return r == 0 || r == '\ufffd' }):
		default:
			t.Errorf("%d %q for %q", got.status, got.location, claims)
		}
	})
}

func TestDefaultsOfAClientCountUntilARequestSaysOtherwise(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	age := int64(60)
	g.client(oauth.Client{ID: "aged", FirstParty: true, GrantTypes: []string{"authorization_code"}, Metadata: oauth.Metadata{
		DefaultMaxAge: &age, DefaultACRValues: []string{authn.ACRSingle}, RequireAuthTime: true,
	}})
	b := g.signedIn()
	g.clock.Advance(61 * time.Second)
	b.authorize(request("aged")).flow("/signin")
	b.code(request("aged", "max_age", "100"))
	g.client(oauth.Client{ID: "strong", FirstParty: true, GrantTypes: []string{"authorization_code"}, Metadata: oauth.Metadata{
		DefaultACRValues: []string{authn.ACRMulti},
	}})
	b.authorize(request("strong")).flow("/signin")
	b.code(request("strong", "acr_values", authn.ACRSingle))
}

func TestUserInfoIsSignedForThoseWhoWantIt(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		for _, alg := range []string{oauth.ES256, oauth.EdDSA} {
			id := "signed-" + strings.ToLower(alg)
			g.client(oauth.Client{ID: id, FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"}, Metadata: oauth.Metadata{
				UserInfoAlg: alg, SubjectType: oauth.SubjectPairwise,
			}})
			tokens := g.tokens(id)
			got := g.bearer("/oauth/userinfo", tokens.text("access_token"))
			if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/jwt" {
				t.Fatalf("%s: %d %v %s", alg, got.status, got.header, got.body)
			}
			v, err := g.server.Keys.Verify(t.Context(), got.body)
			if err != nil || v.Type != oauth.TypeUserInfo {
				t.Fatalf("%s: %+v %v", alg, v, err)
			}
			claims := claimsOf(t, got.body)
			if claims["iss"] != testIssuer || claims["aud"] != id || claims["email"] != "alice@example.com" ||
				claims["sub"] != claimsOf(t, tokens.text("id_token"))["sub"] {
				t.Errorf("%s: %v", alg, claims)
			}
			// It is no ID token, and serves for no hint.
			if got := g.signedIn().authorize(request(id, "id_token_hint", got.body)).redirect(); got.Get("error") != "invalid_request" {
				t.Errorf("%s: as a hint: %v", alg, got)
			}
		}
	})
}
