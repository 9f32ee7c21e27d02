package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// stepUp is what a challenge of RFC 9470 asks for.
var stepUp = regexp.MustCompile(`^Bearer .*error="insufficient_user_authentication".*, acr_values="([^"]+)", max_age=(\d+)`)

// TestAnAdministratorSignsInAgainAfterAnHour follows a step-up challenge from the
// directory to the sign-in page and back.
func TestAnAdministratorSignsInAgainAfterAnHour(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	rp, machine := d.relyingService("notify.admin", "directory.read"), d.client("--grant", "client_credentials", "--scope", "notify.admin")
	person := d.person()
	s := d.start("dev")
	own := "/user/" + person.ID.String()
	j := d.journey(s)
	j.authorize(rp, "openid offline_access notify.admin")
	j.signIn(person, 1)
	j.consent("accept")
	_, first := s.exchange(rp, j.code())
	if res := s.call(first.AccessToken, http.MethodGet, own, nil); res.status != http.StatusOK {
		t.Fatalf("at once: %d %s", res.status, res.body)
	}

	if res := do(t, http.DefaultClient, request(t, http.MethodPost, s.url+"/dev/clock", `{"advance":"61m"}`)); res.status != http.StatusOK {
		t.Fatalf("move the clock: %d %s", res.status, res.body)
	}
	_, old := s.refresh(rp, first.RefreshToken)
	res := s.call(old.AccessToken, http.MethodGet, own, nil)
	asked := stepUp.FindStringSubmatch(res.header.Get("WWW-Authenticate"))
	if res.status != http.StatusUnauthorized || asked == nil || asked[2] != "3600" {
		t.Fatalf("after an hour: %d %q", res.status, res.header.Values("WWW-Authenticate"))
	}
	if res := s.call(old.AccessToken, http.MethodGet, "/oauth/userinfo", nil); res.status != http.StatusOK {
		t.Errorf("what needs no step up: %d %s", res.status, res.body)
	}
	if res := s.call(s.token(machine, "notify.admin"), http.MethodGet, own, nil); res.status != http.StatusOK {
		t.Errorf("a client on its own: %d %s", res.status, res.body)
	}

	// The session still stands: without the parameters of the challenge nothing changes.
	j.authorize(rp, "openid offline_access notify.admin")
	_, same := s.exchange(rp, j.code())
	if res := s.call(same.AccessToken, http.MethodGet, own, nil); res.status != http.StatusUnauthorized {
		t.Errorf("without signing in again: %d %s", res.status, res.body)
	}
	j.authorize(rp, "openid offline_access notify.admin", "acr_values", asked[1], "max_age", asked[2])
	if !strings.Contains(j.at, "/signin") {
		t.Fatalf("not asked to sign in but sent to %s", j.at)
	}
	j.signIn(person, 2)
	_, fresh := s.exchange(rp, j.code())
	if res := s.call(fresh.AccessToken, http.MethodGet, own, nil); res.status != http.StatusOK {
		t.Errorf("signed in again: %d %s", res.status, res.body)
	}
}

// An administrator who asks for no more than their own view is not asked either.
func TestOnlyThePowerOfAnAdministratorNeedsARecentSignIn(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, sqliteConfig(t))
	d.vars["GATEHOUSE_ADMIN_MAX_AGE"] = "1m"
	rp, person := d.relyingService("notify.admin", "notify.usage", "directory.read"), d.person()
	s := d.start("dev")
	j := d.journey(s)
	j.authorize(rp, "openid offline_access notify.admin notify.usage directory.read")
	j.signIn(person, 1)
	j.consent("accept")
	if res, _ := s.exchange(rp, j.code()); res.status != http.StatusOK {
		t.Fatalf("exchange: %d %s", res.status, res.body)
	}
	if res := do(t, http.DefaultClient, request(t, http.MethodPost, s.url+"/dev/clock", `{"advance":"2m"}`)); res.status != http.StatusOK {
		t.Fatalf("move the clock: %d %s", res.status, res.body)
	}
	for scope, status := range map[string]int{
		"openid directory.read":              http.StatusOK,
		"openid notify.admin":                http.StatusUnauthorized,
		"openid directory.read notify.admin": http.StatusUnauthorized,
	} {
		j.authorize(rp, scope)
		_, narrow := s.exchange(rp, j.code())
		res := s.call(narrow.AccessToken, http.MethodGet, "/user/"+person.ID.String(), nil)
		if challenge := res.header.Get("WWW-Authenticate"); res.status != status || (status == http.StatusUnauthorized) != strings.Contains(challenge, "max_age=60") {
			t.Errorf("%s: %d %q", scope, res.status, challenge)
		}
	}
	j.authorize(rp, "openid notify.usage")
	_, usage := s.exchange(rp, j.code())
	res := s.call(usage.AccessToken, http.MethodPost, "/service/00000000-0000-4000-8000-000000000000/usage", `{}`)
	if res.status != http.StatusUnauthorized || !strings.Contains(res.header.Get("WWW-Authenticate"), "max_age=60") {
		t.Errorf("openid notify.usage: %d %q", res.status, res.header.Get("WWW-Authenticate"))
	}
}
