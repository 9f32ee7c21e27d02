package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/authn"
	"gatehouse/directory"
)

func TestPasswordAloneSignsInWhereThatIsEnough(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	v.cookies[authn.SessionCookie] = "planted"
	res, _ := v.do(http.MethodPost, "/signin", credentials(""))
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/" {
		t.Errorf("answered %d, Location %q", res.StatusCode, res.Header.Get("Location"))
	}
	if got := *p.replaced.Load(); got != "planted" {
		t.Errorf("replaces session %q", got)
	}
	if v.cookies[authn.SessionCookie] != "session-1" {
		t.Errorf("cookies %v", v.cookies)
	}
	for _, cookie := range res.Cookies() {
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
			t.Errorf("cookie %v", cookie)
		}
	}
}

func TestPasswordAndCodeLeadBackToTheFlow(t *testing.T) {
	p := &person{next: authn.SMSCode}
	v := visit(t, serve(t, p))
	v.do(http.MethodGet, "/begin", nil)
	res, _ := v.do(http.MethodPost, "/signin", credentials("flow-1"))
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != "/signin/code?flow=flow-1" {
		t.Fatalf("answered %d, Location %q", res.StatusCode, got)
	}
	if v.cookies[authn.SessionCookie] != "" {
		t.Error("a session before the code")
	}
	if diff := cmp.Diff([]string{authn.ACRMulti}, p.last.Load().ACRValues); diff != "" {
		t.Error(diff)
	}
	res, body := v.do(http.MethodGet, "/signin/code?flow=flow-1", nil)
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "•••••••0123") || !strings.Contains(body, `name="flow" value="flow-1"`) {
		t.Errorf("code page: %d %s", res.StatusCode, body)
	}
	res, _ = v.do(http.MethodPost, "/signin/code", url.Values{"flow": {"flow-1"}, "code": {" 271-828 "}})
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != "/oauth/continue?flow=flow-1" {
		t.Errorf("answered %d, Location %q", res.StatusCode, got)
	}
	if _, left := v.cookies[authn.SignInCookie]; left || v.cookies[authn.SessionCookie] != "session-1" {
		t.Errorf("cookies %v", v.cookies)
	}
}

func TestResendStaysOnTheCodePage(t *testing.T) {
	v := visit(t, serve(t, &person{next: authn.SMSCode}))
	v.do(http.MethodPost, "/signin", credentials(""))
	res, _ := v.do(http.MethodPost, "/signin/resend", url.Values{})
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != "/signin/code?resent=1" {
		t.Errorf("answered %d, Location %q", res.StatusCode, got)
	}
	v.do(http.MethodGet, "/begin", nil)
	res, _ = v.do(http.MethodPost, "/signin/resend", url.Values{"flow": {"flow-1"}})
	if got := res.Header.Get("Location"); got != "/signin/code?flow=flow-1&resent=1" {
		t.Errorf("Location %q", got)
	}
}

func TestRefusedFormKeepsTheIdentifierAndNotTheSecret(t *testing.T) {
	v := visit(t, serve(t, &person{}))
	form := url.Values{"identifier": {`alice"><script>`}, "password": {"canary-4711"}}
	res, body := v.do(http.MethodPost, "/signin", form)
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", res.StatusCode)
	}
	if !strings.Contains(body, "alice&#34;&gt;&lt;script&gt;") || strings.Contains(body, "canary-4711") || strings.Contains(body, "<script") {
		t.Error(body)
	}
	if len(v.cookies) != 0 {
		t.Errorf("cookies %v", v.cookies)
	}
}

func TestMistypedCodeCostsNoAttempt(t *testing.T) {
	p := &person{next: authn.SMSCode}
	v := visit(t, serve(t, p))
	v.do(http.MethodPost, "/signin", credentials(""))
	before := p.attempts.Load()
	for _, code := range []string{"", "  ", "27182B"} {
		if res, _ := v.do(http.MethodPost, "/signin/code", url.Values{"code": {code}}); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: status %d", code, res.StatusCode)
		}
	}
	if got := p.attempts.Load(); got != before {
		t.Errorf("%d attempts", got-before)
	}
}

func TestSecurityKeyAccountNeverGetsASession(t *testing.T) {
	v := visit(t, serve(t, &person{next: authn.SecurityKey}))
	res, body := v.do(http.MethodPost, "/signin", credentials(""))
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "needs a security key") || len(v.cookies) != 0 {
		t.Errorf("%d, cookies %v, %s", res.StatusCode, v.cookies, body)
	}
}

