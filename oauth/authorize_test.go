package oauth_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/authn/pages"
	"gatehouse/oauth"
	"gatehouse/storage/storagetest"
)

func TestAnAuthorizationResponseSaysWhoMadeIt(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	for name, params := range map[string]url.Values{
		"with state":    request("conf"),
		"without state": request("conf", "state", ""),
		"short state":   request("conf", "state", "1"),
		"error":         request("conf", "scope", "openid unknown"),
	} {
		t.Run(name, func(t *testing.T) {
			g.t = t
			got := g.signedIn().authorize(params).redirect()
			if got.Get("iss") != testIssuer || got.Get("state") != params.Get("state") || got.Has("state") != params.Has("state") {
				t.Errorf("response %v", got)
			}
			if got.Has("code") == got.Has("error") || got.Has("scope") {
				t.Errorf("response %v", got)
			}
		})
	}
}

func TestNothingIsSentToAnAddressThatIsNotTheClients(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	g.client(oauth.Client{ID: "native", Public: true, GrantTypes: []string{"authorization_code"}, RedirectURIs: []string{"http://127.0.0.1/cb"}})
	for name, query := range map[string]string{
		"no client":                request("").Encode(),
		"unknown client":           request("ghost").Encode(),
		"no redirect URI":          request("conf", "redirect_uri", "").Encode(),
		"another redirect URI":     request("conf", "redirect_uri", "https://evil.example/cb").Encode(),
		"a redirect URI continued": request("conf", "redirect_uri", callback+".evil.example").Encode(),
		"user information":         request("native", "redirect_uri", "http://evil.example@127.0.0.1:54321/cb").Encode(),
		"an encoded path":          request("native", "redirect_uri", "http://127.0.0.1:54321/c%62").Encode(),
		"port 0":                   request("native", "redirect_uri", "http://127.0.0.1:0/cb").Encode(),
		"an empty fragment":        request("native", "redirect_uri", "http://127.0.0.1:54321/cb#").Encode(),
		"client_id repeated":       request("conf").Encode() + "&client_id=conf",
		"redirect_uri repeated":    request("conf").Encode() + "&redirect_uri=" + url.QueryEscape(callback),
		"state repeated":           request("conf").Encode() + "&state=x",
		"NUL":                      request("conf", "login_hint", "a\x00").Encode(),
		"malformed query":          request("conf").Encode() + "&x=%zz",
	} {
		t.Run(name, func(t *testing.T) {
			g.t = t
			got := g.signedIn().get("/oauth/authorize?" + query)
			if got.status != http.StatusBadRequest || got.location != "" || strings.Contains(got.body, "evil.example") {
				t.Errorf("%d %q", got.status, got.location)
			}
			if got.header.Get("Content-Security-Policy") == "" || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
				t.Errorf("not a page: %v", got.header)
			}
		})
	}
}

func TestALoopbackClientChoosesItsPort(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	g.client(oauth.Client{
		ID: "native", Public: true, FirstParty: true, GrantTypes: []string{"authorization_code"},
		RedirectURIs: []string{"http://127.0.0.1/cb", "com.example.app:/cb", "https://app.example.com/cb?tenant=1"},
	})
	for _, uri := range []string{"http://127.0.0.1:54321/cb", "com.example.app:/cb", "https://app.example.com/cb?tenant=1"} {
		got := g.signedIn().authorize(request("native", "redirect_uri", uri))
		u, err := url.Parse(got.location)
		if err != nil || !strings.HasPrefix(got.location, uri) || u.Query().Get("code") == "" {
			t.Fatalf("%d %q %s", got.status, got.location, got.body)
		}
		body := g.token("native", "grant_type", "authorization_code", "code", u.Query().Get("code"), "redirect_uri", uri, "code_verifier", verifier)
		if body.status != http.StatusOK {
			t.Errorf("exchange: %d %s", body.status, body.body)
		}
	}
}

