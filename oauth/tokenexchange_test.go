package oauth_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/oauth"
)

const (
	accessTokenType = "urn:ietf:params:oauth:token-type:access_token"
	ledger          = "https://ledger.example"
)

// exchangers registers a chain of services: front is called by people, and calls
// middle, which calls back; each passes tokens on in a format.
func (g *rig) exchangers(format oauth.TokenFormat) {
	g.t.Helper()
	exchange := []string{oauth.GrantTokenExchange}
	front := append([]string{"authorization_code", "client_credentials"}, exchange...)
	middle := oauth.Metadata{Audiences: []string{"back", testIssuer}, Resources: []string{ledger}}
	g.client(oauth.Client{ID: "front", FirstParty: true, GrantTypes: front, TokenFormat: format, Roles: []string{"PROBATION_API"}, Metadata: oauth.Metadata{Audiences: []string{"middle", ledger}}})
	g.client(oauth.Client{ID: "middle", GrantTypes: exchange, TokenFormat: format, Roles: []string{"PROBATION_API"}, Scopes: []string{"openid", "email"}, Metadata: middle})
	g.client(oauth.Client{ID: "back", GrantTypes: exchange, TokenFormat: format})
}

func (g *rig) swap(client, token string, pairs ...string) *answer {
	g.t.Helper()
	form := []string{"grant_type", oauth.GrantTokenExchange, "subject_token", token, "subject_token_type", accessTokenType}
	return g.token(client, append(form, pairs...)...)
}

// swapped is swap for a token that must not be refused.
func (g *rig) swapped(client, token string, pairs ...string) string {
	g.t.Helper()
	got := g.swap(client, token, pairs...)
	if got.status != http.StatusOK {
		g.t.Fatalf("%s %v: %d %s", client, pairs, got.status, got.body)
	}
	return got.text("access_token")
}

func (g *rig) introspected(client, token string) map[string]any {
	g.t.Helper()
	return g.post("/oauth/introspect", client, url.Values{"token": {token}}).json()
}

// eachChain runs a test on every engine with tokens of each format.
func eachChain(t *testing.T, test func(t *testing.T, g *rig)) {
	for _, format := range []oauth.TokenFormat{oauth.JWT, oauth.Opaque} {
		t.Run(string(format), func(t *testing.T) {
			each(t, func(t *testing.T, g *rig) {
				g.exchangers(format)
				test(t, g)
			})
		})
	}
}

// frontToken is alice's token at front.
func (g *rig) frontToken() string {
	g.t.Helper()
	return g.exchange("front", g.signedIn().code(request("front"))).text("access_token")
}