func TestFlowOfAnotherBrowserIsRefused(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	v.cookies[authn.BrowserCookie] = "browser-2"
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		res, body := v.do(method, "/signin?flow=flow-1", credentials("flow-1"))
		if res.StatusCode != http.StatusBadRequest || !strings.Contains(body, "Your sign-in has expired") {
			t.Errorf("%s: %d %s", method, res.StatusCode, body)
		}
	}
	if p.attempts.Load() != 0 {
		t.Error("an attempt was made")
	}
}

func TestFormsAreReadStrictly(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		name, path string
		form       url.Values
		headers    []string
		status     int
	}{
		{"password in the URL", "/signin?" + credentials("").Encode(), url.Values{}, nil, http.StatusBadRequest},
		{"repeated field", "/signin", url.Values{"identifier": {"alice", "bob"}, "password": {rightPassword}}, nil, http.StatusBadRequest},
		{"NUL", "/signin", url.Values{"identifier": {"alice\x00"}, "password": {rightPassword}}, nil, http.StatusBadRequest},
		{"not UTF-8", "/signin", url.Values{"identifier": {"alice\xff"}, "password": {rightPassword}}, nil, http.StatusBadRequest},
		{"one megabyte", "/signin", url.Values{"identifier": {"alice"}, "password": {big}}, nil, http.StatusRequestEntityTooLarge},
		{"JSON", "/signin", url.Values{}, []string{"Content-Type", "application/json"}, http.StatusUnsupportedMediaType},
		{"multipart", "/signin", credentials(""), []string{"Content-Type", "multipart/form-data; boundary=x"}, http.StatusUnsupportedMediaType},
		{"another site", "/signin", credentials(""), []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, http.StatusForbidden},
		{"a sibling host", "/signin", credentials(""), []string{"Sec-Fetch-Site", "same-site", "Origin", "https://evil.example"}, http.StatusForbidden},
		{"a sandboxed frame", "/signin", credentials(""), []string{"Origin", "null"}, http.StatusForbidden},
		{"sign-out from another site", "/signout", url.Values{}, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, http.StatusForbidden},
		{"our own page", "/signin", url.Values{}, []string{"Sec-Fetch-Site", "same-origin"}, http.StatusBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &person{}
			v := visit(t, serve(t, p))
			res, body := v.do(http.MethodPost, c.path, c.form, c.headers...)
			if res.StatusCode != c.status {
				t.Errorf("status %d, want %d", res.StatusCode, c.status)
			}
			if !strings.Contains(body, "<h1") || p.attempts.Load() != 0 || len(v.cookies) != 0 || p.ended.Load() != nil {
				t.Errorf("attempts %d, cookies %v, %s", p.attempts.Load(), v.cookies, body)
			}
		})
	}
}

func TestErrorsOfTheServiceHaveTheirPageAndStatus(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		retry  string
	}{
		{&authn.ThrottledError{RetryAfter: 90 * time.Second}, http.StatusTooManyRequests, "90"},
		{directory.ErrUnavailable, http.StatusServiceUnavailable, "5"},
	} {
		v := visit(t, serve(t, &person{err: c.err}))
		v.cookies[authn.SignInCookie] = "sign-in-1"
		for _, path := range []string{"/signin", "/signin/code", "/signin/resend"} {
			form := credentials("")
			form.Set("code", rightCode)
			res, body := v.do(http.MethodPost, path, form)
			if res.StatusCode != c.status || res.Header.Get("Retry-After") != c.retry || !strings.Contains(body, "request-1") {
				t.Errorf("%s: %d, Retry-After %q, %s", path, res.StatusCode, res.Header.Get("Retry-After"), body)
			}
		}
	}
}

func TestSignOutEndsTheSession(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	v.do(http.MethodPost, "/signin", credentials(""))
	_, home := v.do(http.MethodGet, "/", nil)
	if !strings.Contains(home, "Alice Example") {
		t.Error(home)
	}
	res, _ := v.do(http.MethodPost, "/signout", url.Values{})
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/signed-out" || *p.ended.Load() != "session-1" || len(v.cookies) != 0 {
		t.Errorf("%d, cookies %v", res.StatusCode, v.cookies)
	}
}
