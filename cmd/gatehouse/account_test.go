package main

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// enter signs a person in at the hosted pages, with the n-th code sent to them.
func (j *journey) enter(u userOutput, password string, n int) response {
	j.t.Helper()
	j.submit("/signin", url.Values{"identifier": {u.Email}, "password": {password}})
	if !strings.HasSuffix(j.at, "/signin/code") {
		j.t.Fatalf("at %s: %d %s", j.at, j.last.status, j.last.body)
	}
	return j.submit("/signin/code", url.Values{"code": {j.d.code(u.Mobile, n)}})
}

// wantSignedIn reports whether the browser is.
func (j *journey) wantSignedIn(want bool) {
	j.t.Helper()
	j.get(j.s.url + "/account")
	if got := strings.HasSuffix(j.at, "/account"); got != want {
		j.t.Errorf("signed in: %v; at %s", got, j.at)
	}
}

// templates are the messages sent to somebody.
func (d *deployment) templates(to string) []string {
	var all []string
	for _, m := range d.messages(to) {
		all = append(all, m.Template)
	}
	return all
}

func (d *deployment) wantMessage(to, template string) {
	d.t.Helper()
	eventually(d.t, template, func() bool { return slices.Contains(d.templates(to), template) })
}

// TestPersonChangesTheirPassword (S01, S11): this browser goes on in another
// session; every other one, and whatever was issued, is over.
func TestPersonChangesTheirPassword(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		client, person := d.relyingService(), d.person()
		s := d.start()
		j, other := d.journey(s), d.journey(s)
		j.authorize(client, "openid offline_access")
		j.signIn(person, 1)
		j.consent("accept")
		_, issued := s.exchange(client, j.code())
		other.enter(person, testPassword, 2)
		before := j.cookie("gatehouse_session")
		const newPassword = "three random words"
		wantPage(t, j.submit("/account/password", url.Values{"current_password": {"not the password"}, "password": {newPassword}}), 403, "not the password that you have now")
		wantPage(t, j.submit("/account/password", url.Values{"current_password": {testPassword}, "password": {newPassword}}), 200, "Your password has been changed")
		if j.cookie("gatehouse_session") == before {
			t.Error("the session is the one before")
		}
		old := d.journey(s)
		old.browser.Jar.SetCookies(request(t, http.MethodGet, s.url, nil).URL, []*http.Cookie{{Name: "gatehouse_session", Value: before, Path: "/"}})
		old.wantSignedIn(false)
		j.wantSignedIn(true)
		other.wantSignedIn(false)
		if res, _ := s.refresh(client, issued.RefreshToken); res.status != http.StatusBadRequest {
			t.Errorf("the refresh token: %d %s", res.status, res.body)
		}
		d.wantMessage(person.Email, "password_changed")
		again := d.journey(s)
		wantPage(t, again.submit("/signin", url.Values{"identifier": {person.Email}, "password": {testPassword}}), 403, "not accepted")
		again.enter(person, newPassword, 3)
		again.wantSignedIn(true)
	})
}

// TestPersonConfirmsWhoTheyAre (S01): the session of before is over.
func TestPersonConfirmsWhoTheyAre(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		person := d.person()
		s := d.start()
		j := d.journey(s)
		wantPage(t, j.get(s.url+"/account/password"), 200, "Sign in")
		j.enter(person, testPassword, 1)
		if !strings.HasSuffix(j.at, "/account/password") {
			t.Errorf("led to %s", j.at)
		}
		before := j.cookie("gatehouse_session")
		wantPage(t, j.submit("/account/confirm", url.Values{"password": {"not the password"}}), 403, "This was not accepted")
		j.submit("/account/confirm", url.Values{"password": {testPassword}})
		wantPage(t, j.submit("/signin/code", url.Values{"code": {d.code(person.Mobile, 2)}}), 200, "Your account")
		if j.cookie("gatehouse_session") == before {
			t.Error("the session is the one before")
		}
		old := request(t, http.MethodGet, s.url+"/account", nil)
		old.AddCookie(&http.Cookie{Name: "gatehouse_session", Value: before})
		if res := do(t, http.DefaultClient, old); strings.Contains(res.body, person.Email) {
			t.Error("the session of before is good")
		}
	})
}

func TestPersonChangesAddressAndNumber(t *testing.T) {
	eachDeployment(t, func(t *testing.T, d *deployment) {
		person := d.person()
		s := d.start()
		j, other := d.journey(s), d.journey(s)
		j.enter(person, testPassword, 1)
		other.enter(person, testPassword, 2)
		const address, number = "pat@new.example.gov.uk", "07700900456"
		wantPage(t, j.submit("/account/email", url.Values{"email": {address}}), 200, address)
		wantPage(t, j.submit("/account/email", url.Values{"code": {d.code(address, 1)}}), 200, "Your email address has been changed")
		other.wantSignedIn(false)
		d.wantMessage(person.Email, "email_changed")
		wantPage(t, j.submit("/account/mobile", url.Values{"mobile": {number}}), 200, number)
		wantPage(t, j.submit("/account/mobile", url.Values{"code": {d.code(number, 1)}}), 200, "Your mobile number has been changed")
		d.wantMessage(address, "mobile_changed")
		if got := d.templates(person.Email); !slices.Equal(got, []string{"new_browser", "email_changed"}) {
			t.Errorf("the address before was sent %v", got)
		}
		person.Email, person.Mobile = address, number
		again := d.journey(s)
		again.submit("/signin", url.Values{"identifier": {address}, "password": {testPassword}})
		again.submit("/signin/code", url.Values{"code": {d.code(number, 2)}})
		again.wantSignedIn(true)
		wantPage(t, again.get(s.url+"/account/activity"), 200, "Your details were changed")
	})
}

