package oauth_test

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/storage/storagetest"
)

// everFirst forgets, so that one proof can be tried again and again.
type everFirst struct{}

func (everFirst) First(context.Context, string, time.Duration) (bool, error) { return true, nil }

func FuzzProof(f *testing.F) {
	g := newRig(f, storagetest.Open(f))
	// The workers are processes of their own, and have to agree on what is genuine.
	p := (&prover{g: g, alg: "EdDSA", key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}).learn()
	g.server.Once = everFirst{}
	genuine := p.sign(p.draft("POST", "/oauth/token", "").set("jti", "once"))
	signed := genuine[:strings.LastIndexByte(genuine, '.')]
	f.Add(genuine)
	f.Add(genuine + "=")
	f.Add(genuine + "." + genuine)
	f.Add(signed + ".")
	f.Add(p.sign(p.draft("POST", "/oauth/token", "").set("jti", "old").set("iat", -1e300)))
	f.Add(p.sign(p.draft("POST", "/oauth/token", "").set("jti", "odd").set("htu", "https://[::1%25]:/%zz")))
	f.Add(p.signRaw([]byte(`{"alg":"ES256","typ":"dpop+jwt","jwk":{"kty":"EC","crv":"P-256","x":"","y":""}}`), []byte(`{}`)))
	f.Fuzz(func(t *testing.T, proof string) {
		r := post(clientCredentials())
		r.Host = "localhost"
		r.SetBasicAuth("machine", g.secrets["machine"])
		r.Header.Set("DPoP", proof)
		w := httptest.NewRecorder()
		g.routes.ServeHTTP(w, r)
		switch {
		case w.Code == http.StatusOK && strings.HasPrefix(proof, signed+"."):
		case w.Code != http.StatusBadRequest:
			t.Errorf("%d for %q: %s", w.Code, proof, w.Body)
		}
	})
}
