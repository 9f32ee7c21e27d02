package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

func TestACodeBuysTokensThatOpenWhatTheirScopeSays(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		got := g.tokens("conf")
		if got.text("token_type") != "Bearer" || got.text("scope") != allScopes || got.json()["expires_in"] != 600.0 {
			t.Errorf("token response %s", got.body)
		}
		info := g.bearer("/oauth/userinfo", got.text("access_token")).json()
		want := map[string]any{
			"sub": g.alice.ID.String(), "name": "Alice Example", "given_name": "Alice", "family_name": "Example",
			"email": "alice@example.com", "email_verified": true, "phone_number": "+447700900123", "updated_at": float64(g.alice.CreatedAt.Unix()),
		}
		for name, value := range want {
			if info[name] != value {
				t.Errorf("userinfo %s is %v, want %v", name, info[name], value)
			}
		}
		if got := g.bearer("/admin", got.text("access_token")); got.status != http.StatusOK || got.text("Subject") != g.alice.ID.String() {
			t.Errorf("/admin: %d %s", got.status, got.body)
		}
		narrow := g.exchange("conf", g.signedIn().code(request("conf", "scope", "openid"))).text("access_token")
		if got := g.bearer("/admin", narrow); got.status != http.StatusForbidden || !strings.Contains(got.header.Get("WWW-Authenticate"), `error="insufficient_scope"`) {
			t.Errorf("/admin without the scope: %d %s", got.status, got.body)
		}
		if info := g.bearer("/oauth/userinfo", narrow).json(); len(info) != 1 {
			t.Errorf("userinfo for openid alone: %v", info)
		}
	})
}

func TestACodeIsRedeemedOnce(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		code := g.signedIn().code(request("conf"))
		first := g.exchange("conf", code)
		g.clock.Advance(time.Millisecond)
		g.exchange("conf", code).refused(http.StatusBadRequest, "invalid_grant")
		if g.active("conf", first.text("access_token")) {
			t.Error("the access token is active after the code was replayed")
		}
		if got := g.bearer("/admin", first.text("access_token")); got.status != http.StatusUnauthorized {
			t.Errorf("the access token opens the directory after the code was replayed: %d", got.status)
		}
		g.refresh("conf", first.text("refresh_token")).refused(http.StatusBadRequest, "invalid_grant")
	})
}

func TestParallelExchangesOfOneCodeGiveOneAnswer(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		code := g.signedIn().code(request("conf"))
		won := race(g, func() *answer { return g.exchange("conf", code) })
		// The clock stands still, so the losers came in before the code was redeemed.
		if !g.active("conf", won.text("access_token")) {
			t.Error("the losers ended the winner's grant")
		}
		g.clock.Advance(time.Second)
		g.exchange("conf", code).refused(http.StatusBadRequest, "invalid_grant")
		if g.active("conf", won.text("access_token")) {
			t.Error("a later replay left the tokens active")
		}
	})
}

func TestParallelRefreshesKeepOneFamily(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		first := g.tokens("conf").text("refresh_token")
		won := raceRefreshes(g, func() *answer { return g.refresh("conf", first) })
		g.clock.Advance(11 * time.Second)
		next := g.refresh("conf", won.text("refresh_token"))
		if next.status != http.StatusOK {
			t.Fatalf("the successor: %d %s", next.status, next.body)
		}
		g.refresh("conf", first).refused(http.StatusBadRequest, "invalid_grant")
		for _, token := range []string{won.text("access_token"), next.text("access_token"), next.text("refresh_token")} {
			if g.active("conf", token) {
				t.Error("a token of the family is active after a replay")
			}
		}
	})
}

// TestReplicasShareEveryCode alternates between two servers on the same stores.
func TestReplicasShareEveryCode(t *testing.T) {
	config := storagetest.Postgres(t)
	one := newRig(t, storagetest.OpenConfig(t, config))
	two := newReplica(t, storagetest.OpenConfig(t, config), one.clock)
	two.alice, two.secrets = one.alice, one.secrets
	var n atomic.Int64
	either := func() *rig { return []*rig{one, two}[n.Add(1)%2] }
	for range 3 {
		code := either().signedIn().code(request("conf"))
		won := race(one, func() *answer { return either().exchange("conf", code) })
		if got := either().bearer("/admin", won.text("access_token")); got.status != http.StatusOK {
			t.Errorf("the access token: %d", got.status)
		}
		next := raceRefreshes(one, func() *answer { return either().refresh("conf", won.text("refresh_token")) })
		either().post("/oauth/revoke", "conf", url.Values{"token": {next.text("refresh_token")}})
		for _, g := range []*rig{one, two} {
			if g.active("conf", next.text("access_token")) {
				t.Error("a revoked grant is active")
			}
		}
	}
}

