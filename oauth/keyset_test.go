package oauth_test

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/oauth"
	"gatehouse/storage/storagetest"
)

func publishedKeys(t *testing.T, k *oauth.Keys) jose.JSONWebKeySet {
	t.Helper()
	w := httptest.NewRecorder()
	if err := k.JWKS(w, httptest.NewRequest(http.MethodGet, oauth.JWKSPath, nil)); err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil {
		t.Fatal(err)
	}
	return set
}

func TestOthersVerifyOurTokens(t *testing.T) {
	k := ensured(t, keysOn(t, storagetest.Open(t), newMoving(), oauth.RS256, oauth.ES256, oauth.EdDSA))
	set := publishedKeys(t, k)
	for _, alg := range []string{oauth.RS256, oauth.ES256, oauth.EdDSA} {
		token := sign(t, k, alg)
		jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
		if err != nil {
			t.Fatal(err)
		}
		payload, err := jws.Verify(set)
		if err != nil || string(payload) != `{"sub":"s"}` {
			t.Errorf("%s: payload %s, error %v", alg, payload, err)
		}
		v, err := k.Verify(t.Context(), token)
		if err != nil || v.Type != oauth.TypeAccessToken || v.Alg != alg || string(v.Claims) != `{"sub":"s"}` {
			t.Errorf("%s: verified %+v, error %v", alg, v, err)
		}
	}
}

func TestJWKSIsPublicAndCacheable(t *testing.T) {
	k := ensured(t, keysOn(t, storagetest.Open(t), newMoving()))
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, oauth.JWKSPath, nil)
	if err := k.JWKS(w, r); err != nil {
		t.Fatal(err)
	}
	if got := w.Header().Get("Cache-Control"); got != "public, max-age=300" {
		t.Errorf("Cache-Control is %q", got)
	}
	for _, key := range publishedKeys(t, k).Keys {
		if !key.IsPublic() || !key.Valid() || key.Use != "sig" || key.KeyID == "" || key.Algorithm == "" {
			t.Errorf("published key %+v", key)
		}
	}
	r.Header.Set("If-None-Match", w.Header().Get("Etag"))
	again := httptest.NewRecorder()
	if err := k.JWKS(again, r); err != nil || again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("with the ETag: %d, %d bytes, error %v", again.Code, again.Body.Len(), err)
	}
}

func encode(v any) string {
	b, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(b)
}

