package main

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"

	"gatehouse/oauth"
	"gatehouse/storage/storagetest"
)

// traffic is what services do with their tokens all day, through a balancer.
type traffic struct {
	t        *testing.T
	base     string
	http     *http.Client
	machine  clientOutput
	rp       clientOutput
	ministry string
	verifier *oidc.IDTokenVerifier

	mu   sync.Mutex
	kids map[string]int // how many tokens were verified with each key
	done int
}

// send returns the answer's status and body; a connection that breaks is 0.
func (tr *traffic) send(method, path, token string, client *clientOutput, form url.Values) (int, string) {
	r, err := http.NewRequestWithContext(context.Background(), method, tr.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err.Error()
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if client != nil {
		r.SetBasicAuth(client.ClientID, client.ClientSecret)
	} else {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := tr.http.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	tr.mu.Lock()
	tr.done++
	tr.mu.Unlock()
	return res.StatusCode, string(body)
}

// want sends a request that must be answered in one way whatever happens.
func (tr *traffic) want(what string, status int, contains, method, path, token string, client *clientOutput, form url.Values) string {
	got, body := tr.send(method, path, token, client, form)
	if got != status || !strings.Contains(body, contains) {
		tr.t.Errorf("%s: %d %.200s, want %d with %s", what, got, body, status, contains)
	}
	return body
}

// verify checks a token as a service does that only knows the published keys.
func (tr *traffic) verify(token string) {
	verified, err := tr.verifier.Verify(context.Background(), token)
	if err != nil {
		tr.t.Errorf("a service does not verify a token: %v", err)
		return
	}
	head, _, _ := strings.Cut(token, ".")
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if verified.Issuer == tr.base {
		tr.kids[head]++
	}
}

// machines get tokens of their own and use each at once, at every kind of endpoint.
func (tr *traffic) machines() {
	var got tokens
	body := tr.want("a token", 200, "access_token", "POST", "/oauth/token", "", &tr.machine, url.Values{"grant_type": {"client_credentials"}})
	if json.Unmarshal([]byte(body), &got) != nil || got.AccessToken == "" {
		return
	}
	tr.verify(got.AccessToken)
	tr.want("the directory", 200, "Ministry", "GET", tr.ministry, got.AccessToken, nil, nil)
	tr.want("introspection", 200, `"active":true`, "POST", "/oauth/introspect", "", &tr.machine, url.Values{"token": {got.AccessToken}})
}

// person refreshes its tokens again and again, and uses them.
func (tr *traffic) person(held *tokens) {
	var got tokens
	body := tr.want("a refresh", 200, "refresh_token", "POST", "/oauth/token", "", &tr.rp, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {held.RefreshToken}})
	if json.Unmarshal([]byte(body), &got) != nil || got.RefreshToken == "" {
		return
	}
	*held = got
	tr.want("userinfo", 200, "sub", "GET", "/oauth/userinfo", got.AccessToken, nil, nil)
}

// hostile sends tokens that are no good.
func (tr *traffic) hostile(bad map[string]string, endedRefresh string) {
	for what, token := range bad {
		tr.want(what+" token at the directory", 401, "", "GET", tr.ministry, token, nil, nil)
		tr.want(what+" token at userinfo", 401, "invalid_token", "GET", "/oauth/userinfo", token, nil, nil)
		tr.want(what+" token, introspected", 200, `{"active":false}`, "POST", "/oauth/introspect", "", &tr.machine, url.Values{"token": {token}})
	}
	tr.want("an ended refresh token", 400, "invalid_grant", "POST", "/oauth/token", "", &tr.rp, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {endedRefresh}})
}

// goesOn waits until a number of further requests were answered.
func (tr *traffic) goesOn(requests int) {
	tr.t.Helper()
	answered := func() int {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		return tr.done
	}
	before := answered()
	eventually(tr.t, "traffic goes on", func() bool { return answered() >= before+requests })
}

// during runs each of several loops until f has returned.
func (tr *traffic) during(f func(), loops ...func()) {
	stop := make(chan struct{})
	var running sync.WaitGroup
	for _, loop := range loops {
		running.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					loop()
				}
			}
		})
	}
	f()
	close(stop)
	running.Wait()
}

