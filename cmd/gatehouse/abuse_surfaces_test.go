package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"gatehouse/internal/web"
	"gatehouse/oauth"
)

// fromElsewhere are the routes that other sites may post to: a service sends a
// browser to both (OpenID Connect Core section 3.1.2.1 and RP-Initiated Logout
// section 2), and neither does anything before its owner has agreed.
var fromElsewhere = map[string]bool{"/oauth/authorize": true, oauth.EndSessionPath: true}

// browserRoutes are all that browsers are meant for, with those that the scripts
// of the pages ask.
func browserRoutes() []web.Route {
	a := unserved()
	all := a.pages.Routes()
	for _, r := range a.oauthRoutes() {
		if _, shared := r.Surface.(registerSurface); shared || r.Surface == web.Surface(a.pages) {
			all = append(all, r)
		}
	}
	return all
}

// wildcards are the parts of a route's pattern that stand for something.
var wildcards = regexp.MustCompile(`\{[a-z_]+\}`)

// address is a path of a route, for something that does not exist.
func address(r web.Route) string {
	return wildcards.ReplaceAllString(strings.TrimSuffix(r.Path, "{$}"), "nothing")
}

// loginCSRF (S03): forms of other sites are refused at every address that takes
// any, with everything right in them and somebody signed in.
func (a *abuse) loginCSRF() {
	form := url.Values{
		"identifier": {a.alice.Email}, "password": {testPassword}, "current_password": {testPassword}, "code": {"123456"}, "consent": {"accept"},
		"name": {"Eve"}, "email": {"eve@example.gov.uk"}, "mobile": {"07700900999"}, "action": {"remove"},
	}
	tried := 0
	for _, r := range browserRoutes() {
		if r.Method != http.MethodPost || fromElsewhere[r.Path] {
			continue
		}
		tried++
		for what, header := range map[string][]string{
			"Sec-Fetch-Site": {"Sec-Fetch-Site", "cross-site"}, "same site": {"Sec-Fetch-Site", "same-site"}, "Origin": {"Origin", "https://evil.example"}, "null": {"Origin", "null"},
		} {
			res := do(a.t, a.j.browser, request(a.t, http.MethodPost, a.s.url+address(r), form, header...))
			if res.status != http.StatusForbidden || len(res.header.Values("Set-Cookie")) > 0 {
				a.t.Errorf("%s with %s: %d %v", r.Path, what, res.status, res.header.Values("Set-Cookie"))
			}
		}
	}
	if tried < 35 {
		a.t.Errorf("only %d addresses take forms", tried)
	}
	for path := range fromElsewhere {
		res := do(a.t, a.j.browser, request(a.t, http.MethodPost, a.s.url+path, form, "Sec-Fetch-Site", "cross-site"))
		if len(res.header.Values("Set-Cookie")) > 0 {
			a.t.Errorf("%s: %d %v", path, res.status, res.header.Values("Set-Cookie"))
		}
	}
	if !a.signedInAs(a.j.cookie("gatehouse_session")) {
		a.t.Error("another site signed somebody out")
	}
}

// frames (S18): nothing that a browser is shown can be framed, the errors included.
func (a *abuse) frames() {
	stranger, known := newBrowser(a.t), a.signIn(a.user("Framed", "07700900411")).browser
	ask := func(method, path string, b *http.Client, header ...string) {
		a.t.Helper()
		res := fetch(a.t, b, request(a.t, method, a.s.url+path, nil, append(header, "Accept", "text/html")...))
		policy, xfo := res.header.Get("Content-Security-Policy"), res.header.Get("X-Frame-Options")
		if !strings.Contains(policy, "frame-ancestors 'none'") || xfo != "DENY" {
			a.t.Errorf("%s %s: %d with policy %q, X-Frame-Options %q", method, path, res.status, policy, xfo)
		}
	}
	for _, r := range browserRoutes() {
		for _, b := range []*http.Client{known, stranger} {
			ask(r.Method, address(r), b, "Sec-Fetch-Site", "same-origin")
		}
		ask(r.Method, address(r), stranger, "Sec-Fetch-Site", "cross-site")
		ask(http.MethodDelete, address(r), stranger)
	}
	ask(http.MethodGet, "/nowhere", stranger)
	ask(http.MethodGet, "/signin?flow=nonsense", stranger)
	ask(http.MethodPost, "/signin?"+strings.Repeat("x", 1<<10), stranger)
}
