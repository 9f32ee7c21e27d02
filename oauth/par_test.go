package oauth_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/oauth"
	"gatehouse/storage/storagetest"
)

// push pushes a request, which has to be taken, and returns its URI.
func (g *rig) push(client string, params url.Values) string {
	g.t.Helper()
	got := g.post("/oauth/par", client, params)
	if got.status != http.StatusCreated || got.json()["expires_in"] != 60.0 || got.header.Get("Cache-Control") != "no-store" {
		g.t.Fatalf("push: %d %v %s", got.status, got.header, got.body)
	}
	uri := got.text("request_uri")
	if !strings.HasPrefix(uri, "urn:ietf:params:oauth:request_uri:") || len(uri) != len("urn:ietf:params:oauth:request_uri:")+43 {
		g.t.Fatalf("request_uri %q", uri)
	}
	return uri
}

// pushedFor is the authorization request of a pushed one.
func pushedFor(client, uri string, pairs ...string) url.Values {
	return with(url.Values{"client_id": {client}, "request_uri": {uri}}, pairs...)
}

// refusedOnPage checks that a request goes nowhere.
func (a *answer) refusedOnPage() {
	a.t.Helper()
	if a.status != http.StatusBadRequest || a.location != "" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		a.t.Errorf("not an error page: %d %q", a.status, a.location)
	}
}

func TestPushedRequestIsUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		for _, client := range []string{"conf", "pub"} {
			uri := g.push(client, request(client))
			code := g.signedIn().code(pushedFor(client, uri))
			if got := g.exchange(client, code); got.status != http.StatusOK {
				t.Errorf("%s: exchange: %d %s", client, got.status, got.body)
			}
			g.signedIn().authorize(pushedFor(client, uri)).refusedOnPage()
		}
	})
}

// TestParallelUsesOfAPushedRequestGiveOneCode is case P01.
func TestParallelUsesOfAPushedRequestGiveOneCode(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		uri := g.push("conf", request("conf"))
		b := g.signedIn()
		var start, all sync.WaitGroup
		start.Add(1)
		answers := make([]*answer, 64)
		for i := range answers {
			all.Go(func() {
				start.Wait()
				answers[i] = b.g.signedInCopy(b).authorize(pushedFor("conf", uri))
			})
		}
		start.Done()
		all.Wait()
		codes := 0
		for _, got := range answers {
			if got.status == http.StatusSeeOther && strings.Contains(got.location, "code=") {
				codes++
				continue
			}
			got.refusedOnPage()
			if !strings.Contains(got.body, "invalid_request_uri") {
				t.Errorf("the page does not say which error it is: %s", got.body)
			}
		}
		if codes != 1 {
			t.Errorf("%d codes of one request", codes)
		}
	})
}

// signedInCopy is a browser with the cookies of another one, for use in parallel.
func (g *rig) signedInCopy(b *browser) *browser {
	fresh := g.browser()
	maps.Copy(fresh.cookies, b.cookies)
	return fresh
}

// TestAPushedRequestIsItsClients covers P03: somebody else can neither use a
// request nor use it up.
func TestAPushedRequestIsItsClients(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		uri := g.push("conf", request("conf"))
		b := g.signedIn()
		b.authorize(pushedFor("other", uri)).refusedOnPage()
		b.authorize(pushedFor("", uri)).refusedOnPage()
		b.authorize(pushedFor("conf", uri+"x")).refusedOnPage()
		b.code(pushedFor("conf", uri))
	})
}

// TestAPushedRequestExpires covers P02, by the clock and by the cache.
func TestAPushedRequestExpires(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		uri := g.push("conf", request("conf"))
		g.clock.Advance(time.Minute) // the cache has not noticed
		g.signedIn().authorize(pushedFor("conf", uri)).refusedOnPage()
		uri = g.push("conf", request("conf"))
		g.clock.Advance(59 * time.Second)
		g.signedIn().code(pushedFor("conf", uri))
	})
}

// TestNothingBesideAPushedRequestCounts covers P05.
func TestNothingBesideAPushedRequestCounts(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	uri := g.push("conf", request("conf", "scope", "openid", "state", "pushed"))
	got := g.signedIn().authorize(pushedFor("conf", uri,
		"redirect_uri", "https://evil.example/cb", "scope", allScopes, "state", "front", "prompt", "login", "code_challenge", challengeOf("another"),
		"response_mode", "fragment", "request", "eyJhbGciOiJub25lIn0.e30.")).redirect()
	if got.Get("state") != "pushed" {
		t.Errorf("response %v", got)
	}
	if tokens := g.exchange("conf", got.Get("code")); tokens.text("scope") != "openid" {
		t.Errorf("tokens %s", tokens.body)
	}
}

