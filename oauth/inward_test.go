package oauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/web"
	"gatehouse/oauth"
	"gatehouse/storage/storagetest"
)

// inside is a server of this machine that nobody outside may reach through us.
func inside(t *testing.T, page func(self string) string) (server *httptest.Server, reached *atomic.Int64, trust *x509.CertPool) {
	t.Helper()
	reached = &atomic.Int64{}
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, page("https://"+r.Host))
	}))
	t.Cleanup(server.Close)
	trust = x509.NewCertPool()
	trust.AddCert(server.Certificate())
	return server, reached, trust
}

// TestRegistrationReachesNothingInward registers addresses of this machine, by
// number and by name, and lets every one of them be fetched.
func TestRegistrationReachesNothingInward(t *testing.T) {
	g := newRegistry(t, storagetest.Open(t))
	server, reached, trust := inside(t, func(string) string { return fmt.Sprintf(`[%q]`, callback) })
	g.clients.Fetch = &web.Outbound{RootCAs: trust}
	port := server.URL[strings.LastIndexByte(server.URL, ':'):]
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"} {
		address := "https://" + host + port + "/"
		got := g.register(map[string]any{"redirect_uris": []string{callback}, "sector_identifier_uri": address})
		wantError(t, address, got, http.StatusBadRequest, "invalid_client_metadata")
		client := g.register(map[string]any{"redirect_uris": []string{callback}, "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": address})
		if client.status != http.StatusCreated {
			t.Fatalf("%d %s", client.status, client.body)
		}
		k := &keyClient{t: t, clock: g.clock}
		form := k.assert(k.claims(client.text("client_id"), nil), private, nil)
		form.Set("grant_type", "client_credentials")
		if got := g.post("/oauth/token", "", form); got.status != http.StatusUnauthorized || strings.Contains(got.body, host) {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	g.clients.Documents = &oauth.Documents{Fetch: g.clients.Fetch, Hosts: []string{"127.0.0.1" + port}}
	id := "https://127.0.0.1" + port + "/client"
	if got := g.browser().authorize(request(id)); got.status != http.StatusBadRequest || got.location != "" {
		t.Errorf("%d %s", got.status, got.location)
	}
	if reached.Load() != 0 {
		t.Errorf("the server inside was reached %d times", reached.Load())
	}
}

// TestADocumentIsFetchedOverTLS is the same with a network that the operator allows.
func TestADocumentIsFetchedOverTLS(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	server, reached, trust := inside(t, func(self string) string {
		return fmt.Sprintf(`{"client_id": %q, "client_name": "Local", "redirect_uris": [%q]}`, self+"/client", self+"/cb")
	})
	fetch := &web.Outbound{RootCAs: trust, MaxBody: oauth.MaxClientDocument, Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	g.clients.Documents = &oauth.Documents{Fetch: fetch, Hosts: []string{strings.TrimPrefix(server.URL, "https://")}}
	got := g.signedIn().authorize(request(server.URL+"/client", "redirect_uri", server.URL+"/cb", "scope", "openid"))
	got.flow("/consent")
	if reached.Load() != 1 {
		t.Errorf("the document was fetched %d times", reached.Load())
	}
}

func TestAStoreThatIsDownRegistersNobody(t *testing.T) {
	eachRegistry(t, func(t *testing.T, g *registry) {
		token := g.token(1)
		g.routes.Timeout = time.Nanosecond
		for method, path := range map[string]string{http.MethodPost: "/register", http.MethodGet: "/register/conf", http.MethodDelete: "/register/conf"} {
			got := g.call(method, path, token, map[string]any{"redirect_uris": []string{callback}})
			if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
				t.Errorf("%s: %d %s", method, got.status, got.body)
			}
		}
		g.routes.Timeout = 30 * time.Second
		if got := g.call(http.MethodPost, "/register", token, map[string]any{"redirect_uris": []string{callback}}); got.status != http.StatusCreated {
			t.Errorf("afterwards: %d %s", got.status, got.body)
		}
	})
}

// TestDeletingARegistrationEndsEverything: access and refresh tokens of the client end with it.
func TestDeletingARegistrationEndsEverything(t *testing.T) {
	eachRegistry(t, func(t *testing.T, g *registry) {
		made := g.register(map[string]any{"redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "refresh_token"}, "id_token_signed_response_alg": "ES256"})
		id := made.text("client_id")
		g.secrets[id] = made.text("client_secret")
		b := g.signedIn()
		flow := b.authorize(request(id, "scope", "openid")).flow("/consent")
		code := b.do(http.MethodPost, "/consent", url.Values{"flow": {flow}, "consent": {"accept"}}).redirect().Get("code")
		tokens := g.exchange(id, code)
		if tokens.status != http.StatusOK || g.bearer("/oauth/userinfo", tokens.text("access_token")).status != http.StatusOK {
			t.Fatalf("%d %s", tokens.status, tokens.body)
		}
		if got := g.call(http.MethodDelete, "/register/"+id, made.text("registration_access_token"), nil); got.status != http.StatusNoContent {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if got := g.bearer("/oauth/userinfo", tokens.text("access_token")); got.status != http.StatusUnauthorized {
			t.Errorf("the access token: %d", got.status)
		}
		if got := g.refresh(id, tokens.text("refresh_token")); got.status != http.StatusUnauthorized {
			t.Errorf("the refresh token: %d %s", got.status, got.body)
		}
	})
}
