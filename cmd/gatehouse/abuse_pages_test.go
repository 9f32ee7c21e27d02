package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// implicit (A05): only the code flow exists.
func (a *abuse) implicit() {
	for _, kind := range []string{"token", "id_token", "code token", "code id_token", "id_token token", "none"} {
		a.rdr(kind, "unsupported_response_type", a.params(a.conf, "response_type", kind))
	}
}

// unsupportedParameters (A06) have codes of their own.
func (a *abuse) unsupportedParameters() {
	for name, code := range map[string]string{
		"request": "request_not_supported", "request_uri": "request_uri_not_supported", "registration": "registration_not_supported",
	} {
		a.rdr(name, code, a.params(a.conf, name, "https://evil.example/x"))
	}
}

// repeatedParameters (A07 to A10): twice is refused on our own page, unknown is
// ignored, empty is missing.
func (a *abuse) repeatedParameters() {
	for _, name := range []string{"client_id", "redirect_uri", "state", "scope", "nonce", "code_challenge", "prompt"} {
		q := a.params(a.conf)
		q[name] = []string{q.Get(name), "evil"}
		a.page("twice "+name, q)
	}
	a.j.get(a.s.url + "/oauth/authorize?" + a.params(a.conf, "unheard_of", "x").Encode())
	a.j.code()
	q := a.params(a.conf)
	q["max_age"], q["prompt"], q["id_token_hint"] = []string{""}, []string{""}, []string{""}
	a.j.get(a.s.url + "/oauth/authorize?" + q.Encode())
	a.j.code()
}

// promptNone (A11) never shows a page.
func (a *abuse) promptNone() {
	a.j.get(a.s.url + "/oauth/authorize?" + a.params(a.conf, "prompt", "none").Encode())
	a.j.code()
	stranger := *a
	stranger.j = a.d.journey(a.s)
	stranger.rdr("nobody is signed in", "login_required", a.params(a.conf, "prompt", "none"))
}

// reauthentication (A12): prompt=login and max_age=0 ask again, whoever is signed in.
func (a *abuse) reauthentication() {
	for _, pair := range [][2]string{{"prompt", "login"}, {"max_age", "0"}} {
		a.j.get(a.s.url + "/oauth/authorize?" + a.params(a.conf, pair[0], pair[1]).Encode())
		if !strings.Contains(a.j.at, "/signin") {
			a.t.Errorf("%s=%s: at %s", pair[0], pair[1], a.j.at)
		}
	}
}

// contradictoryPrompt (A13).
func (a *abuse) contradictoryPrompt() {
	a.rdr("none and login", "invalid_request", a.params(a.conf, "prompt", "none login"))
	for _, age := range []string{"-1", "abc", "1e3", "99999999999"} {
		a.rdr("max_age "+age, "invalid_request", a.params(a.conf, "max_age", age))
	}
}

// mixUp (A15): every answer says who made it, as discovery does.
func (a *abuse) mixUp() {
	var metadata struct {
		Issuer string `json:"issuer"`
		Iss    bool   `json:"authorization_response_iss_parameter_supported"`
	}
	do(a.t, http.DefaultClient, request(a.t, http.MethodGet, a.s.url+"/.well-known/openid-configuration", nil)).json(a.t, &metadata)
	if metadata.Issuer != a.s.url || !metadata.Iss {
		a.t.Errorf("%+v", metadata)
	}
	a.code(a.j, a.conf) // checks iss
	a.rdr("an error", "invalid_scope", a.params(a.conf, "scope", ""))
}

// descriptions (A17): whatever is sent, a description holds only what it may.
func (a *abuse) descriptions() {
	for _, nasty := range []string{"\"", "\\", "\x01", "é", "<script>", "a\r\nSet-Cookie: x=y"} {
		a.rdr("scope "+nasty, "invalid_scope", a.params(a.conf, "scope", "openid "+nasty))
		res := a.send("/oauth/token", a.machine, url.Values{"grant_type": {nasty}})
		a.e400("grant type "+nasty, res, "unsupported_grant_type")
		var body struct {
			Description string `json:"error_description"`
		}
		if res.json(a.t, &body); !describable.MatchString(body.Description) {
			a.t.Errorf("described as %q", body.Description)
		}
	}
}

