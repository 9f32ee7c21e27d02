package oauth_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/message"
	"gatehouse/authn/pages"
	"gatehouse/authn/pages/pagestest"
	"gatehouse/directory"
	"gatehouse/internal/web"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// rig is the authorization server on real stores behind HTTP, with the fixtures
// of most tests: a user and a few clients.
type rig struct {
	t       testing.TB
	stores  *storage.Stores
	clock   *moving
	server  *oauth.Server
	clients *oauth.Clients
	authn   *authn.Service
	keys    *oauth.Keys
	queue   *message.Queue
	market  *directory.Marketplace
	routes  *web.Router
	http    *httptest.Server
	alice   *directory.User
	steps   pagestest.Steps
	secrets map[string]string // by client id
}

const (
	callback  = "https://app.example.com/cb"
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	allScopes = "openid profile email phone offline_access notify.admin"
)

func newRig(t testing.TB, s *storage.Stores) *rig {
	t.Helper()
	g := newReplica(t, s, newMoving())
	g.alice = g.user("alice@example.com")
	g.client(oauth.Client{ID: "conf", FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"}})
	g.client(oauth.Client{ID: "other", FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"}})
	g.client(oauth.Client{ID: "pub", Public: true, FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"}})
	g.client(oauth.Client{ID: "third", GrantTypes: []string{"authorization_code"}})
	g.client(oauth.Client{ID: "tv", Public: true, GrantTypes: []string{oauth.GrantDeviceCode, "refresh_token"}})
	g.client(oauth.Client{ID: "printer", GrantTypes: []string{oauth.GrantDeviceCode}})
	g.client(oauth.Client{ID: "machine", Roles: []string{"PROBATION_API"}, GrantTypes: []string{"client_credentials"}})
	return g
}

// newReplica is a rig without fixtures, on stores that others may use too.
func newReplica(t testing.TB, s *storage.Stores, clock *moving) *rig {
	t.Helper()
	g := &rig{t: t, stores: s, clock: clock, secrets: map[string]string{}}
	g.clients = clientsOn(s, g.clock)
	keys := keysOn(t, s, g.clock)
	if err := keys.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	grants := storage.OAuthGrants{DB: s.DB}
	g.authn = &authn.Service{
		Directory: storage.Directory{DB: s.DB}, Store: storage.Authn{DB: s.DB}, Cache: storage.AuthnCache{Redis: s.Redis},
		CodeKey: make([]byte, 32), Clock: g.clock.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
		SessionIdle: 90 * 24 * time.Hour, SessionLifetime: 90 * 24 * time.Hour,
	}
	g.keys = keys
	g.queue = &message.Queue{Store: storage.Outbox{DB: s.DB}, Sealer: keys.Sealer, Clock: g.clock.Now, NewID: uuid.New}
	fields := &storage.FieldKeys{DB: s.DB, Sealer: testKeyring(t), Clock: g.clock.Now}
	if err := fields.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.market = &directory.Marketplace{Store: storage.Profiles{DB: s.DB, Keys: fields}, Clock: g.clock.Now, NewID: uuid.New}
	endings := &oauth.Endings{Store: grants, Clients: g.clients, Notices: g.queue, Shares: g.market, Clock: g.clock.Now, NewID: uuid.New}
	g.authn.Revoker = endings
	p := &pages.Pages{Authn: g.authn, Issuer: testIssuer, ServiceName: "Gatehouse", Brands: &directory.Brands{Store: storage.Directory{DB: s.DB}, Clock: g.clock.Now}}
	g.server = &oauth.Server{
		Issuer: testIssuer, Store: grants, Flows: storage.OAuthFlows{Redis: s.Redis}, Clients: g.clients, Keys: keys,
		Profiles: g.market, Sessions: g.authn, Pages: p, Endings: endings, Secrets: [][]byte{[]byte("a secret of thirty-two bytes or so")},
		Once: storage.OAuthOnce{Redis: s.Redis}, Tries: g.authn, Clock: g.clock.Now, Rand: rand.Reader,
	}
	p.Flows = g.server
	g.routes = g.router(p, keys)
	g.http = httptest.NewServer(g.routes)
	t.Cleanup(g.http.Close)
	return g
}

func (g *rig) router(p *pages.Pages, keys *oauth.Keys) *web.Router {
	rt := &web.Router{
		Classify: func(error) *web.Error { return nil }, Fallback: func(*http.Request) web.Surface { return oauth.Surface{} },
		Timeout: 30 * time.Second, Clock: time.Now, Log: slog.New(&g.steps), NewRequestID: rand.Text,
	}
	api := oauth.Surface{}
	whoAmI := func(w http.ResponseWriter, r *http.Request) error {
		return web.WriteJSON(w, http.StatusOK, directory.CallerFrom(r.Context()))
	}
	for _, route := range p.Routes() {
		if route.Path == "/signout" || route.Path == "/signed-out" {
			rt.Add(route)
		}
	}
	rt.Add(
		web.Route{Method: "GET", Path: "/oauth/authorize", Surface: p, Handler: g.server.Authorize},
		web.Route{Method: "POST", Path: "/oauth/authorize", Surface: p, Handler: g.server.Authorize},
		web.Route{Method: "GET", Path: "/oauth/continue", Surface: p, Handler: g.server.Continue},
		web.Route{Method: "GET", Path: "/consent", Surface: p, Handler: g.server.ConsentPage},
		web.Route{Method: "POST", Path: "/consent", Surface: p, Handler: p.SameOrigin(g.server.ConsentSubmit)},
		web.Route{Method: "GET", Path: "/device", Surface: p, Handler: g.server.DevicePage},
		web.Route{Method: "POST", Path: "/device", Surface: p, Handler: p.SameOrigin(g.server.DeviceSubmit)},
		web.Route{Method: "POST", Path: "/oauth/device_authorization", Surface: api, Handler: g.server.DeviceAuthorization},
		web.Route{Method: "GET", Path: "/oauth/end-session", Surface: p, Handler: g.server.EndSession},
		web.Route{Method: "POST", Path: "/oauth/end-session", Surface: p, Handler: g.server.EndSession},
		web.Route{Method: "GET", Path: "/select-account", Surface: p, Handler: g.server.SelectAccountPage},
		web.Route{Method: "POST", Path: "/select-account", Surface: p, Handler: p.SameOrigin(g.server.SelectAccountSubmit)},
		web.Route{Method: "POST", Path: "/oauth/par", Surface: api, Handler: g.server.Push},
		web.Route{Method: "POST", Path: "/oauth/token", Surface: api, Handler: g.server.Token},
		web.Route{Method: "GET", Path: "/oauth/userinfo", Surface: api, Handler: g.server.UserInfo},
		web.Route{Method: "POST", Path: "/oauth/userinfo", Surface: api, Handler: g.server.UserInfo},
		web.Route{Method: "POST", Path: "/oauth/introspect", Surface: api, Handler: g.server.Introspect},
		web.Route{Method: "POST", Path: "/oauth/revoke", Surface: api, Handler: g.server.Revoke},
		web.Route{Method: "GET", Path: "/oauth/jwks", Surface: api, Handler: keys.JWKS},
		web.Route{Method: "GET", Path: "/admin", Surface: api, Handler: g.server.Bearer(oauth.NeedScope("notify.admin"), whoAmI)},
		web.Route{Method: "GET", Path: "/role", Surface: api, Handler: g.server.Bearer(oauth.NeedRole("PROBATION_API"), whoAmI)},
	)
	return rt
}

// client registers a client of every scope, and at the callback when it redirects.
func (g *rig) client(c oauth.Client) {
	g.t.Helper()
	c.Name, c.IDTokenAlg = "The service "+c.ID, oauth.ES256
	if c.Scopes == nil {
		c.Scopes = strings.Fields(allScopes)
	}
	if c.GrantTypes[0] == "authorization_code" && c.RedirectURIs == nil {
		c.RedirectURIs = []string{callback}
	}
	_, secret, err := g.clients.Create(g.t.Context(), operator, c)
	if err != nil {
		g.t.Fatal(err)
	}
	g.secrets[c.ID] = secret
}

func (g *rig) user(email string) *directory.User {
	g.t.Helper()
	now := g.clock.Now()
	u := &directory.User{
		ID: uuid.New(), Name: "Alice Example", FirstName: "Alice", Surname: "Example", EmailAddress: email,
		MobileNumber: "07700900123", AuthType: directory.SMSAuth, State: directory.Active, EmailAccessValidatedAt: now, CreatedAt: now,
	}
	if err := (storage.Directory{DB: g.stores.DB}).CreateUser(g.t.Context(), u); err != nil {
		g.t.Fatal(err)
	}
	return u
}

// browser is a cookie jar that follows no redirect.
type browser struct {
	g       *rig
	cookies map[string]string
}

func (g *rig) browser() *browser { return &browser{g: g, cookies: map[string]string{}} }

// signedIn is a browser in which alice has just signed in.
func (g *rig) signedIn() *browser {
	g.t.Helper()
	b := g.browser()
	b.signIn(g.alice, authn.ACRSingle)
	return b
}

// methods are those of a sign-in of a level.
var methods = map[string][]string{
	authn.ACREmail: authn.MagicLink.AMR(), authn.ACRSingle: authn.Password.AMR(), authn.ACRMulti: authn.SMSCode.AMR(),
}

func (b *browser) signIn(u *directory.User, acr string) {
	b.g.t.Helper()
	token, _, err := b.g.authn.StartSession(b.g.t.Context(),
		&authn.Outcome{User: u, AMR: methods[acr], ACR: acr, At: b.g.clock.Now()}, authn.SessionInfo{})
	if err != nil {
		b.g.t.Fatal(err)
	}
	b.cookies[authn.SessionCookie] = token
}

func (b *browser) do(method, target string, form url.Values) *answer {
	b.g.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.g.t.Context(), method, b.g.http.URL+target, body)
	if err != nil {
		b.g.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	got := b.g.send(r)
	for _, c := range got.cookies {
		b.cookies[c.Name] = c.Value
	}
	return got
}

func (b *browser) get(target string) *answer { return b.do(http.MethodGet, target, nil) }

// authorize sends an authorization request.
func (b *browser) authorize(params url.Values) *answer {
	b.g.t.Helper()
	return b.get("/oauth/authorize?" + params.Encode())
}

// code authorizes a client and returns the code.
func (b *browser) code(params url.Values) string {
	b.g.t.Helper()
	got := b.authorize(params)
	code := got.redirect().Get("code")
	if code == "" {
		b.g.t.Fatalf("no code: %d %s %s", got.status, got.location, got.body)
	}
	return code
}

// request is an authorization request of a client; pairs of names and values
// are added, and taken away where the value is empty.
func request(client string, pairs ...string) url.Values {
	v := url.Values{
		"client_id": {client}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {allScopes}, "state": {"af0ifjsldkj"},
		"nonce": {"n-0S6_WzA2Mj"}, "code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"},
	}
	return with(v, pairs...)
}

func with(v url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		if v.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			v.Del(pairs[i])
		}
	}
	return v
}

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// answer is a response, read to its end.
type answer struct {
	t        testing.TB
	status   int
	header   http.Header
	location string
	cookies  []*http.Cookie
	body     string
}

var noRedirects = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64},
}

func (g *rig) send(r *http.Request) *answer {
	g.t.Helper()
	response, err := noRedirects.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return &answer{g.t, response.StatusCode, response.Header, response.Header.Get("Location"), response.Cookies(), string(body)}
}

// redirect returns the parameters of a redirect to the client.
func (a *answer) redirect() url.Values {
	a.t.Helper()
	u, err := url.Parse(a.location)
	if a.status != http.StatusSeeOther || err != nil || !strings.HasPrefix(a.location, callback+"?") {
		a.t.Fatalf("not a redirect to the client: %d %q %s", a.status, a.location, a.body)
	}
	return u.Query()
}

// flow returns the flow's id in a redirect to a page.
func (a *answer) flow(page string) string {
	a.t.Helper()
	id, ok := strings.CutPrefix(a.location, page+"?flow=")
	if a.status != http.StatusSeeOther || !ok {
		a.t.Fatalf("not a redirect to %s: %d %q %s", page, a.status, a.location, a.body)
	}
	return id
}

func (a *answer) json() map[string]any {
	a.t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		a.t.Fatalf("%v: %d %s", err, a.status, a.body)
	}
	return v
}

