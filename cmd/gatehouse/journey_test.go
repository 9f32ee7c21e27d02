package main

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const callback = "https://rp.example.com/cb"

// verifier is a PKCE code verifier (RFC 7636 section 4.1).
const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// journey is one browser's way through an authorization, as a script drives it.
type journey struct {
	t       *testing.T
	d       *deployment
	s       *server
	browser *http.Client
	at      string // the last place, absolute
	last    response
}

func (d *deployment) journey(s *server) *journey {
	return &journey{t: d.t, d: d, s: s, browser: newBrowser(d.t)}
}

// get follows redirects on this server until a page or another site.
func (j *journey) get(target string) response {
	j.t.Helper()
	return j.follow(request(j.t, http.MethodGet, target, nil))
}

// submit posts a form to the page it is on.
func (j *journey) submit(path string, form url.Values) response {
	j.t.Helper()
	return j.follow(request(j.t, http.MethodPost, j.s.url+path, form, "Origin", j.s.url, "Sec-Fetch-Site", "same-origin"))
}

func (j *journey) follow(r *http.Request) response {
	j.t.Helper()
	for range 10 {
		j.at = r.URL.String()
		j.last = do(j.t, j.browser, r)
		location := j.last.header.Get("Location")
		if location == "" {
			return j.last
		}
		if j.last.status != http.StatusFound && j.last.status != http.StatusSeeOther {
			j.t.Fatalf("redirect with %d", j.last.status)
		}
		next, err := r.URL.Parse(location)
		if err != nil {
			j.t.Fatal(err)
		}
		j.at = next.String()
		if !strings.HasPrefix(j.at, j.s.url) {
			return j.last
		}
		r = request(j.t, http.MethodGet, j.at, nil)
	}
	j.t.Fatal("redirects without end")
	return response{}
}

// flow is the authorization under way, as the address bar shows it.
func (j *journey) flow() string {
	j.t.Helper()
	u, err := url.Parse(j.at)
	if err != nil || u.Query().Get("flow") == "" {
		j.t.Fatalf("no flow at %s: %d %s", j.at, j.last.status, j.last.body)
	}
	return u.Query().Get("flow")
}

// authorize opens the authorization endpoint.
func (j *journey) authorize(c clientOutput, scope string, more ...string) response {
	j.t.Helper()
	q := url.Values{
		"client_id": {c.ClientID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {scope}, "state": {"the-state-1234"},
		"nonce": {"the-nonce-1234"}, "code_challenge": {challenge()}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return j.get(j.s.url + "/oauth/authorize?" + q.Encode())
}

// signIn fills the sign-in page and the code page.
func (j *journey) signIn(u userOutput, code int) response {
	j.t.Helper()
	flow := j.flow()
	j.submit("/signin?flow="+flow, url.Values{"flow": {flow}, "identifier": {u.Email}, "password": {testPassword}})
	if !strings.Contains(j.at, "/signin/code") {
		j.t.Fatalf("not at the code page but at %s: %d %s", j.at, j.last.status, j.last.body)
	}
	return j.submit("/signin/code?flow="+flow, url.Values{"flow": {flow}, "code": {j.d.code(u.Mobile, code)}})
}

// consent answers the consent page.
func (j *journey) consent(answer string) response {
	j.t.Helper()
	if !strings.Contains(j.at, "/consent") {
		j.t.Fatalf("not at the consent page but at %s: %d %s", j.at, j.last.status, j.last.body)
	}
	return j.submit("/consent", url.Values{"flow": {j.flow()}, "consent": {answer}})
}

// code is the authorization code that the relying service got.
func (j *journey) code() string {
	j.t.Helper()
	u, err := url.Parse(j.at)
	if err != nil || !strings.HasPrefix(j.at, callback) || u.Query().Get("code") == "" {
		j.t.Fatalf("no code at %s: %d %s", j.at, j.last.status, j.last.body)
	}
	if got := u.Query().Get("state"); got != "the-state-1234" {
		j.t.Errorf("state %q", got)
	}
	if got := u.Query().Get("iss"); got != j.s.url {
		j.t.Errorf("iss %q, want %q", got, j.s.url)
	}
	return u.Query().Get("code")
}

// tokens are an answer of the token endpoint.
type tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	Scope        string `json:"scope"`
	Error        string `json:"error"`
}

// exchange redeems a code.
func (s *server) exchange(c clientOutput, code string) (response, tokens) {
	s.t.Helper()
	return s.tokenRequest(c, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}})
}

