package oauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/internal/web"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// post is a request to the token endpoint.
func post(form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, oauth.TokenPath, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func basic(id, secret string) *http.Request {
	r := post(nil)
	r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	return r
}

func wantClient(t *testing.T, cs *oauth.Clients, r *http.Request, id string) {
	t.Helper()
	c, err := cs.Authenticate(t.Context(), r)
	if err != nil {
		t.Errorf("refused: %v", err)
	} else if c.ID != id {
		t.Errorf("authenticated as %s, want %s", c.ID, id)
	}
}

func wantRefused(t *testing.T, cs *oauth.Clients, r *http.Request, status int) {
	t.Helper()
	c, err := cs.Authenticate(t.Context(), r)
	code := map[int]string{400: "invalid_request", 401: "invalid_client"}[status]
	var e *web.Error
	if !errors.As(err, &e) || e.Status != status || e.Code != code || c != nil {
		t.Errorf("client %v, error %v; want %d %s", c, err, status, code)
		return
	}
	challenged, used := e.Header.Get("WWW-Authenticate") != "", r.Header.Get("Authorization") != ""
	if status == 401 && challenged != used {
		t.Errorf("WWW-Authenticate is there: %v, Authorization was: %v", challenged, used)
	}
}

func TestAClientUsesItsOneMethod(t *testing.T) {
	cs := clientsOn(storagetest.Open(t), newMoving())
	_, secret := create(t, cs, oauth.Client{ID: "conf"})
	_, posted := create(t, cs, oauth.Client{ID: "post", AuthMethod: oauth.ClientSecretPost})
	create(t, cs, oauth.Client{ID: "pub", Public: true, GrantTypes: []string{"authorization_code"}, RedirectURIs: []string{"http://127.0.0.1/"}})

	with := func(r *http.Request, header, value string) *http.Request { r.Header.Add(header, value); return r }
	form := func(pairs ...string) url.Values {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return v
	}
	both := func(id, secret string, f url.Values) *http.Request {
		r := post(f)
		r.SetBasicAuth(id, secret)
		return r
	}
	query := post(nil)
	query.URL.RawQuery = form("client_id", "post", "client_secret", posted).Encode()

	for name, r := range map[string]struct {
		request *http.Request
		client  string
		status  int
	}{
		"basic":                  {basic("conf", secret), "conf", 0},
		"basic, scheme in lower": {with(post(nil), "Authorization", strings.Replace(basic("conf", secret).Header.Get("Authorization"), "Basic", "basic", 1)), "conf", 0},
		"basic and same id":      {both("conf", secret, form("client_id", "conf")), "conf", 0},
		"post":                   {post(form("client_id", "post", "client_secret", posted)), "post", 0},
		"public":                 {post(form("client_id", "pub")), "pub", 0},
		"public, empty secret":   {post(form("client_id", "pub", "client_secret", "")), "pub", 0},

		"wrong secret":             {basic("conf", posted), "", 401},
		"empty secret":             {basic("conf", ""), "", 401},
		"unknown":                  {basic("ghost", secret), "", 401},
		"unknown in the body":      {post(form("client_id", "ghost", "client_secret", secret)), "", 401},
		"hostile id":               {post(form("client_id", "a\x00b")), "", 401},
		"nothing":                  {post(nil), "", 401},
		"confidential, no secret":  {post(form("client_id", "conf")), "", 401},
		"basic client posts":       {post(form("client_id", "conf", "client_secret", secret)), "", 401},
		"post client uses basic":   {basic("post", posted), "", 401},
		"public uses basic":        {basic("pub", ""), "", 401},
		"public with a secret":     {post(form("client_id", "pub", "client_secret", "x")), "", 401},
		"bearer":                   {with(post(form("client_id", "pub")), "Authorization", "Bearer x"), "", 401},
		"basic, not base64":        {with(post(nil), "Authorization", "Basic ???"), "", 401},
		"basic, no colon":          {with(post(nil), "Authorization", "Basic Y29uZg=="), "", 401},
		"basic, bad escape":        {both("conf", "%zz", nil), "", 401},
		"two headers":              {with(basic("conf", secret), "Authorization", basic("conf", secret).Header.Get("Authorization")), "", 401},
		"secret in the query":      {query, "", 401},
		"basic and post":           {both("conf", secret, form("client_id", "conf", "client_secret", secret)), "", 400},
		"two clients":              {both("conf", secret, form("client_id", "post")), "", 400},
		"basic and assertion":      {both("conf", secret, form("client_assertion", "x", "client_assertion_type", assertionType)), "", 400},
		"post and assertion":       {post(form("client_secret", posted, "client_assertion", "x", "client_assertion_type", assertionType)), "", 400},
		"repeated id":              {post(form("client_id", "pub", "client_id", "conf")), "", 400},
		"repeated secret":          {post(form("client_id", "post", "client_secret", posted, "client_secret", posted)), "", 400},
		"unknown assertion type":   {post(form("client_assertion", "x", "client_assertion_type", "saml")), "", 400},
		"assertion without a type": {post(form("client_assertion", "x")), "", 400},
		"assertion is no JWT":      {post(form("client_assertion", "x", "client_assertion_type", assertionType)), "", 401},
	} {
		t.Run(name, func(t *testing.T) {
			if r.status == 0 {
				wantClient(t, cs, r.request, r.client)
			} else {
				wantRefused(t, cs, r.request, r.status)
			}
		})
	}
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// keyClient is a client that authenticates with a key.
type keyClient struct {
	t       *testing.T
	private *ecdsa.PrivateKey
	clock   *moving
}

func newKeyClient(t *testing.T, cs *oauth.Clients, clock *moving, id string) *keyClient {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "k1", Algorithm: "ES256"}}})
	if err != nil {
		t.Fatal(err)
	}
	create(t, cs, oauth.Client{ID: id, AuthMethod: oauth.PrivateKeyJWT, JWKS: jwks})
	return &keyClient{t: t, private: private, clock: clock}
}

