package oauth_test

import (
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// TestAPublicClientsRefreshTokenIsBound is P12: another key, or none, is refused
// and costs the owner nothing.
func TestAPublicClientsRefreshTokenIsBound(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		p, thief := g.prover().learn(), g.prover().learn()
		first := p.tokens("pub").text("refresh_token")
		thief.refresh("pub", first).refused(http.StatusBadRequest, "invalid_grant")
		g.refresh("pub", first).refused(http.StatusBadRequest, "invalid_grant")
		second := p.refresh("pub", first)
		if second.status != http.StatusOK || second.text("token_type") != "DPoP" {
			t.Fatalf("its own key: %d %s", second.status, second.body)
		}
		// Within the grace of a refresh token sent twice the key counts as well.
		thief.refresh("pub", first).refused(http.StatusBadRequest, "invalid_grant")
		g.refresh("pub", first).refused(http.StatusBadRequest, "invalid_grant")
		if again := p.refresh("pub", first); again.text("refresh_token") != second.text("refresh_token") {
			t.Errorf("sent twice: %d %s", again.status, again.body)
		}
	})
}

func TestARefreshTokenIsBoundAtTheFirstProof(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		p := g.prover().learn()
		bound := p.refresh("pub", g.tokens("pub").text("refresh_token"))
		if bound.status != http.StatusOK || bound.text("token_type") != "DPoP" {
			t.Fatalf("%d %s", bound.status, bound.body)
		}
		g.refresh("pub", bound.text("refresh_token")).refused(http.StatusBadRequest, "invalid_grant")
		if got := p.refresh("pub", bound.text("refresh_token")); got.status != http.StatusOK {
			t.Errorf("its own key: %d %s", got.status, got.body)
		}
	})
}

// A confidential client proves who it is; its keys may change.
func TestAConfidentialClientMayChangeItsKey(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		p, later := g.prover().learn(), g.prover().learn()
		got := later.refresh("conf", p.tokens("conf").text("refresh_token"))
		at := got.text("access_token")
		if got.status != http.StatusOK || claimsOf(t, at)["cnf"].(map[string]any)["jkt"] != later.thumbprint() {
			t.Fatalf("another key: %d %s", got.status, got.body)
		}
		if got = g.refresh("conf", got.text("refresh_token")); got.text("token_type") != "Bearer" {
			t.Errorf("no key: %d %s", got.status, got.body)
		}
	})
}

func TestAClientRegisteredForBoundTokensGetsNoOther(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	g.client(oauth.Client{ID: "bound", DPoPBound: true, FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"}})
	code := g.signedIn().code(request("bound"))
	g.exchange("bound", code).refused(http.StatusBadRequest, "invalid_dpop_proof")
	p := g.prover()
	asked := p.exchange("bound", code)
	asked.refused(http.StatusBadRequest, "use_dpop_nonce")
	p.nonce = asked.header.Get("DPoP-Nonce")
	got := p.exchange("bound", code)
	if got.status != http.StatusOK || got.text("token_type") != "DPoP" {
		t.Fatalf("the code did not survive being told of the nonce: %d %s", got.status, got.body)
	}
	g.refresh("bound", got.text("refresh_token")).refused(http.StatusBadRequest, "invalid_dpop_proof")
}

// TestAProofIsUsedOnce is P11: of racing requests with one proof one is answered.
func TestAProofIsUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		const racers = 64
		p := g.prover().learn()
		for range 3 {
			proof := p.sign(p.draft("POST", "/oauth/token", ""))
			start, answers := make(chan struct{}), make(chan *answer, racers)
			var all sync.WaitGroup
			for range racers {
				r := g.form("/oauth/token", "machine", url.Values{"grant_type": {"client_credentials"}})
				all.Go(func() {
					<-start
					answers <- g.with(r, proof)
				})
			}
			close(start)
			all.Wait()
			close(answers)
			won := 0
			for got := range answers {
				if got.status == http.StatusOK {
					won++
				} else {
					got.refused(http.StatusBadRequest, "invalid_dpop_proof")
				}
			}
			if won != 1 {
				t.Errorf("%d of %d requests with one proof were answered", won, racers)
			}
		}
	})
}

