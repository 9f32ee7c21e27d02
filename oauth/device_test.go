package oauth_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/oauth"
	"gatehouse/storage"
)

const deviceScopes = "openid email notify.admin"

// device begins the request of a client's device.
func (g *rig) device(client string, pairs ...string) *answer {
	g.t.Helper()
	return g.post("/oauth/device_authorization", client, with(url.Values{"scope": {deviceScopes}}, pairs...))
}

// begun is device for one that must not be refused.
func (g *rig) begun(client string) (deviceCode, userCode string) {
	g.t.Helper()
	got := g.device(client)
	if got.status != http.StatusOK {
		g.t.Fatalf("device authorization: %d %s", got.status, got.body)
	}
	return got.text("device_code"), got.text("user_code")
}

func (g *rig) poll(client, code string) *answer {
	g.t.Helper()
	return g.token(client, "grant_type", oauth.GrantDeviceCode, "device_code", code)
}

// enter sends the code that a device shows.
func (b *browser) enter(code string) *answer {
	b.g.t.Helper()
	return b.do(http.MethodPost, "/device", url.Values{"user_code": {code}})
}

// answerDevice enters a code and answers the question that follows.
func (b *browser) answerDevice(code, answer string) *answer {
	b.g.t.Helper()
	flow := b.enter(code).flow("/consent")
	return b.do(http.MethodPost, "/consent", url.Values{"flow": {flow}, "consent": {answer}})
}

// approve connects a device for whoever is signed in.
func (b *browser) approve(code string) {
	b.g.t.Helper()
	if got := b.answerDevice(code, "accept"); got.status != http.StatusOK || !strings.Contains(got.body, "Your device is connected") {
		b.g.t.Fatalf("approval: %d %s", got.status, got.body)
	}
}

// TestADeviceGetsTokensOnceItsUserApproves is the whole of RFC 8628, P13 among it:
// what the user types is eight letters of twenty, what the device holds far longer.
func TestADeviceGetsTokensOnceItsUserApproves(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		begun := g.device("tv")
		code, shown := begun.text("device_code"), begun.text("user_code")
		if begun.json()["expires_in"] != 600.0 || begun.json()["interval"] != 5.0 || begun.text("verification_uri") != testIssuer+"/device" ||
			begun.text("verification_uri_complete") != testIssuer+"/device?user_code="+shown || begun.header.Get("Cache-Control") != "no-store" {
			t.Errorf("answer %s", begun.body)
		}
		if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(shown) || !regexp.MustCompile(`^gh_dc_[\w-]{64}$`).MatchString(code) {
			t.Errorf("codes %q and %q", shown, code)
		}
		g.poll("tv", code).refused(http.StatusBadRequest, "authorization_pending")
		b := g.signedIn()
		g.clock.Advance(5 * time.Second)
		b.approve(" " + strings.ToLower(strings.ReplaceAll(shown, "-", " – ")))
		got := g.poll("tv", code)
		if got.status != http.StatusOK || got.text("scope") != deviceScopes || got.text("token_type") != "Bearer" {
			t.Fatalf("tokens: %d %s", got.status, got.body)
		}
		id := claimsOf(t, got.text("id_token"))
		if id["sub"] != g.alice.ID.String() || id["aud"] != "tv" || id["acr"] != authn.ACRSingle || id["at_hash"] == nil || id["auth_time"] == nil || id["sid"] == nil {
			t.Errorf("ID token %v", id)
		}
		if admin := g.bearer("/admin", got.text("access_token")); admin.status != http.StatusOK || admin.text("ClientID") != "tv" {
			t.Errorf("the access token: %d %s", admin.status, admin.body)
		}
		if next := g.refresh("tv", got.text("refresh_token")); next.status != http.StatusOK {
			t.Errorf("the refresh token: %d %s", next.status, next.body)
		}
	})
}

// TestADeviceThatPollsTooOftenIsSlowedDown (P15).
func TestANetworkBeginsAHundredDevicesAndNoMore(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		for range 100 {
			g.begun("tv")
		}
		got := g.device("tv")
		if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
			t.Errorf("%d %v %s", got.status, got.header, got.body)
		}
		g.clock.Advance(time.Minute)
		g.begun("tv")
	})
}

