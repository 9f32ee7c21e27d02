package oauth_test

import (
	"cmp"
	"context"
	"crypto/elliptic"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/oauth"
)

// scarce are tries of which some kinds have a few only.
type scarce struct {
	oauth.Tries
	bursts map[string]int
}

func (s scarce) few(t authn.Try) authn.Try {
	t.Limit.Burst = cmp.Or(s.bursts[t.Kind], t.Limit.Burst)
	return t
}

func (s scarce) CountTry(ctx context.Context, t authn.Try) error {
	return s.Tries.CountTry(ctx, s.few(t))
}
func (s scarce) ForgiveTry(ctx context.Context, t authn.Try) error {
	return s.Tries.ForgiveTry(ctx, s.few(t))
}

// putOff checks that a request is to come again later, and leaves no other trace
// of its limit than one line of the audit trail an hour.
func (g *rig) putOff(got *answer, limit string) {
	g.t.Helper()
	got.refused(http.StatusTooManyRequests, "temporarily_unavailable")
	if got.header.Get("Retry-After") == "" {
		g.t.Errorf("%s: not told when to come again", limit)
	}
	events, err := g.authn.Directory.Events(g.t.Context(), directory.EventQuery{Type: "limit_reached", Subject: limit}, 100)
	if err != nil || len(events) != 1 {
		g.t.Errorf("%s: %d times in the audit trail, %v; want once an hour", limit, len(events), err)
	}
}

// TestPushesAreLimited: a client that proves who it is has pushes of its own
// (RFC 9126 section 2.3), one that does not only those of its network.
func TestPushesAreLimited(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.server.Tries = scarce{g.authn, map[string]int{"push-client": 3, "push-network": 3}}
		for client, c := range map[string]struct {
			limit, beside string
			back          time.Duration
		}{
			"conf": {"push-client", "other", 20 * time.Second}, "pub": {"push-network", "other", 200 * time.Second},
		} {
			for range 3 {
				g.push(client, request(client))
			}
			g.putOff(g.post("/oauth/par", client, request(client)), c.limit)
			g.putOff(g.post("/oauth/par", client, url.Values{"client_id": {client}}), c.limit) // whatever is asked
			g.push(c.beside, request(c.beside))
			g.clock.Advance(c.back)
			g.push(client, request(client))
			g.putOff(g.post("/oauth/par", client, request(client)), c.limit)
		}
	})
}

func TestParallelPushesAreCounted(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.server.Tries = scarce{g.authn, map[string]int{"push-client": 5}}
		var all sync.WaitGroup
		start, statuses := make(chan struct{}), make(chan int, 64)
		for range 64 {
			all.Go(func() {
				<-start
				statuses <- g.post("/oauth/par", "conf", request("conf")).status
			})
		}
		close(start)
		all.Wait()
		close(statuses)
		count := map[int]int{}
		for status := range statuses {
			count[status]++
		}
		if count[http.StatusCreated] != 5 || count[http.StatusTooManyRequests] != 59 {
			t.Errorf("%v, want 5 of 201", count)
		}
	})
}

// TestWrongCredentialsAreLimited: RFC 6749 section 2.3.1, at every endpoint that
// clients authenticate at; a right secret uses nothing up, nor does one that the
// limit has not seen.
func TestWrongCredentialsAreLimited(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.clients.Tries = scarce{g.authn, map[string]int{"client-credentials": 3}}
		right := g.secrets["conf"]
		introspect := func(secret string) *answer {
			g.clock.Advance(2 * time.Second) // nothing is left of the client in memory
			g.secrets["conf"] = secret
			return g.post("/oauth/introspect", "conf", url.Values{"token": {"x"}})
		}
		for range 10 {
			if got := introspect(right); got.status != http.StatusOK {
				t.Fatalf("right: %d %s", got.status, got.body)
			}
		}
		for _, path := range []string{"/oauth/token", "/oauth/par", "/oauth/revoke"} {
			g.secrets["conf"] = "wrong"
			g.post(path, "conf", url.Values{"token": {"x"}, "client_id": {"conf"}}).refused(http.StatusUnauthorized, "invalid_client")
		}
		g.putOff(introspect("wrong"), "client-credentials")
		g.putOff(introspect(right), "client-credentials") // not compared any more
		g.push("other", request("other"))
		g.clock.Advance(200 * time.Second)
		if got := introspect(right); got.status != http.StatusOK {
			t.Errorf("later: %d %s", got.status, got.body)
		}
	})
}

func TestWrongAssertionsAreLimited(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.clients.Tries = scarce{g.authn, map[string]int{"client-credentials": 3}}
		c := g.fapi("keyed", false)
		ask := func(replaced map[string]any, wrong bool) *answer {
			key := c.keys.private
			if wrong {
				key = ecKey(t, elliptic.P256())
			}
			return g.post("/oauth/revoke", "", with(c.keys.assert(c.keys.claims(c.id, replaced), key, nil), "token", "x"))
		}
		for range 5 {
			if got := ask(nil, false); got.status != http.StatusOK {
				t.Fatalf("right: %d %s", got.status, got.body)
			}
		}
		ask(nil, true).refused(http.StatusUnauthorized, "invalid_client")
		ask(map[string]any{"aud": "https://evil.example"}, false).refused(http.StatusUnauthorized, "invalid_client")
		ask(map[string]any{"exp": 1}, false).refused(http.StatusUnauthorized, "invalid_client")
		g.putOff(ask(nil, false), "client-credentials")
	})
}

// TestDevicesOfAClientAreLimited: a public client's devices are those of their
// networks alone, or a stranger could use them all up.
func TestDevicesOfAClientAreLimited(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.server.Tries = scarce{g.authn, map[string]int{"device-client": 3}}
		for range 3 {
			g.begun("printer")
			g.begun("tv")
		}
		g.putOff(g.device("printer"), "device-client")
		g.begun("tv")
	})
}
