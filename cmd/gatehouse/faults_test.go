package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/storage/storagetest"
)

// proxy stands between the server and a store, and can break in the two ways a
// network does: refuse, or swallow everything.
type proxy struct {
	target string
	addr   string
	mu     sync.Mutex
	broken string        // "", "refuse" or "swallow"
	delay  time.Duration // of each thing that is sent, in either direction
	listen net.Listener
	conns  map[net.Conn]bool
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	p := &proxy{target: target, conns: map[net.Conn]bool{}}
	p.open(t, "127.0.0.1:0")
	p.addr = p.listen.Addr().String()
	t.Cleanup(func() { p.fail(t, "refuse") })
	return p
}

func (p *proxy) open(t *testing.T, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p.listen = l
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.relay(conn)
		}
	}()
}

func (p *proxy) relay(client net.Conn) {
	upstream, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	p.conns[client], p.conns[upstream] = true, true
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.pump(upstream, client) })
	both.Go(func() { p.pump(client, upstream) })
	both.Wait()
}

func (p *proxy) pump(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			_, _ = to.Close(), from.Close()
			return
		}
		p.mu.Lock()
		swallow := p.broken == "swallow"
		p.mu.Unlock()
		if swallow {
			continue
		}
		time.Sleep(p.delay)
		if _, err := to.Write(buffer[:n]); err != nil {
			_ = from.Close()
			return
		}
	}
}

// fail breaks the store's connection in a way.
func (p *proxy) fail(t *testing.T, how string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = how
	if how == "refuse" {
		_ = p.listen.Close()
		for c := range p.conns {
			_ = c.Close()
		}
		p.conns = map[net.Conn]bool{}
	}
}

// heal makes it work again; what was swallowed stays lost, as on a network.
func (p *proxy) heal(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	how := p.broken
	p.broken = ""
	for c := range p.conns {
		_ = c.Close()
	}
	p.conns = map[net.Conn]bool{}
	p.mu.Unlock()
	if how == "refuse" {
		p.open(t, p.addr)
	}
}

// through rewrites a URL to go through a proxy.
func through(t *testing.T, rawURL string) (string, *proxy) {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, u.Host)
	u.Host = p.addr
	return u.String(), p
}

// faulty is a server whose stores can be broken, and who calls it.
type faulty struct {
	d               *deployment
	s               *server
	database, redis *proxy
	legacy, machine clientOutput
	legacyToken     string
	person          userOutput
}

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	c := storagetest.Postgres(t)
	f := &faulty{}
	c.DatabaseURL, f.database = through(t, c.DatabaseURL)
	c.RedisURL, f.redis = through(t, c.RedisURL)
	f.d = newDeployment(t, c)
	f.d.vars["GATEHOUSE_LOG_LEVEL"] = "error"
	f.legacy = f.d.client("--id", "legacy", "--grant", "client_credentials", "--role", "PROBATION_API__HMPPS_AUTH__AUTHENTICATE")
	f.machine = f.d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin")
	f.person = f.d.user("--name", "Pat Example", "--email", "pat@example.gov.uk", "--mobile", "07700900123")
	f.s = f.d.start()
	f.legacyToken = f.s.token(f.legacy, "")
	return f
}

// timed sends a request and fails when the answer takes longer than three seconds.
func (f *faulty) timed(t *testing.T, r *http.Request) response {
	t.Helper()
	began := time.Now()
	res := do(t, &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, r)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("%s %s took %s", r.Method, r.URL.Path, took)
	}
	return res
}

func (f *faulty) authenticate(t *testing.T) response {
	t.Helper()
	return f.timed(t, request(t, http.MethodPost, f.s.url+"/authenticate", `{"username":"pat@example.gov.uk","password":"`+testPassword+`"}`, "Authorization", "Bearer "+f.legacyToken))
}

func (f *faulty) signIn(t *testing.T) response {
	t.Helper()
	return f.timed(t, request(t, http.MethodPost, f.s.url+"/signin", url.Values{"identifier": {f.person.Email}, "password": {testPassword}}, "Sec-Fetch-Site", "same-origin"))
}

func (f *faulty) token(t *testing.T) response {
	t.Helper()
	r := request(t, http.MethodPost, f.s.url+"/oauth/token", url.Values{"grant_type": {"client_credentials"}})
	r.SetBasicAuth(f.machine.ClientID, f.machine.ClientSecret)
	return f.timed(t, r)
}

// bound is token with a proof, which Redis remembers.
func (f *faulty) bound(t *testing.T, k *keyHolder) response {
	t.Helper()
	r := request(t, http.MethodPost, f.s.url+"/oauth/token", url.Values{"grant_type": {"client_credentials"}})
	r.SetBasicAuth(f.machine.ClientID, f.machine.ClientSecret)
	r.Header.Set("DPoP", k.proof(r, ""))
	return f.timed(t, r)
}

func (f *faulty) introspect(t *testing.T) response {
	t.Helper()
	r := request(t, http.MethodPost, f.s.url+"/oauth/introspect", url.Values{"token": {f.legacyToken}})
	r.SetBasicAuth(f.legacy.ClientID, f.legacy.ClientSecret)
	return f.timed(t, r)
}

func (f *faulty) get(t *testing.T, path string) response {
	t.Helper()
	return f.timed(t, request(t, http.MethodGet, f.s.url+path, nil))
}

