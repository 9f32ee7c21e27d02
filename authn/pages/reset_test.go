package pages_test

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"gatehouse/authn"
)

func (p *person) AskPasswordReset(_ context.Context, identifier, flow string, _ netip.Addr) error {
	p.asked = append(p.asked, identifier+" "+flow)
	return p.err
}

func (p *person) PasswordReset(_ context.Context, token string) (string, error) {
	if token != "good" {
		return "", authn.ErrLinkClosed
	}
	return "flow-1", p.err
}

func (p *person) ResetPassword(_ context.Context, token, password string) error {
	if password == "short" {
		return &authn.PasswordError{Reason: "Password must be 12 characters or more"}
	}
	p.asked = append(p.asked, token+" "+password)
	return p.err
}

func TestForgottenPasswordKeepsWhatTheBrowserWasDoing(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	v.do(http.MethodGet, "/begin", nil)
	if _, body := v.do(http.MethodGet, "/forgotten-password?flow=flow-1", nil); !strings.Contains(body, `value="flow-1"`) || !strings.Contains(body, `value="alice@example.gov.uk"`) {
		t.Errorf("the page forgot the flow or who is expected:\n%s", body)
	}
	response, _ := v.do(http.MethodPost, "/forgotten-password", url.Values{"identifier": {"ghost"}, "flow": {"flow-1"}})
	if response.StatusCode != http.StatusAccepted || len(response.Cookies()) > 0 || len(p.asked) != 1 || p.asked[0] != "ghost flow-1" {
		t.Errorf("%d, asked %v", response.StatusCode, p.asked)
	}
	if _, body := v.do(http.MethodPost, "/new-password/good", url.Values{"password": {rightPassword}}); !strings.Contains(body, `href="/signin?flow=flow-1"`) {
		t.Errorf("the way back to the service is lost:\n%s", body)
	}
	other := visit(t, serve(t, p))
	if _, body := other.do(http.MethodPost, "/new-password/good", url.Values{"password": {rightPassword}}); !strings.Contains(body, `href="/signin"`) {
		t.Errorf("another browser was led into the flow:\n%s", body)
	}
}

// TestFormsOfAForgottenPasswordComeFromOurOwnPages (M01, S03): no other site and
// no link does anything.
func TestFormsOfAForgottenPasswordComeFromOurOwnPages(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	for _, path := range []string{"/forgotten-password", "/new-password/good"} {
		form := url.Values{"identifier": {"alice"}, "password": {rightPassword}}
		response, _ := v.do(http.MethodPost, path, form, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, response.StatusCode)
		}
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
			if response, _ := v.do(method, path+"?identifier=alice&password="+url.QueryEscape(rightPassword), nil); len(response.Cookies()) > 0 {
				t.Errorf("%s %s set a cookie", method, path)
			}
		}
	}
	if len(p.asked) > 0 {
		t.Errorf("something was done: %v", p.asked)
	}
}