// A proof is remembered for as long as it could be shown again.
func TestAProofIsRememberedWhileItIsRecent(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		p := g.prover().learn()
		ahead := p.sign(p.draft("POST", "/oauth/token", "").set("iat", g.clock.Now().Add(59*time.Second).Unix()))
		send := func() *answer {
			return g.with(g.form("/oauth/token", "machine", url.Values{"grant_type": {"client_credentials"}}), ahead)
		}
		if got := send(); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		g.clock.Advance(118 * time.Second)
		send().refused(http.StatusBadRequest, "invalid_dpop_proof")
		g.clock.Advance(2 * time.Second)
		send().refused(http.StatusBadRequest, "invalid_dpop_proof")
	})
}

// Another's proof with the same jti does not use ours up.
func TestAProofBelongsToItsKey(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	for _, p := range []*prover{g.prover().learn(), g.prover().learn()} {
		proof := p.sign(p.draft("POST", "/oauth/token", "").set("jti", "the same for everybody"))
		got := g.with(g.form("/oauth/token", "machine", url.Values{"grant_type": {"client_credentials"}}), proof)
		if got.status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
}

func TestReplicasKnowEachOthersNonces(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		one := newRig(t, s)
		two := newReplica(t, s, one.clock)
		two.secrets, two.alice = one.secrets, one.alice
		p := one.prover().learn()
		elsewhere := &prover{g: two, alg: p.alg, key: p.key, nonce: p.nonce}
		grant := []string{"grant_type", "client_credentials"}
		for _, step := range []time.Duration{0, 4 * time.Minute, 90 * time.Second} {
			one.clock.Advance(step)
			if got := elsewhere.token("machine", grant...); got.status != http.StatusOK {
				t.Errorf("after %s more: %d %s", step, got.status, got.body)
			}
		}
		one.clock.Advance(5 * time.Minute)
		stale := elsewhere.token("machine", grant...)
		stale.refused(http.StatusBadRequest, "use_dpop_nonce")
		if elsewhere.nonce = stale.header.Get("DPoP-Nonce"); elsewhere.nonce == p.nonce {
			t.Fatal("the nonce never changes")
		}
		if got := elsewhere.token("machine", grant...); got.status != http.StatusOK {
			t.Errorf("the new nonce: %d %s", got.status, got.body)
		}
		// A secret that came before the present one still knows its nonces.
		two.server.Secrets = append([][]byte{[]byte("another secret of some thirty bytes")}, two.server.Secrets...)
		if got := elsewhere.token("machine", grant...); got.status != http.StatusOK {
			t.Errorf("after a rotation of the secret: %d %s", got.status, got.body)
		}
	})
}

// TestWithoutItsCacheNoProofIsTaken: fail closed, and never as a fault of the client.
func TestWithoutItsCacheNoProofIsTaken(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	p := g.prover().learn()
	tokens := p.tokens("pub")
	down, err := storage.Open(t.Context(), storagetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := down.Close(); err != nil {
		t.Fatal(err)
	}
	g.server.Once = storage.OAuthOnce{Redis: down.Redis}
	code := g.signedIn().code(request("pub"))
	at := tokens.text("access_token")
	for what, got := range map[string]*answer{
		"code":     p.exchange("pub", code),
		"refresh":  p.refresh("pub", tokens.text("refresh_token")),
		"userinfo": g.with(g.call("GET", "/oauth/userinfo", "DPoP", at), p.sign(p.draft("GET", "/oauth/userinfo", at))),
	} {
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	if got := g.exchange("conf", g.signedIn().code(request("conf"))); got.status != http.StatusOK {
		t.Errorf("without a proof: %d %s", got.status, got.body)
	}
}

// TestRevocationChecksAProof: not needed, but good when there is one.
func TestRevocationChecksAProof(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	p := g.prover().learn()
	at := p.tokens("conf").text("access_token")
	form := func() *http.Request { return g.form("/oauth/revoke", "conf", url.Values{"token": {at}}) }
	g.with(form(), p.sign(p.draft("POST", "/oauth/token", ""))).refused(http.StatusBadRequest, "invalid_dpop_proof")
	if !g.active("conf", at) {
		t.Fatal("revoked in spite of the proof")
	}
	if got := g.with(form(), p.sign(p.draft("POST", "/oauth/revoke", ""))); got.status != http.StatusOK || g.active("conf", at) {
		t.Errorf("%d %s", got.status, got.body)
	}
}
