package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// codeQuestions are about redeeming a code.
func codeQuestions() []question {
	redeem := func(name string, more ...string) question {
		return question{"code: " + name, func(s *asked) string {
			return answer(s.form("/oauth/token", "web", redemption("web", s.code("web"), more...)))
		}}
	}
	return []question{
		redeem("redeemed"),
		redeem("nobody made", "code", "surprise"),
		redeem("missing", "code", ""),
		redeem("without the verifier", "code_verifier", ""),
		redeem("with another verifier", "code_verifier", strings.Repeat("x", 43)),
		redeem("with a verifier that is too short", "code_verifier", "short"),
		redeem("with another redirect_uri", "redirect_uri", callback+"/x"),
		redeem("without the redirect_uri", "redirect_uri", ""),
		{"code: cacheable", func(s *asked) string {
			return s.form("/oauth/token", "web", redemption("web", s.code("web"))).header.Get("Cache-Control")
		}},
		{"code: another client's", func(s *asked) string {
			return answer(s.form("/oauth/token", "other", redemption("other", s.code("web"))))
		}},
		{"code: after another client tried", func(s *asked) string {
			code := s.code("web")
			s.form("/oauth/token", "other", redemption("other", code))
			return answer(s.form("/oauth/token", "web", redemption("web", code)))
		}},
		{"code: after a wrong verifier", func(s *asked) string {
			code := s.code("web")
			s.form("/oauth/token", "web", redemption("web", code, "code_verifier", strings.Repeat("x", 43)))
			return answer(s.form("/oauth/token", "web", redemption("web", code)))
		}},
		{"code: used twice", func(s *asked) string {
			code := s.code("web")
			s.form("/oauth/token", "web", redemption("web", code))
			return answer(s.form("/oauth/token", "web", redemption("web", code)))
		}},
		{"code: used twice, the access token", func(s *asked) string {
			code := s.code("web")
			var got tokens
			s.form("/oauth/token", "web", redemption("web", code)).json(s.t, &got)
			s.form("/oauth/token", "web", redemption("web", code))
			return answerStatus(s.send(http.MethodGet, "/oauth/userinfo", nil, "Authorization", "Bearer "+got.AccessToken))
		}},
		{"code: of a public client", func(s *asked) string {
			return answer(s.form("/oauth/token", "", redemption("public", s.code("public"))))
		}},
		{"code: with offline_access and consent", func(s *asked) string {
			return answer(s.form("/oauth/token", "web", redemption("web", s.code("web", "scope", "openid offline_access", "prompt", "consent"))))
		}},
		{"ID token: header", func(s *asked) string { return jwtMembers(s.tokens("web").IDToken, 0) }},
		{"ID token: claims", func(s *asked) string { return jwtMembers(s.tokens("web").IDToken, 1) }},
		{"ID token: claims with max_age and acr_values", func(s *asked) string {
			return jwtMembers(s.tokens("web", "max_age", "10000", "acr_values", "urn:nobody:knows").IDToken, 1)
		}},
	}
}

// jwtMembers are the names in a part of a JWT.
func jwtMembers(token string, part int) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "no JWT"
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[part])
	if err != nil {
		return err.Error()
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return err.Error()
	}
	return members(object)
}

