package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"gatehouse/authn/pages/pagestest"
)

// television is a device made of go-oidc and x/oauth2.
type television struct {
	t        *testing.T
	config   oauth2.Config
	provider *oidc.Provider
	begun    *oauth2.DeviceAuthResponse
}

func (d *deployment) television(s *server) *television {
	d.t.Helper()
	client := d.client("--id", "television", "--name", "Living room", "--public", "--grant", "device_code", "--grant", "refresh_token",
		"--scope", "openid", "--scope", "email", "--scope", "offline_access")
	tv := &television{t: d.t, config: oauth2.Config{ClientID: client.ClientID, Scopes: []string{"openid", "email", "offline_access"}}}
	var err error
	if tv.provider, err = oidc.NewProvider(d.t.Context(), s.url); err != nil {
		d.t.Fatal(err)
	}
	tv.config.Endpoint = tv.provider.Endpoint()
	if tv.begun, err = tv.config.DeviceAuth(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	return tv
}

// tokens polls until the person has answered.
func (tv *television) tokens() (*oauth2.Token, error) {
	tv.begun.Interval = 1 // the first poll is never too soon
	return tv.config.DeviceAccessToken(tv.t.Context(), tv.begun)
}

// TestTelevisionSignsAPersonInThroughABrowser: a device nobody here wrote, its
// link opened in a real browser without scripts, sign-in, code, consent.
func TestTelevisionSignsAPersonInThroughABrowser(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		b := pagestest.Open(t)
		person, s := d.person(), d.start()
		tv := d.television(s)
		b.Go(tv.begun.VerificationURIComplete)
		d.signInWith(b, person, 1)
		if got := b.Value("user_code"); got != tv.begun.UserCode {
			t.Fatalf("at %q with %q: %s", b.Heading(), got, b.Text())
		}
		b.CheckAccessible()
		b.Click("main button")
		if got := b.Heading(); got != "Allow Living room to use your account?" || !strings.Contains(b.Text(), tv.begun.UserCode) {
			t.Fatalf("at %q: %s", got, b.Text())
		}
		b.CheckAccessible()
		if status := b.Click("button[value=accept]"); status != http.StatusOK || b.Heading() != "Your device is connected" {
			t.Fatalf("%d, at %q: %s", status, b.Heading(), b.Text())
		}
		token, err := tv.tokens()
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := token.Extra("id_token").(string)
		id, err := tv.provider.Verifier(&oidc.Config{ClientID: "television"}).Verify(t.Context(), raw)
		if err != nil || id.Subject != person.ID.String() || id.VerifyAccessToken(token.AccessToken) != nil {
			t.Errorf("ID token %+v, %v", id, err)
		}
		again, err := tv.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
		if err != nil || again.AccessToken == token.AccessToken {
			t.Errorf("refresh: %v", err)
		}
	})
}

// TestPersonRefusesADeviceByKeyboard types the code and refuses without a mouse.
func TestPersonRefusesADeviceByKeyboard(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, sqliteConfig(t))
	b := pagestest.Open(t)
	person, s := d.person(), d.start()
	tv := d.television(s)
	b.Go(tv.begun.VerificationURI)
	d.signInWith(b, person, 1)
	for _, want := range []string{"govuk-skip-link", "gh-wordmark", "language-cy", "user_code"} {
		b.Press(kb.Tab)
		b.WantFocus(want)
	}
	b.Press(strings.ToLower(strings.ReplaceAll(tv.begun.UserCode, "-", " ")))
	b.PressAndGo(kb.Enter)
	for range 5 { // skip link, wordmark, language, allow, do not allow
		b.Press(kb.Tab)
	}
	b.PressAndGo(kb.Enter)
	if got := b.Heading(); got != "The device was not allowed" {
		t.Fatalf("at %q: %s", got, b.Text())
	}
	if token, err := tv.tokens(); err == nil || !strings.Contains(err.Error(), "access_denied") {
		t.Errorf("token %v, error %v", token, err)
	}
}
