package oauth_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/oauth"
	"gatehouse/storage/storagetest"
)

var (
	formAction = regexp.MustCompile(`<form [^>]*action="([^"]*)"`)
	formField  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// posted returns what a page would post, and where to.
func (a *answer) posted() (action string, fields url.Values) {
	a.t.Helper()
	form := formAction.FindStringSubmatch(a.body)
	if a.status != http.StatusOK || form == nil || a.location != "" || a.header.Get("Cache-Control") != "no-store" {
		a.t.Fatalf("no form: %d %q %s", a.status, a.location, a.body)
	}
	fields = url.Values{}
	for _, field := range formField.FindAllStringSubmatch(a.body, -1) {
		fields.Add(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
	}
	return html.UnescapeString(form[1]), fields
}

func TestAResponseIsPostedWhenAskedFor(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		state := `"><script>alert(1)</script>&amp;`
		got := g.signedIn().authorize(request("conf", "response_mode", "form_post", "state", state))
		action, fields := got.posted()
		if action != callback || fields.Get("state") != state || fields.Get("iss") != testIssuer || len(fields) != 3 {
			t.Errorf("posts %v to %q", fields, action)
		}
		if strings.Contains(got.body, "<script>") || !strings.Contains(got.body, "<button type=\"submit\"") {
			t.Errorf("page %s", got.body)
		}
		policy := got.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src " + testIssuer + "/assets/formpost.js", "form-action 'self' https://app.example.com;"} {
			if !strings.Contains(policy, want) {
				t.Errorf("policy %q lacks %q", policy, want)
			}
		}
		if got := g.exchange("conf", fields.Get("code")); got.status != http.StatusOK {
			t.Errorf("exchange: %d %s", got.status, got.body)
		}
	})
}

func TestErrorsAreSentInTheModeOfTheResponse(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	for name, params := range map[string]url.Values{
		"login_required": request("conf", "prompt", "none"),
		"invalid_scope":  request("conf", "scope", "everything"),
	} {
		_, fields := g.browser().authorize(with(params, "response_mode", "form_post")).posted()
		if fields.Get("error") != name || fields.Get("iss") != testIssuer || fields.Get("state") == "" || fields.Has("code") {
			t.Errorf("%s: %v", name, fields)
		}
	}
	b := g.signedIn()
	id := b.authorize(request("third", "response_mode", "form_post")).flow("/consent")
	_, fields := b.do(http.MethodPost, "/consent", url.Values{"flow": {id}, "consent": {"deny"}}).posted()
	if fields.Get("error") != "access_denied" {
		t.Errorf("denied: %v", fields)
	}
}

func TestAClientHasTheModesItIsRegisteredFor(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	for id, mode := range map[string]string{"querying": "query", "posting": "form_post"} {
		g.client(oauth.Client{
			ID: id, FirstParty: true, GrantTypes: []string{"authorization_code"}, Metadata: oauth.Metadata{ResponseModes: []string{mode}},
		})
	}
	g.client(oauth.Client{ID: "native", Public: true, GrantTypes: []string{"authorization_code"}, RedirectURIs: []string{"com.example.app:/cb"}})
	b := g.signedIn()
	if got := b.authorize(request("querying", "response_mode", "form_post")).redirect(); got.Get("error") != "invalid_request" {
		t.Errorf("form_post without registration: %v", got)
	}
	for _, mode := range []string{"query", ""} {
		if got := b.authorize(request("posting", "response_mode", mode)).redirect(); got.Get("error") != "invalid_request" {
			t.Errorf("query without registration: %v", got)
		}
	}
	b.authorize(request("posting", "response_mode", "form_post")).posted()
	got := b.authorize(request("native", "redirect_uri", "com.example.app:/cb", "response_mode", "form_post"))
	if !strings.HasPrefix(got.location, "com.example.app:/cb?error=invalid_request") {
		t.Errorf("a form to an application: %d %q", got.status, got.location)
	}
}

// TestAFormOfAnotherSiteFindsTheSession: browsers send no SameSite=Lax cookie
// with a POST that another site made, but with the GET that our answer leads to.
func TestAFormOfAnotherSiteFindsTheSession(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		b := g.browser()
		id := b.do(http.MethodPost, "/oauth/authorize", request("conf", "prompt", "none")).flow("/oauth/continue")
		b.signIn(g.alice, authn.ACRSingle)
		if got := b.get("/oauth/continue?flow=" + id).redirect(); !got.Has("code") {
			t.Errorf("signed in: %v", got)
		}
		b = g.browser()
		id = b.do(http.MethodPost, "/oauth/authorize", request("conf", "prompt", "none")).flow("/oauth/continue")
		if got := b.get("/oauth/continue?flow=" + id).redirect(); got.Get("error") != "login_required" {
			t.Errorf("not signed in: %v", got)
		}
	})
}

func TestSelectAccountOffersWhoIsSignedIn(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		b := g.signedIn()
		begin := func() string {
			g.clock.Advance(time.Second)
			return b.authorize(request("conf", "prompt", "select_account")).flow("/select-account")
		}
		id := begin()
		page := b.get("/select-account?flow=" + id)
		if page.status != http.StatusOK || !strings.Contains(page.body, "Alice Example") || !strings.Contains(page.body, "alice@example.com") {
			t.Fatalf("page %d %s", page.status, page.body)
		}
		if got := b.get("/oauth/continue?flow=" + id).flow("/select-account"); got != id {
			t.Errorf("going on without choosing: %q", got)
		}
		choose := func(id, account string) *answer {
			return b.do(http.MethodPost, "/select-account", url.Values{"flow": {id}, "account": {account}})
		}
		if got := choose(id, "root"); got.status != http.StatusBadRequest {
			t.Errorf("no account: %d", got.status)
		}
		if got := choose(id, "current").redirect(); !got.Has("code") {
			t.Errorf("current: %v", got)
		}
		id = begin()
		choose(id, "another").flow("/signin")
		bob := g.user("bob@example.com")
		b.signIn(bob, authn.ACRSingle)
		code := b.get("/oauth/continue?flow=" + id).redirect().Get("code")
		if claims := claimsOf(t, g.exchange("conf", code).text("id_token")); claims["sub"] != bob.ID.String() {
			t.Errorf("another: %v", claims["sub"])
		}
		g.clock.Advance(time.Second)
		if got := b.authorize(request("conf", "prompt", "select_account consent")).flow("/select-account"); got == "" {
			t.Error("no choice before consent")
		}
		g.browser().authorize(request("conf", "prompt", "select_account")).flow("/signin")
	})
}