// race runs the same request 64 times at once; exactly one succeeds and the
// others are invalid_grant.
func race(g *rig, try func() *answer) *answer {
	g.t.Helper()
	won := winners(g, try)
	if len(won) != 1 {
		g.t.Fatalf("%d succeeded", len(won))
	}
	return won[0]
}

// raceRefreshes is race for one refresh token, where every answer is the same
// successor or invalid_grant.
func raceRefreshes(g *rig, try func() *answer) *answer {
	g.t.Helper()
	won := winners(g, try)
	if len(won) == 0 {
		g.t.Fatal("none succeeded")
	}
	for _, a := range won {
		if a.text("refresh_token") != won[0].text("refresh_token") {
			g.t.Fatal("two successors of one refresh token")
		}
	}
	return won[0]
}

// winners runs the same request 64 times at once and returns the answers that
// are not invalid_grant.
func winners(g *rig, try func() *answer) []*answer {
	g.t.Helper()
	const tries = 64
	answers := make([]*answer, tries)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			<-start
			answers[i] = try()
		})
	}
	close(start)
	all.Wait()
	var won []*answer
	for _, a := range answers {
		if a.status == http.StatusOK {
			won = append(won, a)
		} else {
			a.refused(http.StatusBadRequest, "invalid_grant")
		}
	}
	return won
}

func TestACodeOfAnotherClientIsLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		code := g.signedIn().code(request("conf"))
		g.exchange("other", code).refused(http.StatusBadRequest, "invalid_grant")
		g.token("pub", "grant_type", "authorization_code", "code", code).refused(http.StatusBadRequest, "invalid_grant")
		first := g.exchange("conf", code)
		if first.status != http.StatusOK {
			t.Fatalf("its own client: %d %s", first.status, first.body)
		}
		g.clock.Advance(time.Second)
		// A redeemed code in a stranger's hands does not end the grant either.
		g.exchange("other", code).refused(http.StatusBadRequest, "invalid_grant")
		g.refresh("other", first.text("refresh_token")).refused(http.StatusBadRequest, "invalid_grant")
		g.token("conf", "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", strings.Repeat("x", 43)).
			refused(http.StatusBadRequest, "invalid_grant")
		if !g.active("conf", first.text("access_token")) {
			t.Error("the grant ended")
		}
	})
}

func TestAWrongVerifierBurnsTheCode(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		for _, client := range []string{"conf", "pub"} {
			code := g.signedIn().code(request(client))
			for _, v := range []string{strings.Repeat("x", 43), "", verifier} {
				g.token(client, "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", v).
					refused(http.StatusBadRequest, "invalid_grant")
			}
		}
	})
}

func TestAVerifierNeedsAChallenge(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.client(oauth.Client{ID: "old", FirstParty: true, PKCEOptional: true, GrantTypes: []string{"authorization_code"}})
		without := request("old", "code_challenge", "", "code_challenge_method", "")
		g.exchange("old", g.signedIn().code(without)).refused(http.StatusBadRequest, "invalid_grant")
		got := g.token("old", "grant_type", "authorization_code", "code", g.signedIn().code(without), "redirect_uri", callback)
		if got.status != http.StatusOK || got.text("refresh_token") != "" {
			t.Errorf("a client that was excused from PKCE: %d %s", got.status, got.body)
		}
	})
}

func TestACodeExpiresAndIsBoundToItsRedirectURI(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		late := g.signedIn().code(request("conf"))
		g.clock.Advance(61 * time.Second)
		g.exchange("conf", late).refused(http.StatusBadRequest, "invalid_grant")
		code := g.signedIn().code(request("conf"))
		g.token("conf", "grant_type", "authorization_code", "code", code, "code_verifier", verifier).refused(http.StatusBadRequest, "invalid_grant")
		for _, code := range []string{"x", code[:len(code)-1], strings.Replace(code, "gh_ac_", "", 1), strings.Replace(code, "gh_ac_", "gh_rt_", 1)} {
			g.exchange("conf", code).refused(http.StatusBadRequest, "invalid_grant")
		}
	})
}

