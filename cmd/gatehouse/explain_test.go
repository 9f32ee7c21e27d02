package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// explained waits until a refusal has been stored and returns what `gatehouse
// explain` prints of it.
func (d *deployment) explained(t *testing.T, res response) string {
	t.Helper()
	id := res.header.Get("X-Request-Id")
	if id == "" {
		t.Fatal("the answer has no request id")
	}
	var stdout, stderr strings.Builder
	eventually(t, "the request is explained", func() bool {
		stdout.Reset()
		return run(t.Context(), []string{"explain", id}, d.lookup, strings.NewReader(""), &stdout, &stderr) == exitOK
	})
	return stdout.String()
}

// tokenAs sends a token request with a client's credentials.
func (s *server) tokenAs(id, secret string, form url.Values) response {
	s.t.Helper()
	r := request(s.t, http.MethodPost, s.url+"/oauth/token", form)
	if secret != "" {
		r.SetBasicAuth(id, secret)
	}
	return do(s.t, http.DefaultClient, r)
}

// TestExplainNamesWhatTheClientIsNotTold refuses a request of each kind and asks why.
func TestExplainNamesWhatTheClientIsNotTold(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		rp := d.relyingService()
		other := d.client("--id", "other", "--grant", "authorization_code", "--redirect-uri", callback, "--scope", "openid")
		machine := d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin")
		s := d.start()
		j := signedIn(t, d, s, rp)
		exchange := func(c clientOutput, code, verifier string) response {
			return s.tokenAs(c.ClientID, c.ClientSecret, url.Values{
				"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
			})
		}
		authorize := func(client, redirect string) response {
			q := url.Values{"client_id": {client}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"openid"}}
			return do(t, newBrowser(t), request(t, http.MethodGet, s.url+"/oauth/authorize?"+q.Encode(), nil))
		}
		introspect := func(token string) response {
			r := request(t, http.MethodPost, s.url+"/oauth/introspect", url.Values{"token": {token}})
			r.SetBasicAuth(other.ClientID, other.ClientSecret)
			return do(t, http.DefaultClient, r)
		}
		push := func(pairs ...string) response {
			form := url.Values{"client_id": {rp.ClientID}}
			for i := 0; i+1 < len(pairs); i += 2 {
				form.Set(pairs[i], pairs[i+1])
			}
			r := request(t, http.MethodPost, s.url+"/oauth/par", form)
			r.SetBasicAuth(rp.ClientID, rp.ClientSecret)
			return do(t, http.DefaultClient, r)
		}
		leave := func(query string) response {
			return do(t, newBrowser(t), request(t, http.MethodGet, s.url+"/oauth/end-session?"+query, nil, "Accept", "text/html"))
		}
		fresh := func() string { j.authorize(rp, "openid offline_access"); return j.code() }
		code := fresh()
		_, got := s.exchange(rp, code)
		replayed := exchange(rp, code, verifier)
		own := s.token(machine, "")
		for name, c := range map[string]struct {
			res  response
			want []string
		}{
			"unknown client":  {authorize("nobody", callback), []string{"GET /oauth/authorize", "no client has this client_id"}},
			"redirect URI":    {authorize("rp", "https://evil.example/cb"), []string{"client rp", "redirect_uri is not registered"}},
			"no challenge":    {authorize("rp", callback), []string{"client rp", "invalid_request", "code_challenge"}},
			"wrong secret":    {s.tokenAs("rp", "wrong", url.Values{"grant_type": {"client_credentials"}}), []string{"client rp", "invalid_client", "the client secret is wrong"}},
			"wrong method":    {s.tokenAs("", "", url.Values{"grant_type": {"client_credentials"}, "client_id": {"rp"}}), []string{"another authentication method"}},
			"replayed code":   {replayed, []string{"invalid_grant", "the code was redeemed before"}},
			"another's code":  {exchange(other, fresh(), verifier), []string{"client other", "issued to another client"}},
			"wrong verifier":  {exchange(rp, fresh(), strings.Repeat("x", 43)), []string{"invalid_grant", "PKCE"}},
			"made-up refresh": {s.tokenAs(rp.ClientID, rp.ClientSecret, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"gh_rt_x"}}), []string{"not one that this service made"}},
			"ended grant":     {introspect(got.AccessToken), []string{"POST /oauth/introspect", "inactive", "revoked"}},
			"another's token": {introspect(own), []string{"inactive", "the token is for another client"}},
			"forged bearer":   {s.call("a.b.c", http.MethodGet, "/user/john", nil), []string{"GET /user/{ref}", "invalid_token", "no key of ours"}},
			"wrong type":      {s.call(got.IDToken, http.MethodGet, "/oauth/userinfo", nil), []string{"no access token"}},
			"pushed redirect": {push("redirect_uri", "https://evil.example/cb"), []string{"POST /oauth/par", "client rp", "not registered for the client"}},
			"unknown pushed":  {do(t, newBrowser(t), request(t, http.MethodGet, s.url+"/oauth/authorize?client_id=rp&request_uri=urn:ietf:params:oauth:request_uri:x", nil)), []string{"invalid_request_uri"}},
			"logout hint":     {leave("id_token_hint=a.b.c"), []string{"GET /oauth/end-session", "not an ID token that this service signed"}},
			"logout address":  {leave("client_id=rp&post_logout_redirect_uri=https%3A%2F%2Fevil.example&id_token_hint=" + got.IDToken), []string{"post_logout_redirect_uri is not registered"}},
			"missing scope":   {s.call(own, http.MethodGet, "/oauth/userinfo", nil), []string{"speaks for a client"}},
		} {
			t.Run(name, func(t *testing.T) {
				text := d.explained(t, c.res)
				for _, want := range c.want {
					if !strings.Contains(text, want) {
						t.Errorf("explained as %q, which lacks %q", text, want)
					}
				}
			})
		}
	})
}

// TestExplainShowsHowASignInWasDecided finds a trace by the id on the answer.
func TestExplainShowsHowASignInWasDecided(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		person := d.person()
		s := d.start()
		res := do(t, newBrowser(t), request(t, http.MethodPost, s.url+"/signin",
			url.Values{"identifier": {person.Email}, "password": {"not the password"}}, "Sec-Fetch-Site", "same-origin"))
		text := d.explained(t, res)
		for _, want := range []string{"user " + person.ID.String(), "refused", "password"} {
			if !strings.Contains(text, want) {
				t.Errorf("explained as %q, which lacks %q", text, want)
			}
		}
		var found explanation
		d.command("", &found, "explain", "--json", res.header.Get("X-Request-Id"))
		if len(found.SignIns) != 1 || found.SignIns[0].Verdict != "refused" || len(found.Refusals) != 0 {
			t.Errorf("as JSON: %+v", found)
		}
		wantAbsent(t, "the explanation", text, "address", person.Email)
	})
}

func TestExplainSaysWhenNothingIsKnown(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"explain", "NOSUCHREQUEST"}, d.lookup, strings.NewReader(""), &stdout, &stderr); code != exitError || !strings.Contains(stderr.String(), "nothing is known") {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
}
