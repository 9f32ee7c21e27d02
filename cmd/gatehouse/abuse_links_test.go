package main

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gatehouse/authn/pages/pagestest"
)

// letter is a link that somebody was sent, and what its reader does with it.
type letter struct {
	path   string
	reader *journey // the browser in which the reader follows it
	form   url.Values
	end    string // of the address, or a part of the page, that the button leads to
}

// letters sends one link of every kind.
func (a *abuse) letters() map[string]letter {
	a.t.Helper()
	admin := a.s.token(a.machine, "notify.admin")
	f := a.d.teamOf(a.s, admin)
	reader := a.d.client("--id", "letters", "--first-party", "--grant", "authorization_code", "--redirect-uri", callback, "--scope", "openid", "--email-sign-in")
	guest := a.d.user("--name", "Guest", "--email", "guest@example.gov.uk") // has nothing but the mail to sign in with
	forgetful, invited := a.user("Reset", "07700900402"), a.user("Invited", "07700900403")

	signing, registering := a.fresh(), a.fresh()
	signing.authorize(reader, "openid")
	signing.submit("/signin/email", url.Values{"identifier": {guest.Email}, "flow": {signing.flow()}})
	a.fresh().submit("/forgotten-password", url.Values{"identifier": {forgetful.Email}})
	registering.submit("/register", url.Values{"name": {"Ann"}, "email": {"ann-m01@example.gov.uk"}, "mobile": {"07700900404"}, "password": {testPassword}})
	member := a.signIn(invited)
	_, team := f.invite(invited.Email, "")
	_, organisation := f.inviteToOrganisation("new-m01@example.gov.uk")
	account := url.Values{"name": {"New Person"}, "mobile_number": {"07700900405"}, "password": {testPassword}}
	return map[string]letter{
		"/email-auth/":              {a.sent(guest.Email, "/email-auth/"), signing, url.Values{}, "code="},
		"/new-password/":            {a.sent(forgetful.Email, "/new-password/"), a.fresh(), url.Values{"password": {"three random words"}}, "Your password has been changed"},
		"/verify-email/":            {a.sent("ann-m01@example.gov.uk", "/verify-email/"), registering, url.Values{}, "Your account is ready"},
		"/invitation/":              {team, member, url.Values{}, "You have joined Fishing licences"},
		"/organisation-invitation/": {organisation, a.fresh(), account, "Check your phone"},
	}
}

// answer presses the button of a link's page.
func (a *abuse) answer(kind string, l letter) {
	a.t.Helper()
	l.reader.submit(l.path, l.form)
	if !strings.Contains(l.reader.at, l.end) && !strings.Contains(l.reader.last.body, l.end) {
		a.t.Errorf("%s: its reader is at %s: %d\n%s", kind, l.reader.at, l.reader.last.status, l.reader.last.body)
	}
}

// previews are programs that follow the links of messages.
var previews = []string{
	"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; Trident/7.0; rv:11.0) SafeLinks", "WhatsApp/2.23.20.0",
}

// scannedLinks (M01): whatever looks at a link uses nothing up and signs nobody in;
// its reader can use it afterwards.
func (a *abuse) scannedLinks() {
	letters := a.letters()
	if kinds := slices.Sorted(maps.Keys(letters)); !slices.Equal(kinds, linkKinds()) {
		a.t.Errorf("letters of %v, links of %v", kinds, linkKinds())
	}
	for kind, l := range letters {
		if !strings.HasPrefix(l.path, kind) {
			a.t.Errorf("%s: another link", kind)
		}
		a.scan(kind, l.path)
		a.answer(kind, l)
	}
}

// linkKinds are the addresses whose last part is a secret that somebody was sent.
func linkKinds() []string {
	var all []string
	for _, r := range unserved().pages.Routes() {
		if kind, ok := strings.CutSuffix(r.Path, "{token}"); ok && r.Method == http.MethodGet {
			all = append(all, kind)
		}
	}
	slices.Sort(all)
	return all
}

func (a *abuse) scan(kind, path string) {
	a.t.Helper()
	look := func(method, agent string) {
		a.t.Helper()
		client := &http.Client{CheckRedirect: a.j.browser.CheckRedirect}
		res := fetch(a.t, client, request(a.t, method, a.s.url+path, nil, "User-Agent", agent, "Accept", "text/html"))
		if res.status >= http.StatusInternalServerError || res.header.Get("Location") != "" || strings.Contains(strings.Join(res.header.Values("Set-Cookie"), ";"), "gatehouse_session") {
			a.t.Errorf("%s %s: %d %v", method, kind, res.status, res.header)
		}
	}
	for range 5 {
		look(http.MethodGet, "Mozilla/5.0")
		look(http.MethodHead, "Mozilla/5.0")
	}
	look(http.MethodOptions, "Mozilla/5.0")
	for _, agent := range previews {
		look(http.MethodGet, agent)
	}
}

// TestScannerThatRunsScriptsUsesNoLinkUp (M01) opens each link in a real browser, as
// services that look for malware do.
func TestScannerThatRunsScriptsUsesNoLinkUp(t *testing.T) {
	t.Parallel()
	a, b := newAbuse(t, newDeployment(t, sqliteConfig(t))), pagestest.Open(t)
	for kind, l := range a.letters() {
		tab := b.Another(t)
		tab.Scripts(true)
		tab.Go(a.s.url + l.path)
		tab.Settle()
		if tab.Go(a.s.url + "/account"); tab.Heading() != "Sign in" {
			t.Errorf("%s: signed in, at %q", kind, tab.Heading())
		}
		a.answer(kind, l)
	}
}
