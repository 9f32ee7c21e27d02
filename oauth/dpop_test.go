package oauth_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/storage/storagetest"
)

func clientCredentials() url.Values { return url.Values{"grant_type": {"client_credentials"}} }

// TestAProofIsCheckedWhole is P09: what RFC 9449 section 4.3 lists, one at a time.
func TestAProofIsCheckedWhole(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	p, other := g.prover().learn(), g.prover()
	good := func() jwt { return p.draft("POST", "/oauth/token", "") }
	at := func(d time.Duration) int64 { return g.clock.Now().Add(d).Unix() }
	p384 := &prover{g: g, alg: "ES256", key: ecKey(t, elliptic.P384()), nonce: p.nonce}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak := &prover{g: g, alg: "PS256", key: small, nonce: p.nonce}
	raw := p.sign(good())
	parts := strings.Split(raw, ".")
	header, errHeader := json.Marshal(good().header)
	claims, errClaims := json.Marshal(good().claims)
	if errHeader != nil || errClaims != nil {
		t.Fatal(errHeader, errClaims)
	}
	encode := base64.RawURLEncoding.EncodeToString
	hmacKey := map[string]any{"kty": "oct", "k": encode([]byte("a key that everybody has, for everybody sees it"))}

	for name, proofs := range map[string][]string{
		"two headers":                   {raw, p.sign(good())},
		"empty":                         {""},
		"not a JWT":                     {"x"},
		"two in one header":             {raw + "," + raw},
		"too large":                     {p.sign(good().set("pad", strings.Repeat("x", 5000)))},
		"typ of a JWT":                  {p.sign(good().head("typ", "JWT"))},
		"typ of an access token":        {p.sign(good().head("typ", "at+jwt"))},
		"no typ":                        {p.sign(good().head("typ", nil))},
		"alg none":                      {encode(bytes.Replace(header, []byte("ES256"), []byte("none"), 1)) + "." + parts[1] + "."},
		"alg HS256":                     {p.sign(good().head("alg", "HS256").head("jwk", hmacKey))},
		"alg RS256":                     {p.sign(good().head("alg", "RS256"))},
		"a symmetric key":               {p.sign(good().head("jwk", hmacKey))},
		"the private key":               {p.sign(good().head("jwk", jwk(t, p.key)))},
		"no key":                        {p.sign(good().head("jwk", nil))},
		"a key by reference":            {p.sign(good().head("jwk", nil).head("kid", "1").head("jku", "https://evil.example/"))},
		"a key of another curve":        {p384.sign(p384.draft("POST", "/oauth/token", ""))},
		"a weak key":                    {weak.sign(weak.draft("POST", "/oauth/token", ""))},
		"an extension":                  {p.sign(good().head("crit", []string{"b64"}).head("b64", true))},
		"another's key":                 {p.sign(good().head("jwk", jwk(t, other.key.Public())))},
		"no signature":                  {parts[0] + "." + parts[1] + "."},
		"another payload":               {parts[0] + "." + encode(bytes.Replace(claims, []byte("POST"), []byte("POSt"), 1)) + "." + parts[2]},
		"claims twice":                  {p.signRaw(header, append([]byte(`{"htm":"GET",`), claims[1:]...))},
		"claims that are no JSON":       {p.signRaw(header, []byte(`{"jti":`))},
		"claims in other letters":       {p.signRaw(header, bytes.Replace(claims, []byte(`"htm"`), []byte(`"HTM"`), 1))},
		"no jti":                        {p.sign(good().set("jti", nil))},
		"a jti that is a number":        {p.sign(good().set("jti", 7))},
		"a jti of 257 bytes":            {p.sign(good().set("jti", strings.Repeat("j", 257)))},
		"no htm":                        {p.sign(good().set("htm", nil))},
		"another method":                {p.sign(good().set("htm", "GET"))},
		"the method in lower case":      {p.sign(good().set("htm", "post"))},
		"no htu":                        {p.sign(good().set("htu", nil))},
		"another path":                  {p.sign(good().set("htu", testIssuer+"/oauth/userinfo"))},
		"another host":                  {p.sign(good().set("htu", "https://evil.example/oauth/token"))},
		"the Host of the request":       {p.sign(good().set("htu", g.http.URL+"/oauth/token"))},
		"a host in front":               {p.sign(good().set("htu", strings.Replace(testIssuer, "://", "://evil@", 1)+"/oauth/token"))},
		"another scheme":                {p.sign(good().set("htu", strings.Replace(testIssuer, "https:", "http:", 1)+"/oauth/token"))},
		"a path that has to be cleaned": {p.sign(good().set("htu", testIssuer+"/oauth/./token"))},
		"no iat":                        {p.sign(good().set("iat", nil))},
		"an iat of text":                {p.sign(good().set("iat", "now"))},
		"an iat of long ago":            {p.sign(good().set("iat", at(-61*time.Second)))},
		"an iat of the future":          {p.sign(good().set("iat", at(61*time.Second)))},
		"an iat beyond all":             {p.sign(good().set("iat", 1e300))},
		"expired":                       {p.sign(good().set("exp", at(-31*time.Second)))},
		"not valid yet":                 {p.sign(good().set("nbf", at(31*time.Second)))},
	} {
		got := g.with(g.form("/oauth/token", "machine", clientCredentials()), proofs...)
		if got.refused(http.StatusBadRequest, "invalid_dpop_proof"); t.Failed() {
			t.Fatal(name)
		}
		if got.header.Get("DPoP-Nonce") != p.nonce {
			t.Errorf("%s: no nonce in the answer", name)
		}
	}
}

func TestAProofIsTakenAsRFC9449Allows(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	p := g.prover().learn()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := func() jwt { return p.draft("POST", "/oauth/token", "") }
	at := func(d time.Duration) int64 { return g.clock.Now().Add(d).Unix() }
	pss := &prover{g: g, alg: "PS256", key: rsaKey, nonce: p.nonce}
	ed := &prover{g: g, alg: "EdDSA", key: edKey, nonce: p.nonce}
	u, err := url.Parse(testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	for name, proof := range map[string]string{
		"plain":              p.sign(good()),
		"PS256":              pss.sign(pss.draft("POST", "/oauth/token", "")),
		"EdDSA":              ed.sign(ed.draft("POST", "/oauth/token", "")),
		"10 s ago":           p.sign(good().set("iat", at(-10*time.Second))),
		"10 s ahead":         p.sign(good().set("iat", at(10*time.Second))),
		"a fraction":         p.sign(good().set("iat", float64(at(0))+0.25)),
		"nbf and exp":        p.sign(good().set("nbf", at(0)).set("exp", at(time.Minute))),
		"a query":            p.sign(good().set("htu", testIssuer+"/oauth/token?x=y#z")),
		"the host in upper":  p.sign(good().set("htu", "HTTPS://"+strings.ToUpper(u.Host)+"/oauth/token")),
		"the port named":     p.sign(good().set("htu", "https://"+u.Host+":443/oauth/token")),
		"unknown claims":     p.sign(good().set("cnf", "x")),
		"an ath for nothing": p.sign(good().set("ath", "x")),
		"a jti of 256 bytes": p.sign(good().set("jti", strings.Repeat("j", 256))),
	} {
		got := g.with(g.form("/oauth/token", "machine", clientCredentials()), proof)
		if got.status != http.StatusOK || got.text("token_type") != "DPoP" || got.header.Get("DPoP-Nonce") == "" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}
