package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestPersonReachesTheirOwnPartOfTheDirectory signs somebody in for a service that
// asks for directory.read, and calls the Notify API with what the service got.
func TestPersonReachesTheirOwnPartOfTheDirectory(t *testing.T) {
	const hidden = `{"message":"No result found","result":"error"}` + "\n"
	eachDeployment(t, func(t *testing.T, d *deployment) {
		rp := d.relyingService("directory.read")
		machine := d.client("--grant", "client_credentials", "--scope", "directory.read")
		u := d.person()
		other := d.user("--name", "Mary Jones", "--email", "mary@example.gov.uk", "--state", "active")
		s := d.start()
		j := d.journey(s)
		j.authorize(rp, "openid directory.read")
		j.signIn(u, 1)
		j.consent("accept")
		_, got := s.exchange(rp, j.code())
		for _, c := range []struct {
			name, token, method, path, body string
			status                          int
			says                            string
		}{
			{"own user", got.AccessToken, "GET", "/user/" + u.ID.String(), "", 200, `"id":"` + u.ID.String()},
			{"own teams", got.AccessToken, "GET", "/user/" + u.ID.String() + "/organisations-and-services", "", 200, `"services":[]`},
			{"somebody else", got.AccessToken, "GET", "/user/" + other.ID.String(), "", 404, hidden},
			{"nobody", got.AccessToken, "GET", "/user/00000000-0000-4000-8000-000000000000", "", 404, hidden},
			{"what only machines do", got.AccessToken, "POST", "/user/" + u.ID.String(), `{"name":"X"}`, 404, hidden},
			{"a search", got.AccessToken, "POST", "/user/find-users-by-email", `{"email":"mary"}`, 404, hidden},
			{"a list", got.AccessToken, "GET", "/organisations", "", 404, hidden},
			{"the other dialect", got.AccessToken, "GET", "/user/john", "", 403, ""},
			{"no person", s.token(machine, "directory.read"), "GET", "/user/" + u.ID.String(), "", 403, "The access token does not allow this"},
		} {
			var body any
			if c.body != "" {
				body = c.body
			}
			res := s.call(c.token, c.method, c.path, body)
			if res.status != c.status || !strings.Contains(res.body, c.says) {
				t.Errorf("%s: %d %s, want %d with %s", c.name, res.status, res.body, c.status, c.says)
			}
			if challenge := res.header.Get("WWW-Authenticate"); res.status == http.StatusForbidden && !strings.Contains(challenge, `error="insufficient_scope"`) {
				t.Errorf("%s: the challenge is %q", c.name, challenge)
			}
		}
	})
}
