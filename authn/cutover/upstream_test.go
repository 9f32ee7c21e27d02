package cutover_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/authn/cutover"
)

// deadline is how long the old system may take where it will not answer.
const deadline = 200 * time.Millisecond

func newUpstream(t *testing.T, c cutover.UpstreamConfig) *cutover.Upstream {
	t.Helper()
	if c.Timeout == 0 {
		c.Timeout = cutover.MaxTimeout
	}
	c.Clock = time.Now
	u, err := cutover.NewUpstream(c)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// hangUp closes the connection after writing what it is given.
func hangUp(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, text)
	_ = conn.Close()
}

func TestOnlyAnUnmistakableAnswerCounts(t *testing.T) {
	elsewhere := atomic.Int64{}
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	answer := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
	}
	for name, c := range map[string]struct {
		old   http.HandlerFunc
		right bool
		sure  bool
	}{
		"yes":                    {answer(200, ""), true, true},
		"no":                     {answer(401, "Authentication failed for 'a'"), false, true},
		"somebody else's page":   {answer(200, "<html>Welcome to the network</html>"), false, false},
		"yes in other words":     {answer(204, ""), false, false},
		"our token is refused":   {answer(401, ""), false, false},
		"refused in other words": {answer(401, `{"error":"invalid_token"}`), false, false},
		"we lack the role":       {answer(403, ""), false, false},
		"a fault":                {answer(500, ""), false, false},
		"not its route":          {answer(404, "Authentication failed for 'a'"), false, false},
		"endless":                {answer(401, "Authentication failed for 'a"+strings.Repeat("a", 1<<20)), false, false},
		"slow":                   {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, false, false},
		"another address": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}, false, false},
		"no answer at all":        {func(w http.ResponseWriter, _ *http.Request) { hangUp(w, "") }, false, false},
		"not HTTP":                {func(w http.ResponseWriter, _ *http.Request) { hangUp(w, "220 mail ready\r\n") }, false, false},
		"hangs up in the headers": {func(w http.ResponseWriter, _ *http.Request) { hangUp(w, "HTTP/1.1 200 OK\r\nContent-Le") }, false, false},
		"hangs up in the body": {func(w http.ResponseWriter, _ *http.Request) {
			hangUp(w, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
		}, false, false},
		"headers without an end": {func(w http.ResponseWriter, _ *http.Request) {
			hangUp(w, "HTTP/1.1 200 OK\r\nA: "+strings.Repeat("a", 1<<17))
		}, false, false},
		"hangs up in a chunk": {func(w http.ResponseWriter, _ *http.Request) {
			hangUp(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
		}, false, false},
		"body that does not begin": {func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice who has gone
				c.old(w, r)
			}))
			defer old.Close()
			config := cutover.UpstreamConfig{URL: old.URL, Token: "t"}
			if !c.sure {
				config.Timeout = deadline
			}
			right, err := newUpstream(t, config).Ask(t.Context(), "a", "hunter2")
			if right != c.right || (err == nil) != c.sure || err != nil && !errors.Is(err, cutover.ErrNoAnswer) {
				t.Errorf("right %v, error %v", right, err)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), old.URL)) {
				t.Errorf("the error tells too much: %v", err)
			}
			if elsewhere.Load() != 0 {
				t.Error("a password went to an address that was not configured")
			}
		})
	}
}

func TestPasswordsGoOverTLSOrNowhere(t *testing.T) {
	for _, url := range []string{"https://delius.example", "https://delius.example/api/", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:1"} {
		if err := cutover.CheckURL(url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{"http://delius.example", "http://10.0.0.1", "http://localhost.example", "https://u:p@delius.example", "https://delius.example?a=b", "delius.example", "ftp://localhost", ""} {
		if err := cutover.CheckURL(url); err == nil {
			t.Errorf("%s is accepted", url)
		}
	}
	reached := atomic.Int64{}
	old := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer old.Close()
	if _, err := newUpstream(t, cutover.UpstreamConfig{URL: old.URL}).Ask(t.Context(), "a", "b"); err == nil || reached.Load() != 0 {
		t.Errorf("a certificate that nobody vouches for: %v, reached %d times", err, reached.Load())
	}
}

func TestTokenIsFetchedOnceAndAnewWhenItIsRefused(t *testing.T) {
	var issued, asked atomic.Int64
	good := atomic.Value{}
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			id, secret, _ := r.BasicAuth()
			if id != "us" || secret != "s%3At" || r.FormValue("grant_type") != "client_credentials" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			token := fmt.Sprintf("token-%d", issued.Add(1))
			good.Store(token)
			_ = json.NewEncoder(w).Encode(map[string]any{"access_token": token, "expires_in": 3600})
			return
		}
		asked.Add(1)
		if r.Header.Get("Authorization") != "Bearer "+good.Load().(string) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer old.Close()
	u := newUpstream(t, cutover.UpstreamConfig{URL: old.URL, TokenURL: old.URL + "/token", ClientID: "us", ClientSecret: "s:t"})
	for range 3 {
		if right, err := u.Ask(t.Context(), "a", "b"); !right || err != nil {
			t.Fatalf("%v, %v", right, err)
		}
	}
	if issued.Load() != 1 || asked.Load() != 3 {
		t.Errorf("%d tokens for %d questions", issued.Load(), asked.Load())
	}
	good.Store("revoked")
	if right, err := u.Ask(t.Context(), "a", "b"); !right || err != nil || issued.Load() != 2 {
		t.Errorf("with a revoked token: %v, %v, %d tokens", right, err, issued.Load())
	}
}

func TestBreakerStopsAskingAndTriesAgain(t *testing.T) {
	reached, broken := atomic.Int64{}, atomic.Bool{}
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		if broken.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer old.Close()
	asked := func(pause time.Duration, times int) *cutover.Upstream {
		u := newUpstream(t, cutover.UpstreamConfig{URL: old.URL, Pause: pause})
		for range times {
			if _, err := u.Ask(t.Context(), "a", "b"); !errors.Is(err, cutover.ErrNoAnswer) {
				t.Fatal(err)
			}
		}
		return u
	}
	broken.Store(true)
	if u := asked(time.Hour, 20); reached.Load() != 5 || u.State() != "open" {
		t.Errorf("reached %d times, %s", reached.Load(), u.State())
	}
	u := asked(10*time.Millisecond, 5)
	broken.Store(false)
	for end := time.Now().Add(time.Minute); u.State() == "open" && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if right, err := u.Ask(t.Context(), "a", "b"); !right || err != nil || u.State() != "closed" {
		t.Errorf("after the pause: %v, %v, %s", right, err, u.State())
	}
}

// TestServerThatNeverShakesHandsIsNotWaitedFor: a connection is made, and nothing else.
func TestServerThatNeverShakesHandsIsNotWaitedFor(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	begin := time.Now()
	_, err = newUpstream(t, cutover.UpstreamConfig{URL: "https://" + l.Addr().String(), Timeout: deadline}).Ask(t.Context(), "a", "b")
	if took := time.Since(begin); !errors.Is(err, cutover.ErrNoAnswer) || took > 25*deadline {
		t.Errorf("%v after %s", err, took)
	}
}
