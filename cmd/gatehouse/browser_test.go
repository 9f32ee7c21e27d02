package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"gatehouse/authn/pages/pagestest"
)

// signInWith goes through the hosted pages from the sign-in page on; n counts
// the codes sent to the person. It ends on the consent page.
func (d *deployment) signInWith(b *pagestest.Browser, u userOutput, n int) {
	d.t.Helper()
	b.Fill("identifier", u.Email)
	b.Fill("password", testPassword)
	if status := b.Click("main button"); status != http.StatusOK {
		d.t.Fatalf("after the password: %d %s", status, b.Text())
	}
	b.CheckAccessible()
	b.Fill("code", d.code(u.Mobile, n))
	if status := b.Click("main button.govuk-button"); status != http.StatusOK {
		d.t.Fatalf("after the code: %d %s", status, b.Text())
	}
}

// stranger is a relying service made of go-oidc and x/oauth2.
type stranger struct {
	t        *testing.T
	config   oauth2.Config
	provider *oidc.Provider
	client   clientOutput
	answers  chan url.Values
	verifier string
}

// stranger starts the relying service's own server.
func (d *deployment) stranger(scopes ...string) *stranger {
	d.t.Helper()
	rp := &stranger{t: d.t, answers: make(chan url.Values, 1), verifier: oauth2.GenerateVerifier()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>RP</title><h1>Back at the service</h1>"))
		if r.URL.Path == "/callback" {
			rp.answers <- r.URL.Query()
		}
	}))
	d.t.Cleanup(server.Close)
	args := []string{"--id", "stranger", "--name", "Example Forms", "--grant", "authorization_code", "--redirect-uri", server.URL + "/callback"}
	for _, scope := range append([]string{"openid", "email"}, scopes...) {
		args = append(args, "--scope", scope)
	}
	rp.client = d.client(args...)
	rp.config = oauth2.Config{ClientID: rp.client.ClientID, ClientSecret: rp.client.ClientSecret, RedirectURL: server.URL + "/callback"}
	return rp
}

// authorizeURL is where the relying service sends the browser.
func (rp *stranger) authorizeURL(issuer string, scopes ...string) string {
	rp.t.Helper()
	var err error
	if rp.provider, err = oidc.NewProvider(rp.t.Context(), issuer); err != nil {
		rp.t.Fatal(err)
	}
	rp.config.Endpoint, rp.config.Scopes = rp.provider.Endpoint(), scopes
	return rp.config.AuthCodeURL("state-1234", oidc.Nonce("nonce-1234"), oauth2.S256ChallengeOption(rp.verifier))
}

// tokens exchanges the code that the browser brought and checks the ID token.
func (rp *stranger) tokens(issuer string) (*oauth2.Token, *oidc.IDToken) {
	rp.t.Helper()
	answer := <-rp.answers
	if answer.Get("state") != "state-1234" || answer.Get("iss") != issuer {
		rp.t.Fatalf("answer %v", answer)
	}
	token, err := rp.config.Exchange(rp.t.Context(), answer.Get("code"), oauth2.VerifierOption(rp.verifier))
	if err != nil {
		rp.t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := rp.provider.Verifier(&oidc.Config{ClientID: rp.client.ClientID}).Verify(rp.t.Context(), raw)
	if err != nil {
		rp.t.Fatal(err)
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil || id.Nonce != "nonce-1234" {
		rp.t.Errorf("nonce %q, at_hash %v", id.Nonce, err)
	}
	return token, id
}

// ministry creates the organisation that tokens are tried on.
func (d *deployment) ministry(s *server) (path string) {
	d.t.Helper()
	machine := d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin")
	created := s.call(s.token(machine, "notify.admin"), http.MethodPost, "/organisation", `{"name":"Ministry","crown":true,"organisation_type":"central"}`)
	var organisation struct{ ID string }
	created.json(d.t, &organisation)
	if organisation.ID == "" {
		d.t.Fatalf("create organisation: %d %s", created.status, created.body)
	}
	return "/organisation/" + organisation.ID
}

// TestStrangerSignsAPersonInThroughABrowser is the main job, end to end: a
// relying service nobody here wrote, a real browser without scripts, password,
// text message code, consent; the token opens what its scope allows.
func TestStrangerSignsAPersonInThroughABrowser(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		b := pagestest.Open(t)
		rp, person := d.stranger("notify.admin"), d.person()
		s := d.start()
		ministry := d.ministry(s)

		b.Go(rp.authorizeURL(s.url, "openid", "email", "notify.admin"))
		d.signInWith(b, person, 1)
		if got := b.Heading(); got != "Allow Example Forms to use your account?" {
			t.Fatalf("at %q: %s", got, b.Text())
		}
		b.CheckAccessible()
		b.Click("button[value=accept]")
		if got := b.Heading(); got != "Back at the service" {
			t.Fatalf("at %q: %s", got, b.Text())
		}
		token, id := rp.tokens(s.url)
		if id.Subject != person.ID.String() {
			t.Errorf("sub %q, want %s", id.Subject, person.ID)
		}
		if res := s.call(token.AccessToken, http.MethodGet, ministry, nil); res.status != http.StatusOK {
			t.Errorf("with the scope: %d %s", res.status, res.body)
		}

		// The session stands, so the second sign-in shows no page at all.
		b.Go(rp.authorizeURL(s.url, "openid"))
		if narrow, _ := rp.tokens(s.url); narrow != nil {
			if res := s.call(narrow.AccessToken, http.MethodGet, ministry, nil); res.status != http.StatusForbidden {
				t.Errorf("without the scope: %d %s", res.status, res.body)
			}
		}
	})
}

