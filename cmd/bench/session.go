package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"time"
)

// The authorization request that everything here repeats.
const (
	callback = "https://rp.example.com/cb"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	password = "SecurePassword123!"
)

// client is a registered client with its secret.
type client struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// authorization is its Authorization header.
func (c client) authorization() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.ID+":"+c.Secret))
}

// authorizePath is an authorization request of the client.
func (c client) authorizePath(scope string) string {
	challenge := sha256.Sum256([]byte(verifier))
	return "/oauth/authorize?" + url.Values{
		"client_id": {c.ID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {scope},
		"state": {"bench-state"}, "nonce": {"bench-nonce"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}.Encode()
}

// codeForm is a token request that lacks only the code.
func codeForm() string {
	return url.Values{"grant_type": {"authorization_code"}, "redirect_uri": {callback}, "code_verifier": {verifier}}.Encode() + "&code="
}

// tokens are what the token endpoint answers.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
}

// token sends a token request.
func (c client) token(ctx context.Context, base, form string) (*tokens, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/oauth/token", strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", c.authorization())
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("token: %d %s", res.StatusCode, body)
	}
	var t tokens
	return &t, json.Unmarshal(body, &t)
}

// browser is a signed-in browser.
type browser struct {
	http *http.Client
	base string
}

// newBrowser is a browser that nobody has used.
func newBrowser(base string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &browser{base: base, http: &http.Client{Jar: jar, CheckRedirect: stay}}, nil
}

// signIn opens the authorization request and fills the pages: password, then
// the code from the outbox.
func (d *deployment) signIn(ctx context.Context, base string, c client, email string) (*browser, error) {
	b, err := newBrowser(base)
	if err != nil {
		return nil, err
	}
	page, err := b.open(ctx, c.authorizePath("openid"), nil)
	if err != nil {
		return nil, err
	}
	flow := page.Query().Get("flow")
	if page, err = b.open(ctx, page.RequestURI(), url.Values{"flow": {flow}, "identifier": {email}, "password": {password}}); err != nil {
		return nil, err
	}
	code, err := d.lastCode(ctx)
	if err != nil {
		return nil, err
	}
	if page, err = b.open(ctx, page.RequestURI(), url.Values{"flow": {flow}, "code": {code}}); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(page.String(), callback) {
		return nil, fmt.Errorf("sign in ended at %s", page.Path)
	}
	return b, nil
}

// stay stops a client at every redirect.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// open requests a page, or submits a form to it, and follows redirects on this
// server. It returns where that ended.
func (b *browser) open(ctx context.Context, path string, form url.Values) (*url.URL, error) {
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	for range 10 {
		r, err := http.NewRequestWithContext(ctx, method, b.base+path, strings.NewReader(form.Encode()))
		if err != nil {
			return nil, err
		}
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", b.base)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
		}
		res, err := b.http.Do(r)
		if err != nil {
			return nil, err
		}
		res.Body.Close()
		if res.StatusCode >= http.StatusBadRequest {
			return nil, fmt.Errorf("%s %s: %s", method, r.URL.Path, res.Status)
		}
		location, err := res.Location()
		if errors.Is(err, http.ErrNoLocation) {
			return r.URL, nil
		}
		if err != nil || !strings.HasPrefix(location.String(), b.base+"/") {
			return location, err
		}
		method, form, path = http.MethodGet, nil, location.RequestURI()
	}
	return nil, errors.New("redirects without end")
}

// authorize gets tokens on the browser's session.
func (b *browser) authorize(ctx context.Context, c client, scope string) (*tokens, error) {
	end, err := b.open(ctx, c.authorizePath(scope), nil)
	if err != nil {
		return nil, err
	}
	code := end.Query().Get("code")
	if code == "" {
		return nil, fmt.Errorf("authorize ended without a code at %s", end.Path)
	}
	return c.token(ctx, b.base, codeForm()+url.QueryEscape(code))
}

// cookie is the browser's Cookie header.
func (b *browser) cookie() (string, error) {
	u, err := url.Parse(b.base)
	if err != nil {
		return "", err
	}
	var pairs []string
	for _, c := range b.http.Jar.Cookies(u) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; "), nil
}

// lastCode waits for the code in the outbox.
func (d *deployment) lastCode(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		content, err := os.ReadFile(d.outbox())
		if err != nil && !os.IsNotExist(err) {
			return "", err
		}
		if lines := strings.Split(strings.TrimSpace(string(content)), "\n"); lines[0] != "" {
			var message struct {
				Personalisation map[string]string `json:"personalisation"`
			}
			if err := json.Unmarshal([]byte(lines[len(lines)-1]), &message); err != nil {
				return "", fmt.Errorf("outbox: %w", err)
			}
			return message.Personalisation["verify_code"], nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return "", errors.New("no code in the outbox")
}