// refresh redeems a refresh token.
func (s *server) refresh(c clientOutput, token string) (response, tokens) {
	s.t.Helper()
	return s.tokenRequest(c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (s *server) tokenRequest(c clientOutput, form url.Values) (response, tokens) {
	s.t.Helper()
	r := request(s.t, http.MethodPost, s.url+"/oauth/token", form)
	r.SetBasicAuth(c.ClientID, c.ClientSecret)
	res := do(s.t, http.DefaultClient, r)
	var out tokens
	res.json(s.t, &out)
	return res, out
}

// relyingService registers the client that the journeys are for.
func (d *deployment) relyingService(scopes ...string) clientOutput {
	d.t.Helper()
	args := []string{"--id", "rp", "--name", "A relying service", "--grant", "authorization_code", "--grant", "refresh_token", "--redirect-uri", callback}
	for _, scope := range append([]string{"openid", "profile", "email", "offline_access"}, scopes...) {
		args = append(args, "--scope", scope)
	}
	return d.client(args...)
}

func (d *deployment) person() userOutput {
	d.t.Helper()
	return d.user("--name", "Pat Example", "--email", "pat@example.gov.uk", "--mobile", "07700900123")
}

func TestPersonSignsInAndTheTokensOpenTheDirectory(t *testing.T) {
	eachDeployment(t, func(t *testing.T, d *deployment) {
		rp, person := d.relyingService("notify.admin"), d.person()
		machine := d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin")
		s := d.start()
		created := s.call(s.token(machine, "notify.admin"), http.MethodPost, "/organisation", `{"name":"Ministry","crown":true,"organisation_type":"central"}`)
		if created.status != http.StatusCreated {
			t.Fatalf("create organisation: %d %s", created.status, created.body)
		}
		var organisation struct{ ID string }
		created.json(t, &organisation)

		j := d.journey(s)
		j.authorize(rp, "openid email offline_access notify.admin")
		j.signIn(person, 1)
		j.consent("accept")
		res, got := s.exchange(rp, j.code())
		if res.status != http.StatusOK || got.AccessToken == "" || got.IDToken == "" || got.RefreshToken == "" {
			t.Fatalf("exchange: %d %s", res.status, res.body)
		}
		if res := s.call(got.AccessToken, http.MethodGet, "/organisation/"+organisation.ID, nil); res.status != http.StatusOK {
			t.Errorf("with the scope: %d %s", res.status, res.body)
		}
		info := s.call(got.AccessToken, http.MethodGet, "/oauth/userinfo", nil)
		var claims struct{ Sub, Email string }
		info.json(t, &claims)
		if claims.Sub != person.ID.String() || claims.Email != person.Email {
			t.Errorf("userinfo %+v", claims)
		}

		// The session and the consent stand: the next authorization asks for nothing.
		j.authorize(rp, "openid email offline_access notify.admin")
		if res, _ := s.exchange(rp, j.code()); res.status != http.StatusOK {
			t.Errorf("second authorization: %d %s", res.status, res.body)
		}
		j.authorize(rp, "openid")
		_, narrow := s.exchange(rp, j.code())
		if res := s.call(narrow.AccessToken, http.MethodGet, "/organisation/"+organisation.ID, nil); res.status != http.StatusForbidden {
			t.Errorf("without the scope: %d %s", res.status, res.body)
		}
		if res, again := s.refresh(rp, got.RefreshToken); res.status != http.StatusOK || again.RefreshToken == got.RefreshToken {
			t.Errorf("refresh: %d %s", res.status, res.body)
		}
	})
}

func TestPersonMayRefuseConsent(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	rp, person := d.relyingService(), d.person()
	s := d.start()
	j := d.journey(s)
	j.authorize(rp, "openid")
	j.signIn(person, 1)
	j.consent("deny")
	u, err := url.Parse(j.at)
	if err != nil {
		t.Fatal(err)
	}
	if q := u.Query(); q.Get("error") != "access_denied" || q.Get("state") != "the-state-1234" || q.Get("iss") != s.url || q.Has("code") {
		t.Errorf("sent to %s", j.at)
	}
}