// redirectURIs (R01 to R34): nothing leads to an address that is not the
// client's own, to the byte.
func (a *abuse) redirectURIs() {
	for _, hostile := range []string{
		"", "https://evil.example/cb", "https://rp.example.com/cb/", "https://rp.example.com/cb/../evil", "https://rp.example.com/cb?evil=1",
		"https://rp.example.com/cb#evil", "https://rp.example.com/CB", "https://RP.example.com/cb", "http://rp.example.com/cb", "https://rp.example.com:443/cb",
		"https://rp.example.com:8443/cb", "https://rp.example.com.evil.example/cb", "https://evil@rp.example.com/cb", "https://rp.example.com@evil.example/cb",
		"https://rp.example.com%2eevil.example/cb", "https://rp.example.com/%63b", "https://rp.example.com/cb%00", "https://rp.example.com/cb ", " https://rp.example.com/cb",
		"//evil.example/cb", "/cb", "cb", "https:/rp.example.com/cb", "https:\\\\rp.example.com\\cb", "https://rp.example.com\\@evil.example/cb", "javascript:alert('evil')",
		"data:text/html,evil", "https://rp.example.com./cb", "https://rp.example.com/cb\r\nLocation: https://evil.example", "https://rp.example.com/cb;evil", "https://*.example.com/cb",
		"http://localhost/cb", "http://127.0.0.1/cb", "com.evil.app:/cb", "https://rp.example.com/cb,https://evil.example/cb",
	} {
		a.page("redirect to "+hostile, a.params(a.conf, "redirect_uri", hostile))
	}
	a.page("an unknown client", a.params(clientOutput{ClientID: "evil"}))
	a.page("no client", a.params(a.conf, "client_id", ""))
}

// cookie is a cookie of a browser.
func (j *journey) cookie(name string) string {
	u, err := url.Parse(j.s.url)
	if err != nil {
		j.t.Fatal(err)
	}
	for _, c := range j.browser.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// signedInAs reports whether a session cookie is good for anything.
func (a *abuse) signedInAs(cookie string) bool {
	a.t.Helper()
	r := request(a.t, http.MethodGet, a.s.url+"/oauth/authorize?"+a.params(a.conf, "prompt", "none").Encode(), nil)
	r.AddCookie(&http.Cookie{Name: "gatehouse_session", Value: cookie})
	return strings.Contains(do(a.t, newBrowser(a.t), r).header.Get("Location"), "code=")
}

// poisoned are headers with which a proxy could be confused.
var poisoned = []string{
	"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https", "X-Forwarded-Port", "8443", "X-Forwarded-Prefix", "/evil", "Forwarded", "host=evil.example;proto=https",
	"X-Original-URL", "/evil", "X-Rewrite-URL", "/evil", "X-Host", "evil.example",
}

// poisonedIssuer (H01): no header changes what discovery says.
func (a *abuse) poisonedIssuer() {
	const path = "/.well-known/openid-configuration"
	clean := do(a.t, http.DefaultClient, request(a.t, http.MethodGet, a.s.url+path, nil))
	if dirty := do(a.t, http.DefaultClient, request(a.t, http.MethodGet, a.s.url+path, nil, poisoned...)); dirty.body != clean.body || dirty.status != http.StatusOK {
		a.t.Errorf("%d %s", dirty.status, dirty.body)
	}
	r := request(a.t, http.MethodGet, a.s.url+path, nil)
	r.Host = "evil.example"
	if res := do(a.t, http.DefaultClient, r); res.status != http.StatusMisdirectedRequest || strings.Contains(res.body, "evil") {
		a.t.Errorf("another Host: %d %s", res.status, res.body)
	}
	if answer := a.raw("GET http://evil.example" + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(answer, "HTTP/1.1 421 ") || strings.Contains(answer, "evil") {
		a.t.Errorf("an absolute URL: %.200s", answer)
	}
}

// raw sends bytes that no client would.
func (a *abuse) raw(text string) string {
	a.t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1"+a.s.url[strings.LastIndex(a.s.url, ":"):])
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(text)); err != nil {
		a.t.Fatal(err)
	}
	answer, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil {
		a.t.Fatal(err)
	}
	return string(answer)
}

// poisonedLinks (H02): a link in a message leads where the configuration says.
func (a *abuse) poisonedLinks() {
	u := a.user("Linked", "07700900241")
	admin := a.s.token(a.machine, "notify.admin")
	header := append([]string{"Authorization", "Bearer " + admin}, poisoned...)
	res := do(a.t, http.DefaultClient, request(a.t, http.MethodPost, a.s.url+"/user/reset-password", `{"email":"`+u.Email+`"}`, header...))
	if res.status >= http.StatusBadRequest {
		a.t.Fatalf("%d %s", res.status, res.body)
	}
	eventually(a.t, "the link is sent", func() bool { return len(a.d.messages(u.Email)) > 0 })
	sent := a.d.messages(u.Email)[0]
	link, _ := sent.Personalisation["url"].(string)
	if !strings.HasPrefix(link, "http://localhost:6012/") || strings.Contains(sent.Body, "evil") {
		a.t.Errorf("the link is %.40q", link)
	}
}
