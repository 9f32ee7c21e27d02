package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// fixation (S01): a sign-in makes a new session, and the one before is over.
func (a *abuse) fixation() {
	u := a.user("Fixed", "07700900221")
	j := a.d.journey(a.s)
	j.t = a.t
	here, err := url.Parse(a.s.url)
	if err != nil {
		a.t.Fatal(err)
	}
	j.browser.Jar.SetCookies(here, []*http.Cookie{{Name: "gatehouse_session", Value: strings.Repeat("A", 43), Path: "/"}})
	a.signInAgain(j, u)
	first := j.cookie("gatehouse_session")
	if first == strings.Repeat("A", 43) || a.signedInAs(strings.Repeat("A", 43)) || !a.signedInAs(first) {
		a.t.Error("the attacker's session became the victim's")
	}
	a.signInAgain(j, u)
	if second := j.cookie("gatehouse_session"); second == first || a.signedInAs(first) || !a.signedInAs(second) {
		a.t.Error("the session did not change with the second sign-in")
	}
	// A sign-in that one browser began is no use to another.
	j.authorize(a.conf, "openid", "prompt", "login")
	stolen := do(a.t, newBrowser(a.t), request(a.t, http.MethodGet, a.s.url+"/signin?flow="+j.flow(), nil, "Accept", "text/html"))
	if stolen.status != http.StatusBadRequest {
		a.t.Errorf("another browser goes on with the flow: %d", stolen.status)
	}
}

// sessionsAfterPassword (S11): a new password ends every session, whoever set it
// and where, and its owner is told.
func (a *abuse) sessionsAfterPassword() {
	u := a.user("Changer", "07700900231")
	for i, change := range []func(u userOutput){a.setPassword, a.resetPassword} {
		one, two := a.signIn(u), a.signIn(u)
		got := a.granted(two)
		change(u)
		for _, j := range []*journey{one, two} {
			if a.signedInAs(j.cookie("gatehouse_session")) {
				a.t.Error("a session outlives the password")
			}
		}
		a.a401("after the new password", got.AccessToken)
		if n := a.audited("change_password", "", u); n != 2+i { // the first one was a change too
			a.t.Errorf("passwords are in the audit trail %d times", n)
		}
		a.told(u, "password_changed", 1+i)
	}
	a.sessionsAfterTheEnd("archive_user", a.user("Archived", "07700900232"), func(u userOutput) {
		admin := a.s.token(a.machine, "notify.admin")
		if res := a.s.call(admin, http.MethodPost, "/user/"+u.ID.String()+"/archive", nil); res.status >= http.StatusBadRequest {
			a.t.Errorf("archive: %d %s", res.status, res.body)
		}
	})
	a.sessionsAfterTheEnd("end_user_access", a.user("Expelled", "07700900233"), func(u userOutput) {
		a.d.command("", new(map[string]string), "user", "sign-out", u.ID.String(), "--json")
	})
}

// sessionsAfterTheEnd (S11): whoever is archived, or signed out by an operator, is
// out in every browser at once, with every token.
func (a *abuse) sessionsAfterTheEnd(event string, u userOutput, end func(u userOutput)) {
	a.t.Helper()
	one, two := a.signIn(u), a.signIn(u)
	got := a.granted(two)
	end(u)
	for _, j := range []*journey{one, two} {
		if a.signedInAs(j.cookie("gatehouse_session")) {
			a.t.Errorf("a session outlives %s", event)
		}
	}
	a.a401("after "+event, got.AccessToken)
	res, _ := a.refresh(a.conf, got.RefreshToken)
	a.e400("after "+event, res, "invalid_grant")
	if n := a.audited(event, "", u); n != 1 {
		a.t.Errorf("%s is in the audit trail %d times", event, n)
	}
}

// setPassword is what an administrator does for somebody, who keeps the same one
// here for the next sign-in.
func (a *abuse) setPassword(u userOutput) {
	a.t.Helper()
	admin := a.s.token(a.machine, "notify.admin")
	if res := a.s.call(admin, http.MethodPost, "/user/"+u.ID.String()+"/update-password", `{"_password":"`+testPassword+`"}`); res.status != http.StatusOK {
		a.t.Fatalf("%d %s", res.status, res.body)
	}
}

// resetPassword is what somebody does who forgot theirs.
func (a *abuse) resetPassword(u userOutput) {
	a.t.Helper()
	j := a.fresh()
	j.submit("/forgotten-password", url.Values{"identifier": {u.Email}})
	j.submit(a.sent(u.Email, "/new-password/"), url.Values{"password": {"three random words"}})
	j.wantPage("new password", http.StatusOK, "Your password has been changed")
}

// sent waits for a link of a kind to somebody and returns its path: the newest.
func (a *abuse) sent(to, kind string) string {
	a.t.Helper()
	path := ""
	eventually(a.t, "a link "+kind, func() bool {
		for _, m := range a.d.messages(to) {
			link, _ := m.Personalisation["url"].(string)
			if here, ok := strings.CutPrefix(link, a.s.url); ok && strings.HasPrefix(here, kind) {
				path = here
			}
		}
		return path != ""
	})
	return path
}

// told waits until somebody was sent an e-mail of a kind for the n-th time.
func (a *abuse) told(u userOutput, template string, n int) {
	a.t.Helper()
	eventually(a.t, fmt.Sprintf("%q is sent %d times", template, n), func() bool {
		sent := 0
		for _, m := range a.d.messages(u.Email) {
			if m.Template == template {
				sent++
			}
		}
		return sent >= n
	})
}
