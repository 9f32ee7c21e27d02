package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// link waits for the n-th message to somebody and returns where its link leads.
func (d *deployment) link(to string, n int) string {
	d.t.Helper()
	var link string
	eventually(d.t, "a message", func() bool {
		sent := d.messages(to)
		if len(sent) >= n {
			link, _ = sent[n-1].Personalisation["url"].(string)
		}
		return len(sent) >= n
	})
	return link
}

// here moves a link of the configured issuer to where a server of the test listens.
func (j *journey) here(link string) string {
	j.t.Helper()
	path, ok := strings.CutPrefix(link, j.s.url+"/")
	if !ok {
		j.t.Fatalf("the link %s does not lead to the issuer", link)
	}
	return "/" + path
}

func (j *journey) wantPage(what string, status int, says string) {
	j.t.Helper()
	if j.last.status != status || !strings.Contains(j.last.body, says) {
		j.t.Fatalf("%s: %d\n%s", what, j.last.status, j.last.body)
	}
}

// TestPersonRegistersAndRecovers (E04, H02, M01, M02, M09) goes from no account to
// a new password, with the links of real messages. They lead to the issuer, looking
// at them uses nothing up, each works once, and the log knows none of them.
func TestPersonRegistersAndRecovers(t *testing.T) {
	t.Parallel()
	const email, another = "ann@example.gov.uk", "an entirely different password"
	eachDeployment(t, func(t *testing.T, d *deployment) {
		s := d.start()
		j := d.journey(s)
		form := url.Values{"name": {"Ann Example"}, "email": {email}, "mobile": {"07700 900456"}, "password": {testPassword}}
		form.Set("mobile", "+1 876 210 1234")
		j.submit("/register", form)
		j.wantPage("a number of another country", http.StatusBadRequest, "We do not send text messages to numbers of this country")
		form.Set("mobile", "07700 900456")
		j.submit("/register", form)
		j.wantPage("register", http.StatusAccepted, "We have sent you an email")
		first := j.last.body
		verify := j.here(d.link(email, 1))
		for range 5 {
			j.get(s.url + verify)
			j.wantPage("look", http.StatusOK, email)
		}
		j.submit(verify, url.Values{})
		j.wantPage("confirm", http.StatusOK, "Your account is ready")
		j.submit(verify, url.Values{})
		j.wantPage("confirm again", http.StatusGone, "does not work any more")

		again := d.journey(s)
		again.submit("/register", form)
		if again.last.status != http.StatusAccepted || again.last.body != first { // E03
			t.Errorf("an address that is taken: %d\n%s", again.last.status, again.last.body)
		}
		d.link(email, 2)
		if sent := d.messages(email); sent[1].Template != "account_exists" {
			t.Errorf("its owner was sent %s", sent[1].Template)
		}

		alike := map[string]string{} // E04
		for _, who := range []string{email, "ghost@example.gov.uk", "ghost"} {
			r := request(t, http.MethodPost, s.url+"/forgotten-password", url.Values{"identifier": {who}}, append([]string{"Origin", s.url}, poisoned...)...)
			j.last = do(t, j.browser, r)
			j.wantPage("forgotten", http.StatusAccepted, "If there is an account")
			alike[j.last.body] = who
		}
		if len(alike) != 1 {
			t.Errorf("%d different answers", len(alike))
		}
		reset := j.here(d.link(email, 3))
		j.get(s.url + reset)
		j.submit(reset, url.Values{"password": {another}})
		j.wantPage("new password", http.StatusOK, "Your password has been changed")
		j.submit(reset, url.Values{"password": {another}})
		j.wantPage("new password again", http.StatusGone, "does not work any more")
		if cookie := j.cookie("gatehouse_session"); cookie != "" { // M09
			t.Error("a new password signed somebody in")
		}
		j.submit("/signin", url.Values{"identifier": {email}, "password": {another}})
		j.wantPage("sign in", http.StatusOK, "We have sent a text message")
		for _, path := range []string{verify, reset} {
			token := path[strings.LastIndex(path, "/")+1:]
			if strings.Contains(s.log.String(), token) {
				t.Error("the log holds the token of a link")
			}
		}
	})
}

// TestRegistrationIsClosedByConfiguration also shows that clients still register at
// the same path, in their own voice.
func TestRegistrationIsClosedByConfiguration(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	d.vars["GATEHOUSE_REGISTRATION"] = "closed"
	s := d.start()
	j := d.journey(s)
	j.get(s.url + "/register")
	j.wantPage("page", http.StatusForbidden, "Accounts are made by invitation")
	j.submit("/register", url.Values{"name": {"Ann"}, "email": {"ann@example.gov.uk"}, "password": {testPassword}})
	j.wantPage("form", http.StatusForbidden, "Accounts are made by invitation")
	j.get(s.url + "/signin")
	if strings.Contains(j.last.body, `href="/register`) {
		t.Error("the sign-in page offers what is closed")
	}
	res := do(t, http.DefaultClient, request(t, http.MethodPost, s.url+"/register", "{}"))
	if res.status != http.StatusUnauthorized || !strings.Contains(res.body, `"error"`) {
		t.Errorf("a client without a token: %d %s", res.status, res.body)
	}
}