// refreshQuestions are about refresh tokens.
func refreshQuestions() []question {
	offline := func(s *asked, client string) tokens {
		return s.tokens(client, "scope", "openid email offline_access", "prompt", "consent")
	}
	refresh := func(token string, more ...string) url.Values {
		q := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
		for i := 0; i+1 < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return q
	}
	redeem := func(name, client string, more ...string) question {
		return question{"refresh: " + name, func(s *asked) string {
			return answer(s.form("/oauth/token", client, refresh(offline(s, "web").RefreshToken, more...)))
		}}
	}
	return []question{
		redeem("redeemed", "web"),
		redeem("with less scope", "web", "scope", "openid"),
		redeem("with more scope", "web", "scope", "openid notify.admin"),
		redeem("by another client", "other"),
		{"refresh: a token that nobody made", func(s *asked) string { return answer(s.form("/oauth/token", "web", refresh("surprise"))) }},
		{"refresh: no token", func(s *asked) string {
			return answer(s.form("/oauth/token", "web", url.Values{"grant_type": {"refresh_token"}}))
		}},
		{"refresh: rotates", func(s *asked) string {
			first := offline(s, "web").RefreshToken
			var second tokens
			s.form("/oauth/token", "web", refresh(first)).json(s.t, &second)
			if second.RefreshToken == first {
				return "no"
			}
			return "yes"
		}},
		{"refresh: the ID token of a refresh", func(s *asked) string {
			var second tokens
			s.form("/oauth/token", "web", refresh(offline(s, "web").RefreshToken)).json(s.t, &second)
			return jwtMembers(second.IDToken, 1)
		}},
		{"refresh: the same token again at once", func(s *asked) string {
			first := offline(s, "web").RefreshToken
			s.form("/oauth/token", "web", refresh(first))
			return answer(s.form("/oauth/token", "web", refresh(first)))
		}},
		{"refresh: the same token again after its successor was used", func(s *asked) string {
			first := offline(s, "web").RefreshToken
			var second tokens
			s.form("/oauth/token", "web", refresh(first)).json(s.t, &second)
			s.form("/oauth/token", "web", refresh(second.RefreshToken))
			return answer(s.form("/oauth/token", "web", refresh(first)))
		}},
		{"refresh: the last token after such a replay", func(s *asked) string {
			first := offline(s, "web").RefreshToken
			var second, third tokens
			s.form("/oauth/token", "web", refresh(first)).json(s.t, &second)
			s.form("/oauth/token", "web", refresh(second.RefreshToken)).json(s.t, &third)
			s.form("/oauth/token", "web", refresh(first))
			return answer(s.form("/oauth/token", "web", refresh(third.RefreshToken)))
		}},
	}
}

// machineQuestions are about a client on its own.
func machineQuestions() []question {
	get := func(s *asked, more ...string) response {
		form := url.Values{"grant_type": {"client_credentials"}}
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return s.form("/oauth/token", "machine", form)
	}
	part := func(s *asked, n int) string {
		var got tokens
		get(s, "scope", "notify.admin").json(s.t, &got)
		return jwtMembers(got.AccessToken, n)
	}
	return []question{
		{"client_credentials: a token", func(s *asked) string { return answer(get(s, "scope", "notify.admin")) }},
		{"client_credentials: without scope", func(s *asked) string { return answer(get(s)) }},
		{"client_credentials: a scope nobody knows", func(s *asked) string { return answer(get(s, "scope", "surprise")) }},
		{"client_credentials: a scope that is not its own", func(s *asked) string { return answer(get(s, "scope", "notify.usage")) }},
		{"client_credentials: openid", func(s *asked) string { return answer(get(s, "scope", "openid")) }},
		{"client_credentials: a resource nobody knows", func(s *asked) string { return answer(get(s, "resource", "urn:surprise")) }},
		{"JWT access token: header", func(s *asked) string { return part(s, 0) }},
		{"JWT access token: claims", func(s *asked) string { return part(s, 1) }},
	}
}

// userInfoQuestions are about the claims of a person.
func userInfoQuestions() []question {
	get := func(s *asked, header ...string) response {
		return s.send(http.MethodGet, "/oauth/userinfo", nil, header...)
	}
	return []question{
		{"userinfo: by GET", func(s *asked) string { return answer(get(s, "Authorization", "Bearer "+s.tokens("web").AccessToken)) }},
		{"userinfo: by POST with a header", func(s *asked) string {
			return answer(s.send(http.MethodPost, "/oauth/userinfo", url.Values{}, "Authorization", "Bearer "+s.tokens("web").AccessToken))
		}},
		{"userinfo: by POST with a form", func(s *asked) string {
			return answer(s.send(http.MethodPost, "/oauth/userinfo", url.Values{"access_token": {s.tokens("web").AccessToken}}))
		}},
		{"userinfo: in the query", func(s *asked) string {
			return answer(s.send(http.MethodGet, "/oauth/userinfo?access_token="+s.tokens("web").AccessToken, nil))
		}},
		{"userinfo: without a token", func(s *asked) string { return answer(get(s)) }},
		{"userinfo: a token nobody made", func(s *asked) string { return answer(get(s, "Authorization", "Bearer surprise")) }},
		{"userinfo: twice, in header and form", func(s *asked) string {
			token := s.tokens("web").AccessToken
			return answer(s.send(http.MethodPost, "/oauth/userinfo", url.Values{"access_token": {token}}, "Authorization", "Bearer "+token))
		}},
		{"userinfo: another scheme", func(s *asked) string { return answer(get(s, "Authorization", "Basic dTpw")) }},
		{"userinfo: a client's own token", func(s *asked) string {
			var got tokens
			s.form("/oauth/token", "machine", url.Values{"grant_type": {"client_credentials"}}).json(s.t, &got)
			return answer(get(s, "Authorization", "Bearer "+got.AccessToken))
		}},
		{"userinfo: without the scope openid", func(s *asked) string {
			return answer(get(s, "Authorization", "Bearer "+s.tokens("web", "scope", "email", "nonce", "").AccessToken))
		}},
	}
}

