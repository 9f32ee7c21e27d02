package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keyHolder is a client that proves possession of its key, and keeps the nonce.
type keyHolder struct {
	s     *server
	key   *ecdsa.PrivateKey
	nonce string
}

func (s *server) keyHolder() *keyHolder {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	return &keyHolder{s: s, key: key}
}

// send adds a proof, once more when it is told of a nonce.
func (k *keyHolder) send(r *http.Request, token string) response {
	k.s.t.Helper()
	if token != "" {
		r.Header.Set("Authorization", "DPoP "+token)
	}
	body := r.GetBody
	for range 2 {
		r.Header.Set("DPoP", k.proof(r, token))
		res := do(k.s.t, http.DefaultClient, r)
		nonce := res.header.Get("DPoP-Nonce")
		if nonce == k.nonce {
			return res
		}
		if k.nonce = nonce; !strings.Contains(res.body+res.header.Get("WWW-Authenticate"), "use_dpop_nonce") {
			return res
		}
		if body != nil {
			again, err := body()
			if err != nil {
				k.s.t.Fatal(err)
			}
			r.Body = again
		}
	}
	k.s.t.Fatal("asked for a nonce twice")
	return response{}
}

func (k *keyHolder) proof(r *http.Request, token string) string {
	k.s.t.Helper()
	claims := map[string]any{"jti": rand.Text(), "htm": r.Method, "htu": k.s.url + r.URL.EscapedPath(), "iat": time.Now().Unix()}
	if k.nonce != "" {
		claims["nonce"] = k.nonce
	}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	options := (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: k.key}, options)
	if err != nil {
		k.s.t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		k.s.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		k.s.t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		k.s.t.Fatal(err)
	}
	return compact
}

// TestABoundTokenOpensTheDirectoryToItsKeyAlone drives both dialects and userinfo.
func TestABoundTokenOpensTheDirectoryToItsKeyAlone(t *testing.T) {
	eachDeployment(t, func(t *testing.T, d *deployment) {
		const role = "PROBATION_API__HMPPS_AUTH__USER_DETAILS"
		machine := d.client("--grant", "client_credentials", "--scope", "notify.admin", "--scope", role, "--dpop-bound-access-tokens")
		person := d.person()
		s := d.start()
		k, thief := s.keyHolder(), s.keyHolder()
		ask := func(k *keyHolder) tokens {
			r := request(t, http.MethodPost, s.url+"/oauth/token", url.Values{"grant_type": {"client_credentials"}})
			r.SetBasicAuth(machine.ClientID, machine.ClientSecret)
			var got tokens
			k.send(r, "").json(t, &got)
			return got
		}
		got, stolen := ask(k), ask(thief)
		if got.AccessToken == "" || stolen.AccessToken == "" {
			t.Fatalf("no token: %s", got.Error)
		}
		for _, path := range []string{"/user/" + person.ID.String(), "/user?email=" + url.QueryEscape(person.Email)} {
			get := func() *http.Request { return request(t, http.MethodGet, s.url+path, nil) }
			if res := k.send(get(), got.AccessToken); res.status != http.StatusOK {
				t.Errorf("%s: %d %s", path, res.status, res.body)
			}
			for what, res := range map[string]response{
				"another's key": k.send(get(), stolen.AccessToken),
				"as a bearer":   s.call(got.AccessToken, http.MethodGet, path, nil),
			} {
				challenge := strings.Join(res.header.Values("WWW-Authenticate"), ", ")
				if res.status != http.StatusUnauthorized || !strings.Contains(challenge, `error="invalid_token"`) ||
					!strings.Contains(challenge, `resource_metadata="`+s.url+`/.well-known/oauth-protected-resource"`) {
					t.Errorf("%s, %s: %d %q", path, what, res.status, challenge)
				}
			}
		}
		for path, scope := range map[string]string{"/users": "marketplace:partner", "/authenticate": "PROBATION_API__HMPPS_AUTH__AUTHENTICATE"} {
			res := k.send(request(t, http.MethodPost, s.url+path, "{}"), got.AccessToken)
			want := `DPoP algs="ES256 PS256 EdDSA", error="insufficient_scope", error_description="The access token does not allow this", scope="` + scope + `"`
			if challenges := res.header.Values("WWW-Authenticate"); res.status != http.StatusForbidden || len(challenges) != 1 || challenges[0] != want {
				t.Errorf("%s: %d %q", path, res.status, challenges)
			}
		}
		document := do(t, http.DefaultClient, request(t, http.MethodGet, s.url+"/.well-known/oauth-protected-resource", nil))
		var resource struct {
			Resource string   `json:"resource"`
			Algs     []string `json:"dpop_signing_alg_values_supported"`
		}
		document.json(t, &resource)
		if document.status != http.StatusOK || resource.Resource != s.url || len(resource.Algs) != 3 {
			t.Errorf("metadata: %d %s", document.status, document.body)
		}
	})
}
