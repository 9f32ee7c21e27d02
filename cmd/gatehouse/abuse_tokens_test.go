package main

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// replayedCode (C01): the second use is refused and ends what the first one gave.
func (a *abuse) replayedCode() {
	code := a.code(a.j, a.conf)
	res, got := a.redeem(a.conf, code, callback, verifier)
	if res.status != http.StatusOK {
		a.t.Fatalf("%d %s", res.status, res.body)
	}
	time.Sleep(20 * time.Millisecond) // a request of the same moment would count as having lost a race
	before := a.audited("revoke_grant", "code replayed", a.alice)
	res, _ = a.redeem(a.conf, code, callback, verifier)
	a.e400("the second use", res, "invalid_grant")
	if now := a.audited("revoke_grant", "code replayed", a.alice); now != before+1 {
		a.t.Errorf("%d events of replayed codes after %d", now, before)
	}
	if a.active(a.conf, got.AccessToken) {
		a.t.Error("the access token outlives the replay")
	}
	res, _ = a.refresh(a.conf, got.RefreshToken)
	a.e400("the refresh token", res, "invalid_grant")
}

// anotherClientsCode (C03): others gain nothing with a code, and the client it
// was issued to loses nothing.
func (a *abuse) anotherClientsCode() {
	for _, thief := range []clientOutput{a.post, a.pub} {
		code := a.code(a.j, a.conf)
		for _, redirect := range []string{callback, "https://evil.example/cb"} {
			for _, guess := range []string{verifier, strings.Repeat("x", 43), ""} {
				res, _ := a.redeem(thief, code, redirect, guess)
				a.e400("a thief", res, "invalid_grant")
			}
		}
		if res, _ := a.redeem(a.conf, code, callback, verifier); res.status != http.StatusOK {
			a.t.Errorf("the owner, after the thief: %d %s", res.status, res.body)
		}
	}
}

// noChallenge (C09): PKCE is required of every client.
func (a *abuse) noChallenge() {
	for _, c := range []clientOutput{a.conf, a.pub} {
		a.rdr("without a challenge", "invalid_request", a.params(c, "code_challenge", "", "code_challenge_method", ""))
		a.rdr("plain", "invalid_request", a.params(c, "code_challenge", verifier, "code_challenge_method", "plain"))
		a.rdr("short", "invalid_request", a.params(c, "code_challenge", "abc"))
		a.rdr("a method without a challenge", "invalid_request", a.params(c, "code_challenge", ""))
	}
}

// wrongVerifier (C10): a failed verification spends the code.
func (a *abuse) wrongVerifier() {
	for _, c := range []clientOutput{a.conf, a.pub} {
		code := a.code(a.j, c)
		for _, guess := range []string{strings.Repeat("x", 43), "", verifier} {
			res, _ := a.redeem(c, code, callback, guess)
			a.e400("the verifier "+guess, res, "invalid_grant")
		}
	}
}