func (a *answer) text(name string) string {
	a.t.Helper()
	s, _ := a.json()[name].(string)
	return s
}

// refused checks an OAuth error.
func (a *answer) refused(status int, code string) {
	a.t.Helper()
	if a.status != status || a.text("error") != code || a.header.Get("Cache-Control") != "no-store" {
		a.t.Errorf("%d %s, want %d %s", a.status, a.body, status, code)
	}
	if len(a.json()) > 2 {
		a.t.Errorf("more than an error: %s", a.body)
	}
}

// post sends a client's form to an endpoint; a client without a secret is public.
func (g *rig) post(path, client string, form url.Values) *answer {
	g.t.Helper()
	if g.secrets[client] == "" && client != "" {
		form.Set("client_id", client)
	}
	r, err := http.NewRequestWithContext(context.WithoutCancel(g.t.Context()), http.MethodPost, g.http.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if g.secrets[client] != "" {
		r.SetBasicAuth(client, g.secrets[client])
	}
	return g.send(r)
}

func (g *rig) token(client string, pairs ...string) *answer {
	g.t.Helper()
	return g.post("/oauth/token", client, with(url.Values{}, pairs...))
}

// exchange redeems a code as it should be.
func (g *rig) exchange(client, code string) *answer {
	g.t.Helper()
	return g.token(client, "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier)
}

func (g *rig) refresh(client, token string) *answer {
	g.t.Helper()
	return g.token(client, "grant_type", "refresh_token", "refresh_token", token)
}

// tokens is a whole sign-in of alice at a client.
func (g *rig) tokens(client string) *answer {
	g.t.Helper()
	got := g.exchange(client, g.signedIn().code(request(client)))
	if got.status != http.StatusOK {
		g.t.Fatalf("exchange: %d %s", got.status, got.body)
	}
	return got
}

// active reports what introspection says of a token to a client.
func (g *rig) active(client, token string) bool {
	g.t.Helper()
	got := g.post("/oauth/introspect", client, url.Values{"token": {token}})
	active, ok := got.json()["active"].(bool)
	if got.status != http.StatusOK || !ok || !active && len(got.json()) != 1 {
		g.t.Fatalf("introspect: %d %s", got.status, got.body)
	}
	return active
}

// bearer calls a protected route.
func (g *rig) bearer(path, token string) *answer {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.http.URL+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return g.send(r)
}

// each runs a test on every engine.
func each(t *testing.T, test func(t *testing.T, g *rig)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) { test(t, newRig(t, s)) })
}
