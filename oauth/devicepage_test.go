package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/oauth"
	"gatehouse/storage/storagetest"
)

// TestADeviceIsAskedAboutEachTime (P18, P19): after a sign-in, with the client's
// name and a warning, also for a client that skips the question elsewhere and
// for a link that brings the code along.
func TestADeviceIsAskedAboutEachTime(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.client(oauth.Client{ID: "own", Public: true, FirstParty: true, GrantTypes: []string{oauth.GrantDeviceCode}})
		for range 2 {
			code, shown := g.begun("own")
			b := g.browser()
			flow := b.get("/device?user_code=" + shown).flow("/signin")
			b.signIn(g.alice, authn.ACRSingle)
			back := b.get("/oauth/continue?flow=" + flow)
			if back.location != "/device?user_code="+shown {
				t.Fatalf("after the sign-in: %d %q", back.status, back.location)
			}
			if page := b.get(back.location); page.status != http.StatusOK || !strings.Contains(page.body, `value="`+shown+`"`) {
				t.Errorf("the page: %d %s", page.status, page.body)
			}
			g.clock.Advance(5 * time.Second)
			g.poll("own", code).refused(http.StatusBadRequest, "authorization_pending")
			flow = b.enter(shown).flow("/consent")
			page := b.get("/consent?flow=" + flow)
			for _, want := range []string{"The service own", shown, "Alice Example", "they could use your account", "see your email address"} {
				if !strings.Contains(page.body, want) {
					t.Errorf("the question lacks %q: %s", want, page.body)
				}
			}
			g.clock.Advance(5 * time.Second)
			g.poll("own", code).refused(http.StatusBadRequest, "authorization_pending")
			if got := b.do(http.MethodPost, "/consent", url.Values{"flow": {flow}}); got.status != http.StatusBadRequest {
				t.Errorf("no answer: %d", got.status)
			}
			if got := b.do(http.MethodPost, "/consent", url.Values{"flow": {flow}, "consent": {"accept"}}); got.status != http.StatusOK {
				t.Errorf("the answer: %d %s", got.status, got.body)
			}
			if got := g.poll("own", code); got.status != http.StatusOK || got.text("refresh_token") != "" {
				t.Errorf("tokens: %d %s", got.status, got.body)
			}
		}
	})
}

// TestAUserCodeTellsNothingUntilItIsRight: unknown, expired, used and malformed
// codes get one answer.
func TestAUserCodeTellsNothingUntilItIsRight(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		_, expired := g.begun("tv")
		g.clock.Advance(10 * time.Minute)
		_, used := g.begun("tv")
		b := g.signedIn()
		b.approve(used)
		pages := map[string]bool{}
		for _, code := range []string{expired, used, "BCDF-GHJK", "BCDF-GHJ", "aeio-uaei", strings.Repeat("B", 500)} {
			got := b.enter(code)
			if got.status != http.StatusForbidden {
				t.Errorf("%s: %d", code, got.status)
			}
			pages[strings.ReplaceAll(got.body, code, "")] = true
		}
		if len(pages) != 1 {
			t.Errorf("%d different answers", len(pages))
		}
		if got := b.enter(""); got.status != http.StatusBadRequest {
			t.Errorf("no code: %d", got.status)
		}
	})
}

// TestWrongUserCodesAreLimited (P14): those of a user, in however many browsers;
// right ones are not counted, and others are not kept from theirs.
func TestWrongUserCodesAreLimited(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		_, shown := g.begun("tv")
		for range 20 {
			g.signedIn().enter(shown).flow("/consent")
		}
		for range 10 {
			if got := g.signedIn().enter("BCDF-GHJK"); got.status != http.StatusForbidden {
				t.Fatalf("a wrong code: %d", got.status)
			}
		}
		if got := g.signedIn().enter(shown); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
			t.Errorf("after ten wrong ones: %d", got.status)
		}
		bob := g.browser()
		bob.signIn(g.user("bob@example.com"), authn.ACRSingle)
		bob.enter(shown).flow("/consent")
		g.clock.Advance(time.Minute)
		g.signedIn().enter(shown).flow("/consent")
	})
}