// twoMethods (T05): a request uses one client authentication method.
func (a *abuse) twoMethods() {
	for what, form := range map[string]url.Values{
		"the secret twice":      {"client_id": {"machine"}, "client_secret": {a.machine.ClientSecret}},
		"another client":        {"client_id": {"conf"}},
		"another one's secret":  {"client_id": {"conf"}, "client_secret": {a.conf.ClientSecret}},
		"beside an assertion":   {"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {"a.b.c"}},
		"a repeated client_id":  {"client_id": {"machine", "machine"}},
		"a repeated grant_type": {"grant_type": {"client_credentials", "client_credentials"}},
	} {
		if !form.Has("grant_type") {
			form.Set("grant_type", "client_credentials")
		}
		a.e400(what, a.s.tokenAs(a.machine.ClientID, a.machine.ClientSecret, form), "invalid_request")
	}
}

// passwordGrant (T20): the grant does not exist.
func (a *abuse) passwordGrant() {
	res := a.send("/oauth/token", a.conf, url.Values{"grant_type": {"password"}, "username": {a.alice.Email}, "password": {testPassword}})
	a.e400("the password grant", res, "unsupported_grant_type")
}

// replayedRefresh (F01): once a client has used the successor, and so has both,
// the one before is a thief's: the whole family ends.
func (a *abuse) replayedRefresh() {
	first := a.granted(a.j)
	_, second := a.refresh(a.conf, first.RefreshToken)
	res, third := a.refresh(a.conf, second.RefreshToken)
	if res.status != http.StatusOK {
		a.t.Fatalf("the family is dead already: %d %s", res.status, res.body)
	}
	before := a.audited("revoke_grant", "refresh token replayed", a.alice)
	res, _ = a.refresh(a.conf, first.RefreshToken)
	a.e400("the first token again", res, "invalid_grant")
	if now := a.audited("revoke_grant", "refresh token replayed", a.alice); now != before+1 {
		a.t.Errorf("%d events of replayed refresh tokens after %d", now, before)
	}
	res, _ = a.refresh(a.conf, third.RefreshToken)
	a.e400("the newest token", res, "invalid_grant")
	for _, token := range []string{first.AccessToken, second.AccessToken, third.AccessToken} {
		if a.active(a.conf, token) {
			a.t.Error("an access token of the family is active")
		}
	}
}

// refreshOfEndedUser (F10): what ends a user ends their tokens at once.
func (a *abuse) refreshOfEndedUser() {
	admin := a.s.token(a.machine, "notify.admin")
	legacy := a.s.token(a.legacy, "")
	for what, end := range map[string]struct {
		mobile string
		do     func(u userOutput) int
	}{
		"archived": {"07700900201", func(u userOutput) int {
			return a.s.call(admin, http.MethodPost, "/user/"+u.ID.String()+"/archive", nil).status
		}},
		"repassworded": {"07700900203", func(u userOutput) int {
			return a.s.call(admin, http.MethodPost, "/user/"+u.ID.String()+"/update-password", `{"_password":"Another-Password-456"}`).status
		}},
		"locked": {"07700900204", func(u userOutput) int {
			for range 10 {
				a.s.call(legacy, http.MethodPost, "/authenticate", `{"username":"`+u.Email+`","password":"wrong password"}`)
			}
			return http.StatusOK
		}},
	} {
		u := a.user(what, end.mobile)
		got := a.granted(a.signIn(u))
		if status := end.do(u); status >= http.StatusBadRequest {
			a.t.Errorf("%s: %d", what, status)
			continue
		}
		res, _ := a.refresh(a.conf, got.RefreshToken)
		a.e400(what, res, "invalid_grant")
		a.a401(what, got.AccessToken)
	}
	a.formerMember()
}

// formerMember (F10): what somebody may see as a member of an organisation is
// asked at each use, so that it ends with the membership while they stay signed in.
func (a *abuse) formerMember() {
	admin := a.s.token(a.machine, "notify.admin")
	u := a.user("Member", "07700900205")
	var made struct{ ID string }
	a.s.call(admin, http.MethodPost, "/organisation", `{"name":"Members only","crown":true,"organisation_type":"central"}`).json(a.t, &made)
	path := "/organisation/" + made.ID
	if res := a.s.call(admin, http.MethodPost, path+"/users/"+u.ID.String(), `{"permissions":[]}`); res.status != http.StatusOK {
		a.t.Fatalf("%d %s", res.status, res.body)
	}
	reader := a.d.client("--id", "reader", "--first-party", "--grant", "authorization_code", "--grant", "refresh_token",
		"--redirect-uri", callback, "--scope", "openid", "--scope", "directory.read")
	j := a.signIn(u)
	j.authorize(reader, "openid directory.read")
	_, got := a.redeem(reader, j.code(), callback, verifier)
	if res := a.s.call(got.AccessToken, http.MethodGet, path, nil); res.status != http.StatusOK {
		a.t.Fatalf("a member: %d %s", res.status, res.body)
	}
	if res := a.s.call(admin, http.MethodDelete, path+"/users/"+u.ID.String(), nil); res.status != http.StatusNoContent {
		a.t.Fatalf("%d %s", res.status, res.body)
	}
	_, next := a.refresh(reader, got.RefreshToken)
	stranger := a.s.call(got.AccessToken, http.MethodGet, "/organisation/00000000-0000-4000-8000-000000000000", nil)
	for what, token := range map[string]string{"the token from before": got.AccessToken, "a new one": next.AccessToken} {
		if res := a.s.call(token, http.MethodGet, path, nil); res.status != http.StatusNotFound || res.body != stranger.body {
			a.t.Errorf("%s: %d %s", what, res.status, res.body)
		}
	}
}