func TestTheAuthorizationEndpointRefuses(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	g.client(oauth.Client{ID: "par", RequirePAR: true, GrantTypes: []string{"authorization_code"}})
	for name, c := range map[string]struct {
		params url.Values
		code   string
	}{
		"no response type":         {request("conf", "response_type", ""), "invalid_request"},
		"implicit":                 {request("conf", "response_type", "token"), "unsupported_response_type"},
		"hybrid":                   {request("conf", "response_type", "code id_token"), "unsupported_response_type"},
		"a mode not supported":     {request("conf", "response_mode", "fragment"), "invalid_request"},
		"a key that is no hash":    {request("conf", "dpop_jkt", "abc"), "invalid_request"},
		"a request object":         {request("conf", "request", "eyJhbGciOiJub25lIn0.e30."), "request_not_supported"},
		"a request object alone":   {request("conf", "request", "x", "scope", "notify.admin"), "request_not_supported"},
		"a request URI":            {request("conf", "request_uri", "https://evil.example/"), "request_uri_not_supported"},
		"registration":             {request("conf", "registration", "{}"), "registration_not_supported"},
		"no scope":                 {request("conf", "scope", ""), "invalid_scope"},
		"a scope not registered":   {request("conf", "scope", "openid notify.usage"), "invalid_scope"},
		"another resource":         {request("conf", "resource", "https://rs.example"), "invalid_target"},
		"no PKCE":                  {request("conf", "code_challenge", "", "code_challenge_method", ""), "invalid_request"},
		"no PKCE, public":          {request("pub", "code_challenge", "", "code_challenge_method", ""), "invalid_request"},
		"a method and no PKCE":     {request("conf", "code_challenge", ""), "invalid_request"},
		"plain PKCE":               {request("conf", "code_challenge_method", "plain"), "invalid_request"},
		"PKCE without a method":    {request("conf", "code_challenge_method", ""), "invalid_request"},
		"a short challenge":        {request("conf", "code_challenge", "abc"), "invalid_request"},
		"a padded challenge":       {request("conf", "code_challenge", challengeOf(verifier)+"="), "invalid_request"},
		"an unknown prompt":        {request("conf", "prompt", "create"), "invalid_request"},
		"none and another prompt":  {request("conf", "prompt", "none login"), "invalid_request"},
		"a negative max_age":       {request("conf", "max_age", "-1"), "invalid_request"},
		"max_age in words":         {request("conf", "max_age", "abc"), "invalid_request"},
		"a hint that is no token":  {request("conf", "id_token_hint", "abc"), "invalid_request"},
		"PAR left out":             {request("par"), "invalid_request"},
		"a grant not registered":   {request("conf", "prompt", "none", "max_age", "0"), "login_required"},
		"a character in the scope": {request("conf", "scope", "openid \u00e9\""), "invalid_scope"},
	} {
		t.Run(name, func(t *testing.T) {
			g.t = t
			got := g.signedIn().authorize(c.params).redirect()
			if got.Get("error") != c.code || got.Get("iss") != testIssuer || got.Get("state") != c.params.Get("state") {
				t.Errorf("response %v, want %s", got, c.code)
			}
			if strings.ContainsFunc(got.Get("error_description"), func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
				t.Errorf("description %q", got.Get("error_description"))
			}
		})
	}
}

func TestPostIsAsGoodAsGet(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	b := g.signedIn()
	if got := b.do(http.MethodPost, "/oauth/authorize", request("conf")).redirect(); got.Get("code") == "" {
		t.Errorf("response %v", got)
	}
	got := b.do(http.MethodPost, "/oauth/authorize?client_id=conf", request("conf"))
	if got.status != http.StatusBadRequest || got.location != "" {
		t.Errorf("a parameter in the query and the form: %d %q", got.status, got.location)
	}
}