// TestParallelAnswersToADeviceCountOnce: of many that accept one is told so.
func TestParallelAnswersToADeviceCountOnce(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		code, shown := g.begun("tv")
		b := g.signedIn()
		flow := b.enter(shown).flow("/consent")
		var accepted, others atomic.Int64
		together(64, func(int) {
			one := &browser{g: g, cookies: map[string]string{authn.SessionCookie: b.cookies[authn.SessionCookie], authn.BrowserCookie: b.cookies[authn.BrowserCookie]}}
			switch got := one.do(http.MethodPost, "/consent", url.Values{"flow": {flow}, "consent": {"accept"}}); got.status {
			case http.StatusOK:
				accepted.Add(1)
			case http.StatusForbidden:
				others.Add(1)
			}
		})
		if accepted.Load() != 1 || others.Load() != 63 {
			t.Errorf("%d accepted, %d came too late", accepted.Load(), others.Load())
		}
		if got := g.poll("tv", code); got.status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

// TestTheQuestionAboutADeviceBelongsToItsBrowser: another one that learned the
// flow's id can neither see nor answer it, and another site cannot send the form.
func TestTheQuestionAboutADeviceBelongsToItsBrowser(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		code, shown := g.begun("tv")
		flow := g.signedIn().enter(shown).flow("/consent")
		other := g.signedIn()
		if got := other.get("/consent?flow=" + flow); got.status != http.StatusBadRequest {
			t.Errorf("the question: %d", got.status)
		}
		if got := other.do(http.MethodPost, "/consent", url.Values{"flow": {flow}, "consent": {"accept"}}); got.status != http.StatusBadRequest {
			t.Errorf("the answer: %d", got.status)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.http.URL+"/device", strings.NewReader("user_code="+shown))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if got := g.send(r); got.status != http.StatusForbidden {
			t.Errorf("from another site: %d", got.status)
		}
		g.poll("tv", code).refused(http.StatusBadRequest, "authorization_pending")
	})
}

// TestReplicasShareEveryDevice sends each request to one of two servers in turn
// (X26): what one began the other goes on with.
func TestReplicasShareEveryDevice(t *testing.T) {
	config := storagetest.Postgres(t)
	one := newRig(t, storagetest.OpenConfig(t, config))
	two := newReplica(t, storagetest.OpenConfig(t, config), one.clock)
	two.alice, two.secrets = one.alice, one.secrets
	var n atomic.Int64
	either := func() *rig { return []*rig{one, two}[n.Add(1)%2] }
	b := one.signedIn()
	elsewhere := func() *browser { return &browser{g: either(), cookies: b.cookies} }
	for range 3 {
		code, shown := either().begun("tv")
		either().poll("tv", code).refused(http.StatusBadRequest, "authorization_pending")
		either().poll("tv", code).refused(http.StatusBadRequest, "slow_down")
		flow := elsewhere().enter(shown).flow("/consent")
		if got := elsewhere().do(http.MethodPost, "/consent", url.Values{"flow": {flow}, "consent": {"accept"}}); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		won := race(one, func() *answer { return either().poll("tv", code) })
		if got := either().bearer("/admin", won.text("access_token")); got.status != http.StatusOK {
			t.Errorf("the access token: %d %s", got.status, got.body)
		}
	}
}

// TestAccessToTheMailAllowsNothingInAnothersName: the question that somebody reached
// with a password is not answered with a session that a mail began.
func TestAccessToTheMailAllowsNothingInAnothersName(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.client(oauth.Client{ID: "own", Public: true, GrantTypes: []string{oauth.GrantDeviceCode}})
		code, shown := g.begun("own")
		b := g.signedIn()
		device := b.enter(shown).flow("/consent")
		service := b.authorize(request("third")).flow("/consent")
		b.signIn(g.alice, authn.ACREmail)
		for _, flow := range []string{device, service} {
			got := b.do(http.MethodPost, "/consent", url.Values{"flow": {flow}, "consent": {"accept"}})
			if got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/oauth/continue?") {
				t.Errorf("the answer: %d %q", got.status, got.location)
			}
		}
		g.poll("own", code).refused(http.StatusBadRequest, "authorization_pending")
		if allowed := g.allowed(g.alice, "third"); len(allowed) > 0 {
			t.Errorf("the consent was taken: %q", allowed)
		}
	})
}
