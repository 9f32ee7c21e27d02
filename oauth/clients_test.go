package oauth_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

const testIssuer = "https://id.example.org"

func clientsOn(s *storage.Stores, clock *moving) *oauth.Clients {
	return &oauth.Clients{
		Store: storage.OAuthClients{DB: s.DB}, Audit: storage.Directory{DB: s.DB}, Once: storage.OAuthOnce{Redis: s.Redis},
		Clock: clock.Now, Rand: rand.Reader, Issuer: testIssuer, Organisations: storage.Directory{DB: s.DB},
		Tries: &authn.Service{Directory: storage.Directory{DB: s.DB}, CodeKey: make([]byte, 32), Clock: clock.Now, Log: slog.New(slog.DiscardHandler)},
	}
}

func create(t *testing.T, cs *oauth.Clients, c oauth.Client) (*oauth.Client, string) {
	t.Helper()
	if c.Name == "" {
		c.Name = "A service"
	}
	if len(c.GrantTypes) == 0 {
		c.GrantTypes = []string{oauth.GrantClientCredentials}
	}
	created, secret, err := cs.Create(t.Context(), operator, c)
	if err != nil {
		t.Fatal(err)
	}
	return created, secret
}

func TestAClientIsKeptAsItWasCreated(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		cs := clientsOn(s, newMoving())
		want, secret := create(t, cs, oauth.Client{
			ID: "app", Name: "An application", GrantTypes: []string{"authorization_code", "refresh_token", "refresh_token"},
			Scopes: []string{"openid", "marketplace:partner"}, Roles: []string{"ROLE_DELIUS_USER_AUTH", "DELIUS_USER_AUTH"},
			RedirectURIs: []string{"https://app.example.com/cb"}, PostLogoutRedirectURIs: []string{"https://app.example.com/"},
			FirstParty: true, Kind: "partner", TokenFormat: oauth.Opaque, PKCEOptional: true,
		})
		if len(secret) != 43 || bytes.Contains(want.SecretHash, []byte(secret)) {
			t.Errorf("secret of %d characters, want 43", len(secret))
		}
		if !slices.Equal(want.Roles, []string{"DELIUS_USER_AUTH"}) || len(want.GrantTypes) != 2 {
			t.Errorf("roles %v, grants %v", want.Roles, want.GrantTypes)
		}
		got, err := cs.Get(t.Context(), "app")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		all, err := cs.List(t.Context())
		if err != nil || len(all) != 1 {
			t.Errorf("%d clients, error %v", len(all), err)
		}
		_, _, err = cs.Create(t.Context(), operator, oauth.Client{ID: "app", Name: "Twin", GrantTypes: []string{"client_credentials"}})
		if !errors.Is(err, directory.ErrConflict) {
			t.Errorf("a second client of the id: %v", err)
		}
	})
}

func TestAnInvalidClientIsToldEveryFault(t *testing.T) {
	cs := clientsOn(storagetest.Open(t), newMoving())
	_, _, err := cs.Create(t.Context(), operator, oauth.Client{
		ID: "3f1c0b3e-4a3f-4e15-9d53-1f8a8b0cf001", Name: "\u202ecipohs", Public: true, AuthMethod: oauth.ClientSecretPost,
		GrantTypes: []string{"password"}, Scopes: []string{"everything"}, Kind: "reseller", Roles: []string{"lower"},
		PostLogoutRedirectURIs: []string{"javascript:alert(1)"}, IDTokenAlg: "none", TokenFormat: "paseto",
	})
	for _, field := range []string{
		"client_id", "client_name", "token_endpoint_auth_method", "grant_types", "scope", "kind", "roles",
		"post_logout_redirect_uris", "id_token_signed_response_alg", "access_token_format",
	} {
		if err == nil || !strings.Contains(err.Error(), field+": ") {
			t.Errorf("no word of %s in %v", field, err)
		}
	}
	if !errors.Is(err, directory.ErrInvalid) {
		t.Errorf("error is %v", err)
	}
}

