package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"gatehouse/authn/pages/pagestest"
)

// visitor is somebody with a browser of their own, at a server that others use
// too; every page they come to is looked at.
type visitor struct {
	*pagestest.Browser
	t *testing.T
	d *deployment
	s *server
}

// journeys is a server, a browser and a service to go to, which journeys share.
type journeys struct {
	d       *deployment
	s       *server
	browser *pagestest.Browser
	service string // the address that services send people back to
}

func newJourneys(t *testing.T, d *deployment) *journeys {
	t.Helper()
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>RP</title><h1>Back at the service</h1>"))
	}))
	t.Cleanup(back.Close)
	return &journeys{d: d, s: d.start("dev"), browser: pagestest.Open(t), service: back.URL + "/cb"}
}

// client registers a first-party service that people come back to.
func (js *journeys) client(id string, more ...string) clientOutput {
	js.d.t.Helper()
	return js.d.client(append([]string{
		"--id", id, "--name", "Service " + id, "--first-party", "--grant", "authorization_code", "--redirect-uri", js.service, "--scope", "openid",
	}, more...)...)
}

// visitor is a new browser, with no cookie.
func (js *journeys) visitor(t *testing.T) *visitor {
	t.Helper()
	return &visitor{js.browser.Another(t), t, js.d, js.s}
}

// come lets a service send the browser here.
func (v *visitor) come(js *journeys, c clientOutput) {
	v.t.Helper()
	v.Go(v.s.url + "/oauth/authorize?" + url.Values{
		"client_id": {c.ClientID}, "redirect_uri": {js.service}, "response_type": {"code"}, "scope": {"openid"}, "state": {"the-state-1234"},
		"code_challenge": {challenge()}, "code_challenge_method": {"S256"},
	}.Encode())
}

// press fills fields in and presses the first button of the page's own form.
func (v *visitor) press(fields ...string) {
	v.t.Helper()
	for i := 0; i+1 < len(fields); i += 2 {
		v.Fill(fields[i], fields[i+1])
	}
	v.Click("main form button.govuk-button")
}

// at fails the test unless the browser is on the page of a heading.
func (v *visitor) at(heading string) {
	v.t.Helper()
	if got := v.Heading(); got != heading {
		v.t.Fatalf("at %q instead of %q, %s: %s", got, heading, v.URL(), v.Text())
	}
}

// sent waits for the n-th message to somebody that has a code or a link, whatever
// notices come between, and returns it.
func (v *visitor) sent(to, kind string, n int) string {
	v.t.Helper()
	var all []string
	eventually(v.t, "a message with a "+kind, func() bool {
		all = nil
		for _, m := range v.d.messages(to) {
			if text, ok := m.Personalisation[kind].(string); ok {
				all = append(all, text)
			}
		}
		return len(all) >= n
	})
	return all[n-1]
}

// signIn goes from the sign-in page to the end of the second factor.
func (v *visitor) signIn(u userOutput, password string, n int) {
	v.t.Helper()
	v.press("identifier", u.Email, "password", password)
	v.at("Check your phone")
	v.press("code", v.sent(u.Mobile, "verify_code", n))
}

// local is the path of a link, at the server of the test.
func (v *visitor) local(link string) string {
	v.t.Helper()
	if !strings.HasPrefix(link, v.s.url+"/") {
		v.t.Fatal("the link leads to another host")
	}
	return link
}
