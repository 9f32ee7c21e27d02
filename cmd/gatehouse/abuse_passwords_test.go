package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
)

// form posts a form as a page of ours would.
func (a *abuse) form(path string, pairs ...string) response {
	a.t.Helper()
	fields := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	return do(a.t, newBrowser(a.t), request(a.t, http.MethodPost, a.s.url+path, fields, "Sec-Fetch-Site", "same-origin"))
}

// authenticate asks the legacy door.
func (a *abuse) authenticate(username, password string) response {
	a.t.Helper()
	return a.s.call(a.s.token(a.legacy, ""), http.MethodPost, "/authenticate", string(marshal(a.t, map[string]string{"username": username, "password": password})))
}

// truncation (U02): all of a password counts, also where bcrypt would stop looking.
func (a *abuse) truncation() {
	u := a.user("Longwinded", "07700900251")
	long := strings.Repeat("long password ", 7) + "a" // 99 bytes
	admin := a.s.token(a.machine, "notify.admin")
	if res := a.s.call(admin, http.MethodPost, "/user/"+u.ID.String()+"/update-password", string(marshal(a.t, map[string]string{"_password": long}))); res.status != http.StatusOK {
		a.t.Fatalf("%d %s", res.status, res.body)
	}
	for what, password := range map[string]string{"the first 72 bytes": long[:72], "another end": long[:98] + "b", "one byte more": long + "a"} {
		if res := a.authenticate(u.Email, password); res.status != http.StatusUnauthorized {
			a.t.Errorf("%s: %d", what, res.status)
		}
	}
	if res := a.authenticate(u.Email, long); res.status != http.StatusOK {
		a.t.Errorf("all of it: %d %s", res.status, res.body)
	}
}

// zeroBytes (U10): a byte that no database takes is a fault of whoever sends it,
// wherever it stands.
func (a *abuse) zeroBytes() {
	for path, fields := range map[string][]string{
		"/signin": {"identifier", "password"}, "/signin/code": {"code"}, "/register": {"name", "email", "mobile", "password"}, "/forgotten-password": {"identifier"},
		"/new-password/x": {"password"}, "/verify-email/x": {"password"}, "/account/name": {"name"}, "/account/email": {"email"}, "/account/mobile": {"mobile"},
		"/account/password": {"current_password", "password"}, "/account/passkeys": {"name"}, "/account/sessions": {"session"}, "/account/services": {"client"},
	} {
		for _, field := range fields {
			whole := url.Values{"identifier": {"a"}, "password": {testPassword}, "name": {"A"}, "email": {"a@example.com"}, "flow": {""}}
			whole.Set(field, "alice\x00")
			a.j.submit(path, whole)
			if a.j.last.status != http.StatusBadRequest {
				a.t.Errorf("%s of %s: %d %.200s", field, path, a.j.last.status, a.j.last.body)
			}
		}
	}
	admin := a.s.token(a.machine, "notify.admin")
	for path, body := range map[string]string{
		"/user":                     `{"name":"A","email_address":"a\u0000@example.gov.uk","mobile_number":"07700900124","password":"` + testPassword + `"}`,
		"/user/find-users-by-email": `{"email":"alice\u0000"}`,
		"/organisation":             `{"name":"A\u0000","crown":true,"organisation_type":"central"}`,
	} {
		if res := a.s.call(admin, http.MethodPost, path, body); res.status != http.StatusBadRequest {
			a.t.Errorf("%s: %d %s", path, res.status, res.body)
		}
	}
	if res := a.authenticate("alice\x00", testPassword); res.status != http.StatusBadRequest {
		a.t.Errorf("/authenticate: %d %s", res.status, res.body)
	}
	for _, path := range []string{"/user/alice%00", "/user?email=alice%00", "/signin?flow=%00", "/verify-email/%00", "/oauth/authorize?client_id=%00"} {
		if res := fetch(a.t, newBrowser(a.t), request(a.t, http.MethodGet, a.s.url+path, nil, "Authorization", "Bearer "+admin)); res.status < 400 || res.status >= 500 {
			a.t.Errorf("%s: %d %s", path, res.status, res.body)
		}
	}
}

// twins (U12): nobody gets an account that looks like alice's.
func (a *abuse) twins() {
	u := a.user("Twin", "07700900261")
	for _, spelling := range []string{"TWIN@example.gov.uk", "twin@ｅxample.gov.uk", "tw\u200bin@example.gov.uk", "twin@exam\u00adple.gov.uk", "twin@example。gov.uk"} {
		before := len(a.d.messages(u.Email))
		if res := a.form("/register", "name", "Twin", "email", spelling, "password", testPassword); res.status != http.StatusAccepted {
			a.t.Errorf("%q: %d", spelling, res.status)
		}
		eventually(a.t, "the owner is told", func() bool { return len(a.d.messages(u.Email)) > before })
		if sent := a.d.messages(u.Email); sent[len(sent)-1].Template != "account_exists" {
			a.t.Errorf("%q: sent %s", spelling, sent[len(sent)-1].Template)
		}
	}
	for _, spelling := range []string{"тwin@example.gov.uk", "twin\u202e@example.gov.uk", "twin@\u202eexample.gov.uk", "ｔwin@example.gov.uk"} {
		if res := a.form("/register", "name", "Twin", "email", spelling, "password", testPassword); res.status != http.StatusBadRequest {
			a.t.Errorf("%q: %d", spelling, res.status)
		}
	}
	const shown = "twin@xn--exmple-4nf.gov.uk"
	if res := a.form("/register", "name", "Twin", "email", "twin@exаmple.gov.uk", "password", testPassword); res.status != http.StatusAccepted || strings.Contains(res.body, "exаmple") {
		a.t.Errorf("%d %s", res.status, res.body)
	}
	link := a.d.link(shown, 1)
	if page := a.j.get(a.s.url + a.j.here(link)); !strings.Contains(page.body, shown) || strings.Contains(page.body, "exаmple") {
		a.t.Errorf("the page shows %s", page.body)
	}
}

