package oauth_test

import (
	"net/http"
	"net/url"
	"testing"
)

// TestABoundCodeIsForItsKeyAlone (RFC 9449 section 10): a try with another key
// spends the code, as one with a wrong verifier does.
func TestABoundCodeIsForItsKeyAlone(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		p, thief := g.prover().learn(), g.prover().learn()
		bound := func(client string) string { return g.signedIn().code(request(client, "dpop_jkt", p.thumbprint())) }
		for _, client := range []string{"conf", "pub"} {
			for what, wrong := range map[string]func(code string) *answer{
				"another key": func(code string) *answer { return thief.exchange(client, code) },
				"no key":      func(code string) *answer { return g.exchange(client, code) },
			} {
				code := bound(client)
				if got := wrong(code); got.status != http.StatusBadRequest || got.text("error") != "invalid_grant" {
					t.Errorf("%s, %s: %d %s", client, what, got.status, got.body)
				}
				p.exchange(client, code).refused(http.StatusBadRequest, "invalid_grant")
			}
			if got := p.exchange(client, bound(client)); got.status != http.StatusOK || got.text("token_type") != "DPoP" {
				t.Errorf("%s, its own key: %d %s", client, got.status, got.body)
			}
		}
	})
}

// TestAClientOfAnotherKeyCannotSpendABoundCode: it is not its code (C03).
func TestAClientOfAnotherKeyCannotSpendABoundCode(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		p, thief := g.prover().learn(), g.prover().learn()
		bound := func(client string) string { return g.signedIn().code(request(client, "dpop_jkt", p.thumbprint())) }
		code := bound("conf")
		thief.exchange("other", code).refused(http.StatusBadRequest, "invalid_grant")
		if got := p.exchange("conf", code); got.status != http.StatusOK {
			t.Errorf("its own client: %d %s", got.status, got.body)
		}
	})
}

// TestABoundTokenEndsWithItsGrant is J18 for tokens with a key: the proof does not
// outlive what it proves.
func TestABoundTokenEndsWithItsGrant(t *testing.T) {
	eachFormat(t, func(t *testing.T, g *rig, client string) {
		p := g.prover().learn()
		tokens := p.tokens(client)
		at := tokens.text("access_token")
		call := func() *answer {
			return g.with(g.call("GET", "/admin", "DPoP", at), p.sign(p.draft("GET", "/admin", at)))
		}
		if got := call(); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		revoked := g.form("/oauth/revoke", client, url.Values{"token": {tokens.text("refresh_token")}})
		if got := g.send(revoked); got.status != http.StatusOK {
			t.Fatalf("revoke: %d %s", got.status, got.body)
		}
		call().challenged("after the revocation", "DPoP", "invalid_token")
	})
}

// TestNoOtherTokenTakesABoundOnesPlace is J10 in the scheme DPoP.
func TestNoOtherTokenTakesABoundOnesPlace(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		p := g.prover().learn()
		b := g.signedIn()
		tokens := p.exchange("conf", b.code(request("conf")))
		for what, token := range map[string]string{
			"ID token":      tokens.text("id_token"),
			"refresh token": tokens.text("refresh_token"),
			"code":          b.code(request("conf")),
			"the proof":     p.sign(p.draft("GET", "/admin", "")),
		} {
			for _, path := range []string{"/admin", "/oauth/userinfo"} {
				got := g.with(g.call("GET", path, "DPoP", token), p.sign(p.draft("GET", path, token)))
				got.challenged(what, "DPoP", "invalid_token")
			}
		}
	})
}
