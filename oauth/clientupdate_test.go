package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// outside is what other people publish, by address.
type outside struct {
	mu    sync.Mutex
	pages map[string]string
	// header is what every answer says.
	header http.Header
	asked  int
}

func publish(pairs ...string) *outside {
	o := &outside{pages: map[string]string{}, header: http.Header{"Content-Type": {"application/json"}}}
	for i := 0; i < len(pairs); i += 2 {
		o.set(pairs[i], pairs[i+1])
	}
	return o
}

func (o *outside) set(address, body string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pages[address] = body
}

func (o *outside) times() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked
}

// Get implements oauth.Fetcher; an address with nothing at it cannot be reached.
func (o *outside) Get(_ context.Context, target, _ string) ([]byte, http.Header, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked++
	if o.pages[target] == "" {
		return nil, nil, errors.New("unreachable")
	}
	return []byte(o.pages[target]), o.header, nil
}

func TestAClientIsUpdatedWhole(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		clock := newMoving()
		cs := clientsOn(s, clock)
		old, secret := create(t, cs, oauth.Client{ID: "app", Roles: []string{"A_ROLE"}, Kind: "partner", Scopes: []string{"openid"}})
		clock.Advance(time.Hour)
		fresh, none, err := cs.Update(t.Context(), operator, oauth.Client{
			ID: "app", Name: "Another name", GrantTypes: []string{"authorization_code"}, RedirectURIs: []string{"https://a.example/cb"},
			Metadata: oauth.Metadata{ClientURI: "https://a.example/", ResponseModes: []string{"query"}},
		})
		if err != nil || none != "" {
			t.Fatalf("secret %q, error %v", none, err)
		}
		got, err := cs.Get(t.Context(), "app")
		if diff := cmp.Diff(fresh, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		if got.Name != "Another name" || len(got.Roles) != 0 || got.Kind != "" || !got.CreatedAt.Equal(old.CreatedAt) || !got.UpdatedAt.Equal(clock.Now().Truncate(time.Microsecond)) {
			t.Errorf("updated to %+v", got)
		}
		wantClient(t, cs, basic("app", secret), "app")

		public := *got
		public.AuthMethod, public.Public = oauth.NoAuthentication, true
		if _, _, err := cs.Update(t.Context(), operator, public); err != nil {
			t.Fatal(err)
		}
		wantRefused(t, cs, basic("app", secret), 401)
		public.AuthMethod, public.Public, public.SecretHash = oauth.ClientSecretBasic, false, nil
		_, again, err := cs.Update(t.Context(), operator, public)
		if err != nil || again == "" || again == secret {
			t.Fatalf("secret %q, error %v", again, err)
		}
		wantClient(t, cs, basic("app", again), "app")
		if _, _, err := cs.Update(t.Context(), operator, oauth.Client{ID: "ghost"}); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("update of nobody: %v", err)
		}
	})
}

// TestOfTwoUpdatesAtOnceNoneIsLost: whoever read a client before it was changed
// is told so, instead of undoing the change.
func TestOfTwoUpdatesAtOnceNoneIsLost(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		cs := clientsOn(s, newMoving())
		c, _ := create(t, cs, oauth.Client{ID: "app"})
		store := storage.OAuthClients{DB: s.DB}
		var done atomic.Int32
		together(64, func(i int) {
			mine := *c
			mine.UpdatedAt = c.CreatedAt.Add(time.Duration(i+1) * time.Microsecond)
			if err := store.ReplaceClient(t.Context(), &mine, c.UpdatedAt); err == nil {
				done.Add(1)
			} else if !errors.Is(err, directory.ErrNotFound) {
				t.Error(err)
			}
		})
		if done.Load() != 1 {
			t.Errorf("%d updates of one state", done.Load())
		}
	})
}