// TestAPushIsRefusedAsTheAuthorizationWouldBe covers P04, P06 and P08.
func TestAPushIsRefusedAsTheAuthorizationWouldBe(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	for name, c := range map[string]struct {
		params url.Values
		code   string
	}{
		"a request_uri of a push": {request("conf", "request_uri", "urn:ietf:params:oauth:request_uri:x"), "invalid_request"},
		"another request_uri":     {request("conf", "request_uri", "https://app.example.com/r"), "invalid_request"},
		"a request object":        {request("conf", "request", "eyJhbGciOiJub25lIn0.e30."), "request_not_supported"},
		"another client_id":       {request("other"), "invalid_request"},
		"another redirect URI":    {request("conf", "redirect_uri", "https://evil.example/cb"), "invalid_request"},
		"no redirect URI":         {request("conf", "redirect_uri", ""), "invalid_request"},
		"no PKCE":                 {request("conf", "code_challenge", "", "code_challenge_method", ""), "invalid_request"},
		"plain PKCE":              {request("conf", "code_challenge_method", "plain"), "invalid_request"},
		"an unknown scope":        {request("conf", "scope", "openid everything"), "invalid_scope"},
		"another response type":   {request("conf", "response_type", "token"), "unsupported_response_type"},
		"another resource":        {request("conf", "resource", "https://rs.example/"), "invalid_target"},
		"max_age in words":        {request("conf", "max_age", "abc"), "invalid_request"},
		"broken claims":           {request("conf", "claims", "{"), "invalid_request"},
		"a repeated parameter":    {url.Values{"client_id": {"conf"}, "state": {"a", "b"}, "response_type": {"code"}}, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			g.t = t
			got := g.post("/oauth/par", "conf", c.params)
			got.t = t
			got.refused(http.StatusBadRequest, c.code)
		})
	}
	g.t = t
	g.secrets["wrong"] = "wrong"
	g.post("/oauth/par", "wrong", url.Values{}).refused(http.StatusUnauthorized, "invalid_client")
	g.post("/oauth/par", "", request("conf", "client_id", "")).refused(http.StatusUnauthorized, "invalid_client")
	if got := g.browser().get("/oauth/par"); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") == "" {
		t.Errorf("GET: %d", got.status)
	}
	if got := g.post("/oauth/par", "conf", request("conf", "state", strings.Repeat("x", 70<<10))); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("70 KiB: %d", got.status)
	}
}

// TestAPushNamesItsClient: whoever it is that a header or an assertion names, the
// parameter is required, and only when the client is known does it learn so.
func TestAPushNamesItsClient(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	c := g.fapi("keyed", false)
	byKey := func(params url.Values) *answer {
		maps.Copy(params, c.keys.assert(c.keys.claims(c.id, nil), c.keys.private, nil))
		return g.post("/oauth/par", "", params)
	}
	for _, got := range []*answer{g.post("/oauth/par", "conf", request("conf", "client_id", "")), byKey(request("keyed", "client_id", ""))} {
		got.refused(http.StatusBadRequest, "invalid_request")
		if got.text("error_description") != "The parameter client_id is missing" {
			t.Errorf("description: %s", got.body)
		}
	}
	g.secrets["nobody"] = "wrong"
	g.post("/oauth/par", "nobody", request("conf", "client_id", "")).refused(http.StatusUnauthorized, "invalid_client")
	g.push("conf", request("conf"))
	if got := byKey(request("keyed")); got.status != http.StatusCreated {
		t.Errorf("named, by an assertion: %d %s", got.status, got.body)
	}
}

func TestAClientCanBeHeldToPushing(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.client(oauth.Client{ID: "par", RequirePAR: true, GrantTypes: []string{"authorization_code"}})
		b := g.browser()
		if got := b.authorize(request("par")).redirect(); got.Get("error") != "invalid_request" {
			t.Errorf("not pushed: %v", got)
		}
		// The flow remembers what it began with, over a sign-in and a consent.
		id := b.authorize(pushedFor("par", g.push("par", request("par")))).flow("/signin")
		b.signIn(g.alice, "")
		b.get("/oauth/continue?flow=" + id).flow("/consent")
		if got := b.do(http.MethodPost, "/consent", url.Values{"flow": {id}, "consent": {"accept"}}).redirect(); !got.Has("code") {
			t.Errorf("pushed: %v", got)
		}
	})
}

func TestALongRequestCanBePushed(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	state := strings.Repeat("long state ", 1000)
	uri := g.push("conf", request("conf", "state", state, "nonce", state, "response_mode", "form_post"))
	got := g.signedIn().authorize(pushedFor("conf", uri))
	if got.status != http.StatusOK || !strings.Contains(got.body, state) {
		t.Errorf("%d, state is there: %t", got.status, strings.Contains(got.body, state))
	}
}