func wantStatus(t *testing.T, what string, got response, want int) {
	t.Helper()
	if got.status != want {
		t.Errorf("%s: %d, want %d: %s", what, got.status, want, got.body)
	}
	if want == http.StatusServiceUnavailable && got.header.Get("Retry-After") == "" && !strings.Contains(what, "readyz") {
		t.Errorf("%s: 503 without Retry-After", what)
	}
}

func TestRedisLostAndFound(t *testing.T) {
	for _, how := range []string{"refuse", "swallow"} {
		t.Run(how, func(t *testing.T) {
			f := newFaulty(t)
			k := f.s.keyHolder()
			k.nonce = f.bound(t, k).header.Get("DPoP-Nonce")
			wantStatus(t, "token with a proof", f.bound(t, k), http.StatusOK)
			f.redis.fail(t, how)
			wantStatus(t, "token with a proof", f.bound(t, k), http.StatusServiceUnavailable)
			wantStatus(t, "discovery", f.get(t, "/.well-known/openid-configuration"), http.StatusOK)
			wantStatus(t, "token", f.token(t), http.StatusOK)
			wantStatus(t, "introspect", f.introspect(t), http.StatusOK)
			wantStatus(t, "authenticate", f.authenticate(t), http.StatusOK)
			wantStatus(t, "sign in", f.signIn(t), http.StatusServiceUnavailable)
			ready := f.get(t, "/readyz")
			wantStatus(t, "readyz", ready, http.StatusServiceUnavailable)
			if !strings.Contains(ready.body, `"redis":"unavailable"`) || !strings.Contains(ready.body, `"database":"ok"`) {
				t.Errorf("readyz does not name the part: %s", ready.body)
			}
			f.redis.heal(t)
			eventually(t, "sign in works again", func() bool { return f.signIn(t).status == http.StatusSeeOther })
			eventually(t, "proofs are taken again", func() bool { return f.bound(t, k).status == http.StatusOK })
			eventually(t, "ready again", func() bool { return f.get(t, "/readyz").status == http.StatusOK })
		})
	}
}

func TestDatabaseLostAndFound(t *testing.T) {
	for _, how := range []string{"refuse", "swallow"} {
		t.Run(how, func(t *testing.T) {
			f := newFaulty(t)
			f.database.fail(t, how)
			for _, path := range []string{"/.well-known/openid-configuration", "/oauth/jwks", "/livez"} {
				wantStatus(t, path, f.get(t, path), http.StatusOK)
			}
			wantStatus(t, "introspect", f.introspect(t), http.StatusServiceUnavailable)
			wantStatus(t, "authenticate", f.authenticate(t), http.StatusServiceUnavailable)
			wantStatus(t, "sign in", f.signIn(t), http.StatusServiceUnavailable)
			ready := f.get(t, "/readyz")
			wantStatus(t, "readyz", ready, http.StatusServiceUnavailable)
			if !strings.Contains(ready.body, `"database":"unavailable"`) {
				t.Errorf("readyz does not name the part: %s", ready.body)
			}
			f.database.heal(t)
			eventually(t, "authenticate works again", func() bool { return f.authenticate(t).status == http.StatusOK })
			eventually(t, "token works again", func() bool { return f.token(t).status == http.StatusOK })
		})
	}
}

// TestKillLosesNothingAcknowledged kills the process under writes and looks for
// every organisation that was answered with 201.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	eachDeployment(t, func(t *testing.T, d *deployment) {
		machine := d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin")
		var acknowledged []string
		for round := range 4 {
			p := d.spawn()
			token := p.server.token(machine, "notify.admin")
			var mu sync.Mutex
			var writers sync.WaitGroup
			stop := make(chan struct{})
			for w := range 4 {
				writers.Go(func() {
					for i := 0; ; i++ {
						select {
						case <-stop:
							return
						default:
						}
						id, ok := createOrganisation(t, p.server.url, token, fmt.Sprintf("Organisation %d-%d-%d", round, w, i))
						if !ok {
							return
						}
						mu.Lock()
						acknowledged = append(acknowledged, id)
						mu.Unlock()
					}
				})
			}
			time.Sleep(time.Duration(300+150*round) * time.Millisecond)
			p.kill()
			close(stop)
			writers.Wait()
		}
		p := d.spawn()
		defer p.kill()
		token := p.server.token(machine, "notify.admin")
		if len(acknowledged) < 20 {
			t.Errorf("only %d writes were acknowledged", len(acknowledged))
		}
		for _, id := range acknowledged {
			if res := p.server.call(token, http.MethodGet, "/organisation/"+id, nil); res.status != http.StatusOK {
				t.Fatalf("lost %s: %d %s", id, res.status, res.body)
			}
		}
	})
}

// createOrganisation reports whether the write was acknowledged; a server that
// has been killed acknowledges nothing.
func createOrganisation(t *testing.T, base, token, name string) (id string, ok bool) {
	r := request(t, http.MethodPost, base+"/organisation", `{"name":"`+name+`","crown":true,"organisation_type":"central"}`, "Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", false
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusCreated {
		return "", false
	}
	var created struct{ ID string }
	response{body: string(body)}.json(t, &created)
	return created.ID, true
}