func TestAReplacedRefreshTokenEndsItsFamily(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		first := g.tokens("conf")
		second := g.refresh("conf", first.text("refresh_token"))
		if second.status != http.StatusOK || second.text("refresh_token") == first.text("refresh_token") || second.text("id_token") == "" {
			t.Fatalf("refresh: %d %s", second.status, second.body)
		}
		g.clock.Advance(10 * time.Second)
		again := g.refresh("conf", first.text("refresh_token"))
		if again.status != http.StatusOK || again.text("refresh_token") != second.text("refresh_token") {
			t.Fatalf("an honest double submission: %d %s", again.status, again.body)
		}
		g.clock.Advance(time.Second)
		g.refresh("conf", first.text("refresh_token")).refused(http.StatusBadRequest, "invalid_grant")
		for _, token := range []string{first.text("access_token"), second.text("access_token"), again.text("access_token"), second.text("refresh_token")} {
			if g.active("conf", token) {
				t.Error("a token of the family is active after a replay")
			}
		}
		g.refresh("conf", second.text("refresh_token")).refused(http.StatusBadRequest, "invalid_grant")
	})
}

func TestTheLastButOneRefreshTokenHasNoGrace(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		first := g.tokens("conf").text("refresh_token")
		second := g.refresh("conf", first).text("refresh_token")
		third := g.refresh("conf", second).text("refresh_token")
		g.refresh("conf", first).refused(http.StatusBadRequest, "invalid_grant")
		g.refresh("conf", third).refused(http.StatusBadRequest, "invalid_grant")
	})
}

func TestARefreshTokenHasAnAbsoluteEnd(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		token := g.tokens("conf").text("refresh_token")
		for range 3 {
			g.clock.Advance(9 * 24 * time.Hour)
			token = g.refresh("conf", token).text("refresh_token")
		}
		g.clock.Advance(3 * 24 * time.Hour)
		g.refresh("conf", token).refused(http.StatusBadRequest, "invalid_grant")
	})
}

func TestARefreshCanAskForLessNeverForMore(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		first := g.exchange("conf", g.signedIn().code(request("conf", "scope", "openid email")))
		token := first.text("refresh_token")
		g.token("conf", "grant_type", "refresh_token", "refresh_token", token, "scope", "openid notify.admin").refused(http.StatusBadRequest, "invalid_scope")
		less := g.token("conf", "grant_type", "refresh_token", "refresh_token", token, "scope", "openid")
		if less.status != http.StatusOK || less.text("scope") != "openid" {
			t.Fatalf("less: %d %s", less.status, less.body)
		}
		if again := g.refresh("conf", less.text("refresh_token")); again.text("scope") != "openid email" {
			t.Errorf("the grant itself shrank: %s", again.body)
		}
	})
}

func TestTokensEndWithTheirUser(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		for name, end := range userEnds() {
			t.Run(name, func(t *testing.T) {
				g.t = t
				u, b := g.user(strings.ReplaceAll(name, " ", ".")+"@example.com"), g.browser()
				b.signIn(u, authn.ACRSingle)
				code := b.code(request("conf"))
				tokens := g.exchange("conf", b.code(request("conf")))
				if err := end(g, u); err != nil {
					t.Fatal(err)
				}
				g.exchange("conf", code).refused(http.StatusBadRequest, "invalid_grant")
				g.refresh("conf", tokens.text("refresh_token")).refused(http.StatusBadRequest, "invalid_grant")
				if g.active("conf", tokens.text("access_token")) || g.bearer("/oauth/userinfo", tokens.text("access_token")).status != http.StatusUnauthorized {
					t.Error("the access token still works")
				}
			})
		}
	})
}

func TestAClientOnItsOwn(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		for _, format := range []oauth.TokenFormat{oauth.JWT, oauth.Opaque} {
			id := "machine-" + string(format)
			g.client(oauth.Client{ID: id, Roles: []string{"PROBATION_API"}, TokenFormat: format, GrantTypes: []string{"client_credentials"}})
			got := g.token(id, "grant_type", "client_credentials")
			token := got.text("access_token")
			if got.text("scope") != "notify.admin" || got.text("refresh_token") != "" || got.text("id_token") != "" {
				t.Errorf("%s: %s", id, got.body)
			}
			for _, path := range []string{"/admin", "/role"} {
				if got := g.bearer(path, token); got.status != http.StatusOK || got.text("Subject") != "" || got.text("ClientID") != id {
					t.Errorf("%s %s: %d %s", id, path, got.status, got.body)
				}
			}
			if got := g.bearer("/oauth/userinfo", token); got.status != http.StatusUnauthorized {
				t.Errorf("%s: userinfo of no user: %d", id, got.status)
			}
			g.clock.Advance(10 * time.Minute)
			if g.active(id, token) {
				t.Errorf("%s: active after its time", id)
			}
			token = g.token(id, "grant_type", "client_credentials").text("access_token")
			if err := g.clients.Delete(t.Context(), operator, id); err != nil {
				t.Fatal(err)
			}
			if got := g.bearer("/admin", token); got.status != http.StatusUnauthorized {
				t.Errorf("%s: the token of a deleted client: %d", id, got.status)
			}
		}
	})
}