// TestLongPasswordsCostNothing (U01): of a megabyte, of ten, and of one byte too many,
// no hash is made at any door. Here every hash would be refused with 429.
func TestLongPasswordsCostNothing(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		legacy := d.client("--id", "legacy", "--grant", "client_credentials", "--role", "PROBATION_API__HMPPS_AUTH__AUTHENTICATE")
		machine := d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin")
		d.inProcess(func(a *app) {
			alice, err := a.createUser(t.Context(), directory.NewUser{Name: "Alice", EmailAddress: "alice@example.gov.uk", State: directory.Active}, testPassword)
			if err != nil {
				t.Fatal(err)
			}
			cookie, _, err := a.authn.StartSession(t.Context(), &authn.Outcome{User: alice, AMR: []string{"pwd"}, ACR: authn.ACRSingle, At: a.clock.Now()}, authn.SessionInfo{Network: netip.Addr{}})
			if err != nil {
				t.Fatal(err)
			}
			link, err := a.authn.NewLink(t.Context(), authn.ResetLink, alice.ID, map[string]string{"email": alice.EmailAddress}, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			s := d.listen(a)
			a.authn.Hasher, a.authn.RefusalTime = &authn.Hasher{Parallel: 1, Queue: -1}, time.Minute
			doors := longDoors(t, s, alice, s.token(legacy, ""), s.token(machine, "notify.admin"), link, cookie)
			for door, ask := range doors {
				if res := do(t, newBrowser(t), ask("a password of usual length")); res.status != http.StatusTooManyRequests {
					t.Errorf("%s hashes nothing anyway: %d %.200s", door, res.status, res.body)
				}
				if res := do(t, newBrowser(t), ask(strings.Repeat("x", 1025))); res.status != http.StatusBadRequest && res.status != http.StatusUnauthorized && res.status != http.StatusForbidden {
					t.Errorf("%s, a byte too many: %d %.200s", door, res.status, res.body)
				}
				for _, size := range []int{1 << 20, 10 << 20} {
					flood(t, fmt.Sprintf("%s, %d bytes", door, size), ask(strings.Repeat("x", size)))
				}
			}
		})
	})
}

// longDoors are the places where a password is typed.
func longDoors(t *testing.T, s *server, u *directory.User, legacy, admin, link, session string) map[string]func(password string) *http.Request {
	form := func(path string, pairs ...string) func(password string) *http.Request {
		return func(password string) *http.Request {
			fields := url.Values{}
			for i := 0; i+1 < len(pairs); i += 2 {
				fields.Set(pairs[i], strings.ReplaceAll(pairs[i+1], "$", password))
			}
			r := request(t, http.MethodPost, s.url+path, fields, "Sec-Fetch-Site", "same-origin")
			r.AddCookie(&http.Cookie{Name: authn.SessionCookie, Value: session})
			return r
		}
	}
	api := func(path, token, field string, more map[string]string) func(password string) *http.Request {
		return func(password string) *http.Request {
			body := map[string]string{field: password}
			maps.Copy(body, more)
			return request(t, http.MethodPost, s.url+path, string(marshal(t, body)), "Authorization", "Bearer "+token)
		}
	}
	return map[string]func(password string) *http.Request{
		"sign in": form("/signin", "identifier", u.EmailAddress, "password", "$"), "register": form("/register", "name", "A", "email", "new@example.gov.uk", "password", "$"),
		"reset": form("/new-password/"+link, "password", "$"), "change, the old one": form("/account/password", "current_password", "$", "password", testPassword+"!"),
		"/authenticate":   api("/authenticate", legacy, "password", map[string]string{"username": u.EmailAddress}),
		"verify/password": api("/user/"+u.ID.String()+"/verify/password", admin, "password", nil),
		"create a user":   api("/user", admin, "password", map[string]string{"name": "A", "email_address": "new@example.gov.uk", "mobile_number": "07700900124"}),
		"update-password": api("/user/"+u.ID.String()+"/update-password", admin, "_password", nil),
	}
}

// flood sends a request fifty times at once; each answer is a refusal, and does not
// wait for anything. A server that has read enough may also hang up.
func flood(t *testing.T, what string, r *http.Request) {
	t.Helper()
	began, hung := time.Now(), statuses{}
	race(50, func(int) {
		one := r.Clone(t.Context())
		one.Body, _ = r.GetBody()
		res, err := http.DefaultClient.Do(one)
		if err != nil {
			hung.add(0)
			return
		}
		_ = res.Body.Close()
		hung.add(res.StatusCode)
	})
	for status, n := range hung.all {
		if status != 0 && status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d of 50 answers are %d", what, n, status)
		}
	}
	if took := time.Since(began); took > 30*time.Second || hung.all[http.StatusRequestEntityTooLarge] == 0 {
		t.Errorf("%s: took %v: %v", what, took, hung.all)
	}
}