// signed is an access token that our own key has signed, whatever it says;
// claims are added to those of a machine's token, or replace them.
func (d *deployment) signed(issuer, client string, claims map[string]any) string {
	return d.signedAs(oauth.TypeAccessToken, issuer, client, claims)
}

// signedAs is signed with another type in its header.
func (d *deployment) signedAs(typ, issuer, client string, claims map[string]any) string {
	d.t.Helper()
	env := &environment{ctx: d.t.Context(), lookup: d.lookup, stdout: io.Discard, stderr: io.Discard, config: &Config{
		Data: d.vars["GATEHOUSE_DATA"], Issuer: issuer, RedisPrefix: d.vars["GATEHOUSE_REDIS_PREFIX"], AutoMigrate: true, LogLevel: "error", LogFormat: "json",
	}}
	s, err := env.secrets()
	if err != nil {
		d.t.Fatal(err)
	}
	a, err := newApp(env, s, &clock{})
	if err != nil {
		d.t.Fatal(err)
	}
	defer a.close()
	if err := a.keys.Refresh(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	now := time.Now().Unix()
	all := map[string]any{
		"iss": issuer, "sub": client, "aud": issuer, "client_id": client, "exp": now + 600, "iat": now, "jti": uuid.NewString(), "scope": "notify.admin",
	}
	maps.Copy(all, claims)
	token, err := a.keys.Sign(d.t.Context(), oauth.ES256, typ, all)
	if err != nil {
		d.t.Fatal(err)
	}
	return token
}

// TestTrafficOutlivesRotationRestartAndFlush (X29, X34) rotates the keys,
// restarts a replica and empties Redis while services work: no valid token is
// refused, no invalid one accepted, and no request fails.
func TestTrafficOutlivesRotationRestartAndFlush(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, storagetest.Postgres(t))
	b := newBalancer(t)
	d.vars["GATEHOUSE_ISSUER"], d.vars["GATEHOUSE_DRAIN_DELAY"] = b.url, "2s"
	rp := d.relyingService()
	first, second := d.start(), d.start()
	b.add(t, first)
	b.add(t, second)
	front := &server{t: t, url: b.url}
	tr := &traffic{t: t, base: b.url, rp: rp, kids: map[string]int{}, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}}
	tr.ministry = d.ministry(front)
	tr.machine = d.client("--id", "worker", "--grant", "client_credentials", "--scope", "notify.admin")
	provider, err := oidc.NewProvider(t.Context(), b.url)
	if err != nil {
		t.Fatal(err)
	}
	tr.verifier = provider.Verifier(&oidc.Config{SkipClientIDCheck: true, SupportedSigningAlgs: []string{"ES256"}})

	j := signedIn(t, d, front, rp)
	grant := func() tokens {
		j.authorize(rp, "openid offline_access")
		_, got := front.exchange(rp, j.code())
		return got
	}
	held, ended := grant(), grant()
	revoke := func(c *clientOutput, token string) {
		if status, body := tr.send("POST", "/oauth/revoke", "", c, url.Values{"token": {token}}); status != http.StatusOK {
			t.Fatalf("revoke: %d %s", status, body)
		}
	}
	revoke(&rp, ended.RefreshToken)
	revoked := front.token(tr.machine, "")
	revoke(&tr.machine, revoked)
	bad := map[string]string{
		"revoked": revoked, "ended": ended.AccessToken, "expired": d.signed(b.url, "worker", map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}), "forged": revoked[:len(revoked)-8] + "AAAAAAAA",
	}

	tr.during(func() {
		tr.goesOn(60)
		var keys []oauth.SigningKey
		d.command("", &keys, "keys", "rotate", "--json")
		tr.goesOn(60)
		if code := second.exit(); code != exitOK { // drains, and signs with the new key when it is back
			t.Errorf("the replica stopped with %d", code)
		}
		b.add(t, d.start())
		tr.goesOn(60)
		d.flushRedis()
		tr.goesOn(60)
		eventually(t, "tokens of the old key and of the new one are verified", func() bool {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			return len(tr.kids) == 2
		})
	}, tr.machines, tr.machines, func() { tr.person(&held) }, func() { tr.hostile(bad, ended.RefreshToken) })

	t.Logf("%d requests", tr.done)
	// A sign-in begins anew after the flush, and works.
	j.authorize(rp, "openid")
	j.code()
}