func mac(key []byte, input string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// TestForgedTokensAreRefused covers RFC 8725 sections 2.1 to 2.3: every way to
// talk a verifier out of the key's own algorithm.
func TestForgedTokensAreRefused(t *testing.T) {
	k := ensured(t, keysOn(t, storagetest.Open(t), newMoving(), oauth.RS256, oauth.ES256))
	genuine := sign(t, k, oauth.RS256)
	head, rest, _ := strings.Cut(genuine, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	kid := kidOf(t, genuine)
	set := publishedKeys(t, k)
	public, _ := set.Key(kid)[0].Key.(*rsa.PublicKey)
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	own, _ := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat("k", 32))}, &jose.SignerOptions{EmbedJWK: false})
	selfMade, _ := own.Sign([]byte(`{"sub":"admin"}`))
	compact, _ := selfMade.CompactSerialize()

	cases := map[string]string{
		"empty":               "",
		"one part":            head,
		"two parts":           head + "." + payload,
		"four parts":          genuine + "." + signature,
		"no signature":        head + "." + payload + ".",
		"another payload":     head + "." + encode(map[string]string{"sub": "admin"}) + "." + signature,
		"padded":              genuine + "=",
		"line break":          genuine + "\n",
		"self-made":           compact,
		"too long":            head + "." + strings.Repeat("A", 9000) + "." + signature,
		"JWS JSON":            `{"protected":"` + head + `","payload":"` + payload + `","signature":"` + signature + `"}`,
		"crit":                encode(map[string]any{"alg": "RS256", "kid": kid, "typ": "at+jwt", "crit": []string{"exp"}}) + "." + rest,
		"jwk":                 encode(map[string]any{"alg": "RS256", "kid": kid, "typ": "at+jwt", "jwk": map[string]string{"kty": "oct", "k": "AA"}}) + "." + rest,
		"jku":                 encode(map[string]any{"alg": "RS256", "kid": kid, "typ": "at+jwt", "jku": "https://evil.example/jwks"}) + "." + rest,
		"x5u":                 encode(map[string]any{"alg": "RS256", "kid": kid, "typ": "at+jwt", "x5u": "https://evil.example/x"}) + "." + rest,
		"another kid":         encode(map[string]any{"alg": "RS256", "kid": strings.Repeat("A", 43), "typ": "at+jwt"}) + "." + rest,
		"path as kid":         encode(map[string]any{"alg": "RS256", "kid": "../../dev/null", "typ": "at+jwt"}) + "." + rest,
		"another type":        encode(map[string]any{"alg": "RS256", "kid": kid, "typ": "JWT"}) + "." + rest,
		"ES256 with RSA kid":  encode(map[string]any{"alg": "ES256", "kid": kid, "typ": "at+jwt"}) + "." + rest,
		"last bits differ":    genuine[:len(genuine)-1] + lastCharTwin(genuine[len(genuine)-1]),
		"RS384":               encode(map[string]any{"alg": "RS384", "kid": kid, "typ": "at+jwt"}) + "." + rest,
		"signature from next": head + "." + payload + "." + strings.Split(sign(t, k, oauth.ES256), ".")[2],
	}
	for _, alg := range []string{"none", "None", "nOnE", "NONE", ""} {
		cases["alg "+alg] = encode(map[string]any{"alg": alg, "kid": kid, "typ": "at+jwt"}) + "." + payload + "."
		cases["signed alg "+alg] = encode(map[string]any{"alg": alg, "kid": kid, "typ": "at+jwt"}) + "." + rest
	}
	confused := encode(map[string]any{"alg": "HS256", "kid": kid, "typ": "at+jwt"}) + "." + payload
	for name, key := range map[string][]byte{
		"DER": der, "PKCS1": x509.MarshalPKCS1PublicKey(public), "modulus": public.N.Bytes(),
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	} {
		cases["HS256 with "+name] = mac(key, confused)
	}
	for name, token := range cases {
		if v, err := k.Verify(t.Context(), token); !errors.Is(err, oauth.ErrUnverified) {
			t.Errorf("%s: verified %+v, error %v", name, v, err)
		}
	}
}

// lastCharTwin returns a character that decodes to the same bytes at the end of
// a 256-byte signature when unused bits are ignored.
func lastCharTwin(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

func TestSignRefusesWhatItHasNoKeyFor(t *testing.T) {
	k := keysOn(t, storagetest.Open(t), newMoving())
	if _, err := k.Sign(t.Context(), oauth.ES256, oauth.TypeIDToken, nil); err == nil {
		t.Error("signed before the keys were loaded")
	}
	ensured(t, k)
	for _, c := range [][2]string{{oauth.RS256, oauth.TypeIDToken}, {"HS256", oauth.TypeIDToken}, {oauth.ES256, "secevent+jwt"}} {
		if token, err := k.Sign(t.Context(), c[0], c[1], nil); err == nil {
			t.Errorf("%v: signed %s", c, token)
		}
	}
}

func FuzzVerify(f *testing.F) {
	s := storagetest.Open(f)
	k := ensured(f, keysOn(f, s, newMoving(), oauth.ES256))
	genuine := sign(f, k, oauth.ES256)
	f.Add(genuine)
	f.Add(genuine + "=")
	f.Add(strings.Replace(genuine, ".", "..", 1))
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := k.Verify(t.Context(), token); err == nil && token != genuine {
			t.Errorf("verified %q", token)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	k := ensured(b, keysOn(b, storagetest.Open(b), newMoving(), oauth.RS256, oauth.ES256, oauth.EdDSA))
	for _, alg := range []string{oauth.RS256, oauth.ES256, oauth.EdDSA} {
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sign(b, k, alg)
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	k := ensured(b, keysOn(b, storagetest.Open(b), newMoving(), oauth.RS256, oauth.ES256, oauth.EdDSA))
	for _, alg := range []string{oauth.RS256, oauth.ES256, oauth.EdDSA} {
		token := sign(b, k, alg)
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