func TestADeviceThatPollsTooOftenIsSlowedDown(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		code, shown := g.begun("tv")
		for _, step := range []struct {
			wait time.Duration
			want string
		}{
			{0, "authorization_pending"}, {5 * time.Second, "authorization_pending"}, {4999 * time.Millisecond, "slow_down"},
			{9999 * time.Millisecond, "slow_down"}, {15 * time.Second, "authorization_pending"}, {14 * time.Second, "slow_down"},
		} {
			g.clock.Advance(step.wait)
			g.poll("tv", code).refused(http.StatusBadRequest, step.want)
		}
		g.signedIn().approve(shown)
		if got := g.poll("tv", code); got.status != http.StatusOK {
			t.Errorf("after the approval: %d %s", got.status, got.body)
		}
	})
}

// TestADeviceCodeExpires (P16), and so does what was approved and not fetched.
func TestADeviceCodeExpires(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		code, shown := g.begun("tv")
		approved, other := g.begun("tv")
		g.clock.Advance(10*time.Minute - time.Microsecond)
		g.signedIn().approve(other)
		g.clock.Advance(time.Microsecond)
		g.poll("tv", code).refused(http.StatusBadRequest, "expired_token")
		g.poll("tv", approved).refused(http.StatusBadRequest, "expired_token")
		if got := g.signedIn().enter(shown); got.status != http.StatusForbidden {
			t.Errorf("an expired user code: %d %s", got.status, got.body)
		}
		g.clock.Advance(time.Second)
		if err := (storage.Cleanup{DB: g.stores.DB}).Run(t.Context(), g.clock.Now(), nil); err != nil {
			t.Fatal(err)
		}
		g.poll("tv", code).refused(http.StatusBadRequest, "expired_token")
	})
}

// TestADeviceCodeIsRedeemedOnce (P17): a later use of a code that was redeemed
// ends what the first one gave, as with other codes.
func TestADeviceCodeIsRedeemedOnce(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		for _, client := range []string{"tv", "printer"} {
			code, shown := g.begun(client)
			g.signedIn().approve(shown)
			won := race(g, func() *answer { return g.poll(client, code) })
			if wantRefresh := client == "tv"; wantRefresh != (won.text("refresh_token") != "") {
				t.Errorf("%s: %s", client, won.body)
			}
			if got := g.bearer("/admin", won.text("access_token")); got.status != http.StatusOK {
				t.Errorf("%s: the losers ended the winner's grant: %d", client, got.status)
			}
			g.clock.Advance(time.Second)
			g.poll(client, code).refused(http.StatusBadRequest, "invalid_grant")
			if got := g.bearer("/admin", won.text("access_token")); got.status != http.StatusUnauthorized {
				t.Errorf("%s: a later replay left the tokens alive: %d", client, got.status)
			}
		}
	})
}

// TestADeviceCodeBelongsToItsClient (P20), and another client's try spends nothing.
func TestADeviceCodeBelongsToItsClient(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		code, shown := g.begun("tv")
		g.poll("printer", code).refused(http.StatusBadRequest, "invalid_grant")
		g.signedIn().approve(shown)
		g.poll("printer", code).refused(http.StatusBadRequest, "invalid_grant")
		g.poll("conf", code).refused(http.StatusBadRequest, "unauthorized_client")
		g.poll("tv", code+"x").refused(http.StatusBadRequest, "invalid_grant")
		g.token("tv", "grant_type", oauth.GrantDeviceCode).refused(http.StatusBadRequest, "invalid_request")
		if got := g.poll("tv", code); got.status != http.StatusOK {
			t.Errorf("its own client: %d %s", got.status, got.body)
		}
	})
}

func TestADeniedDeviceGetsNothing(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		code, shown := g.begun("tv")
		b := g.signedIn()
		if got := b.answerDevice(shown, "deny"); got.status != http.StatusOK || !strings.Contains(got.body, "The device was not allowed") {
			t.Errorf("%d %s", got.status, got.body)
		}
		g.poll("tv", code).refused(http.StatusBadRequest, "access_denied")
		if got := b.enter(shown); got.status != http.StatusForbidden {
			t.Errorf("the code again: %d", got.status)
		}
	})
}

