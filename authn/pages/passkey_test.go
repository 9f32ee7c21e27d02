package pages_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/pages"
	"gatehouse/directory"
)

// rightKey is the answer of an authenticator that the person accepts.
const rightKey = `{"right":"key"}`

func (p *person) BeginPasskey(_ context.Context, browser string, _ netip.Addr) (json.RawMessage, error) {
	return json.RawMessage(`{"for":"` + browser + `"}`), p.err
}

func (p *person) BeginSecurityKey(_ context.Context, signIn string, _ netip.Addr) (json.RawMessage, error) {
	if signIn != "sign-in-1" {
		return nil, authn.ErrNoSignIn
	}
	return json.RawMessage(`{"in":"` + signIn + `"}`), p.err
}

func (p *person) Passkeys(_ context.Context, userID uuid.UUID) ([]*authn.Key, error) {
	if userID != user.ID || p.keys == 0 {
		return nil, p.err
	}
	return []*authn.Key{
		{ID: uuid.UUID{1}, Name: "Work laptop", Passwordless: true, CreatedAt: noon, UsedAt: noon}, {ID: uuid.UUID{2}, CreatedAt: noon},
	}, p.err
}

func (p *person) BeginNewPasskey(_ context.Context, n authn.NewPasskey) (json.RawMessage, error) {
	p.added = n
	return json.RawMessage(`{}`), p.keyErr
}

func (p *person) AddPasskey(_ context.Context, n authn.NewPasskey) (*authn.Key, error) {
	p.added = n
	return &authn.Key{}, p.keyErr
}

func (p *person) RenamePasskey(_ context.Context, userID, id uuid.UUID, name string) error {
	p.added = authn.NewPasskey{User: &directory.User{ID: userID}, Session: id, Name: name}
	return p.keyErr
}

func (p *person) RemovePasskey(_ context.Context, userID, session, id uuid.UUID) error {
	p.added = authn.NewPasskey{User: &directory.User{ID: userID}, Session: session, Name: "without " + id.String()}
	return p.keyErr
}

// TestPasskeyOptionsAreForOneBrowser: it gets a secret when it has none, keeps
// the one it has, and nothing of it may be kept on the way.
func TestPasskeyOptionsAreForOneBrowser(t *testing.T) {
	v := visit(t, serve(t, &person{}))
	res, body := v.do(http.MethodPost, "/signin/passkey/options", nil)
	if res.StatusCode != http.StatusOK || body != `{"for":"secret-1"}`+"\n" || v.cookies[authn.BrowserCookie] != "secret-1" {
		t.Errorf("%d %s %v", res.StatusCode, body, v.cookies)
	}
	if got := res.Header.Get("Cache-Control"); got != "no-store" || res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%q %q", got, res.Header.Get("Content-Type"))
	}
	v.cookies[authn.BrowserCookie] = "browser-1"
	if _, body := v.do(http.MethodPost, "/signin/passkey/options", nil); body != `{"for":"browser-1"}`+"\n" {
		t.Error(body)
	}
}

// TestPasskeySignsIn with the browser's own secret and what the service wants.
func TestPasskeySignsIn(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	v.do(http.MethodGet, "/begin", nil)
	res, body := v.do(http.MethodPost, "/signin/passkey", url.Values{"flow": {"flow-1"}, "response": {"{}"}})
	if res.StatusCode != http.StatusForbidden || !strings.Contains(body, "The passkey was not accepted") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	v.wantRedirect("/oauth/continue?flow=flow-1", http.MethodPost, "/signin/passkey", url.Values{"flow": {"flow-1"}, "response": {rightKey}})
	want := authn.Attempt{
		Front: authn.Browser, Factor: authn.Passkey, BrowserSecret: "browser-1", Secret: rightKey, ACRValues: []string{authn.ACRMulti},
		UserAgent: "Go-http-client/1.1",
	}
	got := *p.last.Load()
	got.Network, got.Begin = netip.Addr{}, nil
	if got.Floor = ""; !cmp.Equal(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })) {
		t.Errorf("tried %+v", got)
	}
	if v.cookies[authn.SessionCookie] != "session-1" {
		t.Error("no session")
	}
}

// TestSecurityKeyFollowsThePassword on a page of its own; people who have none
// are told whom to ask.
func TestSecurityKeyFollowsThePassword(t *testing.T) {
	v := visit(t, serve(t, &person{next: authn.SecurityKey, keys: 1}))
	v.wantRedirect("/signin/security-key", http.MethodPost, "/signin", credentials(""))
	v.wantRedirect("/signin/security-key", http.MethodGet, "/signin/code", nil)
	if res, body := v.do(http.MethodGet, "/signin/security-key", nil); res.StatusCode != http.StatusOK || !strings.Contains(body, "<noscript>") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, body := v.do(http.MethodPost, "/signin/security-key/options", nil); res.StatusCode != http.StatusOK || body != `{"in":"sign-in-1"}`+"\n" {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, body := v.do(http.MethodPost, "/signin/security-key", url.Values{"response": {"{}"}}); res.StatusCode != http.StatusForbidden || !strings.Contains(body, "The key was not accepted") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	v.wantRedirect("/", http.MethodPost, "/signin/security-key", url.Values{"response": {rightKey}})

	lost := visit(t, serve(t, &person{next: authn.SecurityKey, keys: 1}))
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if res, _ := lost.do(method, "/signin/security-key", nil); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s without a sign-in: %d", method, res.StatusCode)
		}
	}
	if res, body := lost.do(http.MethodPost, "/signin/security-key/options", nil); res.StatusCode != http.StatusBadRequest || !strings.Contains(res.Header.Get("Content-Type"), "problem") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