func TestABrowserWithoutASessionSignsInFirst(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		b := g.browser()
		id := b.authorize(request("conf", "login_hint", "alice", "acr_values", authn.ACRMulti)).flow("/signin")
		f, err := g.server.Flow(t.Context(), id, b.cookies[authn.BrowserCookie])
		if err != nil || f.ClientName.Plain != "The service conf" || f.LoginHint != "alice" || f.FormAction != "https://app.example.com" {
			t.Fatalf("flow %+v, error %v", f, err)
		}
		if got := b.get("/oauth/continue?flow=" + id).flow("/signin"); got != id {
			t.Errorf("not signed in: flow %q", got)
		}
		b.signIn(g.alice, authn.ACRSingle)
		code := b.get("/oauth/continue?flow=" + id).redirect().Get("code")
		if got := g.exchange("conf", code); got.status != http.StatusOK {
			t.Errorf("exchange: %d %s", got.status, got.body)
		}
		if got := b.get("/oauth/continue?flow=" + id); got.status != http.StatusBadRequest || got.location != "" {
			t.Errorf("the flow again: %d %q", got.status, got.location)
		}
	})
}

func TestAFlowBelongsToItsBrowser(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		id := g.browser().authorize(request("conf")).flow("/signin")
		victim := g.signedIn()
		victim.authorize(request("conf", "prompt", "login")) // has a browser cookie of its own
		for _, b := range []*browser{victim, g.signedIn()} {
			if got := b.get("/oauth/continue?flow=" + id); got.status != http.StatusBadRequest || got.location != "" {
				t.Errorf("another browser: %d %q", got.status, got.location)
			}
			if _, err := g.server.Flow(t.Context(), id, b.cookies[authn.BrowserCookie]); !errors.Is(err, pages.ErrNoFlow) {
				t.Errorf("flow for another browser: %v", err)
			}
		}
	})
}

func TestAFlowExpires(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	b := g.browser()
	id := b.authorize(request("conf")).flow("/signin")
	g.stores.Advance(time.Hour)
	b.signIn(g.alice, authn.ACRSingle)
	if got := b.get("/oauth/continue?flow=" + id); got.status != http.StatusBadRequest {
		t.Errorf("%d %q", got.status, got.location)
	}
}

// TestSigningInAgain covers what makes a session not good enough, and that one
// more sign-in settles it.
func TestSigningInAgain(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		bob := g.user("bob@example.com")
		hint := g.exchange("conf", g.signedIn().code(request("conf"))).text("id_token")
		for name, c := range map[string]struct {
			pairs  []string
			wait   time.Duration
			enough bool
		}{
			"nothing asked":          {nil, time.Hour, true},
			"prompt=login":           {[]string{"prompt", "login"}, 0, false},
			"select_account, login":  {[]string{"prompt", "select_account login"}, 0, false},
			"max_age not reached":    {[]string{"max_age", "10"}, 10 * time.Second, true},
			"max_age exceeded":       {[]string{"max_age", "10"}, 11 * time.Second, false},
			"max_age=0":              {[]string{"max_age", "0"}, 0, false},
			"the level reached":      {[]string{"acr_values", authn.ACRSingle}, 0, true},
			"a level above":          {[]string{"acr_values", authn.ACRMulti}, 0, false},
			"a level nobody knows":   {[]string{"acr_values", "urn:example:gold"}, 0, true},
			"a hint at this user":    {[]string{"id_token_hint", hint}, 0, true},
			"unknown things ignored": {[]string{"display", "popup", "ui_locales", "cy", "claims", "{}", "foo", "bar"}, 0, true},
		} {
			t.Run(name, func(t *testing.T) {
				g.t = t
				b := g.signedIn()
				g.clock.Advance(c.wait)
				got := b.authorize(request("conf", c.pairs...))
				if c.enough {
					if got.redirect().Get("code") == "" {
						t.Errorf("%q", got.location)
					}
					return
				}
				id := got.flow("/signin")
				g.clock.Advance(time.Second)
				b.signIn(g.alice, authn.ACRSingle)
				code := b.get("/oauth/continue?flow=" + id).redirect().Get("code")
				claims := claimsOf(t, g.exchange("conf", code).text("id_token"))
				if claims["auth_time"] != float64(g.clock.Now().Unix()) {
					t.Errorf("auth_time %v, want %d", claims["auth_time"], g.clock.Now().Unix())
				}
			})
		}
		g.t = t
		b := g.browser()
		b.signIn(bob, authn.ACRSingle)
		id := b.authorize(request("conf", "id_token_hint", hint)).flow("/signin")
		b.signIn(bob, authn.ACRSingle)
		if got := b.get("/oauth/continue?flow=" + id).redirect(); got.Get("error") != "login_required" || got.Has("code") {
			t.Errorf("another user than the hint's: %v", got)
		}
	})
}

