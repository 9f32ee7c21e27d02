package oauth_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"gatehouse/oauth"
)

const (
	api1 = "https://api.example.com/one"
	api2 = "https://api.example.com/two"
)

// resourceClients are a client of two resources for each token format, and the
// server of one of them.
func (g *rig) resourceClients() {
	g.t.Helper()
	for id, format := range map[string]oauth.TokenFormat{"jwts": oauth.JWT, "refs": oauth.Opaque} {
		g.client(oauth.Client{
			ID: id, FirstParty: true, TokenFormat: format, GrantTypes: []string{"authorization_code", "refresh_token", "client_credentials"},
			Metadata: oauth.Metadata{Audiences: []string{api1, api2}},
		})
	}
	g.client(oauth.Client{ID: "server", GrantTypes: []string{"client_credentials"}, Metadata: oauth.Metadata{Resources: []string{api1}}})
}

// audience is whom introspection says a token is for.
func (g *rig) audience(client, token string) []string {
	g.t.Helper()
	switch aud := g.post("/oauth/introspect", client, url.Values{"token": {token}}).json()["aud"].(type) {
	case string:
		return []string{aud}
	case []any:
		var all []string
		for _, one := range aud {
			all = append(all, one.(string))
		}
		return all
	default:
		return nil
	}
}

func TestTokensAreForTheResourcesAskedFor(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.resourceClients()
		for _, client := range []string{"jwts", "refs"} {
			asked := request(client)
			asked["resource"] = []string{api1, api2, api1}
			tokens := g.exchange(client, g.signedIn().code(asked))
			if got := g.audience(client, tokens.text("access_token")); !slices.Equal(got, []string{api1, api2}) {
				t.Errorf("%s: both: %v %s", client, got, tokens.body)
			}
			if got := g.bearer("/admin", tokens.text("access_token")); got.status != http.StatusUnauthorized {
				t.Errorf("%s: a token for others opens the directory: %d", client, got.status)
			}
			if got := g.audience("server", tokens.text("access_token")); len(got) != 2 {
				t.Errorf("%s: the resource server is told %v", client, got)
			}
			refresh := tokens.text("refresh_token")
			for _, beyond := range []string{testIssuer, "https://evil.example"} {
				g.token(client, "grant_type", "refresh_token", "refresh_token", refresh, "resource", beyond).refused(http.StatusBadRequest, "invalid_target")
			}
			narrow := g.token(client, "grant_type", "refresh_token", "refresh_token", refresh, "resource", api2)
			if got := g.audience(client, narrow.text("access_token")); !slices.Equal(got, []string{api2}) {
				t.Errorf("%s: narrowed: %v %s", client, got, narrow.body)
			}
			if g.active("server", narrow.text("access_token")) {
				t.Errorf("%s: another resource's server is told", client)
			}
			whole := g.refresh(client, narrow.text("refresh_token"))
			if got := g.audience(client, whole.text("access_token")); len(got) != 2 {
				t.Errorf("%s: narrowing lasts: %v", client, got)
			}
		}
	})
}

func TestACodeIsNotWidenedByAResource(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.resourceClients()
		for _, client := range []string{"jwts", "refs"} {
			code := g.signedIn().code(request(client, "resource", api1))
			form := []string{"grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier}
			g.token(client, append(form, "resource", api2)...).refused(http.StatusBadRequest, "invalid_target")
			g.token(client, form...).refused(http.StatusBadRequest, "invalid_grant")
		}
		if got := g.signedIn().authorize(request("conf", "resource", api1)).redirect(); got.Get("error") != "invalid_target" {
			t.Errorf("a resource not registered: %v", got)
		}
	})
}

func TestAMachineAsksForAResource(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.resourceClients()
		for _, client := range []string{"jwts", "refs"} {
			got := g.token(client, "grant_type", "client_credentials", "resource", api1)
			if aud := g.audience(client, got.text("access_token")); !slices.Equal(aud, []string{api1}) {
				t.Errorf("%s: %v %s", client, aud, got.body)
			}
			g.token(client, "grant_type", "client_credentials", "resource", "https://evil.example").refused(http.StatusBadRequest, "invalid_target")
			plain := g.token(client, "grant_type", "client_credentials")
			if aud := g.audience(client, plain.text("access_token")); !slices.Equal(aud, []string{testIssuer}) {
				t.Errorf("%s: without: %v", client, aud)
			}
		}
	})
}
