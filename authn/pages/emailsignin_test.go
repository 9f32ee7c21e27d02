package pages_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/authn"
)

func (p *person) AskEmailSignIn(_ context.Context, a authn.EmailSignIn) (string, error) {
	p.asked = append(p.asked, "mail "+a.Identifier+" "+a.Flow+" "+strings.Join(a.Want.ACRValues, " "))
	return "browser-asked", p.err
}

func (p *person) OpenEmailSignIn(_ context.Context, token, browser string) (string, bool, error) {
	if token != "good" {
		return "", false, authn.ErrLinkClosed
	}
	return "flow-1", browser == "browser-asked", p.err
}

// TestLinkOfAMailSignsIn (M01): only the button does, in the browser that asked.
func TestLinkOfAMailSignsIn(t *testing.T) {
	p := &person{}
	server := serve(t, p)
	v := visit(t, server)
	v.do(http.MethodGet, "/begin", nil)
	response, _ := v.do(http.MethodPost, "/signin/email", url.Values{"identifier": {"bob"}, "flow": {"flow-1"}})
	if to := response.Header.Get("Location"); response.StatusCode != http.StatusSeeOther || to != "/signin/email-code?flow=flow-1" || p.asked[0] != "mail bob flow-1 "+authn.ACRMulti {
		t.Errorf("%d to %q, asked %v", response.StatusCode, to, p.asked)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
		for range 5 {
			if response, _ := v.do(method, "/email-auth/good", nil); len(response.Cookies()) > 0 {
				t.Errorf("%s set cookies", method)
			}
		}
	}
	if n := p.attempts.Load(); n > 0 {
		t.Fatalf("looking tried %d times", n)
	}
	other := visit(t, server)
	if response, body := other.do(http.MethodPost, "/email-auth/good", nil); response.StatusCode != http.StatusForbidden || !strings.Contains(body, "another browser") || len(other.cookies) > 0 {
		t.Errorf("elsewhere: %d\n%s", response.StatusCode, body)
	}
	if response, _ := v.do(http.MethodPost, "/email-auth/good", nil, "Sec-Fetch-Site", "cross-site"); response.StatusCode != http.StatusForbidden || p.attempts.Load() > 0 {
		t.Errorf("from another site: %d", response.StatusCode)
	}
	response, _ = v.do(http.MethodPost, "/email-auth/good", nil)
	if to := response.Header.Get("Location"); to != "/oauth/continue?flow=flow-1" || v.cookies[authn.SessionCookie] != "session-1" {
		t.Errorf("%d to %q, cookies %v", response.StatusCode, to, v.cookies)
	}
}

func TestOnlyServicesThatAllowItSignInByMail(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	for _, path := range []string{"/signin/email", "/signin/email-code"} {
		if response, _ := v.do(http.MethodGet, path, nil); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
		if response, _ := v.do(http.MethodPost, path, url.Values{"identifier": {"bob"}, "code": {rightCode}}); response.StatusCode != http.StatusNotFound {
			t.Errorf("post to %s: %d", path, response.StatusCode)
		}
	}
	if _, body := v.do(http.MethodGet, "/signin", nil); strings.Contains(body, "/signin/email") || len(p.asked) > 0 {
		t.Errorf("offered without a service: %v", p.asked)
	}
}
