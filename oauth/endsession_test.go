package oauth_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

const (
	farewell = "https://app.example.com/bye?from=here"
	homePage = "/signed-out"
)

// leaving registers a client that may have browsers back after a sign-out.
func (g *rig) leaving(id string) {
	g.t.Helper()
	g.client(oauth.Client{
		ID: id, FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"}, PostLogoutRedirectURIs: []string{farewell},
	})
}

// leave asks for a sign-out; pairs of names and values are the parameters.
func (b *browser) leave(pairs ...string) *answer {
	b.g.t.Helper()
	return b.get("/oauth/end-session?" + with(url.Values{}, pairs...).Encode())
}

// signedIn reports whether somebody is signed in in the browser.
func (b *browser) isSignedIn() bool {
	b.g.t.Helper()
	_, _, err := b.g.authn.Session(b.g.t.Context(), b.cookies[authn.SessionCookie])
	return err == nil
}

// sentTo checks a redirect after a sign-out.
func (a *answer) sentTo(where string) {
	a.t.Helper()
	if a.status != http.StatusSeeOther || a.location != where {
		a.t.Errorf("%d to %q, want to %q: %s", a.status, a.location, where, a.body)
	}
}

// O9, J18: an ID token of the session is proof enough.
func TestServiceSignsOutWithItsIDToken(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.leaving("app")
		for name, c := range map[string]struct {
			pairs []string
			where string
		}{
			"with state":    {[]string{"post_logout_redirect_uri", farewell, "state", "a b&c"}, farewell + "&state=a+b%26c"},
			"without":       {[]string{"post_logout_redirect_uri", farewell, "client_id", "app"}, farewell},
			"to nowhere":    {[]string{"state", "s", "logout_hint", "alice", "ui_locales", "cy en"}, homePage},
			"old ID token":  {[]string{"post_logout_redirect_uri", farewell, "later", "5h"}, farewell},
			"retired key":   {[]string{"post_logout_redirect_uri", farewell, "rotated", "yes"}, farewell},
			"form":          {[]string{"post_logout_redirect_uri", farewell, "form", "yes"}, farewell},
			"after step-up": {[]string{"post_logout_redirect_uri", farewell, "again", "yes"}, farewell},
		} {
			t.Run(name, func(t *testing.T) {
				g.t = t
				b := g.signedIn()
				i := b.obtain("app", "openid")
				params := with(url.Values{"id_token_hint": {i.idToken}}, c.pairs...)
				switch {
				case params.Has("later"):
					g.clock.Advance(5 * time.Hour)
				case params.Has("rotated"):
					g.rotate()
				case params.Has("again"):
					b.signInAgain()
				}
				form := params.Has("form")
				with(params, "later", "", "rotated", "", "again", "", "form", "")
				if form {
					b.do(http.MethodPost, "/oauth/end-session", params).sentTo(c.where)
				} else {
					b.get("/oauth/end-session?" + params.Encode()).sentTo(c.where)
				}
				if b.isSignedIn() || b.cookies[authn.SessionCookie] != "" {
					t.Error("still signed in")
				}
				g.wantLive("after the sign-out", i, false)
			})
		}
	})
}

