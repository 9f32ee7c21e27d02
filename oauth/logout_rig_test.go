package oauth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"gatehouse/authn/message"
	"gatehouse/oauth"
	"gatehouse/storage"
)

// relying is a service that is told about logouts. It answers with its statuses,
// first to last, and with 200 when there are none left.
type relying struct {
	*httptest.Server
	mu     sync.Mutex
	answer []int
	hold   chan struct{} // when set, every answer waits for it to close
	calls  int
	tokens []string // those that were taken
}

func newRelying(t testing.TB, answer ...int) *relying {
	t.Helper()
	s := &relying{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(s.take))
	t.Cleanup(s.Close)
	return s
}

func (s *relying) take(w http.ResponseWriter, r *http.Request) {
	if s.hold != nil {
		<-s.hold
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	status := http.StatusOK
	if len(s.answer) > 0 {
		status, s.answer = s.answer[0], s.answer[1:]
	}
	if status >= 300 && status < 400 {
		w.Header().Set("Location", "/elsewhere")
	}
	if r.Method == http.MethodPost && r.URL.Path == "/logout" && status < 300 {
		s.tokens = append(s.tokens, r.PostFormValue("logout_token"))
	}
	w.WriteHeader(status)
}

// got returns the tokens taken, and how often something was sent.
func (s *relying) got() (tokens []string, calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.tokens...), s.calls
}

// told registers a client that is told about logouts.
func (g *rig) told(id string, s *relying) {
	g.t.Helper()
	g.client(oauth.Client{
		ID: id, FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"},
		Metadata: oauth.Metadata{BackchannelLogoutURI: s.URL + "/logout"},
	})
}

// worker sends notices; stop ends it after what is under way.
func (g *rig) worker() *message.Worker {
	return &message.Worker{
		Store: storage.Outbox{DB: g.stores.DB}, Sealer: g.keys.Sealer, Clock: g.clock.Now, NewID: uuid.New, Poll: 5 * time.Millisecond,
		Senders: map[string][]message.Sender{message.Logout: {&oauth.LogoutSender{
			Issuer: testIssuer, Clients: g.clients, Keys: g.keys, HTTP: noRedirects, Clock: g.clock.Now, NewID: uuid.New,
		}}},
	}
}

// run starts workers and ends them with the test.
func (g *rig) run(workers ...*message.Worker) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, w := range workers {
		running.Go(func() { w.Run(ctx) })
	}
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	g.t.Cleanup(stop)
	return stop
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never happened: " + what)
		}
	}
}

// logout is a logout token as a client reads it.
type logout struct {
	Subject   string                    `json:"sub"`
	SessionID string                    `json:"sid"`
	ID        string                    `json:"jti"`
	Nonce     *string                   `json:"nonce"`
	Events    map[string]map[string]any `json:"events"`
}

// readLogout checks a logout token as OpenID Connect Back-Channel Logout section
// 2.6 tells a client to.
func (g *rig) readLogout(client, token string) logout {
	g.t.Helper()
	keys := oidc.NewRemoteKeySet(g.t.Context(), g.http.URL+"/oauth/jwks")
	verifier := oidc.NewVerifier(testIssuer, keys, &oidc.Config{ClientID: client, SupportedSigningAlgs: []string{oauth.ES256}, Now: g.clock.Now})
	verified, err := verifier.Verify(g.t.Context(), token)
	if err != nil {
		g.t.Fatalf("logout token: %v", err)
	}
	var l logout
	if err := verified.Claims(&l); err != nil {
		g.t.Fatal(err)
	}
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		g.t.Fatal(err)
	}
	_, event := l.Events["http://schemas.openid.net/event/backchannel-logout"]
	if typ := parsed.Signatures[0].Header.ExtraHeaders["typ"]; typ != "logout+jwt" || !event || l.Nonce != nil || l.ID == "" {
		g.t.Errorf("typ %v, claims %+v", typ, l)
	}
	if life := verified.Expiry.Sub(verified.IssuedAt); life != 2*time.Minute {
		g.t.Errorf("good for %v", life)
	}
	return l
}

// issued is what a client holds after a sign-in.
type issued struct {
	client, access, refresh, sid, idToken string
}

// obtain lets a client sign the user of a browser in.
func (b *browser) obtain(client, scope string) issued {
	b.g.t.Helper()
	got := b.g.exchange(client, b.code(request(client, "scope", scope)))
	if got.status != http.StatusOK {
		b.g.t.Fatalf("exchange: %d %s", got.status, got.body)
	}
	i := issued{client: client, access: got.text("access_token"), refresh: got.text("refresh_token"), idToken: got.text("id_token")}
	if i.idToken != "" {
		i.sid, _ = claimsOf(b.g.t, i.idToken)["sid"].(string)
	}
	return i
}

// wantLive checks that what a client holds works, or that none of it does.
func (g *rig) wantLive(what string, i issued, live bool) {
	g.t.Helper()
	userinfo := g.bearer("/oauth/userinfo", i.access).status
	if g.active(i.client, i.access) != live || (userinfo == http.StatusOK) != live || userinfo != http.StatusOK && userinfo != http.StatusUnauthorized {
		g.t.Errorf("%s: userinfo %d, want a live token: %t", what, userinfo, live)
	}
	if got := g.refresh(i.client, i.refresh); (got.status == http.StatusOK) != live || !live && got.text("error") != "invalid_grant" {
		g.t.Errorf("%s: refresh %d %s, want it live: %t", what, got.status, got.body, live)
	}
}
