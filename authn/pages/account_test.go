package pages_test

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
)

// session is what the person is signed in with.
func (p *person) session() *authn.Session {
	s := &authn.Session{ID: hereID, AMR: []string{"pwd", "sms", "mfa"}, ACR: authn.ACRMulti, AuthTime: noon.Add(-time.Minute)}
	if p.stale {
		s.AuthTime = noon.Add(-11 * time.Minute)
	}
	return s
}

func (v *visitor) wantRedirect(to, method, path string, form url.Values) {
	v.t.Helper()
	res, body := v.do(method, path, form)
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != to {
		v.t.Errorf("%s %s: %d to %q, want %q: %s", method, path, res.StatusCode, res.Header.Get("Location"), to, body)
	}
}

func TestAccountIsForWhoIsSignedIn(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	v.wantRedirect("/signin", http.MethodGet, "/account", nil)
	v.wantRedirect("/account", http.MethodPost, "/signin", credentials(""))
	res, body := v.do(http.MethodGet, "/account", nil)
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "alice@example.gov.uk") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("may be kept: %q", res.Header.Get("Cache-Control"))
	}
}

// TestConfirmingIsAWholeSignIn: the password is that of whoever is signed in,
// whatever the form says, and the second factor follows.
func TestConfirmingIsAWholeSignIn(t *testing.T) {
	p := &person{next: authn.SMSCode, stale: true}
	v := visit(t, serve(t, p))
	v.cookies[authn.SessionCookie] = "session-1"
	res, _ := v.do(http.MethodPost, "/account/confirm", url.Values{"password": {"wrong"}, "identifier": {"bob@example.gov.uk"}})
	if got := p.last.Load(); res.StatusCode != http.StatusForbidden || got.UserID != user.ID || got.Identifier != "" || got.Front != authn.Browser {
		t.Errorf("%d, tried %+v", res.StatusCode, got)
	}
	if res, _ := v.do(http.MethodPost, "/account/confirm", url.Values{"password": {""}}); res.StatusCode != http.StatusBadRequest || p.attempts.Load() != 1 {
		t.Errorf("%d after nothing was entered, %d attempts", res.StatusCode, p.attempts.Load())
	}
	v.wantRedirect("/signin/code", http.MethodPost, "/account/confirm", url.Values{"password": {rightPassword}})
	v.wantRedirect("/account", http.MethodPost, "/signin/code", url.Values{"code": {rightCode}})
	if got := p.replaced.Load(); got == nil || *got != "session-1" {
		t.Error("the session before was not replaced")
	}
}

func TestFormsOfTheAccountAreNotTakenFromOtherSites(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	v.cookies[authn.SessionCookie] = "session-1"
	for _, path := range []string{
		"/account/confirm", "/account/password", "/account/name", "/account/email", "/account/mobile", "/account/sessions", "/account/services",
		"/account/data", "/account/close",
	} {
		res, _ := v.do(http.MethodPost, path, url.Values{"password": {rightPassword}, "current_password": {rightPassword}}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
		if res.StatusCode != http.StatusForbidden || p.attempts.Load() != 0 {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}

func (p *person) ProvePassword(_ context.Context, id uuid.UUID, password string, _ netip.Addr) error {
	p.attempts.Add(1)
	if id != user.ID || password != rightPassword {
		return authn.ErrRefused
	}
	return p.err
}

func (p *person) ChangePassword(_ context.Context, s *authn.Session, _ authn.PreparedPassword, info authn.SessionInfo) (string, error) {
	p.replaced.Store(&info.Replaces)
	return "session-2", p.err
}

// TestChangesThatMatterNeedAFreshSignIn: a session that somebody found open shows
// the account, and cannot take it over.
func TestChangesThatMatterNeedAFreshSignIn(t *testing.T) {
	p := &person{stale: true}
	v := visit(t, serve(t, p))
	v.cookies[authn.SessionCookie] = "session-1"
	for _, path := range []string{"/account/password", "/account/email", "/account/mobile", "/account/close"} {
		v.wantRedirect("/account/confirm", http.MethodGet, path, nil)
		v.wantRedirect("/account/confirm", http.MethodPost, path, url.Values{"current_password": {rightPassword}, "password": {"three random words"}})
		if p.attempts.Load() != 0 || p.replaced.Load() != nil {
			t.Errorf("%s: something was tried", path)
		}
	}
	for _, path := range []string{"/account/sessions", "/account/data"} { // which may be looked at
		v.wantRedirect("/account/confirm", http.MethodPost, path, url.Values{"close": {"yes"}})
	}
	v.do(http.MethodGet, "/account/password", nil)
	v.wantRedirect("/account/password", http.MethodPost, "/account/confirm", url.Values{"password": {rightPassword}})
}

func TestPasswordIsChangedByItsOwner(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	v.cookies[authn.SessionCookie] = "session-1"
	for _, c := range []struct {
		current, password string
		status            int
		says              string
	}{
		{"", "three random words", http.StatusBadRequest, "Enter the password that you have now"},
		{rightPassword, "", http.StatusBadRequest, "Enter your password"},
		{rightPassword, "short", http.StatusBadRequest, "Password must be 12 characters or more"},
		{"wrong", "three random words", http.StatusForbidden, "This is not the password that you have now"},
	} {
		res, body := v.do(http.MethodPost, "/account/password", url.Values{"current_password": {c.current}, "password": {c.password}})
		if res.StatusCode != c.status || !strings.Contains(body, c.says) || strings.Contains(body, "three random words") {
			t.Errorf("%q, %q: %d %s", c.current, c.password, res.StatusCode, body)
		}
	}
	if p.attempts.Load() != 1 {
		t.Errorf("%d attempts; slips of the finger cost none", p.attempts.Load())
	}
	v.wantRedirect("/account?done=password", http.MethodPost, "/account/password", url.Values{"current_password": {rightPassword}, "password": {"three random words"}})
	if v.cookies[authn.SessionCookie] != "session-2" {
		t.Error("the session is the one before")
	}
	if _, body := v.do(http.MethodGet, "/account/password", nil); strings.Contains(body, "has been changed") {
		t.Error("still says what was done")
	}
}