var sessionButton = regexp.MustCompile(`name="session" value="([^"]+)"`)

// TestPersonEndsOtherSessionsOfTheirOwn and nobody else's.
func TestPersonEndsOtherSessionsOfTheirOwn(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		person, stranger := d.person(), d.user("--name", "Mallory", "--email", "mallory@example.gov.uk", "--mobile", "07700900666")
		s := d.start()
		j, other, evil := d.journey(s), d.journey(s), d.journey(s)
		j.enter(person, testPassword, 1)
		other.enter(person, testPassword, 2)
		evil.enter(stranger, testPassword, 1)
		listed := sessionButton.FindStringSubmatch(j.get(s.url + "/account/sessions").body)
		if listed == nil {
			t.Fatalf("no other session: %s", j.last.body)
		}
		if res := evil.submit("/account/sessions", url.Values{"session": {listed[1]}}); res.status != http.StatusNotFound {
			t.Errorf("somebody else's session: %d", res.status)
		}
		evil.submit("/account/sessions", url.Values{"others": {"end"}})
		other.wantSignedIn(true)
		wantPage(t, j.submit("/account/sessions", url.Values{"session": {listed[1]}}), 200, "That browser is signed out")
		other.wantSignedIn(false)
		other.enter(person, testPassword, 3)
		wantPage(t, j.submit("/account/sessions", url.Values{"others": {"end"}}), 200, "You are signed out everywhere else")
		other.wantSignedIn(false)
		j.wantSignedIn(true)
		evil.wantSignedIn(true)
	})
}

func TestPersonStopsAService(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		client, person := d.relyingService(), d.person()
		s := d.start()
		j := d.journey(s)
		j.authorize(client, "openid email offline_access")
		j.signIn(person, 1)
		j.consent("accept")
		_, issued := s.exchange(client, j.code())
		wantPage(t, j.get(s.url+"/account/services"), 200, "A relying service")
		if !strings.Contains(j.last.body, "see your email address") || !strings.Contains(j.last.body, "Last used on") {
			t.Errorf("%s", j.last.body)
		}
		if res := j.submit("/account/data", nil); res.status != http.StatusOK || !strings.Contains(res.body, "A relying service") || strings.Contains(res.body, "argon2") {
			t.Errorf("data: %d %s", res.status, res.body)
		}
		wantPage(t, j.submit("/account/services", url.Values{"client": {"rp"}}), 200, "No service uses your account")
		if res, _ := s.refresh(client, issued.RefreshToken); res.status != http.StatusBadRequest {
			t.Errorf("the refresh token: %d %s", res.status, res.body)
		}
		j.authorize(client, "openid email")
		if !strings.Contains(j.at, "/consent") {
			t.Errorf("not asked again but at %s", j.at)
		}
	})
}

func TestPersonClosesTheirAccount(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		client, person := d.relyingService(), d.person()
		s := d.start()
		f := d.team(s)
		j, other, manager := d.journey(s), d.journey(s), d.journey(s)
		manager.enter(f.manager, testPassword, 1)
		wantPage(t, manager.submit("/account/close", url.Values{"close": {"yes"}}), 409, "A service needs you")
		wantPage(t, manager.submit("/account/email", url.Values{"email": {"manager@example.com"}}), 400, "one of a government organisation")
		wantPage(t, manager.submit("/account/email", url.Values{"email": {"manager@other.gov.uk"}}), 200, "manager@other.gov.uk")
		manager.wantSignedIn(true)
		j.authorize(client, "openid offline_access")
		j.signIn(person, 1)
		j.consent("accept")
		_, issued := s.exchange(client, j.code())
		other.enter(person, testPassword, 2)
		wantPage(t, j.submit("/account/close", url.Values{"close": {"yes"}}), 200, "Your account is closed")
		j.wantSignedIn(false)
		other.wantSignedIn(false)
		if res, _ := s.refresh(client, issued.RefreshToken); res.status != http.StatusBadRequest {
			t.Errorf("the refresh token: %d %s", res.status, res.body)
		}
		wantPage(t, j.submit("/signin", url.Values{"identifier": {person.Email}, "password": {testPassword}}), 403, "not accepted")
		d.wantMessage(person.Email, "account_closed")
		for _, path := range []string{"/account/data", "/account/services"} {
			if j.get(s.url + path); !strings.Contains(j.at, "/signin") {
				t.Errorf("%s after the end: at %s", path, j.at)
			}
		}

		heir := d.person() // of the same address and number
		if heir.ID == person.ID {
			t.Fatal("the account is back")
		}
		again := d.journey(s)
		again.enter(heir, testPassword, 3)
		wantPage(t, again.get(s.url+"/account/services"), 200, "No service uses your account")
		if res := again.submit("/account/data", nil); strings.Contains(res.body, person.ID.String()) || !strings.Contains(res.body, heir.ID.String()) {
			t.Errorf("data of the new account: %s", res.body)
		}
	})
}
