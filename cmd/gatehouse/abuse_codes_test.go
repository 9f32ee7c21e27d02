package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// atCode is a browser of its user's own network in which somebody's password was right.
func (a *abuse) atCode(u userOutput) *journey {
	a.t.Helper()
	j := a.fresh()
	j.browser.Transport = elsewhere("2001:db8:" + u.Mobile[7:] + "::1")
	j.submit("/signin", url.Values{"identifier": {u.Email}, "password": {testPassword}})
	if !strings.HasSuffix(j.at, "/signin/code") {
		a.t.Fatalf("at %s: %d %s", j.at, j.last.status, j.last.body)
	}
	return j
}

// elsewhere is an address that requests come from, by way of a trusted proxy: what
// one case uses up of a network's limits is missing in no other.
type elsewhere string

// RoundTrip implements http.RoundTripper.
func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", string(e))
	return http.DefaultTransport.RoundTrip(r)
}

// try enters a code.
func (j *journey) try(code string) response {
	j.t.Helper()
	return j.submit("/signin/code", url.Values{"code": {code}})
}

// wrong is a code that is not the right one.
func wrong(right string) string {
	return right[:len(right)-1] + string('0'+(right[len(right)-1]-'0'+1)%10)
}

func (a *abuse) wantOut(what string, j *journey) {
	a.t.Helper()
	if j.cookie("gatehouse_session") != "" {
		a.t.Errorf("%s: signed in", what)
	}
}

// failures is the count of an account, as the directory tells it.
func (a *abuse) failures(u userOutput) int {
	a.t.Helper()
	var user struct {
		Data struct {
			Count int `json:"failed_login_count"`
		}
	}
	a.s.call(a.s.token(a.machine, "notify.admin"), http.MethodGet, "/user/"+u.ID.String(), nil).json(a.t, &user)
	return user.Data.Count
}

// fiveWrongCodes (O01) end the sign-in: the right one comes too late.
func (a *abuse) fiveWrongCodes() {
	u := a.user("Guessed", "07700900301")
	j := a.atCode(u)
	right := a.d.code(u.Mobile, 1)
	for range 5 {
		if res := j.try(wrong(right)); res.status != http.StatusForbidden {
			a.t.Errorf("a wrong code: %d", res.status)
		}
	}
	if res := j.try(right); res.status != http.StatusBadRequest {
		a.t.Errorf("the right code, too late: %d %s", res.status, res.body)
	}
	a.wantOut("after five wrong codes", j)
	if n := a.failures(u); n != 5 {
		a.t.Errorf("%d failures", n)
	}
}

// anotherCode (O02) forgives nothing: ten failures lock the account, however many
// codes were sent and sign-ins begun in between.
func (a *abuse) anotherCode() {
	u := a.user("Resent", "07700900302")
	sent := 0
	for range 2 {
		j := a.atCode(u)
		sent++
		for tried := range 5 {
			if tried == 3 {
				j.submit("/signin/resend", url.Values{})
				sent++
			}
			j.try(wrong(a.d.code(u.Mobile, sent)))
		}
		a.wantOut("wrong codes", j)
	}
	if n := a.failures(u); n != 10 {
		a.t.Errorf("%d failures", n)
	}
	if res := a.form("/signin", "identifier", u.Email, "password", testPassword); res.status != http.StatusForbidden {
		a.t.Errorf("a locked account: %d", res.status)
	}
}

// manyCodesAtOnce (O03): of 200 guesses, the right one among them, five at most count,
// and one at most is accepted.
func (a *abuse) manyCodesAtOnce() {
	u := a.user("Flooded", "07700900303")
	j := a.atCode(u)
	right, at := a.d.code(u.Mobile, 1), rand.IntN(200)
	statuses, sessions := a.atOnce(j, 200, "/signin/code", func(i int) url.Values {
		if i == at {
			return url.Values{"code": {right}}
		}
		return url.Values{"code": {fmt.Sprintf("%06d", (i*4999+17)%1_000_000)}}
	})
	for status := range statuses.all {
		if !slices.Contains([]int{http.StatusSeeOther, http.StatusForbidden, http.StatusBadRequest, http.StatusTooManyRequests, http.StatusServiceUnavailable}, status) {
			a.t.Errorf("answers %v", statuses.all)
		}
	}
	if n := a.failures(u); sessions > 1 || n > 5 {
		a.t.Errorf("%d accepted, %d counted", sessions, n)
	}
}

// atOnce sends forms from one browser, and returns how many signed somebody in.
func (a *abuse) atOnce(j *journey, n int, path string, form func(i int) url.Values) (*statuses, int) {
	a.t.Helper()
	got, signedIn := &statuses{}, &statuses{}
	here := request(a.t, http.MethodGet, a.s.url, nil).URL
	cookies, client := j.browser.Jar.Cookies(here), &http.Client{Transport: j.browser.Transport, CheckRedirect: j.browser.CheckRedirect}
	race(n, func(i int) {
		r := request(a.t, http.MethodPost, a.s.url+path, form(i), "Sec-Fetch-Site", "same-origin")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		res, err := client.Do(r)
		if err != nil {
			a.t.Error(err)
			return
		}
		_ = res.Body.Close()
		got.add(res.StatusCode)
		if strings.Contains(strings.Join(res.Header.Values("Set-Cookie"), ";"), "gatehouse_session=") {
			signedIn.add(res.StatusCode)
		}
	})
	total := 0
	for _, n := range signedIn.all {
		total += n
	}
	return got, total
}

// codeOnce (O04): one of 64 is signed in, and nobody afterwards.
func (a *abuse) codeOnce() {
	u := a.user("Hurried", "07700900304")
	j := a.atCode(u)
	right := a.d.code(u.Mobile, 1)
	if statuses, n := a.atOnce(j, 64, "/signin/code", func(int) url.Values { return url.Values{"code": {right}} }); n != 1 && (n > 1 || !statuses.busy()) {
		a.t.Errorf("%d signed in: %v", n, statuses.all)
	}
	if res := j.try(right); res.status != http.StatusBadRequest {
		a.t.Errorf("once more: %d", res.status)
	}
	a.wantOut("once more", j)
}

// othersCode (O05): a code is good for its user, its browser and its purpose.
func (a *abuse) othersCode() {
	one, two := a.user("Ours", "07700900305"), a.user("Theirs", "07700900306")
	mine, same, theirs := a.atCode(one), a.atCode(one), a.atCode(two)
	first := a.d.code(one.Mobile, 1)
	for what, j := range map[string]*journey{"another browser": same, "another user": theirs} {
		if res := j.try(first); res.status != http.StatusForbidden {
			a.t.Errorf("%s: %d", what, res.status)
		}
		a.wantOut(what, j)
	}
	mine.try(first)
	if mine.cookie("gatehouse_session") == "" {
		a.t.Fatalf("the right browser: %d %s", mine.last.status, mine.last.body)
	}
	mine.submit("/account/email", url.Values{"email": {"ours@new.example.gov.uk"}})
	unused := a.d.code(one.Mobile, 2)
	if res := mine.submit("/account/email", url.Values{"code": {unused}}); res.status != http.StatusForbidden {
		a.t.Errorf("a code for a sign-in changes an address: %d", res.status)
	}
	if res := same.try(a.d.code("ours@new.example.gov.uk", 1)); res.status != http.StatusForbidden {
		a.t.Errorf("a code for an address signs in: %d", res.status)
	}
	a.wantOut("a code for an address", same)
}
