package main

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// abuse is a running service with the clients and people that the abuse cases
// of the security requirements are about. A case is a subtest of TestAbuse that
// bears its id; those of devices, pushed requests and key-bound tokens (P), and
// races on several replicas (race_test.go), stand where their own rigs are.
type abuse struct {
	t                                *testing.T
	d                                *deployment
	s                                *server
	conf, post, pub, machine, legacy clientOutput
	alice                            userOutput
	j                                *journey // alice's browser
	codes                            map[string]int
}

// TestAbuse plays every case on every engine.
func TestAbuse(t *testing.T) {
	t.Parallel()
	cases := map[string]func(a *abuse){
		"C01": (*abuse).replayedCode, "C03": (*abuse).anotherClientsCode, "C09": (*abuse).noChallenge, "C10": (*abuse).wrongVerifier,
		"T05": (*abuse).twoMethods, "T20": (*abuse).passwordGrant, "F01": (*abuse).replayedRefresh, "F10": (*abuse).refreshOfEndedUser,
		"J01": (*abuse).unsignedToken, "J02": (*abuse).confusedAlgorithm, "J10": (*abuse).otherTokens, "J12": (*abuse).otherAudience,
		"J18": (*abuse).endedToken, "J20": (*abuse).tokenInQuery, "I01": (*abuse).anonymousIntrospection, "I02": (*abuse).othersIntrospection,
		"A05": (*abuse).implicit, "A06": (*abuse).unsupportedParameters, "A07": (*abuse).repeatedParameters, "A11": (*abuse).promptNone,
		"A12": (*abuse).reauthentication, "A13": (*abuse).contradictoryPrompt, "A15": (*abuse).mixUp, "A17": (*abuse).descriptions,
		"R01": (*abuse).redirectURIs, "S01": (*abuse).fixation, "S03": (*abuse).loginCSRF, "S11": (*abuse).sessionsAfterPassword, "S18": (*abuse).frames,
		"H01": (*abuse).poisonedIssuer, "H02": (*abuse).poisonedLinks, "M01": (*abuse).scannedLinks,
		"E01": (*abuse).signInAnswers, "E04": (*abuse).forgottenAnswers, "O01": (*abuse).fiveWrongCodes, "O02": (*abuse).anotherCode,
		"O03": (*abuse).manyCodesAtOnce, "O04": (*abuse).codeOnce, "O05": (*abuse).othersCode,
		"W01": (*abuse).wrongOrigin, "W02": (*abuse).wrongParty, "W03": (*abuse).replayedAssertion, "W04": (*abuse).swappedChallenge,
		"W08": (*abuse).unverified, "W11": (*abuse).copiedPasskey, "W13": (*abuse).othersPasskey,
		"U02": (*abuse).truncation, "U10": (*abuse).zeroBytes, "U12": (*abuse).twins,
	}
	eachDeployment(t, func(t *testing.T, d *deployment) {
		a := newAbuse(t, d)
		for id, play := range cases {
			t.Run(id, func(t *testing.T) {
				one := *a
				one.t, one.s = t, &server{t: t, url: a.s.url}
				one.j = &journey{t: t, d: d, s: one.s, browser: a.j.browser}
				play(&one)
			})
		}
	})
}

func newAbuse(t *testing.T, d *deployment) *abuse {
	t.Helper()
	client := func(id string, more ...string) clientOutput {
		args := []string{"--id", id, "--first-party", "--grant", "authorization_code", "--grant", "refresh_token", "--redirect-uri", callback}
		for _, scope := range []string{"openid", "email", "offline_access", "notify.admin"} {
			args = append(args, "--scope", scope)
		}
		return d.client(append(args, more...)...)
	}
	a := &abuse{t: t, d: d, codes: map[string]int{}}
	d.vars["GATEHOUSE_TRUSTED_PROXIES"] = "127.0.0.0/8,::1/128"
	a.conf, a.post, a.pub = client("conf"), client("post", "--auth-method", "client_secret_post"), client("pub", "--public")
	a.machine = d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin")
	a.legacy = d.client("--id", "legacy", "--grant", "client_credentials", "--role", "PROBATION_API__HMPPS_AUTH__AUTHENTICATE")
	a.alice = d.person()
	a.s = d.start()
	a.j = a.signIn(a.alice)
	return a
}

