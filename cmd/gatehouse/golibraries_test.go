package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"gatehouse/oauth"
)

// goService is a relying service of go-oidc and x/oauth2 without a browser: it
// takes ID tokens by one algorithm and is told when somebody signs out.
type goService struct {
	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
	told     chan string // logout tokens
	// device is another client, and public: x/oauth2 does not authenticate the
	// client when it asks for a device's codes.
	device         oauth2.Config
	deviceVerifier *oidc.IDTokenVerifier
}

func (d *deployment) goService(s *server, alg string) *goService {
	d.t.Helper()
	rp := &goService{told: make(chan string, 1)}
	told := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { rp.told <- r.PostFormValue("logout_token") }))
	d.t.Cleanup(told.Close)
	c := d.client("--name", "Example Forms", "--id-token-alg", alg, "--first-party", "--redirect-uri", callback, "--backchannel-logout-uri", told.URL,
		"--grant", "authorization_code", "--grant", "refresh_token", "--scope", "openid", "--scope", "email", "--scope", "offline_access")
	device := d.client("--name", "Television", "--id-token-alg", alg, "--public", "--grant", oauth.GrantDeviceCode, "--scope", "openid")
	provider, err := oidc.NewProvider(d.t.Context(), s.url)
	if err != nil {
		d.t.Fatal(err)
	}
	rp.config = oauth2.Config{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret, RedirectURL: callback, Endpoint: provider.Endpoint(),
		Scopes: []string{oidc.ScopeOpenID, "email", oidc.ScopeOfflineAccess},
	}
	rp.device = oauth2.Config{ClientID: device.ClientID, Endpoint: provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID}}
	verifier := func(client string) *oidc.IDTokenVerifier {
		return provider.VerifierContext(d.t.Context(), &oidc.Config{ClientID: client, SupportedSigningAlgs: []string{alg}})
	}
	rp.verifier, rp.deviceVerifier = verifier(c.ClientID), verifier(device.ClientID)
	return rp
}

// verified returns the ID token that came with an access token, and its session.
func verified(t *testing.T, verifier *oidc.IDTokenVerifier, token *oauth2.Token) (*oidc.IDToken, string) {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	id, err := verifier.Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		t.Error(err)
	}
	var claims struct {
		SessionID string `json:"sid"`
	}
	if err := id.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	return id, claims.SessionID
}

// TestGoLibrariesTakeEveryAlgorithm is the code flow, a refresh, the device flow
// and back-channel logout with go-oidc and x/oauth2, for every algorithm of ID tokens.
func TestGoLibrariesTakeEveryAlgorithm(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, sqliteConfig(t))
	person := d.person()
	s := d.start()
	for i, alg := range []string{oidc.RS256, oidc.ES256, oidc.EdDSA} {
		t.Run(alg, func(t *testing.T) {
			rp, j := d.goService(s, alg), d.journey(s)
			verifier := oauth2.GenerateVerifier()
			j.get(rp.config.AuthCodeURL("the-state-1234", oauth2.S256ChallengeOption(verifier)))
			j.signIn(person, i+1)
			token, err := rp.config.Exchange(t.Context(), j.code(), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}
			id, session := verified(t, rp.verifier, token)
			if id.Subject != person.ID.String() || session == "" {
				t.Errorf("sub %q, sid %q", id.Subject, session)
			}

			token.Expiry = time.Now().Add(-time.Second) // so that the library refreshes
			refreshed, err := rp.config.TokenSource(t.Context(), token).Token()
			if err != nil {
				t.Fatal(err)
			}
			if id, again := verified(t, rp.verifier, refreshed); refreshed.AccessToken == token.AccessToken || id.Subject != person.ID.String() || again != session {
				t.Errorf("after the refresh: sub %q, sid %q", id.Subject, again)
			}
			if device, _ := verified(t, rp.deviceVerifier, rp.connect(t, j)); device.Subject != person.ID.String() {
				t.Errorf("on the device: sub %q", device.Subject)
			}

			j.submit("/signout", url.Values{})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			select {
			case raw := <-rp.told:
				logout, err := rp.verifier.VerifyLogout(ctx, raw)
				if err != nil || logout.Subject != person.ID.String() || logout.SessionID != session {
					t.Errorf("logout token %+v: %v", logout, err)
				}
			case <-ctx.Done():
				t.Error("nobody told the service")
			}
		})
	}
}

// connect signs a device of the service in, as whoever is signed in in the browser.
func (rp *goService) connect(t *testing.T, j *journey) *oauth2.Token {
	t.Helper()
	shown, err := rp.device.DeviceAuth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	j.submit("/device", url.Values{"user_code": {shown.UserCode}})
	j.consent("accept")
	shown.Interval = 1 // it was approved, so it is not kept waiting
	token, err := rp.device.DeviceAccessToken(t.Context(), shown)
	if err != nil {
		t.Fatal(err)
	}
	return token
}
