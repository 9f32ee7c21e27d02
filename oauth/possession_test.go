package oauth_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/web"
	"gatehouse/oauth"
	"gatehouse/storage/storagetest"
)

// challenged checks a refusal at a resource: its code, in a challenge of the scheme.
func (a *answer) challenged(what, scheme, code string) {
	a.t.Helper()
	var found bool
	for _, challenge := range a.header.Values("WWW-Authenticate") {
		found = found || strings.HasPrefix(challenge, scheme+" ") && strings.Contains(challenge, `error="`+code+`"`)
	}
	if a.status != http.StatusUnauthorized || !found {
		a.t.Errorf("%s: %d %q, want 401 and %s in a challenge %s", what, a.status, a.header.Values("WWW-Authenticate"), code, scheme)
	}
}

// eachFormat runs a test with a public client of either format of access tokens.
func eachFormat(t *testing.T, test func(t *testing.T, g *rig, client string)) {
	t.Helper()
	each(t, func(t *testing.T, g *rig) {
		for _, format := range []oauth.TokenFormat{oauth.JWT, oauth.Opaque} {
			id := "app-" + string(format)
			g.client(oauth.Client{
				ID: id, TokenFormat: format, Public: true, FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"},
			})
			t.Run(string(format), func(t *testing.T) { test(t, g, id) })
		}
	})
}

// TestABoundTokenIsNothingWithoutItsKey is P10 to P12 for both formats, at the
// routes that take tokens.
func TestABoundTokenIsNothingWithoutItsKey(t *testing.T) {
	eachFormat(t, func(t *testing.T, g *rig, client string) {
		p, thief := g.prover().learn(), g.prover().learn()
		at, another := p.tokens(client).text("access_token"), p.tokens(client).text("access_token")
		stolen := thief.tokens(client).text("access_token")
		for _, route := range [][2]string{{"GET", "/oauth/userinfo"}, {"POST", "/oauth/userinfo"}, {"GET", "/admin"}} {
			method, path := route[0], route[1]
			call := func(scheme, token string, proofs ...string) *answer {
				return g.with(g.call(method, path, scheme, token), proofs...)
			}
			good := func() jwt { return p.draft(method, path, at) }

			call("Bearer", at).challenged("as a bearer token", "Bearer", "invalid_token")
			call("Bearer", at, p.sign(good())).challenged("as a bearer token with a proof", "Bearer", "invalid_token")
			call("DPoP", at).challenged("without a proof", "DPoP", "invalid_dpop_proof")
			call("DPoP", stolen, p.sign(p.draft(method, path, stolen))).challenged("with another's key", "DPoP", "invalid_token")
			call("DPoP", "nonsense", p.sign(p.draft(method, path, "nonsense"))).challenged("nonsense", "DPoP", "invalid_token")
			for what, proof := range map[string]string{
				"no ath":                  p.sign(good().set("ath", nil)),
				"the ath of another":      p.sign(p.draft(method, path, another)),
				"a proof for the method":  p.sign(good().set("htm", "PATCH")),
				"a proof for the address": p.sign(good().set("htu", testIssuer+"/oauth/token")),
				"a signature of another":  p.sign(good().head("jwk", jwk(g.t, thief.key.Public()))),
			} {
				call("DPoP", at, proof).challenged(what, "DPoP", "invalid_dpop_proof")
			}
			call("DPoP", at, p.sign(good()), p.sign(good())).challenged("two proofs", "DPoP", "invalid_dpop_proof")

			once := p.sign(good())
			if got := call("dpop", at, once); got.status != http.StatusOK || got.header.Get("DPoP-Nonce") == "" {
				t.Errorf("%s %s: %d %s", method, path, got.status, got.body)
			}
			call("DPoP", at, once).challenged("the same proof again", "DPoP", "invalid_dpop_proof")
		}
		posted := g.browser().do("POST", "/oauth/userinfo", url.Values{"access_token": {at}})
		posted.challenged("in a form", "Bearer", "invalid_token")
	})
}

func TestAnUnboundTokenIsABearerToken(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	p := g.prover().learn()
	at := g.tokens("conf").text("access_token")
	for _, path := range []string{"/oauth/userinfo", "/admin"} {
		g.with(g.call("GET", path, "DPoP", at), p.sign(p.draft("GET", path, at))).challenged("with a proof", "DPoP", "invalid_token")
		got := g.call("GET", path, "Bearer", at)
		if answer := g.with(got, "nonsense"); answer.status != http.StatusOK || answer.header.Get("DPoP-Nonce") != "" {
			t.Errorf("%s: as a bearer token: %d %s", path, answer.status, answer.body)
		}
	}
}

// A client library takes the nonce from an answer with one challenge only.
func TestAResourceAsksForANonce(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	p := g.prover().learn()
	at := p.tokens("pub").text("access_token")
	fresh := p.nonce
	for what, nonce := range map[string]string{"none": "", "made up": "nonsense", "of another length": fresh + "AA", "not ours": strings.Repeat("A", len(fresh))} {
		p.nonce = nonce
		got := g.with(g.call("GET", "/admin", "DPoP", at), p.sign(p.draft("GET", "/admin", at)))
		got.challenged(what, "DPoP", "use_dpop_nonce")
		if challenges := got.header.Values("WWW-Authenticate"); len(challenges) != 1 || !strings.Contains(challenges[0], `algs="ES256 PS256 EdDSA"`) {
			t.Errorf("%s: %q", what, challenges)
		}
		if got.header.Get("DPoP-Nonce") != fresh {
			t.Errorf("%s: the nonce is %q, want %q", what, got.header.Get("DPoP-Nonce"), fresh)
		}
	}
}

func TestBothSchemesAreNamedToWhoeverShowsNoToken(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	for _, path := range []string{"/admin", "/oauth/userinfo"} {
		got := g.bearer(path, "").header.Values("WWW-Authenticate")
		where := `resource_metadata="` + testIssuer + `/.well-known/oauth-protected-resource"`
		if len(got) != 2 || !strings.HasPrefix(got[0], "Bearer ") || !strings.HasPrefix(got[1], `DPoP algs="`) ||
			!strings.Contains(got[0], where) || !strings.Contains(got[1], where) {
			t.Errorf("%s: %q", path, got)
		}
	}
}

func TestIntrospectionNamesTheKey(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.client(oauth.Client{ID: "opaque", TokenFormat: oauth.Opaque, FirstParty: true, GrantTypes: []string{"authorization_code"}})
		p := g.prover().learn()
		for _, client := range []string{"conf", "opaque"} {
			got := g.post("/oauth/introspect", client, url.Values{"token": {p.tokens(client).text("access_token")}})
			cnf, _ := got.json()["cnf"].(map[string]any)
			if cnf["jkt"] != p.thumbprint() || got.text("token_type") != "DPoP" {
				t.Errorf("%s: bound: %s", client, got.body)
			}
			got = g.post("/oauth/introspect", client, url.Values{"token": {g.tokens(client).text("access_token")}})
			if got.json()["cnf"] != nil || got.text("token_type") != "Bearer" {
				t.Errorf("%s: not bound: %s", client, got.body)
			}
		}
	})
}

// challengeOfError is the first challenge of an error for a surface to write.
func challengeOfError(t *testing.T, err error) string {
	t.Helper()
	e, ok := errors.AsType[*web.Error](err)
	if !ok {
		t.Fatalf("no challenge: %v", err)
	}
	return e.Header.Get("WWW-Authenticate")
}