// fresh is a browser that nobody has used.
func (a *abuse) fresh() *journey {
	return &journey{t: a.t, d: a.d, s: a.s, browser: newBrowser(a.t)}
}

// signIn is a new browser in which somebody has signed in.
func (a *abuse) signIn(u userOutput) *journey {
	a.t.Helper()
	j := a.fresh()
	a.signInAgain(j, u)
	return j
}

func (a *abuse) signInAgain(j *journey, u userOutput) {
	a.t.Helper()
	j.authorize(a.conf, "openid", "prompt", "login")
	a.codes[u.Mobile]++
	j.signIn(u, a.codes[u.Mobile])
	j.code()
}

// user is somebody new, so that what happens to them touches no other case.
func (a *abuse) user(name, mobile string) userOutput {
	a.t.Helper()
	return a.d.user("--name", name, "--email", strings.ToLower(name)+"@example.gov.uk", "--mobile", mobile)
}

// code authorizes a client for whoever is signed in.
func (a *abuse) code(j *journey, c clientOutput) string {
	a.t.Helper()
	j.authorize(c, "openid offline_access notify.admin")
	return j.code()
}

// send sends a form with a client's own authentication method.
func (a *abuse) send(path string, c clientOutput, form url.Values) response {
	a.t.Helper()
	r := request(a.t, http.MethodPost, a.s.url+path, form)
	switch c.ClientID {
	case a.pub.ClientID:
		form.Set("client_id", c.ClientID)
		r = request(a.t, http.MethodPost, a.s.url+path, form)
	case a.post.ClientID:
		form.Set("client_id", c.ClientID)
		form.Set("client_secret", c.ClientSecret)
		r = request(a.t, http.MethodPost, a.s.url+path, form)
	default:
		r.SetBasicAuth(c.ClientID, c.ClientSecret)
	}
	return do(a.t, http.DefaultClient, r)
}

// redeem exchanges a code; a verifier of "" is left out.
func (a *abuse) redeem(c clientOutput, code, redirect, verifier string) (response, tokens) {
	a.t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}}
	if verifier != "" {
		form.Set("code_verifier", verifier)
	}
	return a.tokens(a.send("/oauth/token", c, form))
}

func (a *abuse) refresh(c clientOutput, token string) (response, tokens) {
	a.t.Helper()
	return a.tokens(a.send("/oauth/token", c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}))
}

func (a *abuse) tokens(res response) (response, tokens) {
	a.t.Helper()
	var got tokens
	res.json(a.t, &got)
	return res, got
}

// granted are the tokens of whoever is signed in.
func (a *abuse) granted(j *journey) tokens {
	a.t.Helper()
	res, got := a.redeem(a.conf, a.code(j, a.conf), callback, verifier)
	if res.status != http.StatusOK || got.AccessToken == "" || got.RefreshToken == "" {
		a.t.Fatalf("no tokens: %d %s", res.status, res.body)
	}
	return got
}

// active reports what introspection says of a token to a client.
func (a *abuse) active(c clientOutput, token string) bool {
	a.t.Helper()
	res := a.send("/oauth/introspect", c, url.Values{"token": {token}})
	if res.status != http.StatusOK || !strings.Contains(res.body, `"active":true`) && strings.TrimSpace(res.body) != `{"active":false}` {
		a.t.Errorf("introspection: %d %s", res.status, res.body)
	}
	return strings.Contains(res.body, `"active":true`)
}

// e400 is E400 of the requirements: the error and nothing else.
func (a *abuse) e400(what string, res response, code string) {
	a.t.Helper()
	a.oauthError(what, res, http.StatusBadRequest, code)
}

