package oauth_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/directory"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

const (
	agent         = "https://agents.example.com/claude.json"
	agentCallback = "http://127.0.0.1/cb"
)

// agentDocument is the document of a client at an address, with some members replaced; nil removes one.
func agentDocument(id string, replaced map[string]any) string {
	d := map[string]any{
		"client_id": id, "client_name": "An agent", "redirect_uris": []string{agentCallback, "https://agents.example.com/cb"},
		"grant_types": []string{"authorization_code", "refresh_token"}, "token_endpoint_auth_method": "none", "scope": "openid email",
		"id_token_signed_response_alg": "ES256",
	}
	maps.Copy(d, replaced)
	maps.DeleteFunc(d, func(_ string, v any) bool { return v == nil })
	body, _ := json.Marshal(d)
	return string(body)
}

// withDocuments lets clients be described at hosts.
func withDocuments(g *rig, at *outside, hosts ...string) {
	g.clients.Documents = &oauth.Documents{Fetch: at, Hosts: hosts}
}

func agentRequest(pairs ...string) url.Values {
	return request(agent, append([]string{"redirect_uri", agentCallback, "scope", "openid email"}, pairs...)...)
}

// allowAgent consents to an authorization and returns the code.
func (b *browser) allowAgent(params url.Values) string {
	b.g.t.Helper()
	flow := b.authorize(params).flow("/consent")
	if page := b.get("/consent?flow=" + flow); !strings.Contains(page.body, "An agent (agents.example.com)") {
		b.g.t.Errorf("the page does not name the host: %s", page.body)
	}
	got := b.do(http.MethodPost, "/consent", url.Values{"flow": {flow}, "consent": {"accept"}})
	u, err := url.Parse(got.location)
	if err != nil || !strings.HasPrefix(got.location, agentCallback+"?") {
		b.g.t.Fatalf("not a redirect to the agent: %d %q", got.status, got.location)
	}
	return u.Query().Get("code")
}

func (g *rig) redeemForAgent(code string) *answer {
	g.t.Helper()
	return g.post("/oauth/token", "", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {agentCallback}, "code_verifier": {verifier}, "client_id": {agent},
	})
}

func TestAClientIsKnownByTheAddressOfItsDocument(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		web := publish(agent, agentDocument(agent, nil))
		withDocuments(g, web, "agents.example.com")
		b := g.signedIn()
		tokens := g.redeemForAgent(b.allowAgent(agentRequest()))
		if tokens.status != http.StatusOK || tokens.text("refresh_token") == "" {
			t.Fatalf("%d %s", tokens.status, tokens.body)
		}
		// No earlier consent counts: somebody else may listen on the loopback by now.
		b.allowAgent(agentRequest())
		if web.times() != 1 {
			t.Errorf("fetched %d times", web.times())
		}
		all, err := g.clients.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if c.ID == agent && (c.Origin != oauth.OriginDocument || c.FirstParty || !c.Public || c.PKCEOptional || len(c.Scopes) != 2) {
				t.Errorf("stored as %+v", c)
			}
		}
		without := agentRequest("code_challenge", "", "code_challenge_method", "")
		if got := b.authorize(without); !strings.Contains(got.location, "error=invalid_request") {
			t.Errorf("without PKCE: %d %s", got.status, got.location)
		}
	})
}

func TestADocumentThatChangesCountsFromThenOn(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		web := publish(agent, agentDocument(agent, nil))
		web.header.Set("Cache-Control", "public, max-age=1")
		withDocuments(g, web, "*.example.com")
		b := g.signedIn()
		tokens := g.redeemForAgent(b.allowAgent(agentRequest()))
		web.set(agent, agentDocument(agent, map[string]any{"redirect_uris": []string{"https://agents.example.com/cb"}}))
		g.clock.Advance(4 * time.Minute)
		b.allowAgent(agentRequest()) // believed for five minutes whatever it says
		g.clock.Advance(2 * time.Minute)
		if got := b.authorize(agentRequest()); got.status != http.StatusBadRequest || got.location != "" {
			t.Errorf("an address that is no more the client's: %d %s", got.status, got.location)
		}
		refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.text("refresh_token")}, "client_id": {agent}}
		again := g.post("/oauth/token", "", refresh)
		if again.status != http.StatusOK {
			t.Errorf("what was granted before: %d %s", again.status, again.body)
		}
		// Unreachable, the client stays what it was for a day.
		web.set(agent, "")
		g.clock.Advance(23 * time.Hour)
		if _, err := g.clients.Get(t.Context(), agent); err != nil {
			t.Errorf("after 23 hours: %v", err)
		}
		g.clock.Advance(2 * time.Hour)
		if _, err := g.clients.Get(t.Context(), agent); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("after a day: %v", err)
		}
		g.clients.Documents.Hosts = []string{"other.example.com"}
		web.set(agent, agentDocument(agent, nil))
		g.clock.Advance(time.Minute)
		if _, err := g.clients.Get(t.Context(), agent); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("of a host that is not named any more: %v", err)
		}
	})
}

