package main

import (
	"net/http"
	"net/url"
	"time"
)

// proven sends a form with a proof, and again with the nonce it is told.
func (s *asked) proven(p *prover, client string, form url.Values) response {
	s.t.Helper()
	target := s.url + "/oauth/token"
	res := s.form("/oauth/token", client, form, "DPoP", p.sign("dpop+jwt", p.claims(http.MethodPost, target, "", "")))
	return s.form("/oauth/token", client, form, "DPoP", p.sign("dpop+jwt", p.claims(http.MethodPost, target, res.header.Get("DPoP-Nonce"), "")))
}

// provenInfo asks for userinfo with a proof, and again with the nonce it is told.
func (s *asked) provenInfo(p *prover, token string, change func(claims map[string]any)) response {
	s.t.Helper()
	nonce := ""
	var res response
	for range 2 {
		claims := p.claims(http.MethodGet, s.url+"/oauth/userinfo", nonce, token)
		change(claims)
		res = s.send(http.MethodGet, "/oauth/userinfo", nil, "Authorization", "DPoP "+token, "DPoP", p.sign("dpop+jwt", claims))
		nonce = res.header.Get("DPoP-Nonce")
	}
	return res
}

// proofQuestions are about RFC 9449.
func proofQuestions() []question {
	machine := url.Values{"grant_type": {"client_credentials"}, "scope": {"notify.admin"}}
	nonce := func(s *asked, p *prover) string {
		res := s.form("/oauth/token", "machine", machine, "DPoP", p.sign("dpop+jwt", p.claims(http.MethodPost, s.url+"/oauth/token", "", "")))
		return res.header.Get("DPoP-Nonce")
	}
	proof := func(name string, change func(s *asked, claims map[string]any)) question {
		return question{"DPoP: " + name, func(s *asked) string {
			p := newProver(s.t)
			claims := p.claims(http.MethodPost, s.url+"/oauth/token", nonce(s, p), "")
			change(s, claims)
			return answer(s.form("/oauth/token", "machine", machine, "DPoP", p.sign("dpop+jwt", claims)))
		}}
	}
	set := func(name string, value any) func(*asked, map[string]any) {
		return func(_ *asked, claims map[string]any) { claims[name] = value }
	}
	now := time.Now()
	bound := func(s *asked, p *prover) string {
		var got tokens
		s.proven(p, "bound", redemption("bound", s.code("bound"))).json(s.t, &got)
		return got.AccessToken
	}
	same := func(map[string]any) {}
	return []question{
		proof("a proof", func(*asked, map[string]any) {}),
		proof("without a nonce", func(_ *asked, claims map[string]any) { delete(claims, "nonce") }),
		proof("with a nonce that nobody made", set("nonce", "surprise")),
		proof("for another method", set("htm", "GET")),
		proof("for another path", func(s *asked, claims map[string]any) { claims["htu"] = s.url + "/oauth/userinfo" }),
		proof("with a query in its address", func(s *asked, claims map[string]any) { claims["htu"] = s.url + "/oauth/token?x=1" }),
		proof("without jti", func(_ *asked, claims map[string]any) { delete(claims, "jti") }),
		proof("without iat", func(_ *asked, claims map[string]any) { delete(claims, "iat") }),
		proof("ten seconds in the future", set("iat", now.Add(10*time.Second).Unix())),
		proof("a day old", set("iat", now.Add(-24*time.Hour).Unix())),
		proof("expired", set("exp", now.Add(-time.Hour).Unix())),
		{"DPoP: a proof that is none", func(s *asked) string { return answer(s.form("/oauth/token", "machine", machine, "DPoP", "surprise")) }},
		{"DPoP: a proof of another type", func(s *asked) string {
			p := newProver(s.t)
			return answer(s.form("/oauth/token", "machine", machine, "DPoP", p.sign("jwt", p.claims(http.MethodPost, s.url+"/oauth/token", nonce(s, p), ""))))
		}},
		{"DPoP: a proof used twice", func(s *asked) string {
			p := newProver(s.t)
			once := p.sign("dpop+jwt", p.claims(http.MethodPost, s.url+"/oauth/token", nonce(s, p), ""))
			s.form("/oauth/token", "machine", machine, "DPoP", once)
			return answer(s.form("/oauth/token", "machine", machine, "DPoP", once))
		}},
		{"DPoP: the type of the token", func(s *asked) string {
			var got struct {
				Type string `json:"token_type"`
			}
			s.proven(newProver(s.t), "machine", machine).json(s.t, &got)
			return got.Type
		}},
		{"DPoP: a client that must, without a proof", func(s *asked) string {
			return answer(s.form("/oauth/token", "bound", redemption("bound", s.code("bound"))))
		}},
		{"DPoP: a code bound to another key", func(s *asked) string {
			return answer(s.proven(newProver(s.t), "web", redemption("web", s.code("web", "dpop_jkt", newProver(s.t).thumbprint()))))
		}},
		{"DPoP: a code bound to a key, without a proof", func(s *asked) string {
			return answer(s.form("/oauth/token", "web", redemption("web", s.code("web", "dpop_jkt", newProver(s.t).thumbprint()))))
		}},
		{"DPoP: introspection", func(s *asked) string {
			return answer(s.form("/oauth/introspect", "bound", url.Values{"token": {bound(s, newProver(s.t))}}))
		}},
		{"DPoP: userinfo", func(s *asked) string {
			p := newProver(s.t)
			return answer(s.provenInfo(p, bound(s, p), same))
		}},
		{"DPoP: userinfo with another key", func(s *asked) string {
			return answer(s.provenInfo(newProver(s.t), bound(s, newProver(s.t)), same))
		}},
		{"DPoP: userinfo with a proof for another token", func(s *asked) string {
			p := newProver(s.t)
			return answer(s.provenInfo(p, bound(s, p), func(claims map[string]any) { claims["ath"] = "surprise" }))
		}},
		{"DPoP: userinfo without a proof", func(s *asked) string {
			return answer(s.send(http.MethodGet, "/oauth/userinfo", nil, "Authorization", "DPoP "+bound(s, newProver(s.t))))
		}},
		{"DPoP: userinfo, shown as Bearer", func(s *asked) string {
			return answer(s.send(http.MethodGet, "/oauth/userinfo", nil, "Authorization", "Bearer "+bound(s, newProver(s.t))))
		}},
		{"DPoP: userinfo with a token that is not bound", func(s *asked) string {
			return answer(s.provenInfo(newProver(s.t), s.tokens("web").AccessToken, same))
		}},
		{"DPoP: a public client's refresh token with another key", func(s *asked) string {
			var got tokens
			s.proven(newProver(s.t), "public", redemption("public", s.code("public", "scope", "openid offline_access", "prompt", "consent"))).json(s.t, &got)
			form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}, "client_id": {"public"}}
			return answer(s.proven(newProver(s.t), "public", form))
		}},
	}
}
