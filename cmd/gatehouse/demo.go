package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"gatehouse/internal/web"
)

// demo is a small relying service that dev serves beside the identity provider.
// It is built like a stranger's: it knows the issuer's URL and its own
// credentials, and learns the rest over HTTP.
type demo struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	Scopes       []string
	// OrganisationID is what it reads from the directory with the access token.
	OrganisationID string
	Clock          func() time.Time
	Surface        web.Surface
	// Render puts content into the layout of the pages.
	Render func(w http.ResponseWriter, status int, title string, content template.HTML) error
}

// demoCookie keeps what ties an answer to its request, for ten minutes.
const (
	demoCookie   = "gatehouse_demo"
	demoPath     = "/demo"
	demoPatience = 10 * time.Minute
)

//go:embed demo.html
var demoHTML string

var demoTemplates = template.Must(template.New("demo").Parse(demoHTML))

func (d *demo) routes() []web.Route {
	get := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Path: path, Surface: d.Surface, Handler: h}
	}
	return []web.Route{get(demoPath, d.start), get(demoPath+"/signin", d.signIn), get(demoPath+"/callback", d.callback)}
}

func (d *demo) start(w http.ResponseWriter, _ *http.Request) error {
	return d.render(w, http.StatusOK, "start", "Demo", nil)
}

// signIn sends the browser to the authorization endpoint.
func (d *demo) signIn(w http.ResponseWriter, r *http.Request) error {
	_, config, err := d.provider(r.Context())
	if err != nil {
		return err
	}
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	http.SetCookie(w, d.cookie(strings.Join([]string{state, nonce, verifier}, "."), int(demoPatience.Seconds())))
	w.Header().Set("Location", config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)))
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// callback checks the answer, exchanges the code and shows what came of it.
func (d *demo) callback(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	cookie, err := r.Cookie(demoCookie)
	if err != nil {
		return d.fail(w, "The sign-in was begun in another browser, or more than ten minutes ago.")
	}
	http.SetCookie(w, d.cookie("", -1))
	parts := strings.Split(cookie.Value, ".")
	if len(parts) != 3 || query.Get("state") != parts[0] || query.Get("iss") != d.Issuer {
		return d.fail(w, "The answer does not belong to the sign-in that this browser began.")
	}
	if refused := query.Get("error"); refused != "" {
		return d.fail(w, "The answer was: "+refused+".")
	}
	result, err := d.exchange(r.Context(), query.Get("code"), parts[1], parts[2])
	if err != nil {
		return err
	}
	return d.render(w, http.StatusOK, "result", "Signed in", result)
}

// demoResult is what the demo shows of a sign-in.
type demoResult struct {
	Claims          []demoClaim
	UserInfo        string
	DirectoryURL    string
	DirectoryStatus int
	Directory       string
}

type demoClaim struct{ Name, Value string }

func (d *demo) exchange(ctx context.Context, code, nonce, verifier string) (*demoResult, error) {
	provider, config, err := d.provider(ctx)
	if err != nil {
		return nil, err
	}
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		return nil, fmt.Errorf("exchange code: %w", err)
	}
	claims, err := d.claims(ctx, provider, token, nonce)
	if err != nil {
		return nil, err
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, fmt.Errorf("userinfo: %w", err)
	}
	var user json.RawMessage
	if err := info.Claims(&user); err != nil {
		return nil, fmt.Errorf("userinfo: %w", err)
	}
	result := &demoResult{Claims: claims, UserInfo: indent(user), DirectoryURL: "/organisation/" + d.OrganisationID}
	result.DirectoryStatus, result.Directory, err = d.directory(ctx, config.Client(ctx, token))
	return result, err
}

// claims verifies the ID token and returns its claims by name.
func (d *demo) claims(ctx context.Context, provider *oidc.Provider, token *oauth2.Token, nonce string) ([]demoClaim, error) {
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: d.ClientID, Now: d.Clock}).Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("verify ID token: %w", err)
	}
	if id.Nonce != nonce {
		return nil, errors.New("verify ID token: another nonce")
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		return nil, fmt.Errorf("verify at_hash: %w", err)
	}
	var all map[string]json.RawMessage
	if err := id.Claims(&all); err != nil {
		return nil, fmt.Errorf("read ID token: %w", err)
	}
	claims := make([]demoClaim, 0, len(all))
	for name, value := range all {
		claims = append(claims, demoClaim{name, strings.Trim(string(value), `"`)})
	}
	slices.SortFunc(claims, func(a, b demoClaim) int { return cmp.Compare(a.Name, b.Name) })
	return claims, nil
}

// directory reads the organisation with the person's access token.
func (d *demo) directory(ctx context.Context, client *http.Client) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.Issuer+"/organisation/"+d.OrganisationID, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", fmt.Errorf("call the directory: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, "", fmt.Errorf("call the directory: %w", err)
	}
	return response.StatusCode, indent(content), nil
}

// provider reads the issuer's discovery document, which the demo does not keep:
// the issuer may start after it.
func (d *demo) provider(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	provider, err := oidc.NewProvider(ctx, d.Issuer)
	if err != nil {
		return nil, nil, fmt.Errorf("discover: %w", err)
	}
	return provider, &oauth2.Config{
		ClientID: d.ClientID, ClientSecret: d.ClientSecret, Endpoint: provider.Endpoint(), RedirectURL: d.Issuer + demoPath + "/callback",
		Scopes: d.Scopes,
	}, nil
}

func (d *demo) fail(w http.ResponseWriter, reason string) error {
	return d.render(w, http.StatusBadRequest, "failure", "Not signed in", reason)
}

func (d *demo) render(w http.ResponseWriter, status int, name, title string, data any) error {
	var content bytes.Buffer
	if err := demoTemplates.ExecuteTemplate(&content, name, data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	return d.Render(w, status, title, template.HTML(content.String())) //nolint:gosec // our own template has escaped it
}

func (d *demo) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: demoCookie, Value: value, Path: demoPath, MaxAge: maxAge, HttpOnly: true,
		Secure: strings.HasPrefix(d.Issuer, "https://"), SameSite: http.SameSiteLaxMode,
	}
}

// indent lays JSON out for reading; what is not JSON stays as it is.
func indent(content []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, content, "", "  ") != nil {
		return string(content)
	}
	return out.String()
}

// demoRoutes serves the demo for the client that dev has made.
func (a *app) demoRoutes(data *demoData) []web.Route {
	d := &demo{
		Issuer: data.issuer, ClientID: data.relying.id, ClientSecret: data.relying.secret, OrganisationID: demoOrganisation.String(),
		Scopes: []string{oidc.ScopeOpenID, "profile", "email", "phone", "notify.admin"},
		Clock:  a.clock.Now, Surface: a.pages, Render: a.pages.Frame,
	}
	return d.routes()
}