// userEnds are the ways in which everything issued for a user ends.
func userEnds() map[string]func(g *rig, u *directory.User) error {
	return map[string]func(g *rig, u *directory.User) error{
		"locked": func(g *rig, u *directory.User) error {
			for range directory.MaxFailedLogins {
				if _, err := g.authn.Store.Attempt(g.t.Context(), authn.Tried{Who: authn.Who{ID: u.ID}, At: g.clock.Now()}); err != nil {
					return err
				}
			}
			return nil
		},
		"disabled": func(g *rig, u *directory.User) error {
			u.State = directory.Inactive
			return g.authn.Directory.UpdateUser(g.t.Context(), u)
		},
		"password changed": func(g *rig, u *directory.User) error {
			return g.authn.Store.PutPassword(g.t.Context(), u.ID, "$", g.clock.Now().Add(time.Second))
		},
		"everything revoked": func(g *rig, u *directory.User) error {
			return g.authn.Revoker.EndUser(g.t.Context(), u.ID, nil)
		},
	}
}

func TestAnApprovalEndsWithItsUser(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		for name, end := range userEnds() {
			t.Run(name, func(t *testing.T) {
				g.t = t
				u, b := g.user(strings.ReplaceAll(name, " ", ".")+"@example.com"), g.browser()
				b.signIn(u, authn.ACRSingle)
				code, shown := g.begun("tv")
				b.approve(shown)
				if err := end(g, u); err != nil {
					t.Fatal(err)
				}
				g.poll("tv", code).refused(http.StatusBadRequest, "invalid_grant")
			})
		}
	})
}

func TestTheDeviceEndpointRefuses(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		for name, c := range map[string]struct {
			client string
			form   []string
			code   string
		}{
			"a client not registered for it": {"conf", nil, "unauthorized_client"},
			"no scope":                       {"tv", []string{"scope", ""}, "invalid_scope"},
			"a scope not registered":         {"tv", []string{"scope", "openid notify.usage"}, "invalid_scope"},
			"another resource":               {"tv", []string{"resource", "https://rs.example"}, "invalid_target"},
			"two identities":                 {"printer", []string{"client_id", "tv"}, "invalid_request"},
		} {
			t.Run(name, func(t *testing.T) {
				g.t = t
				g.device(c.client, c.form...).refused(http.StatusBadRequest, c.code)
			})
		}
		g.t = t
		g.post("/oauth/device_authorization", "tv", url.Values{"scope": {"openid", "email"}}).refused(http.StatusBadRequest, "invalid_request")
		g.post("/oauth/device_authorization", "", url.Values{"client_id": {"printer"}, "scope": {"openid"}}).refused(http.StatusUnauthorized, "invalid_client")
	})
}

// TestADeviceCodeIsBoundToItsKey: begun with a proof, the code is redeemed with a
// proof by the same key, and so is a public client's refresh token.
func TestADeviceCodeIsBoundToItsKey(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		p, other := g.prover().learn(), g.prover().learn()
		begin := func() string {
			begun := g.with(g.form("/oauth/device_authorization", "tv", url.Values{"scope": {deviceScopes}}), p.sign(p.draft("POST", "/oauth/device_authorization", "")))
			g.signedIn().approve(begun.text("user_code"))
			return begun.text("device_code")
		}
		other.token("tv", "grant_type", oauth.GrantDeviceCode, "device_code", begin()).refused(http.StatusBadRequest, "invalid_grant")
		g.poll("tv", begin()).refused(http.StatusBadRequest, "invalid_grant")
		got := p.token("tv", "grant_type", oauth.GrantDeviceCode, "device_code", begin())
		if got.status != http.StatusOK || got.text("token_type") != "DPoP" {
			t.Fatalf("with its key: %d %s", got.status, got.body)
		}
		other.refresh("tv", got.text("refresh_token")).refused(http.StatusBadRequest, "invalid_grant")
		if next := p.refresh("tv", got.text("refresh_token")); next.status != http.StatusOK {
			t.Errorf("refresh: %d %s", next.status, next.body)
		}
	})
}