// TestKeysAreChangedByTheirOwner, in a fresh session, whoever the form names.
func TestKeysAreChangedByTheirOwner(t *testing.T) {
	p := &person{keys: 2}
	v := visit(t, serve(t, p))
	v.cookies[authn.SessionCookie] = "session-1"
	id := uuid.UUID{2}.String()
	for _, c := range []struct {
		form url.Values
		done string
		want authn.NewPasskey
	}{
		{url.Values{"action": {"add"}, "kind": {"passkey"}, "name": {"Phone"}, "response": {rightKey}, "user_id": {id}}, "added",
			authn.NewPasskey{User: user, Session: uuid.UUID{15: 7}, Passwordless: true, Name: "Phone", Response: rightKey}},
		{url.Values{"action": {"add"}, "kind": {"key"}, "response": {rightKey}}, "added", authn.NewPasskey{User: user, Session: uuid.UUID{15: 7}, Response: rightKey}},
		{url.Values{"action": {"rename"}, "id": {id}, "name": {"Blue"}}, "renamed", authn.NewPasskey{User: &directory.User{ID: user.ID}, Session: uuid.MustParse(id), Name: "Blue"}},
		{url.Values{"action": {"remove"}, "id": {id}}, "removed", authn.NewPasskey{User: &directory.User{ID: user.ID}, Session: uuid.UUID{15: 7}, Name: "without " + id}},
	} {
		v.wantRedirect("/account/passkeys?done=passkey_"+c.done, http.MethodPost, "/account/passkeys", c.form)
		if diff := cmp.Diff(c.want, p.added); diff != "" {
			t.Errorf("%v: %s", c.form, diff)
		}
		if _, body := v.do(http.MethodGet, "/account/passkeys?done=passkey_"+c.done, nil); !strings.Contains(body, `role="status"`) {
			t.Errorf("%s: nothing says so", c.done)
		}
	}
	for err, status := range map[error]int{
		authn.ErrRefused: 403, authn.ErrPasskeyTaken: 409, authn.ErrTooManyPasskeys: 409, directory.ErrLastCredential: 409, directory.ErrInvalid: 400,
		directory.ErrUnavailable: 503,
	} {
		p.keyErr = err
		res, _ := v.do(http.MethodPost, "/account/passkeys", url.Values{"action": {"remove"}, "id": {id}})
		if res.StatusCode != status {
			t.Errorf("%v: %d, want %d", err, res.StatusCode, status)
		}
	}
}

// TestNewKeysNeedAFreshSession: the script is refused where the page leads to
// the sign-in first.
func TestNewKeysNeedAFreshSession(t *testing.T) {
	for name, p := range map[string]*person{"fresh": {}, "stale": {stale: true}} {
		v := visit(t, serve(t, p))
		if res, _ := v.do(http.MethodPost, "/account/passkeys/options", url.Values{"kind": {"key"}}); res.StatusCode != http.StatusForbidden {
			t.Errorf("%s, nobody: %d", name, res.StatusCode)
		}
		v.cookies[authn.SessionCookie] = "session-1"
		res, _ := v.do(http.MethodPost, "/account/passkeys/options", url.Values{"kind": {"key"}})
		if want := map[string]int{"fresh": 200, "stale": 403}[name]; res.StatusCode != want || (p.added.User != nil) != (want == 200) {
			t.Errorf("%s: %d, asked for %+v", name, res.StatusCode, p.added)
		}
		if name == "stale" {
			v.wantRedirect("/account/confirm", http.MethodGet, "/account/passkeys", nil)
			v.wantRedirect("/account/confirm", http.MethodPost, "/account/passkeys", url.Values{"action": {"remove"}})
		}
	}
}

// TestOtherSitesCannotAskForKeys: neither options nor answers are taken from them.
func TestOtherSitesCannotAskForKeys(t *testing.T) {
	p := &person{keys: 1, next: authn.SecurityKey}
	v := visit(t, serve(t, p))
	v.cookies[authn.SessionCookie] = "session-1"
	for _, path := range []string{"/signin/passkey", "/signin/passkey/options", "/signin/security-key", "/signin/security-key/options", "/account/passkeys", "/account/passkeys/options"} {
		res, _ := v.do(http.MethodPost, path, url.Values{"response": {rightKey}}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
		if res.StatusCode != http.StatusForbidden || p.attempts.Load() != 0 || p.added.User != nil {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}

// TestPagesWithKeysRunOneScript, which talks to nobody but this service.
func TestPagesWithKeysRunOneScript(t *testing.T) {
	hosted := &pages.Pages{Authn: &person{next: authn.SecurityKey, keys: 1}, ServiceName: "Gatehouse", Issuer: "https://id.example.gov.uk"}
	for _, route := range hosted.Routes() {
		if route.Method != http.MethodGet || route.Path != "/signin" && route.Path != "/signin/security-key" {
			continue
		}
		recorder := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, route.Path, nil)
		r.AddCookie(&http.Cookie{Name: authn.SignInCookie, Value: "sign-in-1"})
		if err := route.Handler(recorder, r); err != nil {
			t.Fatal(err)
		}
		policy := recorder.Header().Get("Content-Security-Policy")
		for _, want := range []string{
			"default-src 'none'", "script-src https://id.example.gov.uk/assets/passkey.js;", "connect-src https://id.example.gov.uk/signin/ https://id.example.gov.uk/account/",
		} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: %q lacks %q", route.Path, policy, want)
			}
		}
		if strings.Count(recorder.Body.String(), "<script") != 1 {
			t.Errorf("%s: %s", route.Path, recorder.Body)
		}
	}
}
