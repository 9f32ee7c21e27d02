package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gatehouse/oauth"
)

// asked is one of the two servers that are asked the same: ours, or npm
// oidc-provider.
type asked struct {
	t       *testing.T
	name    string
	url     string // its issuer
	clients map[string]clientOutput
	browser *http.Client // somebody has signed in with it
	initial string       // an initial access token (RFC 7591)
	fetch   func(t *testing.T, c *http.Client, r *http.Request) response
	// pass goes through the pages where a person signs in and agrees, from the
	// page given to where that ends; nil when nobody is asked anything.
	pass func(s *asked, at string, page response) (string, response)
}

// peerClient is a client that both servers have, in RFC 7591's names.
type peerClient struct {
	ID            string          `json:"client_id"`
	Secret        string          `json:"client_secret,omitempty"`
	AuthMethod    string          `json:"token_endpoint_auth_method"`
	GrantTypes    []string        `json:"grant_types"`
	ResponseTypes []string        `json:"response_types"`
	RedirectURIs  []string        `json:"redirect_uris"`
	AfterLogout   []string        `json:"post_logout_redirect_uris,omitempty"`
	Scope         string          `json:"scope"`
	JWKS          json.RawMessage `json:"jwks,omitempty"`
	TokenFormat   string          `json:"access_token_format,omitempty"`
	RequirePAR    bool            `json:"require_pushed_authorization_requests,omitempty"`
	DPoPBound     bool            `json:"dpop_bound_access_tokens,omitempty"`
}

// afterLogout is where a browser may go after signing out.
const afterLogout = "https://rp.example.com/bye"

// peerClients are the clients of both servers, without secrets.
func peerClients() []peerClient {
	service := func(id, method string) peerClient {
		return peerClient{
			ID: id, AuthMethod: method, GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"},
			RedirectURIs: []string{callback}, AfterLogout: []string{afterLogout}, Scope: "openid email offline_access",
		}
	}
	machine := peerClient{
		ID: "machine", AuthMethod: "client_secret_basic", GrantTypes: []string{"client_credentials"}, ResponseTypes: []string{}, RedirectURIs: []string{},
		Scope: "notify.admin", TokenFormat: "jwt",
	}
	device := service("device", "none")
	device.GrantTypes, device.ResponseTypes, device.RedirectURIs, device.AfterLogout = []string{oauth.GrantDeviceCode, "refresh_token"}, []string{}, []string{}, nil
	pushing := service("pushing", "client_secret_basic")
	pushing.RequirePAR = true
	bound := service("bound", "client_secret_basic")
	bound.DPoPBound = true
	return []peerClient{
		service("web", "client_secret_basic"), service("other", "client_secret_basic"), service("post", "client_secret_post"),
		service("public", "none"), machine, device, pushing, bound,
	}
}

// create makes the client one of ours. People are not asked for consent.
func (c peerClient) create(d *deployment) clientOutput {
	d.t.Helper()
	args := []string{"--id", c.ID, "--first-party", "--access-token-format", "opaque"}
	if c.TokenFormat != "" {
		args = append(args[:3:3], "--access-token-format", c.TokenFormat)
	}
	if c.AuthMethod == "none" {
		args = append(args, "--public")
	} else {
		args = append(args, "--auth-method", c.AuthMethod)
	}
	for flag, values := range map[string][]string{
		"--grant": c.GrantTypes, "--scope": strings.Fields(c.Scope), "--redirect-uri": c.RedirectURIs, "--post-logout-redirect-uri": c.AfterLogout,
	} {
		for _, value := range values {
			args = append(args, flag, value)
		}
	}
	if c.RequirePAR {
		args = append(args, "--require-pushed-authorization-requests")
	}
	if c.DPoPBound {
		args = append(args, "--dpop-bound-access-tokens")
	}
	return d.client(args...)
}

// askOurs starts a server of ours with the clients.
func askOurs(t *testing.T, clients []peerClient) *asked {
	t.Helper()
	d := newDeployment(t, sqliteConfig(t))
	person := d.person()
	us := &asked{t: t, name: "Gatehouse", clients: map[string]clientOutput{}, browser: newBrowser(t), fetch: do}
	for _, c := range clients {
		us.clients[c.ID] = c.create(d)
	}
	var initial struct {
		Token string `json:"initial_access_token"`
	}
	d.command("", &initial, "client", "initial-access-token", "--uses", "100", "--json")
	us.initial = initial.Token
	s := d.start()
	us.url = s.url
	signIns := 0
	us.pass = func(on *asked, at string, page response) (string, response) {
		j := &journey{t: on.t, d: d, s: s, browser: on.browser, at: at, last: page}
		if strings.HasPrefix(j.at, s.url+"/signin") {
			signIns++
			j.signIn(person, signIns)
		}
		if strings.HasPrefix(j.at, s.url+"/consent") {
			j.consent("accept")
		}
		return j.at, j.last
	}
	return us
}

// askPeer starts npm oidc-provider with the clients, whose secrets it is given.
func askPeer(t *testing.T, clients []peerClient) *asked {
	t.Helper()
	peer := &asked{t: t, name: "oidc-provider", initial: "the-initial-access-token", clients: map[string]clientOutput{}, browser: newBrowser(t), fetch: fetch}
	for i := range clients {
		if clients[i].AuthMethod != "none" {
			clients[i].Secret = "0123456789abcdef0123456789abcdef-" + clients[i].ID
		}
		peer.clients[clients[i].ID] = clientOutput{ClientID: clients[i].ID, ClientSecret: clients[i].Secret}
	}
	raw, err := json.Marshal(clients)
	if err != nil {
		t.Fatal(err)
	}
	peer.url = startNode(t, "oidc-provider", "server.js", "CLIENTS="+string(raw), "INITIAL_ACCESS_TOKEN="+peer.initial, `PERSON={"sub":"pat","email":"pat@example.gov.uk","email_verified":true}`)
	peer.pass = func(_ *asked, at string, page response) (string, response) { return at, page }
	return peer
}

