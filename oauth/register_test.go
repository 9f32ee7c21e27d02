package oauth_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
	"gatehouse/internal/web/webtest"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// registry is a rig at which clients register.
type registry struct {
	*rig
	registrar *oauth.Registrar
}

func newRegistry(t *testing.T, s *storage.Stores) *registry {
	t.Helper()
	g := &registry{rig: newRig(t, s)}
	g.registrar = &oauth.Registrar{
		Clients: g.clients, Store: storage.OAuthRegistrations{DB: s.DB}, Tries: g.authn,
		Issuer: testIssuer,
	}
	const one = oauth.RegisterPath + "/{client_id}"
	api := oauth.Surface{}
	g.routes.Add(
		web.Route{Method: "POST", Path: oauth.RegisterPath, Surface: api, Handler: g.registrar.Register},
		web.Route{Method: "GET", Path: one, Surface: api, Handler: g.registrar.Show},
		web.Route{Method: "PUT", Path: one, Surface: api, Handler: g.registrar.Replace},
		web.Route{Method: "DELETE", Path: one, Surface: api, Handler: g.registrar.Remove},
	)
	return g
}

// token makes an initial access token.
func (g *registry) token(uses int64) string {
	g.t.Helper()
	token, _, err := g.registrar.NewToken(g.t.Context(), operator, uses, time.Hour, "a test")
	if err != nil {
		g.t.Fatal(err)
	}
	return token
}

// call sends a JSON body with a bearer token and holds the answer to its description.
func (g *registry) call(method, path, token string, body any) *answer {
	g.t.Helper()
	text, raw := body.(string)
	encoded := []byte(text)
	if !raw && body != nil {
		encoded, _ = json.Marshal(body)
	}
	r, err := http.NewRequestWithContext(g.t.Context(), method, g.http.URL+path, bytes.NewReader(encoded))
	if err != nil {
		g.t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := noRedirects.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	webtest.CheckResponse(g.t, r, response)
	got := bytes.Buffer{}
	_, _ = got.ReadFrom(response.Body)
	_ = response.Body.Close()
	return &answer{t: g.t, status: response.StatusCode, header: response.Header, body: got.String()}
}

func (g *registry) register(metadata map[string]any) *answer {
	g.t.Helper()
	return g.call(http.MethodPost, "/register", g.token(1), metadata)
}

func wantError(t *testing.T, name string, got *answer, status int, code string) {
	t.Helper()
	if got.status != status || got.text("error") != code {
		t.Errorf("%s: %d %s, want %d %s", name, got.status, got.body, status, code)
	}
}

func eachRegistry(t *testing.T, test func(t *testing.T, g *registry)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) { test(t, newRegistry(t, s)) })
}

func TestARegisteredClientSignsPeopleIn(t *testing.T) {
	eachRegistry(t, func(t *testing.T, g *registry) {
		got := g.register(map[string]any{
			"client_name": "A newcomer", "redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "refresh_token"},
			"id_token_signed_response_alg": "ES256", "contacts": []string{"them@example.com"}, "request_uris": []string{"https://a.example/r"},
		})
		if got.status != http.StatusCreated || got.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s", got.status, got.body)
		}
		id, secret := got.text("client_id"), got.text("client_secret")
		if got.json()["client_secret_expires_at"] != 0.0 || !strings.HasPrefix(got.text("registration_access_token"), "gh_rat_") ||
			got.text("registration_client_uri") != testIssuer+"/register/"+id || got.text("application_type") != "web" || got.json()["request_uris"] != nil {
			t.Errorf("registered as %s", got.body)
		}
		g.secrets[id] = secret
		b := g.signedIn()
		flow := b.authorize(request(id, "scope", "openid email")).flow("/consent")
		code := b.do(http.MethodPost, "/consent", url.Values{"flow": {flow}, "consent": {"accept"}}).redirect().Get("code")
		if tokens := g.exchange(id, code); tokens.status != http.StatusOK || tokens.text("refresh_token") == "" {
			t.Errorf("%d %s", tokens.status, tokens.body)
		}
	})
}