func TestADocumentIsTheClientAndBack(t *testing.T) {
	age := int64(60)
	cs := clientsOn(storagetest.Open(t), newMoving())
	c, _ := create(t, cs, oauth.Client{
		ID: "app", Name: "An application", GrantTypes: []string{"authorization_code"}, RedirectURIs: []string{"https://a.example/cb"},
		Localised: map[string]string{"client_name#cy": "Cymhwysiad", "tos_uri#cy-GB": "https://a.example/telerau"},
		Scopes:    []string{"openid", "email"}, Roles: []string{"A_ROLE"}, PKCEOptional: true, DPoPBound: true,
		Metadata: oauth.Metadata{DefaultMaxAge: &age, Audiences: []string{"https://api.example/"}, Contacts: []string{"a@example.com"}, Applied: "x"},
	})
	body, err := json.Marshal(c.DocumentWithSecretHash())
	if err != nil {
		t.Fatal(err)
	}
	all, err := oauth.ParseClientFile([]byte("[" + string(body) + "]"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := all[0].Client()
	if err != nil {
		t.Fatal(err)
	}
	want := *c
	want.CreatedAt, want.SecretChangedAt, want.Applied = time.Time{}, time.Time{}, ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name, file := range map[string]string{
		"unknown member": `[{"client_id":"a","client_nmae":"b"}]`, "twice": `[{"client_id":"a"},{"client_id":"a"}]`,
		"without an id": `[{"client_name":"a"}]`, "no list": `{"client_id":"a"}`, "letter case": `[{"Client_ID":"a"}]`,
		"tag of what is no text": `[{"client_id":"a","redirect_uris#cy":["https://a.example/cb"]}]`, "tag of no member": `[{"client_id":"a","#cy":"b"}]`,
		"no text": `[{"client_id":"a","client_name#cy":1}]`, "tagged member twice": `[{"client_id":"a","client_name#cy":"b","client_name#cy":"c"}]`,
	} {
		if _, err := oauth.ParseClientFile([]byte(file)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestMetadataRules(t *testing.T) {
	cs := clientsOn(storagetest.Open(t), newMoving())
	cs.Fetch = publish("https://a.example/uris", `["https://a.example/cb","https://b.example/cb"]`, "https://a.example/few", `["https://b.example/cb"]`, "https://a.example/bad", `{}`)
	negative := int64(-1)
	for name, c := range map[string]struct {
		metadata oauth.Metadata
		redirect string
		field    string // at fault; "" when there is nothing wrong
	}{
		"web":                      {oauth.Metadata{ApplicationType: "web"}, "https://a.example/cb", ""},
		"web on localhost":         {oauth.Metadata{ApplicationType: "web"}, "http://localhost/cb", "redirect_uris"},
		"web on https localhost":   {oauth.Metadata{ApplicationType: "web"}, "https://localhost/cb", "redirect_uris"},
		"web with a scheme":        {oauth.Metadata{ApplicationType: "web"}, "com.example.app:/cb", "redirect_uris"},
		"native":                   {oauth.Metadata{ApplicationType: "native"}, "com.example.app:/cb", ""},
		"another application type": {oauth.Metadata{ApplicationType: "desktop"}, "", "application_type"},
		"sector":                   {oauth.Metadata{SectorIdentifierURI: "https://a.example/uris"}, "https://a.example/cb", ""},
		"sector of others":         {oauth.Metadata{SectorIdentifierURI: "https://a.example/few"}, "https://a.example/cb", "sector_identifier_uri"},
		"sector that is no list":   {oauth.Metadata{SectorIdentifierURI: "https://a.example/bad"}, "https://a.example/cb", "sector_identifier_uri"},
		"sector nobody answers at": {oauth.Metadata{SectorIdentifierURI: "https://a.example/none"}, "https://a.example/cb", "sector_identifier_uri"},
		"response modes":           {oauth.Metadata{ResponseModes: []string{"query", "form_post"}}, "", ""},
		"fragment":                 {oauth.Metadata{ResponseModes: []string{"fragment"}}, "", "response_modes"},
		"userinfo alg none":        {oauth.Metadata{UserInfoAlg: "none"}, "", "userinfo_signed_response_alg"},
		"age before now":           {oauth.Metadata{DefaultMaxAge: &negative}, "", "default_max_age"},
		"audience":                 {oauth.Metadata{Audiences: []string{"https://api.example/v1", "app"}}, "", ""},
		"audience with a fragment": {oauth.Metadata{Audiences: []string{"https://api.example/#x"}}, "", "audiences"},
		"resource":                 {oauth.Metadata{Resources: []string{"https://api.example/v1", "urn:example:api"}}, "", ""},
		"resource that is a name":  {oauth.Metadata{Resources: []string{"other-client"}}, "", "resources"},
		"resource that is ours":    {oauth.Metadata{Resources: []string{testIssuer}}, "", "resources"},
		"logout":                   {oauth.Metadata{BackchannelLogoutURI: "https://a.example/logout"}, "", ""},
		"logout in the clear":      {oauth.Metadata{BackchannelLogoutURI: "http://a.example/logout"}, "", "backchannel_logout_uri"},
		"logout with a fragment":   {oauth.Metadata{BackchannelLogoutURI: "https://a.example/logout#x"}, "", "backchannel_logout_uri"},
		"logo as a script":         {oauth.Metadata{LogoURI: "javascript:alert(1)"}, "", "logo_uri"},
		"logo in an application":   {oauth.Metadata{LogoURI: "com.example.app:/logo"}, "", "logo_uri"},
		"contact out of sight":     {oauth.Metadata{Contacts: []string{"a\u202eb"}}, "", "contacts"},
		"keys without a need":      {oauth.Metadata{JWKSURI: "https://a.example/jwks"}, "", "jwks"},
		"shadow":                   {oauth.Metadata{Shadow: "local-first"}, "", ""},
		"shadow of nothing":        {oauth.Metadata{Shadow: "upstream"}, "", "shadow"},
		"floor":                    {oauth.Metadata{MinimumACR: authn.ACRMulti}, "", ""},
		"floor nobody knows":       {oauth.Metadata{MinimumACR: "urn:example:gold"}, "", "minimum_acr"},
		"floor that is a mail":     {oauth.Metadata{MinimumACR: authn.ACREmail}, "", "minimum_acr"},
		"floor above its mail":     {oauth.Metadata{MinimumACR: authn.ACRSingle, EmailSignIn: true}, "", "minimum_acr"},
		"assertions with HS256":    {oauth.Metadata{AuthSigningAlg: "HS256"}, "", "token_endpoint_auth_signing_alg"},
	} {
		t.Run(name, func(t *testing.T) {
			client := oauth.Client{Name: "A service", GrantTypes: []string{"client_credentials"}, Metadata: c.metadata}
			if c.redirect != "" {
				client.GrantTypes, client.RedirectURIs = []string{"authorization_code"}, []string{c.redirect}
			}
			_, _, err := cs.Create(t.Context(), operator, client)
			if (c.field == "") != (err == nil) || err != nil && (!errors.Is(err, directory.ErrInvalid) || !strings.Contains(err.Error(), c.field+": ")) {
				t.Errorf("error is %v, want a fault of %q", err, c.field)
			}
		})
	}
}

// publishKey puts a new key of a client at its address.
func publishKey(t *testing.T, at *outside, address, kid string) *ecdsa.PrivateKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: []byte("shared"), KeyID: "oct"}, {Key: private.Public(), KeyID: kid}}}
	body, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	at.set(address, string(body))
	return private
}

func TestAClientPublishesItsKeys(t *testing.T) {
	const address = "https://a.example/jwks"
	clock := newMoving()
	cs := clientsOn(storagetest.Open(t), clock)
	web := publish()
	cs.Fetch = web
	create(t, cs, oauth.Client{ID: "pkj", AuthMethod: oauth.PrivateKeyJWT, Metadata: oauth.Metadata{JWKSURI: address}})
	k := &keyClient{t: t, clock: clock}
	sign := func(private *ecdsa.PrivateKey, kid string) *http.Request {
		return post(k.assert(k.claims("pkj", nil), private, (&jose.SignerOptions{}).WithHeader("kid", kid)))
	}
	first := publishKey(t, web, address, "k1")
	for range 3 {
		wantClient(t, cs, sign(first, "k1"), "pkj")
	}
	if web.times() != 1 {
		t.Errorf("keys were fetched %d times", web.times())
	}
	clock.Advance(time.Minute)
	second := publishKey(t, web, address, "k2")
	wantClient(t, cs, sign(second, "k2"), "pkj") // met before it was known
	for range 8 {
		wantRefused(t, cs, sign(first, "k1"), 401)
		wantRefused(t, cs, sign(first, "k3"), 401)
	}
	if web.times() != 2 {
		t.Errorf("keys were fetched %d times for keys that nobody has", web.times())
	}
	clock.Advance(time.Hour)
	web.set(address, "")
	wantClient(t, cs, sign(second, "k2"), "pkj") // old keys serve while no others can be had
	clock.Advance(24 * time.Hour)
	wantRefused(t, cs, sign(second, "k2"), 401)
}

func TestAClientSignsWithTheAlgorithmItNamed(t *testing.T) {
	clock := newMoving()
	cs := clientsOn(storagetest.Open(t), clock)
	k := newKeyClient(t, cs, clock, "pkj")
	c, err := cs.Get(t.Context(), "pkj")
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []string{"ES256", "RS256"} {
		update := *c
		update.AuthSigningAlg = alg
		if _, _, err := cs.Update(t.Context(), operator, update); err != nil {
			t.Fatal(err)
		}
		signed := post(k.assert(k.claims("pkj", nil), k.private, nil))
		if alg == "ES256" {
			wantClient(t, cs, signed, "pkj")
		} else {
			wantRefused(t, cs, signed, 401)
		}
	}
}