// rotate makes every key that signs a retired one.
func (g *rig) rotate() {
	g.t.Helper()
	if _, err := g.keys.Rotate(g.t.Context(), operator); err != nil {
		g.t.Fatal(err)
	}
	g.clock.Advance(time.Hour)
	if err := g.keys.Refresh(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
}

// signInAgain is a new sign-in of alice in place of the browser's session.
func (b *browser) signInAgain() {
	b.g.t.Helper()
	token, _, err := b.g.authn.StartSession(b.g.t.Context(), &authn.Outcome{User: b.g.alice, AMR: []string{"pwd"}, ACR: authn.ACRMulti, At: b.g.clock.Now()},
		authn.SessionInfo{Replaces: b.cookies[authn.SessionCookie]})
	if err != nil {
		b.g.t.Fatal(err)
	}
	b.cookies[authn.SessionCookie] = token
}

// O9: whoever proves less is asked about, on a page that only our own form leaves.
func TestAnybodyElseIsAskedAbout(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.leaving("app")
		elsewhere := g.signedIn().obtain("app", "openid").idToken
		for name, c := range map[string]struct {
			pairs []string
			where string // after the confirmation
		}{
			"nothing":                       {nil, homePage},
			"only state":                    {[]string{"state", "s"}, homePage},
			"an address without a service":  {[]string{"post_logout_redirect_uri", farewell, "state", "s"}, homePage},
			"a service":                     {[]string{"client_id", "app"}, homePage},
			"a service and its address":     {[]string{"client_id", "app", "post_logout_redirect_uri", farewell, "state", "s"}, farewell + "&state=s"},
			"an ID token of another device": {[]string{"id_token_hint", elsewhere, "post_logout_redirect_uri", farewell}, farewell},
		} {
			t.Run(name, func(t *testing.T) {
				g.t = t
				b := g.signedIn()
				page := b.leave(c.pairs...)
				if page.status != http.StatusOK || page.location != "" || !strings.Contains(page.body, `action="/signout"`) {
					t.Fatalf("%d %q %s", page.status, page.location, page.body)
				}
				if !b.isSignedIn() {
					t.Fatal("signed out without being asked")
				}
				form := hidden(page.body)
				b.do(http.MethodPost, "/signout", form).sentTo(c.where)
				if b.isSignedIn() {
					t.Error("still signed in")
				}
			})
		}
	})
}

// hidden returns the hidden fields of a page's form.
func hidden(page string) url.Values {
	form := url.Values{}
	unescape := strings.NewReplacer("&amp;", "&", "&#43;", "+")
	for _, field := range strings.Split(page, `<input type="hidden" name="`)[1:] {
		name, rest, _ := strings.Cut(field, `" value="`)
		value, _, _ := strings.Cut(rest, `"`)
		form.Set(name, unescape.Replace(value))
	}
	return form
}

// O9: nothing that is wrong leads anywhere or signs anybody out.
func TestWrongSignOutStaysHere(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.leaving("app")
		b := g.signedIn()
		i := b.obtain("app", "openid")
		half := strings.LastIndexByte(i.idToken, '.')
		modified := i.idToken[:half+2] + flipped(i.idToken[half+2]) + i.idToken[half+3:]
		for name, query := range map[string]url.Values{
			"unregistered address":          {"id_token_hint": {i.idToken}, "post_logout_redirect_uri": {"https://app.example.com/bye"}},
			"longer address":                {"id_token_hint": {i.idToken}, "post_logout_redirect_uri": {farewell + "/.."}},
			"address of another client":     {"client_id": {"conf"}, "post_logout_redirect_uri": {farewell}},
			"redirect URI":                  {"id_token_hint": {i.idToken}, "post_logout_redirect_uri": {callback}},
			"unknown client":                {"client_id": {"nobody"}},
			"ID token of another client":    {"id_token_hint": {i.idToken}, "client_id": {"conf"}},
			"modified ID token":             {"id_token_hint": {modified}, "post_logout_redirect_uri": {farewell}},
			"access token":                  {"id_token_hint": {i.access}, "post_logout_redirect_uri": {farewell}},
			"refresh token":                 {"id_token_hint": {i.refresh}},
			"anything":                      {"id_token_hint": {"x"}},
			"repeated parameter":            {"id_token_hint": {i.idToken}, "state": {"a", "b"}},
			"character that is not allowed": {"state": {"\x00"}},
		} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				var got *answer
				if method == http.MethodGet {
					got = b.get("/oauth/end-session?" + query.Encode())
				} else {
					got = b.do(method, "/oauth/end-session", query)
				}
				if got.status != http.StatusBadRequest || got.location != "" || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
					t.Errorf("%s by %s: %d %q", name, method, got.status, got.location)
				}
			}
		}
		form := url.Values{"client_id": {"app"}, "post_logout_redirect_uri": {"https://evil.example/"}}
		if got := b.do(http.MethodPost, "/signout", form); got.status != http.StatusBadRequest || got.location != "" {
			t.Errorf("confirmed: %d %q", got.status, got.location)
		}
		if !b.isSignedIn() {
			t.Error("signed out")
		}
	})
}

