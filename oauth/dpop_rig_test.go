package oauth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// prover is a client's key and the nonce it was last told.
type prover struct {
	g     *rig
	alg   string
	key   crypto.Signer
	nonce string
}

func (g *rig) prover() *prover { return &prover{g: g, alg: "ES256", key: ecKey(g.t, elliptic.P256())} }

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// jwk is a key as a proof's header holds it.
func jwk(t testing.TB, key any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(jose.JSONWebKey{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func (p *prover) thumbprint() string {
	sum, err := (&jose.JSONWebKey{Key: p.key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		p.g.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// jwt is a header and claims with which a test may do as it likes.
type jwt struct{ header, claims map[string]any }

// draft is a proof as it should be for a request, and for an access token if
// there is one.
func (p *prover) draft(method, path, token string) jwt {
	d := jwt{
		header: map[string]any{"typ": "dpop+jwt", "alg": p.alg, "jwk": jwk(p.g.t, p.key.Public())},
		claims: map[string]any{"jti": rand.Text(), "htm": method, "htu": testIssuer + path, "iat": p.g.clock.Now().Unix()},
	}
	if p.nonce != "" {
		d.claims["nonce"] = p.nonce
	}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		d.claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return d
}

func (d jwt) set(claim string, value any) jwt {
	d.claims = maps.Clone(d.claims)
	if d.claims[claim] = value; value == nil {
		delete(d.claims, claim)
	}
	return d
}

func (d jwt) head(name string, value any) jwt {
	d.header = maps.Clone(d.header)
	if d.header[name] = value; value == nil {
		delete(d.header, name)
	}
	return d
}

// sign makes the JWT, whatever is in it.
func (p *prover) sign(d jwt) string {
	p.g.t.Helper()
	header, errHeader := json.Marshal(d.header)
	claims, errClaims := json.Marshal(d.claims)
	if errHeader != nil || errClaims != nil {
		p.g.t.Fatal(errHeader, errClaims)
	}
	return p.signRaw(header, claims)
}

func (p *prover) signRaw(header, claims []byte) string {
	p.g.t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	input := encode(header) + "." + encode(claims)
	signature, err := signed(p.key, []byte(input))
	if err != nil {
		p.g.t.Fatal(err)
	}
	return input + "." + encode(signature)
}

func signed(key crypto.Signer, input []byte) ([]byte, error) {
	digest := sha256.Sum256(input)
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			return nil, err
		}
		half := (key.Curve.Params().BitSize + 7) / 8
		out := make([]byte, 2*half)
		r.FillBytes(out[:half])
		s.FillBytes(out[half:])
		return out, nil
	case *rsa.PrivateKey:
		return rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	default:
		return ed25519.Sign(key.(ed25519.PrivateKey), input), nil
	}
}

// with sends a request with proofs.
func (g *rig) with(r *http.Request, proofs ...string) *answer {
	g.t.Helper()
	for _, proof := range proofs {
		r.Header.Add("DPoP", proof)
	}
	return g.send(r)
}

// form is a client's form on its way to an endpoint; a client without a secret is public.
func (g *rig) form(path, client string, form url.Values) *http.Request {
	g.t.Helper()
	if g.secrets[client] == "" {
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
	return r
}

// learn makes the prover know the nonce.
func (p *prover) learn() *prover {
	p.g.t.Helper()
	got := p.g.with(p.g.form("/oauth/token", "pub", url.Values{}), p.sign(p.draft("POST", "/oauth/token", "")))
	got.refused(http.StatusBadRequest, "use_dpop_nonce")
	if p.nonce = got.header.Get("DPoP-Nonce"); p.nonce == "" {
		p.g.t.Fatal("no nonce to learn")
	}
	return p
}

// token sends a token request with a proof.
func (p *prover) token(client string, pairs ...string) *answer {
	p.g.t.Helper()
	return p.g.with(p.g.form("/oauth/token", client, with(url.Values{}, pairs...)), p.sign(p.draft("POST", "/oauth/token", "")))
}

func (p *prover) exchange(client, code string) *answer {
	p.g.t.Helper()
	return p.token(client, "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier)
}

func (p *prover) refresh(client, token string) *answer {
	p.g.t.Helper()
	return p.token(client, "grant_type", "refresh_token", "refresh_token", token)
}

// tokens is a whole sign-in of alice at a client, bound to the key.
func (p *prover) tokens(client string) *answer {
	p.g.t.Helper()
	got := p.exchange(client, p.g.signedIn().code(request(client)))
	if got.status != http.StatusOK || got.text("token_type") != "DPoP" {
		p.g.t.Fatalf("exchange: %d %s", got.status, got.body)
	}
	return got
}

// call is a request to a protected route with a token in a scheme.
func (g *rig) call(method, path, scheme, token string) *http.Request {
	g.t.Helper()
	r, err := http.NewRequestWithContext(context.WithoutCancel(g.t.Context()), method, g.http.URL+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Authorization", scheme+" "+token)
	return r
}