// send sends a request to a path of the server.
func (s *asked) send(method, path string, body any, header ...string) response {
	s.t.Helper()
	return s.fetch(s.t, http.DefaultClient, request(s.t, method, s.url+path, body, header...))
}

// form posts a form as a client, with the client's secret in the Authorization
// header; without a client nobody is authenticated.
func (s *asked) form(path, client string, form url.Values, header ...string) response {
	s.t.Helper()
	r := request(s.t, http.MethodPost, s.url+path, form, header...)
	if c, ok := s.clients[client]; ok && c.ClientSecret != "" {
		r.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.ClientSecret))
	}
	return s.fetch(s.t, http.DefaultClient, r)
}

// open opens a page in the browser and goes on until a page that is not for
// signing in, or another site.
func (s *asked) open(r *http.Request) (at string, page response) {
	s.t.Helper()
	at, page = s.follow(r)
	return s.pass(s, at, page)
}

func (s *asked) follow(r *http.Request) (at string, page response) {
	s.t.Helper()
	for range 10 {
		at, page = r.URL.String(), s.fetch(s.t, s.browser, r)
		location := page.header.Get("Location")
		if location == "" {
			return at, page
		}
		next, err := r.URL.Parse(location)
		if err != nil {
			s.t.Fatal(err)
		}
		if at = next.String(); !strings.HasPrefix(at, s.url) {
			return at, page
		}
		r = request(s.t, http.MethodGet, at, nil)
	}
	s.t.Fatal("redirects without end")
	return "", response{}
}

// authorization is an authorization request of a client; more are names and
// values, an empty value taking the parameter away.
func authorization(client string, more ...string) url.Values {
	q := url.Values{
		"client_id": {client}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid email"}, "state": {"the-state-1234"},
		"nonce": {"the-nonce-1234"}, "code_challenge": {challenge()}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		if q.Set(more[i], more[i+1]); more[i+1] == "" {
			q.Del(more[i])
		}
	}
	return q
}

// authorize sends an authorization request and says where it ended.
func (s *asked) authorize(q url.Values) string {
	s.t.Helper()
	at, page := s.open(request(s.t, http.MethodGet, s.url+"/oauth/authorize?"+q.Encode(), nil))
	return ended(at, page)
}

// ended is where an authorization ended, in short: at the client, with the
// names of what it brought and the error code, or at a page.
func ended(at string, page response) string {
	if !strings.HasPrefix(at, "https://rp.example.com/") {
		return "page " + strconv.Itoa(page.status)
	}
	u, err := url.Parse(at)
	if err != nil {
		return "an address that is none"
	}
	q, err := url.ParseQuery(u.RawQuery + u.Fragment)
	if err != nil {
		return "parameters that are none"
	}
	var names []string
	for name := range q {
		if name == "error" {
			name += "=" + q.Get(name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return "redirect " + strings.Join(names, " ")
}

// code gets an authorization code.
func (s *asked) code(client string, more ...string) string {
	s.t.Helper()
	at, page := s.open(request(s.t, http.MethodGet, s.url+"/oauth/authorize?"+authorization(client, more...).Encode(), nil))
	u, err := url.Parse(at)
	if err != nil || u.Query().Get("code") == "" {
		s.t.Fatalf("%s: no code at %s: %d %s", s.name, at, page.status, page.body)
	}
	return u.Query().Get("code")
}

// redemption is the token request for a code; more as for authorization.
func redemption(client, code string, more ...string) url.Values {
	q := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
	if client == "public" {
		q.Set("client_id", client)
	}
	for i := 0; i+1 < len(more); i += 2 {
		if q.Set(more[i], more[i+1]); more[i+1] == "" {
			q.Del(more[i])
		}
	}
	return q
}

// tokens gets tokens for a client on the browser's session.
func (s *asked) tokens(client string, more ...string) tokens {
	s.t.Helper()
	res := s.form("/oauth/token", client, redemption(client, s.code(client, more...)))
	var got tokens
	if res.json(s.t, &got); res.status != http.StatusOK {
		s.t.Fatalf("%s: no tokens: %d %s", s.name, res.status, res.body)
	}
	return got
}

// answer is a JSON answer in short: its status, the error code or the names of
// its members, and what it challenges for and why.
func answer(r response) string {
	parts := []string{strconv.Itoa(r.status)}
	var body map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		if r.body != "" {
			parts = append(parts, "no JSON object")
		}
	} else if raw, ok := body["error"]; ok {
		parts = append(parts, strings.Trim(string(raw), `"`))
	} else {
		parts = append(parts, members(body))
	}
	for _, challenge := range r.header.Values("WWW-Authenticate") {
		scheme, details, _ := strings.Cut(challenge, " ")
		if code := challengeError.FindStringSubmatch(details); code != nil {
			scheme += " (" + code[1] + ")"
		}
		parts = append(parts, "challenge "+scheme)
	}
	return strings.Join(parts, " ")
}

var challengeError = regexp.MustCompile(`error="([^"]*)"`)

// members are the names in an object.
func members(object map[string]json.RawMessage) string {
	var names []string
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return "{" + strings.Join(names, " ") + "}"
}