func TestRegistrationRules(t *testing.T) {
	cs := clientsOn(storagetest.Open(t), newMoving())
	code := func(uri string) oauth.Client {
		return oauth.Client{GrantTypes: []string{"authorization_code"}, RedirectURIs: []string{uri}}
	}
	machine := func(change func(c *oauth.Client)) oauth.Client {
		c := oauth.Client{GrantTypes: []string{"client_credentials"}}
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		client oauth.Client
		field  string // at fault; "" when there is nothing wrong
	}{
		"https":                {code("https://app.example.com/cb?x=1"), ""},
		"loopback":             {code("http://127.0.0.1/cb"), ""},
		"loopback v6":          {code("http://[::1]:8080/cb"), ""},
		"localhost":            {code("http://localhost:3000/cb"), ""},
		"private-use scheme":   {code("com.example.app:/cb"), ""},
		"http":                 {code("http://app.example.com/cb"), "redirect_uris"},
		"fragment":             {code("https://app.example.com/cb#"), "redirect_uris"},
		"relative":             {code("/cb"), "redirect_uris"},
		"user information":     {code("https://app.example.com@evil.example/"), "redirect_uris"},
		"scheme without a dot": {code("myapp:/cb"), "redirect_uris"},
		"javascript":           {code("javascript:alert(1)"), "redirect_uris"},
		"data":                 {code("data:text/html,x"), "redirect_uris"},
		"scheme with a host":   {code("com.example.app://cb"), "redirect_uris"},
		"port 0":               {code("http://127.0.0.1:0/cb"), "redirect_uris"},
		"empty port":           {code("https://app.example.com:/cb"), "redirect_uris"},
		"backslash":            {code(`https://app.example.com\@evil.example/`), "redirect_uris"},
		"space":                {code("https://app.example.com/a b"), "redirect_uris"},
		"NUL":                  {code("https://app.example.com/\x00"), "redirect_uris"},
		"no host":              {code("https:///cb"), "redirect_uris"},
		"no redirect":          {oauth.Client{GrantTypes: []string{"authorization_code"}}, "redirect_uris"},

		"machine":                   {machine(func(c *oauth.Client) {}), ""},
		"role as scope":             {machine(func(c *oauth.Client) { c.Scopes = []string{"PROBATION_API__HMPPS_AUTH__USER_DETAILS"} }), ""},
		"partner":                   {machine(func(c *oauth.Client) { c.Kind = "partner"; c.Scopes = []string{"marketplace:partner"} }), ""},
		"partner scope":             {machine(func(c *oauth.Client) { c.Scopes = []string{"marketplace:partner"} }), "scope"},
		"profiles, of a provider":   {machine(func(c *oauth.Client) { c.Kind = "provider"; c.Scopes = []string{"marketplace.profile"} }), ""},
		"profiles, of a partner":    {machine(func(c *oauth.Client) { c.Kind = "partner"; c.Scopes = []string{"marketplace.profile"} }), "scope"},
		"profiles, of any client":   {machine(func(c *oauth.Client) { c.Scopes = []string{"marketplace.profile"} }), "scope"},
		"scope of another kind":     {machine(func(c *oauth.Client) { c.Kind = "partner"; c.Scopes = []string{"marketplace:provider"} }), "scope"},
		"public machine":            {machine(func(c *oauth.Client) { c.Public = true }), "grant_types"},
		"refresh of nothing":        {machine(func(c *oauth.Client) { c.GrantTypes = []string{"refresh_token"} }), "grant_types"},
		"confidential without auth": {machine(func(c *oauth.Client) { c.AuthMethod = oauth.NoAuthentication }), "token_endpoint_auth_method"},
		"key without JWKS":          {machine(func(c *oauth.Client) { c.AuthMethod = oauth.PrivateKeyJWT }), "jwks"},
		"symmetric key": {machine(func(c *oauth.Client) {
			c.AuthMethod, c.JWKS = oauth.PrivateKeyJWT, []byte(`{"keys":[{"kty":"oct","k":"AAAA"}]}`)
		}), "jwks"},
		"id with a space":    {machine(func(c *oauth.Client) { c.ID = "a b" }), "client_id"},
		"id as UUID":         {machine(func(c *oauth.Client) { c.ID = "3F1C0B3E-4A3F-4E15-9D53-1F8A8B0CF001" }), "client_id"},
		"id as bare UUID":    {machine(func(c *oauth.Client) { c.ID = "3f1c0b3e4a3f4e159d531f8a8b0cf001" }), "client_id"},
		"name without a dot": {machine(func(c *oauth.Client) { c.Name = " " }), "client_name"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.client.Name == "" {
				c.client.Name = "A service"
			}
			_, _, err := cs.Create(t.Context(), operator, c.client)
			var fault *directory.FieldError
			if errors.As(err, &fault); (c.field == "") != (err == nil) || fault != nil && fault.Field != c.field {
				t.Errorf("error is %v, want a fault of %q", err, c.field)
			}
		})
	}
}

func TestARotatedSecretWorksAtOnceEverywhere(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		clock := newMoving()
		here, elsewhere := clientsOn(s, clock), clientsOn(s, clock)
		c, old := create(t, here, oauth.Client{ID: "m2m"})
		wantClient(t, elsewhere, basic(c.ID, old), "m2m")
		fresh, err := here.RotateSecret(t.Context(), operator, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantRefused(t, here, basic(c.ID, old), 401)
		wantClient(t, here, basic(c.ID, fresh), "m2m")
		wantClient(t, elsewhere, basic(c.ID, fresh), "m2m")
		wantRefused(t, elsewhere, basic(c.ID, old), 401)
	})
}

func TestADeletedClientIsGoneWithinASecond(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		clock := newMoving()
		here, elsewhere := clientsOn(s, clock), clientsOn(s, clock)
		c, secret := create(t, here, oauth.Client{ID: "m2m"})
		wantClient(t, elsewhere, basic(c.ID, secret), "m2m")
		if err := here.Delete(t.Context(), operator, c.ID); err != nil {
			t.Fatal(err)
		}
		wantRefused(t, here, basic(c.ID, secret), 401)
		clock.Advance(time.Second)
		wantRefused(t, elsewhere, basic(c.ID, secret), 401)
		if err := here.Delete(t.Context(), operator, c.ID); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("deleting it again: %v", err)
		}
		if _, err := here.RotateSecret(t.Context(), operator, c.ID); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("rotating its secret: %v", err)
		}
	})
}