func TestARegisteredClientIsNoMoreThanItMayBe(t *testing.T) {
	g := newRegistry(t, storagetest.Open(t))
	got := g.register(map[string]any{
		"client_name": "Greedy", "redirect_uris": []string{callback}, "scope": "openid notify.admin marketplace:partner PROBATION_API",
		"first_party": true, "roles": []string{"PROBATION_API"}, "kind": "partner", "pkce_optional": true, "origin": "",
		"audiences": []string{"https://api.example/"}, "resources": []string{"https://api.example/"}, "client_id": "demo-api",
		"client_secret": "chosen", "client_secret_sha256": strings.Repeat("00", 32), "access_token_format": "opaque",
	})
	if got.status != http.StatusCreated {
		t.Fatalf("%d %s", got.status, got.body)
	}
	c, err := g.clients.Get(t.Context(), got.text("client_id"))
	if err != nil {
		t.Fatal(err)
	}
	if c.ID == "demo-api" || c.FirstParty || len(c.Roles) > 0 || c.Kind != "" || c.PKCEOptional || c.Origin != oauth.OriginRegistration ||
		len(c.Audiences)+len(c.Resources) > 0 || !slices.Equal(c.Scopes, []string{"openid"}) || got.text("client_secret") == "chosen" {
		t.Errorf("registered as %+v", c)
	}
	g.registrar.Scopes = []string{"openid", "directory.read"}
	if got := g.register(map[string]any{"redirect_uris": []string{callback}}); got.text("scope") != "openid directory.read" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestARegistrationIsRefusedWithItsReason(t *testing.T) {
	g := newRegistry(t, storagetest.Open(t))
	token := g.token(1)
	for name, c := range map[string]struct {
		metadata any
		code     string
	}{
		"http":                     {map[string]any{"redirect_uris": []string{"http://app.example.com/cb"}}, "invalid_redirect_uri"},
		"fragment":                 {map[string]any{"redirect_uris": []string{callback + "#x"}}, "invalid_redirect_uri"},
		"none":                     {map[string]any{}, "invalid_redirect_uri"},
		"web and localhost":        {map[string]any{"application_type": "web", "redirect_uris": []string{"http://localhost/cb"}}, "invalid_redirect_uri"},
		"script":                   {map[string]any{"redirect_uris": []string{"javascript:alert(1)"}}, "invalid_redirect_uri"},
		"implicit":                 {map[string]any{"redirect_uris": []string{callback}, "response_types": []string{"token"}}, "invalid_client_metadata"},
		"password":                 {map[string]any{"redirect_uris": []string{callback}, "grant_types": []string{"password"}}, "invalid_client_metadata"},
		"machine":                  {map[string]any{"grant_types": []string{"client_credentials"}}, "invalid_client_metadata"},
		"unsigned ID token":        {map[string]any{"redirect_uris": []string{callback}, "id_token_signed_response_alg": "none"}, "invalid_client_metadata"},
		"encrypted ID token":       {map[string]any{"redirect_uris": []string{callback}, "id_token_encrypted_response_alg": "RSA-OAEP"}, "invalid_client_metadata"},
		"signed requests":          {map[string]any{"redirect_uris": []string{callback}, "require_signed_request_object": true}, "invalid_client_metadata"},
		"software statement":       {map[string]any{"redirect_uris": []string{callback}, "software_statement": "a.b.c"}, "invalid_software_statement"},
		"jwks and jwks_uri":        {map[string]any{"redirect_uris": []string{callback}, "token_endpoint_auth_method": "private_key_jwt", "jwks": map[string]any{"keys": []any{}}, "jwks_uri": "https://a.example/jwks"}, "invalid_client_metadata"},
		"inward jwks_uri":          {map[string]any{"redirect_uris": []string{callback}, "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://169.254.169.254/"}, "invalid_client_metadata"},
		"sector that is not there": {map[string]any{"redirect_uris": []string{callback}, "sector_identifier_uri": "https://10.0.0.1/"}, "invalid_client_metadata"},
		"a string for a list":      {map[string]any{"redirect_uris": callback}, "invalid_client_metadata"},
		"no JSON":                  {"{", "invalid_client_metadata"},
		"a list":                   {"[]", "invalid_client_metadata"},
		"a member twice":           {`{"redirect_uris":["` + callback + `"],"redirect_uris":["https://evil.example/"]}`, "invalid_client_metadata"},
	} {
		wantError(t, name, g.call(http.MethodPost, "/register", token, c.metadata), http.StatusBadRequest, c.code)
	}
	// None of these has used the token up.
	if got := g.call(http.MethodPost, "/register", token, map[string]any{"redirect_uris": []string{callback}}); got.status != http.StatusCreated {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestRegistrationNeedsAToken(t *testing.T) {
	g := newRegistry(t, storagetest.Open(t))
	good := map[string]any{"redirect_uris": []string{callback}}
	spent, late := g.token(1), g.token(1)
	if got := g.call(http.MethodPost, "/register", spent, good); got.status != http.StatusCreated {
		t.Fatal(got.body)
	}
	access := g.tokens("conf").text("access_token")
	for name, token := range map[string]string{
		"none": "", "unknown": "gh_it_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "spent": spent, "an access token": access, "without its prefix": strings.TrimPrefix(late, "gh_it_"),
	} {
		got := g.call(http.MethodPost, "/register", token, good)
		wantError(t, name, got, http.StatusUnauthorized, "invalid_token")
		if got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: no challenge", name)
		}
	}
	g.clock.Advance(time.Hour)
	wantError(t, "expired", g.call(http.MethodPost, "/register", late, good), http.StatusUnauthorized, "invalid_token")
}

// TestAnInitialTokenIsUsedAsOftenAsItMayBe races 64 registrations for three.
func TestAnInitialTokenIsUsedAsOftenAsItMayBe(t *testing.T) {
	eachRegistry(t, func(t *testing.T, g *registry) {
		token := g.token(3)
		var created, refused atomic.Int32
		together(64, func(int) {
			switch got := g.call(http.MethodPost, "/register", token, map[string]any{"redirect_uris": []string{callback}}); got.status {
			case http.StatusCreated:
				created.Add(1)
			case http.StatusUnauthorized:
				refused.Add(1)
			default:
				t.Errorf("%d %s", got.status, got.body)
			}
		})
		if created.Load() != 3 || refused.Load() != 61 {
			t.Errorf("%d created, %d refused", created.Load(), refused.Load())
		}
	})
}

func TestAClientManagesItself(t *testing.T) {
	eachRegistry(t, func(t *testing.T, g *registry) {
		first := g.register(map[string]any{"client_name": "One", "redirect_uris": []string{callback}, "policy_uri": "https://a.example/policy"})
		id, token, secret := first.text("client_id"), first.text("registration_access_token"), first.text("client_secret")
		path := "/register/" + id
		shown := g.call(http.MethodGet, path, token, nil)
		if shown.status != http.StatusOK || shown.text("client_name") != "One" || shown.json()["client_secret"] != nil || shown.text("registration_access_token") != token {
			t.Errorf("%d %s", shown.status, shown.body)
		}
		replaced := g.call(http.MethodPut, path, token, map[string]any{"client_id": id, "client_secret": secret, "client_name": "Two", "redirect_uris": []string{callback}})
		if replaced.status != http.StatusOK || replaced.text("client_name") != "Two" || replaced.json()["policy_uri"] != nil || replaced.json()["client_secret"] != nil {
			t.Errorf("%d %s", replaced.status, replaced.body)
		}
		wantClient(t, g.clients, basic(id, secret), id)
		wantError(t, "another's id", g.call(http.MethodPut, path, token, map[string]any{"client_id": "conf", "redirect_uris": []string{callback}}), 400, "invalid_client_metadata")
		wantError(t, "a chosen secret", g.call(http.MethodPut, path, token, map[string]any{"client_id": id, "client_secret": "mine", "redirect_uris": []string{callback}}), 400, "invalid_client_metadata")

		other := g.register(map[string]any{"redirect_uris": []string{callback}}).text("registration_access_token")
		for name, c := range map[string][2]string{
			"without a token": {path, ""}, "another's token": {path, other}, "the operator's client": {"/register/conf", token}, "nobody": {"/register/ghost", token}, "no id": {"/register/a%20b", token},
		} {
			for _, method := range []string{http.MethodGet, http.MethodDelete} {
				wantError(t, name, g.call(method, c[0], c[1], nil), http.StatusUnauthorized, "invalid_token")
			}
		}
		if got := g.call(http.MethodDelete, path, token, nil); got.status != http.StatusNoContent || got.body != "" {
			t.Errorf("%d %s", got.status, got.body)
		}
		wantError(t, "after its end", g.call(http.MethodGet, path, token, nil), http.StatusUnauthorized, "invalid_token")
		wantRefused(t, g.clients, basic(id, secret), 401)
	})
}

// TestAClientOnlyRaisesItsOwnFloor: what the operator set, or it said itself, is
// not taken back by leaving it out.
func TestAClientOnlyRaisesItsOwnFloor(t *testing.T) {
	g := newRegistry(t, storagetest.Open(t))
	first := g.register(map[string]any{"redirect_uris": []string{callback}, "minimum_acr": authn.ACRSingle})
	id, token := first.text("client_id"), first.text("registration_access_token")
	for _, c := range []struct{ says, want string }{
		{"", authn.ACRSingle}, {authn.ACRMulti, authn.ACRMulti}, {authn.ACRSingle, authn.ACRMulti}, {"", authn.ACRMulti},
	} {
		got := g.call(http.MethodPut, "/register/"+id, token, map[string]any{"client_id": id, "redirect_uris": []string{callback}, "minimum_acr": c.says})
		if got.status != http.StatusOK || got.text("minimum_acr") != c.want {
			t.Errorf("%q: %d %s", c.says, got.status, got.body)
		}
	}
	wantError(t, "no level", g.call(http.MethodPut, "/register/"+id, token, map[string]any{"client_id": id, "redirect_uris": []string{callback}, "minimum_acr": "gold"}), 400, "invalid_client_metadata")
}

// TestAClientCannotChooseItsOrganisation: the pages would carry anybody's name.
func TestAClientCannotChooseItsOrganisation(t *testing.T) {
	g := newRegistry(t, storagetest.Open(t))
	org := g.organisation(directory.EmailBranding{Name: "Ministry of Examples", BrandType: "org"}).ID.String()
	first := g.register(map[string]any{"redirect_uris": []string{callback}, "organisation_id": org})
	id, token := first.text("client_id"), first.text("registration_access_token")
	if first.text("organisation_id") != "" {
		t.Errorf("registered: %s", first.body)
	}
	registered, err := g.clients.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	given := *registered
	given.OrganisationID = org
	if _, _, err := g.clients.Update(t.Context(), operator, given); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"", "00000000-0000-4000-8000-000000000001"} {
		got := g.call(http.MethodPut, "/register/"+id, token, map[string]any{"client_id": id, "redirect_uris": []string{callback}, "organisation_id": says})
		if got.status != http.StatusOK || got.text("organisation_id") != org {
			t.Errorf("%q: %d %s", says, got.status, got.body)
		}
	}
}

func TestRegistrationIsLimited(t *testing.T) {
	g := newRegistry(t, storagetest.Open(t))
	for range 100 {
		wantError(t, "a try", g.call(http.MethodPost, "/register", "gh_it_x", map[string]any{}), http.StatusUnauthorized, "invalid_token")
	}
	if got := g.call(http.MethodPost, "/register", g.token(1), map[string]any{}); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestAnInitialTokenHasBounds(t *testing.T) {
	g := newRegistry(t, storagetest.Open(t))
	for name, c := range map[string]struct {
		uses int64
		life time.Duration
		note string
	}{"no use": {0, time.Hour, ""}, "negative": {-1, time.Hour, ""}, "no time": {1, 0, ""}, "ever": {1, 9000 * time.Hour, ""}, "a hidden note": {1, time.Hour, "\x00"}} {
		if _, _, err := g.registrar.NewToken(t.Context(), operator, c.uses, c.life, c.note); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}