// TestATokenIsPassedOnInTheNameOfWhoeverDoes: for the next service, with the act
// of each one before, and never with more.
func TestATokenIsPassedOnInTheNameOfWhoeverDoes(t *testing.T) {
	eachChain(t, func(t *testing.T, g *rig) {
		first := g.frontToken()
		got := g.swap("front", first, "audience", "middle")
		if got.status != http.StatusOK || got.text("issued_token_type") != accessTokenType || got.text("token_type") != "Bearer" ||
			got.text("refresh_token") != "" || got.text("id_token") != "" || got.text("scope") != allScopes || got.json()["expires_in"] != 600.0 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		second := got.text("access_token")
		said := g.introspected("middle", second)
		for name, want := range map[string]any{
			"active": true, "sub": g.alice.ID.String(), "client_id": "front", "aud": "middle", "act": map[string]any{"sub": "front"}, "scope": allScopes,
		} {
			if diff := cmp.Diff(want, said[name]); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		third := g.swapped("middle", second, "audience", "back", "scope", "openid")
		said = g.introspected("back", third)
		want := map[string]any{"sub": "middle", "act": map[string]any{"sub": "front"}}
		if diff := cmp.Diff(want, said["act"]); diff != "" || said["client_id"] != "middle" || said["scope"] != "openid" || said["aud"] != "back" {
			t.Errorf("%v", said)
		}
		if all := g.introspected("middle", g.swapped("middle", second)); all["scope"] != "openid email" || all["aud"] != "middle" {
			t.Errorf("all that both have: %v", all)
		}
		if got := g.bearer("/admin", third); got.status != http.StatusUnauthorized {
			t.Errorf("a token for another service opens the directory: %d", got.status)
		}
		ours := g.swapped("middle", second, "resource", testIssuer)
		if got := g.bearer("/oauth/userinfo", ours); got.status != http.StatusOK || got.text("sub") != g.alice.ID.String() || got.text("phone_number") != "" {
			t.Errorf("userinfo: %d %s", got.status, got.body)
		}
		if got := g.bearer("/admin", ours); got.status != http.StatusForbidden {
			t.Errorf("a scope that middle has not: %d", got.status)
		}
	})
}

func TestTheTokenExchangeRefuses(t *testing.T) {
	eachChain(t, func(t *testing.T, g *rig) {
		first := g.frontToken()
		for name, c := range map[string]struct {
			client string
			form   []string
			code   string
		}{
			"a client not registered for it": {"conf", nil, "unauthorized_client"},
			"somebody else's token":          {"middle", []string{"subject_token", first}, "invalid_request"},
			"a token that is none":           {"front", []string{"subject_token", "x"}, "invalid_request"},
			"a refresh token":                {"front", []string{"subject_token", g.tokens("conf").text("refresh_token")}, "invalid_request"},
			"an ID token":                    {"front", []string{"subject_token", g.tokens("conf").text("id_token")}, "invalid_request"},
			"no token":                       {"front", []string{"subject_token", ""}, "invalid_request"},
			"no type":                        {"front", []string{"subject_token_type", ""}, "invalid_request"},
			"a type not taken":               {"front", []string{"subject_token_type", "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"},
			"a type not given":               {"front", []string{"requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"},
			"an actor token":                 {"front", []string{"actor_token", first, "actor_token_type", accessTokenType}, "invalid_request"},
			"another audience":               {"front", []string{"audience", "back"}, "invalid_target"},
			"another resource":               {"front", []string{"audience", "middle", "resource", "https://other.example"}, "invalid_target"},
			"this service and another":       {"front", []string{"audience", "middle", "resource", testIssuer}, "invalid_target"},
			"a scope not granted":            {"front", []string{"scope", "openid notify.usage"}, "invalid_scope"},
		} {
			t.Run(name, func(t *testing.T) {
				g.t = t
				g.swap(c.client, first, c.form...).refused(http.StatusBadRequest, c.code)
			})
		}
		g.t = t
		second := g.swapped("front", first, "audience", "middle")
		g.swap("middle", second, "scope", "openid profile").refused(http.StatusBadRequest, "invalid_scope")
		g.swap("back", second).refused(http.StatusBadRequest, "invalid_request")
	})
}

// TestATokenIsNotPassedOnForEver: four services deep, and not longer than the
// first token lives.
func TestATokenIsNotPassedOnForEver(t *testing.T) {
	eachChain(t, func(t *testing.T, g *rig) {
		token := g.frontToken()
		g.clock.Advance(9 * time.Minute)
		for range 4 {
			got := g.swap("front", token)
			if got.json()["expires_in"] != 60.0 {
				t.Errorf("lives longer: %s", got.body)
			}
			token = got.text("access_token")
		}
		g.swap("front", token).refused(http.StatusBadRequest, "invalid_request")
		g.clock.Advance(time.Minute)
		if g.active("front", token) {
			t.Error("it outlived the first one")
		}
		g.swap("front", token).refused(http.StatusBadRequest, "invalid_request")
	})
}

// TestAPassedOnTokenEndsWithWhatItCameFrom: with the grant, with the client that
// got it, and with each one that it passed through.
func TestAPassedOnTokenEndsWithWhatItCameFrom(t *testing.T) {
	eachChain(t, func(t *testing.T, g *rig) {
		chain := func() (second, third string) {
			second = g.swapped("front", g.frontToken(), "audience", ledger)
			return second, g.swapped("middle", second, "audience", "back")
		}
		second, third := chain()
		claims := g.introspected("middle", second)
		gid, err := uuid.Parse(claims["gid"].(string))
		if err != nil {
			t.Fatal(err)
		}
		if ended, err := g.server.Store.DeleteGrant(t.Context(), gid); err != nil || !ended {
			t.Fatal(ended, err)
		}
		if g.active("middle", second) || g.active("back", third) {
			t.Error("active after the grant ended")
		}
		_, third = chain()
		own := g.swapped("middle", g.swapped("front", g.token("front", "grant_type", "client_credentials").text("access_token"), "audience", "middle"), "audience", "back", "scope", "")
		if !g.active("back", third) || !g.active("back", own) {
			t.Fatal("not active before")
		}
		if said := g.introspected("back", own); said["sub"] != "front" || said["client_id"] != "middle" || said["authorities"] != nil {
			t.Errorf("of a client's own token: %v", said)
		}
		if err := g.clients.Delete(t.Context(), operator, "front"); err != nil {
			t.Fatal(err)
		}
		if g.active("back", third) || g.active("back", own) {
			t.Error("active after a client that it came from was deleted")
		}
	})
}

// TestAPassedOnTokenDiesWithTheClientThatGotIt, also where the grant is another's.
func TestAPassedOnTokenDiesWithTheClientThatGotIt(t *testing.T) {
	eachChain(t, func(t *testing.T, g *rig) {
		second := g.swapped("front", g.frontToken(), "audience", "middle")
		third := g.swapped("middle", second, "audience", "back")
		ours := g.swapped("middle", second, "audience", testIssuer)
		if err := g.clients.Delete(t.Context(), operator, "middle"); err != nil {
			t.Fatal(err)
		}
		if g.active("back", third) || !g.active("front", second) {
			t.Error("the wrong token ended")
		}
		if got := g.bearer("/oauth/userinfo", ours); got.status != http.StatusUnauthorized {
			t.Errorf("userinfo: %d", got.status)
		}
	})
}

// TestARevokedTokenTakesWhatItBecameWithIt, through services of either format,
// and nothing beside it.
func TestARevokedTokenTakesWhatItBecameWithIt(t *testing.T) {
	eachChain(t, func(t *testing.T, g *rig) {
		g.client(oauth.Client{ID: "mixed", GrantTypes: []string{oauth.GrantTokenExchange}, TokenFormat: oauth.Opaque, Metadata: oauth.Metadata{
			Audiences: []string{"back"}, Resources: []string{ledger},
		}})
		revoke := func(client, token string) {
			if got := g.post("/oauth/revoke", client, url.Values{"token": {token}}); got.status != http.StatusOK {
				t.Fatalf("revoke: %d %s", got.status, got.body)
			}
		}
		first := g.frontToken()
		second, beside := g.swapped("front", first, "audience", ledger), g.swapped("front", first, "audience", "middle")
		third := g.swapped("mixed", second, "audience", "back")
		fourth := g.swapped("back", third)
		revoke("mixed", third)
		if g.active("back", third) || g.active("back", fourth) || !g.active("middle", second) {
			t.Error("not just the third one and what it became ended")
		}
		third = g.swapped("middle", second, "audience", "back")
		fourth = g.swapped("back", third)
		ours := g.swapped("middle", second, "resource", testIssuer)
		revoke("front", first)
		for holder, token := range map[string]string{"front": first, "middle": beside, "mixed": second, "back": fourth} {
			if g.active(holder, token) {
				t.Errorf("%s: active after the first one was revoked", holder)
			}
		}
		if got := g.bearer("/oauth/userinfo", ours); got.status != http.StatusUnauthorized {
			t.Errorf("userinfo: %d", got.status)
		}
		g.swap("middle", second).refused(http.StatusBadRequest, "invalid_request")
		if again := g.frontToken(); !g.active("front", again) {
			t.Error("a new token is not active")
		}
	})
}

// TestTokensPassedOnWhileTheirsIsRevokedAreDead is the same race as with a grant.
func TestTokensPassedOnWhileTheirsIsRevokedAreDead(t *testing.T) {
	eachChain(t, func(t *testing.T, g *rig) {
		first := g.frontToken()
		answers := make([]*answer, 64)
		together(len(answers), func(i int) {
			if i == len(answers)/2 {
				g.post("/oauth/revoke", "front", url.Values{"token": {first}})
				return
			}
			answers[i] = g.swap("front", first, "audience", "middle")
		})
		for _, got := range answers {
			switch {
			case got == nil:
			case got.status != http.StatusOK:
				got.refused(http.StatusBadRequest, "invalid_request")
			case g.active("middle", got.text("access_token")):
				t.Error("a token outlived the one that it came from")
			}
		}
	})
}

// TestABoundTokenIsPassedOnByItsKey: whoever else got hold of it cannot, and what
// comes out is bound to the key as well.
func TestABoundTokenIsPassedOnByItsKey(t *testing.T) {
	eachChain(t, func(t *testing.T, g *rig) {
		p, other := g.prover().learn(), g.prover().learn()
		bound := p.tokens("front").text("access_token")
		swap := []string{"grant_type", oauth.GrantTokenExchange, "subject_token", bound, "subject_token_type", accessTokenType}
		g.token("front", swap...).refused(http.StatusBadRequest, "invalid_dpop_proof")
		other.token("front", swap...).refused(http.StatusBadRequest, "invalid_dpop_proof")
		got := p.token("front", swap...)
		said := g.introspected("front", got.text("access_token"))
		if diff := cmp.Diff(map[string]any{"jkt": p.thumbprint()}, said["cnf"]); diff != "" || got.text("token_type") != "DPoP" {
			t.Errorf("%v %s", said, got.body)
		}
		if got := g.bearer("/oauth/userinfo", got.text("access_token")); got.status != http.StatusUnauthorized {
			t.Errorf("without a proof: %d", got.status)
		}
	})
}

// TestTokensPassedOnWhileTheirGrantEndsAreDead: whichever comes first, nothing
// breaks and nothing stays.
func TestTokensPassedOnWhileTheirGrantEndsAreDead(t *testing.T) {
	eachChain(t, func(t *testing.T, g *rig) {
		first := g.frontToken()
		gid, err := uuid.Parse(g.introspected("front", first)["gid"].(string))
		if err != nil {
			t.Fatal(err)
		}
		answers := make([]*answer, 64)
		together(len(answers), func(i int) {
			if i == len(answers)/2 {
				_, err = g.server.Store.DeleteGrant(t.Context(), gid)
				return
			}
			answers[i] = g.swap("front", first, "audience", "middle")
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range answers {
			switch {
			case got == nil:
			case got.status != http.StatusOK:
				got.refused(http.StatusBadRequest, "invalid_request")
			case g.active("middle", got.text("access_token")):
				t.Error("a token outlived its grant")
			}
		}
	})
}
