package oauth_test

import (
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/oauth"
)

// fapiClient is a client of the FAPI 2.0 Security Profile: it authenticates with
// one key and binds its tokens to another.
type fapiClient struct {
	id    string
	keys  *keyClient
	proof *prover
}

func (g *rig) fapi(id string, bound bool) *fapiClient {
	g.t.Helper()
	private := ecKey(g.t, elliptic.P256())
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "k1", Algorithm: "ES256"}}})
	if err != nil {
		g.t.Fatal(err)
	}
	g.client(oauth.Client{
		ID: id, AuthMethod: oauth.PrivateKeyJWT, JWKS: jwks, DPoPBound: bound, FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"},
	})
	return &fapiClient{id: id, keys: &keyClient{t: g.t.(*testing.T), private: private, clock: g.clock}, proof: g.prover().learn()}
}

// token sends a token request with a new assertion and a new proof.
func (c *fapiClient) token(pairs ...string) *answer {
	c.keys.t.Helper()
	assertion := c.keys.assert(c.keys.claims(c.id, map[string]any{"jti": rand.Text()}), c.keys.private, nil)
	for name := range assertion {
		pairs = append(pairs, name, assertion.Get(name))
	}
	return c.proof.token(c.id, pairs...)
}

func (c *fapiClient) tokens() *answer {
	c.keys.t.Helper()
	code := c.proof.g.signedIn().code(request(c.id))
	got := c.token("grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier)
	if got.status != http.StatusOK || got.text("refresh_token") == "" {
		c.keys.t.Fatalf("exchange: %d %s", got.status, got.body)
	}
	return got
}

func (c *fapiClient) refresh(token string) *answer {
	c.keys.t.Helper()
	return c.token("grant_type", "refresh_token", "refresh_token", token)
}

// opens reports whether an access token opens userinfo.
func (c *fapiClient) opens(token string) bool {
	c.keys.t.Helper()
	const method, path = http.MethodGet, "/oauth/userinfo"
	return c.proof.g.with(c.proof.g.call(method, path, "DPoP", token), c.proof.sign(c.proof.draft(method, path, token))).status == http.StatusOK
}

// FAPI 2.0 Security Profile section 5.3.2.1: a client that lost the answer has
// lost nothing, however late it finds out.
func TestAClientBoundByTwoKeysKeepsItsRefreshToken(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		c := g.fapi("fapi", true)
		first := c.tokens()
		token := first.text("refresh_token")
		for range 3 {
			g.clock.Advance(time.Minute)
			got := c.refresh(token)
			if got.status != http.StatusOK || got.text("refresh_token") != token || got.text("access_token") == first.text("access_token") {
				t.Fatalf("refresh: %d %s", got.status, got.body)
			}
			if !c.opens(got.text("access_token")) {
				t.Error("the new access token opens nothing")
			}
		}
		if !c.opens(first.text("access_token")) {
			t.Error("a refresh ended the first access token")
		}
		g.clock.Advance(30 * 24 * time.Hour)
		c.proof.learn()
		c.refresh(token).refused(http.StatusBadRequest, "invalid_grant")
	})
}

func TestParallelRefreshesOfAKeptTokenAreAllAnswered(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		const racers = 16
		c := g.fapi("fapi", true)
		token := c.tokens().text("refresh_token")
		start, answers := make(chan struct{}), make(chan *answer, racers)
		var all sync.WaitGroup
		for range racers {
			all.Go(func() {
				<-start
				answers <- c.refresh(token)
			})
		}
		close(start)
		all.Wait()
		close(answers)
		for got := range answers {
			if got.status != http.StatusOK || got.text("refresh_token") != token {
				t.Errorf("%d %s", got.status, got.body)
			}
		}
	})
}

// One key is not two: such a client's refresh tokens rotate like all others.
func TestAClientBoundByOneKeyRotates(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		c := g.fapi("keyed", false)
		first := c.tokens().text("refresh_token")
		if second := c.refresh(first).text("refresh_token"); second == "" || second == first {
			t.Error("the refresh token did not rotate")
		}
		g.clock.Advance(11 * time.Second)
		c.refresh(first).refused(http.StatusBadRequest, "invalid_grant")
	})
}
