package oauth_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// TestAClientThatIsNotOurs signs in with go-oidc and x/oauth2, which check what
// they are sent by their own reading of the standards.
func TestAClientThatIsNotOurs(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	for _, alg := range []string{oauth.ES256, oauth.EdDSA} {
		id := "rp-" + strings.ToLower(alg)
		_, secret, err := g.clients.Create(t.Context(), operator, oauth.Client{
			ID: id, Name: "A relying party", FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"},
			Scopes: strings.Fields(allScopes), RedirectURIs: []string{callback}, IDTokenAlg: alg, AccessTokenAlg: alg,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx := oidc.ClientContext(t.Context(), &http.Client{Transport: toRig(t, g)})
		provider := (&oidc.ProviderConfig{
			IssuerURL: testIssuer, AuthURL: testIssuer + "/oauth/authorize", TokenURL: testIssuer + "/oauth/token",
			UserInfoURL: testIssuer + "/oauth/userinfo", JWKSURL: testIssuer + "/oauth/jwks", Algorithms: []string{alg},
		}).NewProvider(ctx)
		config := &oauth2.Config{
			ClientID: id, ClientSecret: secret, RedirectURL: callback, Scopes: strings.Fields(allScopes), Endpoint: provider.Endpoint(),
		}
		signInLikeAStranger(ctx, t, g, provider, config)
	}
}

func signInLikeAStranger(ctx context.Context, t *testing.T, g *rig, provider *oidc.Provider, config *oauth2.Config) {
	t.Helper()
	pkce := oauth2.GenerateVerifier()
	target := config.AuthCodeURL("the state", oauth2.S256ChallengeOption(pkce), oidc.Nonce("the nonce"))
	redirect := g.signedIn().get(strings.TrimPrefix(target, testIssuer)).redirect()
	token, err := config.Exchange(ctx, redirect.Get("code"), oauth2.VerifierOption(pkce))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID, Now: g.clock.Now}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	if idToken.Nonce != "the nonce" || redirect.Get("state") != "the state" {
		t.Errorf("nonce %q, state %q", idToken.Nonce, redirect.Get("state"))
	}
	if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
		t.Error(err)
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != idToken.Subject || info.Email != "alice@example.com" || !info.EmailVerified {
		t.Errorf("userinfo %+v, error %v", info, err)
	}
	token.Expiry = time.Unix(1, 0)
	refreshed, err := config.TokenSource(ctx, token).Token()
	if err != nil || refreshed.RefreshToken == token.RefreshToken {
		t.Errorf("refresh: %v", err)
	}
}

// toRig sends requests for the issuer to the rig.
func toRig(t *testing.T, g *rig) http.RoundTripper {
	t.Helper()
	target, err := url.Parse(g.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host, r.Host = target.Scheme, target.Host, ""
		return http.DefaultTransport.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestAStoreThatIsDownIsNobodysFault leaves the store no time to answer: no
// answer of ours may make a client throw away what is still good.
func TestAStoreThatIsDownIsNobodysFault(t *testing.T) {
	each(t, storeDown)
}

func storeDown(t *testing.T, g *rig) {
	b := g.signedIn()
	code, tokens := b.code(request("conf")), g.tokens("conf")
	deviceCode, userCode := g.begun("tv")
	g.exchangers(oauth.JWT)
	g.routes.Timeout = time.Nanosecond
	for name, got := range map[string]*answer{
		"exchange":   g.exchange("conf", code),
		"refresh":    g.refresh("conf", tokens.text("refresh_token")),
		"device":     g.device("tv"),
		"poll":       g.poll("tv", deviceCode),
		"user code":  b.enter(userCode),
		"pass on":    g.swap("front", tokens.text("access_token")),
		"introspect": g.post("/oauth/introspect", "conf", url.Values{"token": {tokens.text("access_token")}}),
		"revoke":     g.post("/oauth/revoke", "conf", url.Values{"token": {tokens.text("access_token")}}),
		"userinfo":   g.bearer("/oauth/userinfo", tokens.text("access_token")),
		"directory":  g.bearer("/admin", tokens.text("access_token")),
		"authorize":  b.authorize(request("conf")),
		"sign-out":   b.leave("client_id", "conf"),
	} {
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || got.location != "" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// TestRedisDownStopsOnlySignIns: what was issued does not depend on it.
func TestRedisDownStopsOnlySignIns(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	code, tokens := g.signedIn().code(request("conf")), g.tokens("conf")
	gone, err := storage.OpenRedis("redis://127.0.0.1:1/0", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = gone.Close() })
	g.server.Flows = storage.OAuthFlows{Redis: gone}
	if got := g.browser().authorize(request("conf")); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("a sign-in: %d", got.status)
	}
	if got := g.exchange("conf", code); got.status != http.StatusOK {
		t.Errorf("exchange: %d %s", got.status, got.body)
	}
	if got := g.refresh("conf", tokens.text("refresh_token")); got.status != http.StatusOK {
		t.Errorf("refresh: %d %s", got.status, got.body)
	}
	if !g.active("conf", tokens.text("access_token")) {
		t.Error("introspection says inactive")
	}
}
