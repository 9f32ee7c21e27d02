package main

import (
	"net/http"
	"strings"
	"testing"

	"gatehouse/directory"
)

// TestCompaniesComeWithTokensOfTheirKind drives the marketplace with real tokens:
// scopes go to clients of their kind, and to nobody else.
func TestCompaniesComeWithTokensOfTheirKind(t *testing.T) {
	eachDeployment(t, func(t *testing.T, d *deployment) {
		company := func(id, kind, scope string) clientOutput {
			return d.client("--id", id, "--grant", "client_credentials", "--kind", kind, "--scope", scope)
		}
		partner, provider := company("acme", "partner", directory.ScopePartner), company("isp", "provider", directory.ScopeProvider)
		machine := d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin")
		s := d.start()
		token := s.token(partner, directory.ScopePartner)
		created := s.call(token, http.MethodPost, "/users", `{"first_name":"Ada","surname":"Lovelace","email":"ada@example.com","dob":"1985-06-07T17:32:28Z"}`)
		if created.status != http.StatusOK || !strings.Contains(created.body, `"dob":"1985-06-07T17:32:28Z"`) {
			t.Fatalf("%d %s", created.status, created.body)
		}
		for _, c := range []struct {
			client clientOutput
			scope  string
			status int
		}{
			{provider, directory.ScopeProvider, http.StatusForbidden}, {machine, "", http.StatusForbidden},
		} {
			if res := s.call(s.token(c.client, c.scope), http.MethodPost, "/users", `{}`); res.status != c.status {
				t.Errorf("%s: %d %s, want %d", c.client.ClientID, res.status, res.body, c.status)
			}
		}
		if res := s.call(s.token(provider, directory.ScopeProvider), http.MethodGet, "/users", nil); res.status != http.StatusOK || !strings.Contains(res.body, `"total":0`) {
			t.Errorf("%d %s", res.status, res.body)
		}
		if res := s.call("none", http.MethodGet, "/users", nil); res.status != http.StatusUnauthorized {
			t.Errorf("without a token: %d", res.status)
		}
		var done struct {
			Users int `json:"users"`
		}
		d.command("", &done, "keys", "rotate-fields", "--json")
		if res := s.call(token, http.MethodGet, "/users", nil); done.Users != 1 || res.status != http.StatusOK || !strings.Contains(res.body, `"dob":"1985-06-07T17:32:28Z"`) {
			t.Errorf("after a rotation of %d users: %d %s", done.Users, res.status, res.body)
		}
	})
}