func TestADocumentIsRefused(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	for name, replaced := range map[string]map[string]any{
		"another client's":          {"client_id": "https://agents.example.com/other.json"},
		"of nobody":                 {"client_id": nil},
		"with a secret":             {"client_secret": "x"},
		"with an end of its secret": {"client_secret_expires_at": 0},
		"with a secret's method":    {"token_endpoint_auth_method": "client_secret_basic"},
		"redirecting elsewhere":     {"redirect_uris": []string{"https://evil.example/cb"}},
		"redirecting to a scheme":   {"redirect_uris": []string{"com.example.app:/cb"}},
		"redirecting to a port":     {"redirect_uris": []string{"https://agents.example.com:8443/cb"}},
		"logging out elsewhere":     {"post_logout_redirect_uris": []string{"https://evil.example/"}},
		"redirecting nowhere":       {"redirect_uris": []string{}},
		"a machine":                 {"grant_types": []string{"client_credentials"}},
		"implicit":                  {"response_types": []string{"token"}},
		"with hidden characters":    {"client_name": "Bank\u202e"},
		"without keys":              {"token_endpoint_auth_method": "private_key_jwt"},
		"of another shape":          {"redirect_uris": "https://agents.example.com/cb"},
		"too long":                  {"x": strings.Repeat("x", oauth.MaxClientDocument)},
	} {
		withDocuments(g, publish(agent, agentDocument(agent, replaced)), "agents.example.com")
		if c, err := g.clients.Get(t.Context(), agent); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	page := publish(agent, agentDocument(agent, nil))
	page.header.Set("Content-Type", "text/html")
	withDocuments(g, page, "agents.example.com")
	for range 5 {
		if _, err := g.clients.Get(t.Context(), agent); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("a page: %v", err)
		}
	}
	if page.times() != 1 {
		t.Errorf("asked %d times for what is no document", page.times())
	}
	if got := g.browser().authorize(agentRequest()); got.status != http.StatusBadRequest || got.location != "" {
		t.Errorf("%d %s", got.status, got.location)
	}
	if got := g.redeemForAgent("a code"); got.status != http.StatusUnauthorized || got.text("error") != "invalid_client" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestOnlyAddressesOfNamedHostsAreAsked: an id that could be read in two ways,
// or leads somewhere else, is nobody's.
func TestOnlyAddressesOfNamedHostsAreAsked(t *testing.T) {
	for _, id := range []string{
		"http://agents.example.com/c", "https://agents.example.com", "https://agents.example.com/a/../c", "https://agents.example.com/./c",
		"https://agents.example.com/a/%2e%2e/c", "https://agents.example.com/a/%2E/c", "https://agents.example.com/c#x", "https://agents.example.com/c#",
		"https://agents.example.com/c?x=1", "https://agents.example.com/c?", "https://user@agents.example.com/c", "https://agents.example.com@evil.example/c",
		"https://AGENTS.example.com/c", "https://agents.example.com:443/c", "https://agents.example.com:/c", "https://agents.example.com:8443/c", `https://agents.example.com\c`,
		"https://evil.example/c", "https://agents.example.com.evil.example/c", "https://xagents.example.com/c", "https://127.0.0.1/c", "https://[::1]/c",
		"https://example.org/c", "https://xexample.org/c", "https:///c", "https://agents.example.com/" + strings.Repeat("x", 600), "https://agents.example.com/a b",
	} {
		g := newRig(t, storagetest.Open(t))
		web := publish(id, agentDocument(id, nil))
		withDocuments(g, web, "agents.example.com", "*.example.org")
		if c, err := g.clients.Get(t.Context(), id); !errors.Is(err, directory.ErrNotFound) || web.times() != 0 {
			t.Errorf("%s: %+v, %v, asked %d times", id, c, err, web.times())
		}
	}
}

func TestADocumentIsFetchedOnceForEverybody(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		clock := newMoving()
		web := publish(agent, agentDocument(agent, nil))
		var replicas []*oauth.Clients
		for range 2 {
			cs := clientsOn(s, clock)
			cs.Documents = &oauth.Documents{Fetch: web, Hosts: []string{"agents.example.com"}}
			replicas = append(replicas, cs)
		}
		together(64, func(i int) {
			if c, err := replicas[i%2].Get(t.Context(), agent); err != nil || c.ID != agent {
				t.Errorf("%+v, %v", c, err)
			}
		})
		if web.times() > 2 {
			t.Errorf("two replicas fetched %d times", web.times())
		}
	})
}

func TestADescribedClientGoesWhenNobodyUsesIt(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		withDocuments(g, publish(agent, agentDocument(agent, nil)), "agents.example.com")
		g.signedIn().allowAgent(agentRequest())
		clean := func(after time.Duration) bool {
			if err := (storage.Cleanup{DB: g.stores.DB}).Run(t.Context(), g.clock.Now().Add(after), nil); err != nil {
				t.Fatal(err)
			}
			_, err := (storage.OAuthClients{DB: g.stores.DB}).Client(t.Context(), agent)
			return errors.Is(err, directory.ErrNotFound)
		}
		if clean(29*24*time.Hour) || !clean(31*24*time.Hour) {
			t.Error("a client is not kept for thirty days")
		}
		if _, err := g.clients.Get(t.Context(), "conf"); err != nil {
			t.Errorf("a client that was registered: %v", err)
		}
	})
}