// claims are those of a good assertion with some replaced; nil removes one.
func (k *keyClient) claims(id string, replaced map[string]any) map[string]any {
	now := k.clock.Now().Unix()
	claims := map[string]any{"iss": id, "sub": id, "aud": testIssuer, "iat": now, "exp": now + 60, "jti": rand.Text()}
	maps.Copy(claims, replaced)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}

func (k *keyClient) assert(claims map[string]any, private crypto.Signer, options *jose.SignerOptions) url.Values {
	k.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: private}, options)
	if err != nil {
		k.t.Fatal(err)
	}
	payload, _ := json.Marshal(claims)
	jws, err := signer.Sign(payload)
	if err != nil {
		k.t.Fatal(err)
	}
	compact, _ := jws.CompactSerialize()
	return url.Values{"client_assertion": {compact}, "client_assertion_type": {assertionType}}
}

func TestAClientAuthenticatesWithItsKey(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		clock := newMoving()
		cs := clientsOn(s, clock)
		k := newKeyClient(t, cs, clock, "pkj")
		typed := (&jose.SignerOptions{}).WithType("client-authentication+jwt").WithHeader("kid", "k1")
		for _, options := range []*jose.SignerOptions{nil, typed} {
			wantClient(t, cs, post(k.assert(k.claims("pkj", nil), k.private, options)), "pkj")
		}
		named := k.assert(k.claims("pkj", nil), k.private, nil)
		named.Set("client_id", "pkj")
		wantClient(t, cs, post(named), "pkj")
		named.Set("client_id", "other")
		wantRefused(t, cs, post(named), 401)
	})
}

func TestAnAssertionIsForUsAndForNow(t *testing.T) {
	clock := newMoving()
	cs := clientsOn(storagetest.Open(t), clock)
	k := newKeyClient(t, cs, clock, "pkj")
	create(t, cs, oauth.Client{ID: "conf"})
	now := clock.Now().Unix()
	for name, replaced := range map[string]map[string]any{
		"token endpoint as audience": {"aud": testIssuer + oauth.TokenPath},
		"issuer in a list":           {"aud": []string{testIssuer}},
		"issuer among others":        {"aud": []string{testIssuer, "https://evil.example"}},
		"issuer with a slash":        {"aud": testIssuer + "/"},
		"no audience":                {"aud": nil},
		"another issuer":             {"iss": "other"},
		"no issuer":                  {"iss": nil},
		"no subject":                 {"sub": nil},
		"unknown client":             {"iss": "ghost", "sub": "ghost"},
		"client with a secret":       {"iss": "conf", "sub": "conf"},
		"no jti":                     {"jti": nil},
		"no exp":                     {"exp": nil},
		"expired":                    {"exp": now},
		"far ahead":                  {"exp": now + 3600},
		"beyond any date":            {"exp": 1e300},
		"not yet":                    {"nbf": now + 120},
		"from the future":            {"iat": now + 120},
	} {
		t.Run(name, func(t *testing.T) {
			wantRefused(t, cs, post(k.assert(k.claims("pkj", replaced), k.private, nil)), 401)
		})
	}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wantRefused(t, cs, post(k.assert(k.claims("pkj", nil), stranger, nil)), 401)
	embedded := &jose.SignerOptions{EmbedJWK: true}
	wantRefused(t, cs, post(k.assert(k.claims("pkj", nil), stranger, embedded)), 401)
	otherUse := (&jose.SignerOptions{}).WithType("logout+jwt")
	wantRefused(t, cs, post(k.assert(k.claims("pkj", nil), k.private, otherUse)), 401)
	unsigned := encode(map[string]string{"alg": "none"}) + "." + encode(k.claims("pkj", nil)) + "."
	wantRefused(t, cs, post(url.Values{"client_assertion": {unsigned}, "client_assertion_type": {assertionType}}), 401)
}

func TestAnAssertionIsAcceptedOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		clock := newMoving()
		replicas := []*oauth.Clients{clientsOn(s, clock), clientsOn(s, clock)}
		k := newKeyClient(t, replicas[0], clock, "pkj")
		form := k.assert(k.claims("pkj", nil), k.private, nil)
		var accepted atomic.Int32
		together(32, func(i int) {
			if _, err := replicas[i%2].Authenticate(t.Context(), post(form)); err == nil {
				accepted.Add(1)
			}
		})
		if n := accepted.Load(); n != 1 {
			t.Errorf("accepted %d times", n)
		}
	})
}

func TestAStoreThatIsDownRefusesNobody(t *testing.T) {
	s := storagetest.OpenConfig(t, storagetest.SQLite(t))
	clock := newMoving()
	cs := clientsOn(s, clock)
	create(t, cs, oauth.Client{ID: "conf"})
	clock.Advance(time.Minute)
	if err := s.DB.Close(); err != nil {
		t.Fatal(err)
	}
	var e *web.Error
	if _, err := cs.Authenticate(t.Context(), basic("conf", "x")); err == nil || errors.As(err, &e) {
		t.Errorf("error is %v, want the store's", err)
	}
}
