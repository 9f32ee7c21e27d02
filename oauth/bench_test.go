package oauth_test

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// BenchmarkEndpoints measures whole requests without the network, on each
// engine; `make bench` measures the running server.
func BenchmarkEndpoints(b *testing.B) {
	for engine, config := range map[string]func(testing.TB) storage.Config{"sqlite": storagetest.SQLite, "postgres": storagetest.Postgres} {
		b.Run(engine, func(b *testing.B) { benchmarkEndpoints(b, newRig(b, storagetest.OpenConfig(b, config(b)))) })
	}
}

func benchmarkEndpoints(b *testing.B, g *rig) {
	g.client(oauth.Client{ID: "opaque", TokenFormat: oauth.Opaque, GrantTypes: []string{"client_credentials"}})
	session := g.signedIn()
	tokens := g.exchange("conf", session.code(request("conf")))
	authorize := "/oauth/authorize?" + request("conf").Encode()
	access, refresh := tokens.text("access_token"), tokens.text("refresh_token")
	prover := g.prover().learn()
	bound := prover.tokens("conf").text("access_token")
	g.server.Once = anotherEachTime{g.server.Once}
	ours := prover.sign(prover.draft("POST", "/oauth/token", ""))
	shown := prover.sign(prover.draft("GET", "/oauth/userinfo", bound))
	redeem := func() {
		w := serve(g, http.MethodGet, authorize, session.cookies[authn.SessionCookie], "", nil)
		u, _ := url.Parse(w.Header().Get("Location"))
		form := url.Values{"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {callback}, "code_verifier": {verifier}}
		serve(g, http.MethodPost, "/oauth/token", "", "conf", form)
	}
	for _, c := range []struct {
		name string
		run  func()
	}{
		{"client_credentials", func() {
			serve(g, http.MethodPost, "/oauth/token", "", "machine", url.Values{"grant_type": {"client_credentials"}})
		}},
		{"client_credentials_opaque", func() {
			serve(g, http.MethodPost, "/oauth/token", "", "opaque", url.Values{"grant_type": {"client_credentials"}})
		}},
		{"introspect", func() {
			serve(g, http.MethodPost, "/oauth/introspect", "", "conf", url.Values{"token": {access}})
		}},
		{"userinfo", func() {
			serve(g, http.MethodPost, "/oauth/userinfo", "", "", url.Values{"access_token": {access}})
		}},
		{"client_credentials_bound", func() {
			serve(g, http.MethodPost, "/oauth/token", "", "machine", url.Values{"grant_type": {"client_credentials"}}, "DPoP", ours)
		}},
		{"userinfo_bound", func() {
			serve(g, http.MethodGet, "/oauth/userinfo", "", "", nil, "DPoP", shown, "Authorization", "DPoP "+bound)
		}},
		{"sign_in", redeem},
		{"refresh", func() {
			w := serve(g, http.MethodPost, "/oauth/token", "", "conf", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
			refresh = (&answer{t: b, status: w.Code, body: w.Body.String()}).text("refresh_token")
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.run()
			}
		})
	}
}

// anotherEachTime asks the cache, but never twice for the same: one proof then
// serves a benchmark, which need not sign for the client.
type anotherEachTime struct{ oauth.Once }

func (o anotherEachTime) First(ctx context.Context, id string, ttl time.Duration) (bool, error) {
	return o.Once.First(ctx, id+rand.Text(), ttl)
}

// serve answers one request in process and fails the benchmark unless it succeeded.
func serve(g *rig, method, target, session, client string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(g.t.Context(), method, target, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if client != "" {
		r.SetBasicAuth(client, g.secrets[client])
	}
	if session != "" {
		r.AddCookie(&http.Cookie{Name: authn.SessionCookie, Value: session})
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	r.Host = "localhost"
	w := httptest.NewRecorder()
	g.routes.ServeHTTP(w, r)
	if w.Code != http.StatusOK && w.Code != http.StatusSeeOther {
		g.t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
	}
	return w
}