// TestPersonRefusesConsentByKeyboard ends at the service without a code.
func TestPersonRefusesConsentByKeyboard(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, sqliteConfig(t))
	b := pagestest.Open(t)
	rp, person := d.stranger(), d.person()
	s := d.start()
	b.Go(rp.authorizeURL(s.url, "openid"))
	d.signInWith(b, person, 1)
	for range 5 { // skip link, wordmark, language, allow, do not allow
		b.Press(kb.Tab)
	}
	b.PressAndGo(kb.Enter)
	if answer := <-rp.answers; answer.Get("error") != "access_denied" || answer.Has("code") {
		t.Errorf("answer %v", answer)
	}
}

// TestOpenIDClientSignsAPersonIn does the same with a client in another language.
func TestOpenIDClientSignsAPersonIn(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, sqliteConfig(t))
	b := pagestest.Open(t)
	person := d.person()
	// The port of a loopback address is free (RFC 8252 section 7.3).
	rp := d.client("--id", "node", "--name", "Example Forms", "--grant", "authorization_code", "--grant", "refresh_token",
		"--redirect-uri", "http://127.0.0.1/callback", "--scope", "openid", "--scope", "email", "--scope", "offline_access", "--scope", "notify.admin")
	s := d.start()
	b.Go(startNode(t, "openid-client", "relying-service.js",
		"ISSUER="+s.url, "CLIENT_ID="+rp.ClientID, "CLIENT_SECRET="+rp.ClientSecret,
		"SCOPE=openid email offline_access notify.admin", "DIRECTORY_PATH="+d.ministry(s),
	) + "/start")
	d.signInWith(b, person, 1)
	b.Click("button[value=accept]")
	if got := b.Heading(); got != "Signed in" {
		t.Fatalf("at %q: %s", got, b.Text())
	}
	var result struct {
		Claims, Userinfo struct{ Sub, Email string }
		Directory        int
		Organisation     struct{ Name string }
		Refreshed        bool
	}
	_, text, _ := strings.Cut(b.Text(), "Signed in")
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if result.Claims.Sub != person.ID.String() || result.Userinfo.Email != person.Email || result.Directory != http.StatusOK ||
		result.Organisation.Name != "Ministry" || !result.Refreshed {
		t.Errorf("result %+v", result)
	}
}

// TestDemoShowsWhatARelyingServiceLearns tries what `gatehouse dev` invites to.
func TestDemoShowsWhatARelyingServiceLearns(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, sqliteConfig(t))
	b := pagestest.Open(t)
	person := d.person()
	s := d.start("dev")
	b.Go(s.url + "/demo")
	b.CheckAccessible()
	b.Click("main a.govuk-button")
	d.signInWith(b, person, 1)
	b.Click("button[value=accept]")
	if got := b.Heading(); got != "You are signed in" {
		t.Fatalf("at %q: %s", got, b.Text())
	}
	for _, want := range []string{person.ID.String(), person.Email, "Demo Organisation", "answered 200"} {
		if !strings.Contains(b.Text(), want) {
			t.Errorf("the page lacks %q: %s", want, b.Text())
		}
	}
	for _, width := range []int64{320, 1280} {
		b.View(width, 800, false)
		if wider := b.Overflow(); wider > 0 {
			t.Errorf("at %d px the page is %d px wider than the window", width, wider)
		}
		b.CheckAccessible()
		b.Keep("demo-" + strconv.FormatInt(width, 10))
	}
	b.Go(s.url + "/dev/outbox")
	b.CheckAccessible()
	b.Keep("outbox")
	b.Go(s.url + "/")
	b.Click("main button")
	if got := b.Heading(); got != "You are signed out" {
		t.Errorf("at %q", got)
	}
}