func flipped(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func TestNobodyIsSignedOut(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.leaving("app")
		b := g.signedIn()
		hint := b.obtain("app", "openid").idToken
		b.leave("id_token_hint", hint, "post_logout_redirect_uri", farewell).sentTo(farewell)
		b.leave("id_token_hint", hint, "post_logout_redirect_uri", farewell, "state", "again").sentTo(farewell + "&state=again")
		b.leave("client_id", "app", "post_logout_redirect_uri", farewell).sentTo(farewell)
		b.leave().sentTo(homePage)
		b.leave("post_logout_redirect_uri", farewell).sentTo(homePage)
		b.leave("post_logout_redirect_uri", "https://evil.example/").sentTo(homePage)
		if page := b.get(homePage); page.status != http.StatusOK {
			t.Errorf("%s: %d", homePage, page.status)
		}
	})
}

// Another site's form comes without our cookies: the browser is made to ask once
// more, with them.
func TestFormOfAnotherSiteSignsOut(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	g.leaving("app")
	b := g.signedIn()
	form := url.Values{"id_token_hint": {b.obtain("app", "openid").idToken}, "post_logout_redirect_uri": {farewell}, "state": {"s"}}
	got := g.browser().do(http.MethodPost, "/oauth/end-session", form)
	if got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/oauth/end-session?") {
		t.Fatalf("%d %q", got.status, got.location)
	}
	b.get(got.location).sentTo(farewell + "&state=s")
	if b.isSignedIn() {
		t.Error("still signed in")
	}
}

// A page of another site cannot press our button, nor can a proof of anything be wrong.
func TestSignOutIsNotForged(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	b := g.signedIn()
	for name, header := range map[string][2]string{
		"another site's form": {"Sec-Fetch-Site", "cross-site"},
		"another origin":      {"Origin", "https://evil.example"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.http.URL+"/signout", strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(header[0], header[1])
		r.AddCookie(&http.Cookie{Name: authn.SessionCookie, Value: b.cookies[authn.SessionCookie]})
		if got := g.send(r); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.http.URL+"/oauth/end-session", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("DPoP", "not a proof")
	if got := g.send(r); got.status != http.StatusBadRequest {
		t.Errorf("with a bad proof: %d", got.status)
	}
	if !b.isSignedIn() {
		t.Error("signed out")
	}
}

// X26: every request of the sign-in, the sign-out and the notice is at another replica.
func TestSignOutAlternatesBetweenReplicas(t *testing.T) {
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) {
		if c.DatabaseURL == "" {
			// Embedded stores serve one process; its replicas share them.
			alternate(t, storagetest.OpenConfig(t, c), nil)
			return
		}
		alternate(t, storagetest.OpenConfig(t, c), storagetest.OpenConfig(t, c))
	})
}

func alternate(t *testing.T, one, two *storage.Stores) {
	t.Helper()
	if two == nil {
		two = one
	}
	a := newRig(t, one)
	b := newReplica(t, two, a.clock)
	b.secrets, b.alice = a.secrets, a.alice
	service := newRelying(t)
	a.client(oauth.Client{
		ID: "app", FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"}, PostLogoutRedirectURIs: []string{farewell},
		Metadata: oauth.Metadata{BackchannelLogoutURI: service.URL + "/logout"},
	})
	a.run(a.worker(), b.worker())
	for i := range 6 {
		here, there := a, b
		if i%2 == 1 {
			here, there = b, a
		}
		visitor := here.signedIn()
		code := visitor.code(request("app", "scope", "openid"))
		got := there.exchange("app", code)
		if got.status != http.StatusOK {
			t.Fatalf("exchange: %d %s", got.status, got.body)
		}
		visitor.g = there
		page := visitor.leave("client_id", "app", "post_logout_redirect_uri", farewell, "state", fmt.Sprint(i))
		visitor.g = here
		visitor.do(http.MethodPost, "/signout", hidden(page.body)).sentTo(farewell + "&state=" + fmt.Sprint(i))
		there.wantLive("at the other replica", issued{client: "app", access: got.text("access_token"), refresh: got.text("refresh_token")}, false)
	}
	eventually(t, "the service is told of each", func() bool { tokens, _ := service.got(); return len(tokens) == 6 })
	if _, calls := service.got(); calls != 6 {
		t.Errorf("%d calls", calls)
	}
}
