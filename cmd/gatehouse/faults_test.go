package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/storage/storagetest"
)

// faulty is a server whose stores can be broken, and who calls it.
type faulty struct {
	d               *deployment
	s               *server
	database, redis *storagetest.Proxy
	legacy, machine clientOutput
	legacyToken     string
	person          userOutput
}

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	c := storagetest.Postgres(t)
	f := &faulty{}
	c.DatabaseURL, f.database = storagetest.Behind(t, c.DatabaseURL)
	c.RedisURL, f.redis = storagetest.Behind(t, c.RedisURL)
	f.d = newDeployment(t, c)
	f.d.vars["GATEHOUSE_LOG_LEVEL"] = "error"
	f.legacy = f.d.client("--id", "legacy", "--grant", "client_credentials", "--role", "PROBATION_API__HMPPS_AUTH__AUTHENTICATE")
	f.machine = f.d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin")
	f.person = f.d.user("--name", "Pat Example", "--email", "pat@example.gov.uk", "--mobile", "07700900123")
	f.s = f.d.start()
	f.legacyToken = f.s.token(f.legacy, "")
	return f
}

// timed sends a request and fails when the answer takes longer than three seconds,
// again and again: once may be the fault of a machine with much else to do.
func (f *faulty) timed(t *testing.T, newRequest func() *http.Request) response {
	t.Helper()
	client := newBrowser(t)
	for attempt := 1; ; attempt++ {
		began := time.Now()
		res := do(t, client, newRequest())
		took := time.Since(began)
		if took <= 3*time.Second {
			return res
		}
		if attempt == 3 {
			t.Errorf("%s took %s", newRequest().URL.Path, took)
			return res
		}
	}
}

func (f *faulty) authenticate(t *testing.T) response {
	t.Helper()
	return f.timed(t, func() *http.Request {
		return request(t, http.MethodPost, f.s.url+"/authenticate", `{"username":"pat@example.gov.uk","password":"`+testPassword+`"}`, "Authorization", "Bearer "+f.legacyToken)
	})
}

func (f *faulty) signIn(t *testing.T) response {
	t.Helper()
	return f.timed(t, func() *http.Request {
		return request(t, http.MethodPost, f.s.url+"/signin", url.Values{"identifier": {f.person.Email}, "password": {testPassword}}, "Sec-Fetch-Site", "same-origin")
	})
}

func (f *faulty) token(t *testing.T) response {
	t.Helper()
	return f.timed(t, func() *http.Request { return f.tokenRequest(t) })
}

func (f *faulty) tokenRequest(t *testing.T) *http.Request {
	t.Helper()
	r := request(t, http.MethodPost, f.s.url+"/oauth/token", url.Values{"grant_type": {"client_credentials"}})
	r.SetBasicAuth(f.machine.ClientID, f.machine.ClientSecret)
	return r
}

// bound is token with a proof, which Redis remembers.
func (f *faulty) bound(t *testing.T, k *keyHolder) response {
	t.Helper()
	return f.timed(t, func() *http.Request {
		r := f.tokenRequest(t)
		r.Header.Set("DPoP", k.proof(r, ""))
		return r
	})
}

func (f *faulty) introspect(t *testing.T) response {
	t.Helper()
	return f.timed(t, func() *http.Request {
		r := request(t, http.MethodPost, f.s.url+"/oauth/introspect", url.Values{"token": {f.legacyToken}})
		r.SetBasicAuth(f.legacy.ClientID, f.legacy.ClientSecret)
		return r
	})
}

func (f *faulty) get(t *testing.T, path string) response {
	t.Helper()
	return f.timed(t, func() *http.Request { return request(t, http.MethodGet, f.s.url+path, nil) })
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
	for _, how := range []storagetest.Fault{storagetest.Refuses, storagetest.Swallows} {
		t.Run(string(how), func(t *testing.T) {
			f := newFaulty(t)
			k := f.s.keyHolder()
			k.nonce = f.bound(t, k).header.Get("DPoP-Nonce")
			wantStatus(t, "token with a proof", f.bound(t, k), http.StatusOK)
			f.redis.Break(how)
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
			f.redis.Heal()
			eventually(t, "sign in works again", func() bool { return f.signIn(t).status == http.StatusSeeOther })
			eventually(t, "proofs are taken again", func() bool { return f.bound(t, k).status == http.StatusOK })
			eventually(t, "ready again", func() bool { return f.get(t, "/readyz").status == http.StatusOK })
		})
	}
}

func TestDatabaseLostAndFound(t *testing.T) {
	for _, how := range []storagetest.Fault{storagetest.Refuses, storagetest.Swallows} {
		t.Run(string(how), func(t *testing.T) {
			f := newFaulty(t)
			f.database.Break(how)
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
			f.database.Heal()
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
			eventually(t, "it writes", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return len(acknowledged) >= 50*(round+1)
			})
			p.kill()
			close(stop)
			writers.Wait()
		}
		p := d.spawn()
		defer p.kill()
		token := p.server.token(machine, "notify.admin")
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