// introspectionQuestions are about looking at a token.
func introspectionQuestions() []question {
	look := func(s *asked, client, token string) string {
		return answer(s.form("/oauth/introspect", client, url.Values{"token": {token}}))
	}
	return []question{
		{"introspect: own access token", func(s *asked) string { return look(s, "web", s.tokens("web").AccessToken) }},
		{"introspect: own refresh token", func(s *asked) string {
			return look(s, "web", s.tokens("web", "scope", "openid offline_access", "prompt", "consent").RefreshToken)
		}},
		{"introspect: own JWT access token", func(s *asked) string {
			var got tokens
			s.form("/oauth/token", "machine", url.Values{"grant_type": {"client_credentials"}}).json(s.t, &got)
			return look(s, "machine", got.AccessToken)
		}},
		{"introspect: another client's token", func(s *asked) string { return look(s, "other", s.tokens("web").AccessToken) }},
		{"introspect: a token nobody made", func(s *asked) string { return look(s, "web", "surprise") }},
		{"introspect: no token", func(s *asked) string { return answer(s.form("/oauth/introspect", "web", url.Values{})) }},
		{"introspect: no client", func(s *asked) string { return look(s, "", "surprise") }},
		{"introspect: a public client", func(s *asked) string {
			return answer(s.form("/oauth/introspect", "", url.Values{"token": {"surprise"}, "client_id": {"public"}}))
		}},
		{"introspect: by GET", func(s *asked) string { return answerStatus(s.send(http.MethodGet, "/oauth/introspect", nil)) }},
	}
}

// revocationQuestions are about ending a token.
func revocationQuestions() []question {
	revoke := func(s *asked, client, token string, more ...string) response {
		form := url.Values{"token": {token}}
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return s.form("/oauth/revoke", client, form)
	}
	works := func(s *asked, token string) string {
		return answerStatus(s.send(http.MethodGet, "/oauth/userinfo", nil, "Authorization", "Bearer "+token))
	}
	return []question{
		{"revoke: an access token", func(s *asked) string { return answer(revoke(s, "web", s.tokens("web").AccessToken)) }},
		{"revoke: the access token after it", func(s *asked) string {
			token := s.tokens("web").AccessToken
			revoke(s, "web", token)
			return works(s, token)
		}},
		{"revoke: the access token after its refresh token", func(s *asked) string {
			got := s.tokens("web", "scope", "openid offline_access", "prompt", "consent")
			revoke(s, "web", got.RefreshToken)
			return works(s, got.AccessToken)
		}},
		{"revoke: with a hint nobody knows", func(s *asked) string {
			return answer(revoke(s, "web", s.tokens("web").AccessToken, "token_type_hint", "surprise"))
		}},
		{"revoke: a token nobody made", func(s *asked) string { return answer(revoke(s, "web", "surprise")) }},
		{"revoke: another client's token", func(s *asked) string { return answer(revoke(s, "other", s.tokens("web").AccessToken)) }},
		{"revoke: a JWT access token", func(s *asked) string {
			var got tokens
			s.form("/oauth/token", "machine", url.Values{"grant_type": {"client_credentials"}}).json(s.t, &got)
			return answer(revoke(s, "machine", got.AccessToken))
		}},
		{"revoke: no token", func(s *asked) string { return answer(s.form("/oauth/revoke", "web", url.Values{})) }},
		{"revoke: no client", func(s *asked) string { return answer(revoke(s, "", "surprise")) }},
	}
}