func (a *abuse) oauthError(what string, res response, status int, code string) {
	a.t.Helper()
	var body map[string]string
	res.json(a.t, &body)
	for name := range body {
		if name != "error" && name != "error_description" {
			a.t.Errorf("%s: an error with %q: %s", what, name, res.body)
		}
	}
	if res.status != status || body["error"] != code || res.header.Get("Cache-Control") != "no-store" || res.header.Get("Content-Type") != "application/json" {
		a.t.Errorf("%s: %d %s %v, want %d %s", what, res.status, res.body, res.header, status, code)
	}
}

// a401 is A401: the challenge of RFC 6750.
func (a *abuse) a401(what, token string) {
	a.t.Helper()
	for _, path := range []string{"/user/john", "/oauth/userinfo"} {
		res := a.s.call(token, http.MethodGet, path, nil)
		if challenge := res.header.Get("WWW-Authenticate"); res.status != http.StatusUnauthorized || !strings.Contains(challenge, `error="invalid_token"`) {
			a.t.Errorf("%s at %s: %d %q", what, path, res.status, challenge)
		}
	}
	// What has not the shape of a token is 403 in the Notify API's own voice.
	res := a.s.call(token, http.MethodGet, "/organisations", nil)
	if shapeless := res.status == http.StatusForbidden && strings.Contains(res.body, "Invalid token"); res.status != http.StatusUnauthorized && !shapeless {
		a.t.Errorf("%s at the directory: %d %s", what, res.status, res.body)
	}
}

// audited is AUD: how often something was written down about somebody, and why.
func (a *abuse) audited(kind, reason string, about userOutput) int {
	a.t.Helper()
	query := url.Values{"type": {kind}, "subject": {about.ID.String()}, "limit": {"1000"}}
	var events struct {
		Data []struct{ Data struct{ Reason string } }
	}
	a.s.call(a.s.token(a.machine, "notify.admin"), http.MethodGet, "/events?"+query.Encode(), nil).json(a.t, &events)
	n := 0
	for _, e := range events.Data {
		if e.Data.Reason == reason {
			n++
		}
	}
	return n
}

// page is PAGE: an error on our own origin that leads nowhere.
func (a *abuse) page(what string, params url.Values) {
	a.t.Helper()
	res := do(a.t, a.j.browser, request(a.t, http.MethodGet, a.s.url+"/oauth/authorize?"+params.Encode(), nil, "Accept", "text/html"))
	if res.status != http.StatusBadRequest || res.header.Get("Location") != "" || !strings.Contains(res.body, "<html") || strings.Contains(res.body, "evil") {
		a.t.Errorf("%s: %d to %q: %.200s", what, res.status, res.header.Get("Location"), res.body)
	}
}

// describable is what an error_description may hold (RFC 6749 section 5.2).
var describable = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]*$`)

// rdr is RDR: back at the client with an error, its state and our issuer.
func (a *abuse) rdr(what string, code string, params url.Values) {
	a.t.Helper()
	res := do(a.t, a.j.browser, request(a.t, http.MethodGet, a.s.url+"/oauth/authorize?"+params.Encode(), nil))
	a.atClient(what, res.header.Get("Location"), code)
	if !slices.Contains([]int{http.StatusFound, http.StatusSeeOther}, res.status) {
		a.t.Errorf("%s: a redirect with %d", what, res.status)
	}
}

func (a *abuse) atClient(what, location, code string) {
	a.t.Helper()
	u, err := url.Parse(location)
	if err != nil || !strings.HasPrefix(location, callback+"?") {
		a.t.Errorf("%s: not at the client but at %q", what, location)
		return
	}
	q := u.Query()
	if q.Get("error") != code || q.Get("state") != "the-state-1234" || q.Get("iss") != a.s.url || q.Has("code") || !describable.MatchString(q.Get("error_description")) {
		a.t.Errorf("%s: the client is told %v, want %s", what, q, code)
	}
}

// params is an authorization request of a client; pairs replace what they name,
// or take it away where they are "".
func (a *abuse) params(c clientOutput, pairs ...string) url.Values {
	q := url.Values{
		"client_id": {c.ClientID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "state": {"the-state-1234"},
		"nonce": {"the-nonce-1234"}, "code_challenge": {challenge()}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	return q
}
