package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/oauth"
	"gatehouse/storage/storagetest"
)

// floored registers a client of one grant and a floor.
func (g *rig) floored(id, floor string, grants ...string) {
	g.t.Helper()
	g.client(oauth.Client{ID: id, FirstParty: true, GrantTypes: grants, Metadata: oauth.Metadata{MinimumACR: floor}})
}

// TestTheStricterOfFloorAndRequestCounts: whatever level a session has and a
// request asks for, nobody comes to a client below its floor.
func TestTheStricterOfFloorAndRequestCounts(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	g.floored("any", "", "authorization_code")
	g.floored("one", authn.ACRSingle, "authorization_code")
	g.floored("two", authn.ACRMulti, "authorization_code")
	const code = ""
	for _, c := range []struct{ session, client, asked, prompt, want string }{
		{authn.ACRSingle, "any", "", "", code},
		{authn.ACRSingle, "any", authn.ACRMulti, "", "/signin"},
		{authn.ACRSingle, "one", "", "", code},
		{authn.ACRSingle, "one", authn.ACREmail, "", code},
		{authn.ACRSingle, "one", authn.ACRMulti, "", "/signin"},
		{authn.ACREmail, "one", authn.ACREmail, "", "/signin"},
		{authn.ACRSingle, "two", "", "", "/signin"},
		{authn.ACRSingle, "two", authn.ACRSingle, "", "/signin"},
		{authn.ACRSingle, "two", "urn:example:gold", "", "/signin"},
		{authn.ACRSingle, "two", "", "none", "login_required"},
		{authn.ACREmail, "two", "", "none", "login_required"},
		{authn.ACRMulti, "two", "", "none", code},
		{authn.ACRMulti, "two", authn.ACRSingle, "", code},
		{authn.ACRMulti, "one", "", "", code},
	} {
		b := g.browser()
		b.signIn(g.alice, c.session)
		g.clock.Advance(time.Second)
		got := b.authorize(request(c.client, "acr_values", c.asked, "prompt", c.prompt))
		if strings.HasPrefix(c.want, "/") {
			got.flow(c.want)
			continue
		}
		if answer := got.redirect(); answer.Get("error") != c.want || answer.Has("code") != (c.want == code) {
			t.Errorf("%+v: %v", c, answer)
		}
	}
}

// TestAFloorIsToldToTheSignInAndHeldAgainstIt: who signs in as well as they can,
// and not well enough, is refused instead of asked for ever.
func TestAFloorIsToldToTheSignInAndHeldAgainstIt(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.floored("two", authn.ACRMulti, "authorization_code")
		b := g.signedIn()
		g.clock.Advance(time.Second)
		id := b.authorize(request("two", "acr_values", authn.ACRSingle)).flow("/signin")
		if f, err := g.server.Flow(t.Context(), id, b.cookies[authn.BrowserCookie]); err != nil || f.Floor != authn.ACRMulti {
			t.Errorf("the sign-in page is not told the floor: %+v %v", f, err)
		}
		b.signIn(g.alice, authn.ACRSingle)
		if got := b.get("/oauth/continue?flow=" + id).redirect(); got.Get("error") != "unmet_authentication_requirements" {
			t.Errorf("signed in below the floor: %v", got)
		}
		id = b.authorize(request("two", "prompt", "login")).flow("/signin")
		b.signIn(g.alice, authn.ACRMulti)
		code := b.get("/oauth/continue?flow=" + id).redirect().Get("code")
		if claims := claimsOf(t, g.exchange("two", code).text("id_token")); claims["acr"] != authn.ACRMulti {
			t.Errorf("acr %v", claims["acr"])
		}
	})
}

// TestConsentBelowTheFloorIsNotTaken: the session may have changed while the
// question was on the screen.
func TestConsentBelowTheFloorIsNotTaken(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	g.client(oauth.Client{ID: "asks", GrantTypes: []string{"authorization_code"}, Metadata: oauth.Metadata{MinimumACR: authn.ACRMulti}})
	b := g.browser()
	b.signIn(g.alice, authn.ACRMulti)
	id := b.authorize(request("asks")).flow("/consent")
	b.signIn(g.alice, authn.ACRSingle)
	g.clock.Advance(time.Second)
	if got := b.do(http.MethodPost, "/consent", url.Values{"flow": {id}, "consent": {"accept"}}); got.location != "/oauth/continue?flow="+id {
		t.Errorf("%d %q", got.status, got.location)
	}
}

// TestADeviceOfAServiceWithAFloorIsConnectedAboveIt also when the code was
// entered below.
func TestADeviceOfAServiceWithAFloorIsConnectedAboveIt(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.floored("safe", authn.ACRMulti, oauth.GrantDeviceCode)
		device, shown := g.begun("safe")
		b := g.signedIn()
		g.clock.Advance(time.Second)
		id := b.enter(shown).flow("/consent")
		accept := url.Values{"flow": {id}, "consent": {"accept"}}
		for _, got := range []*answer{b.get("/consent?flow=" + id), b.do(http.MethodPost, "/consent", accept)} {
			if got.location != "/oauth/continue?flow="+id {
				t.Fatalf("below the floor: %d %q", got.status, got.location)
			}
		}
		b.get("/oauth/continue?flow=" + id).flow("/signin")
		b.signIn(g.alice, authn.ACRSingle)
		if got := b.get("/oauth/continue?flow=" + id); got.status != http.StatusForbidden || !strings.Contains(got.body, "cannot be signed in as surely") {
			t.Errorf("signed in below the floor: %d %s", got.status, got.body)
		}
		b.signIn(g.alice, authn.ACRMulti)
		b.get("/oauth/continue?flow=" + id).flow("/consent")
		if got := b.do(http.MethodPost, "/consent", accept); got.status != http.StatusOK {
			t.Fatalf("at the floor: %d %s", got.status, got.body)
		}
		g.clock.Advance(5 * time.Second)
		if got := g.poll("safe", device); got.status != http.StatusOK {
			t.Errorf("tokens: %d %s", got.status, got.body)
		}
	})
}

// TestAFloorThatRisesEndsRefreshesBelowIt and those only: what counts is how the
// user signed in, not how little of it the request wanted told. The refresh token
// is not spent, so that a mistake of the operator's can be undone.
func TestAFloorThatRisesEndsRefreshesBelowIt(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		signedIn := func(acr string) string {
			b := g.browser()
			b.signIn(g.alice, acr)
			essential := `{"id_token":{"acr":{"essential":true,"value":"` + authn.ACRSingle + `"}}}`
			return g.exchange("conf", b.code(request("conf", "claims", essential))).text("refresh_token")
		}
		weak, strong := signedIn(authn.ACRSingle), signedIn(authn.ACRMulti)
		floor := func(level string) {
			c, err := g.clients.Get(t.Context(), "conf")
			if err != nil {
				t.Fatal(err)
			}
			changed := *c
			changed.MinimumACR = level
			if _, _, err := g.clients.Update(t.Context(), operator, changed); err != nil {
				t.Fatal(err)
			}
		}
		floor(authn.ACRMulti)
		g.refresh("conf", weak).refused(http.StatusBadRequest, "invalid_grant")
		if got := g.refresh("conf", strong); got.status != http.StatusOK {
			t.Errorf("at the floor: %d %s", got.status, got.body)
		}
		floor("")
		if got := g.refresh("conf", weak); got.status != http.StatusOK {
			t.Errorf("without a floor again: %d %s", got.status, got.body)
		}
	})
}