func TestPromptNoneNeverShowsAPage(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	hint := g.tokens("conf").text("id_token")
	bob := g.browser()
	bob.signIn(g.user("bob@example.com"), authn.ACRSingle)
	for name, c := range map[string]struct {
		browser *browser
		params  url.Values
		want    string
	}{
		"signed in":            {g.signedIn(), request("conf", "prompt", "none"), ""},
		"not signed in":        {g.browser(), request("conf", "prompt", "none"), "login_required"},
		"no consent":           {g.signedIn(), request("third", "prompt", "none"), "consent_required"},
		"somebody else's hint": {bob, request("conf", "prompt", "none", "id_token_hint", hint), "login_required"},
		"its user's hint":      {g.signedIn(), request("conf", "prompt", "none", "id_token_hint", hint), ""},
		"max_age":              {g.signedIn(), request("conf", "prompt", "none", "max_age", "0"), "login_required"},
	} {
		t.Run(name, func(t *testing.T) {
			g.t = t
			got := c.browser.authorize(c.params).redirect()
			if got.Get("error") != c.want || got.Has("code") != (c.want == "") {
				t.Errorf("response %v", got)
			}
		})
	}
}

func TestConsentIsAskedOnceForEachScope(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		b := g.signedIn()
		id := b.authorize(request("third", "scope", "openid email")).flow("/consent")
		page := b.get("/consent?flow=" + id)
		if page.status != http.StatusOK || !strings.Contains(page.body, "The service third") {
			t.Fatalf("consent page: %d", page.status)
		}
		if !strings.Contains(page.header.Get("Content-Security-Policy"), "form-action 'self' https://app.example.com") {
			t.Errorf("policy %q", page.header.Get("Content-Security-Policy"))
		}
		got := b.do(http.MethodPost, "/consent", url.Values{"flow": {id}, "consent": {"accept"}})
		if got.redirect().Get("code") == "" {
			t.Fatalf("accepted: %q", got.location)
		}
		if got := b.do(http.MethodPost, "/consent", url.Values{"flow": {id}, "consent": {"accept"}}); got.location != "" {
			t.Errorf("accepted twice: %q", got.location)
		}
		b.code(request("third", "scope", "openid email"))
		b.code(request("third", "scope", "email"))
		b.authorize(request("third", "scope", "openid phone")).flow("/consent")
		b.authorize(request("third", "scope", "openid", "prompt", "consent")).flow("/consent")
	})
}

func TestConsentCanBeDenied(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	b := g.signedIn()
	id := b.authorize(request("third")).flow("/consent")
	if got := b.do(http.MethodPost, "/consent", url.Values{"flow": {id}}); got.status != http.StatusBadRequest {
		t.Errorf("no choice: %d", got.status)
	}
	if got := g.signedIn().do(http.MethodPost, "/consent", url.Values{"flow": {id}, "consent": {"accept"}}); got.status != http.StatusBadRequest {
		t.Errorf("another browser's answer: %d", got.status)
	}
	got := b.do(http.MethodPost, "/consent", url.Values{"flow": {id}, "consent": {"deny"}}).redirect()
	if got.Get("error") != "access_denied" || got.Get("iss") != testIssuer || got.Get("state") == "" {
		t.Errorf("denied: %v", got)
	}
	b.authorize(request("third")).flow("/consent")
}