func TestTheTokenEndpointRefuses(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.client(oauth.Client{ID: "bound", GrantTypes: []string{"client_credentials"}, Scopes: []string{"notify.admin"}, DPoPBound: true})
		for name, c := range map[string]struct {
			client string
			form   []string
			code   string
		}{
			"no grant type":            {"conf", nil, "invalid_request"},
			"an unknown grant type":    {"conf", []string{"grant_type", "magic"}, "unsupported_grant_type"},
			"the password grant":       {"conf", []string{"grant_type", "password", "username", "a", "password", "b"}, "unsupported_grant_type"},
			"a token bound to no key":  {"bound", []string{"grant_type", "client_credentials"}, "invalid_dpop_proof"},
			"a grant not registered":   {"conf", []string{"grant_type", "client_credentials"}, "unauthorized_client"},
			"no code":                  {"conf", []string{"grant_type", "authorization_code"}, "invalid_request"},
			"a scope not registered":   {"machine", []string{"grant_type", "client_credentials", "scope", "notify.usage"}, "invalid_scope"},
			"a user's scope":           {"machine", []string{"grant_type", "client_credentials", "scope", "openid"}, "invalid_scope"},
			"another resource":         {"machine", []string{"grant_type", "client_credentials", "resource", "https://rs.example"}, "invalid_target"},
			"a character not allowed":  {"machine", []string{"grant_type", "client_credentials", "scope", "a\x00b"}, "invalid_request"},
			"a made-up refresh token":  {"conf", []string{"grant_type", "refresh_token", "refresh_token", "gh_rt_" + strings.Repeat("A", 64)}, "invalid_grant"},
			"two methods at once":      {"conf", []string{"grant_type", "refresh_token", "refresh_token", "x", "client_secret", "y"}, "invalid_request"},
			"two identities at once":   {"conf", []string{"grant_type", "refresh_token", "refresh_token", "x", "client_id", "other"}, "invalid_request"},
			"an empty body of a grant": {"conf", []string{"x", "y"}, "invalid_request"},
		} {
			t.Run(name, func(t *testing.T) {
				g.t = t
				g.token(c.client, c.form...).refused(http.StatusBadRequest, c.code)
			})
		}
	})
}

func TestTheTokenEndpointReadsOneForm(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	for name, c := range map[string]struct {
		contentType, body string
		status            int
	}{
		"repeated parameter": {"application/x-www-form-urlencoded", "grant_type=client_credentials&grant_type=client_credentials", 400},
		"JSON":               {"application/json", `{"grant_type":"client_credentials"}`, 400},
		"multipart":          {"multipart/form-data; boundary=x", "--x--", 400},
		"no type":            {"", "grant_type=client_credentials", 400},
		"broken escape":      {"application/x-www-form-urlencoded", "grant_type=%zz", 400},
		"too large":          {"application/x-www-form-urlencoded", "grant_type=client_credentials&x=" + strings.Repeat("x", 65<<10), 413},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.http.URL+"/oauth/token", strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", c.contentType)
			r.SetBasicAuth("machine", g.secrets["machine"])
			g.t = t
			g.send(r).refused(c.status, "invalid_request")
		})
	}
}

func TestAWrongClientSecretIsChallenged(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	g.secrets["conf"] = "wrong"
	got := g.token("conf", "grant_type", "authorization_code", "code", "x")
	got.refused(http.StatusUnauthorized, "invalid_client")
	if !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Basic") {
		t.Errorf("WWW-Authenticate: %q", got.header.Get("WWW-Authenticate"))
	}
}

func TestWhatHasExpiredIsDeleted(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		tokens := g.tokens("conf")
		g.post("/oauth/revoke", "conf", url.Values{"token": {tokens.text("access_token")}})
		for _, c := range []struct {
			wait  time.Duration
			alive bool
		}{{30*24*time.Hour - time.Second, true}, {2 * time.Second, false}} {
			g.clock.Advance(c.wait)
			if err := (storage.Cleanup{DB: g.stores.DB}).Run(t.Context(), g.clock.Now(), nil); err != nil {
				t.Fatal(err)
			}
			if alive := g.refresh("conf", tokens.text("refresh_token")).status == http.StatusOK; alive != c.alive {
				t.Errorf("after %v: alive is %v", c.wait, alive)
			}
		}
	})
}
