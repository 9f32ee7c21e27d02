package main

import (
	"net/http"
	"net/url"
)

// pushedQuestions are about RFC 9126.
func pushedQuestions() []question {
	push := func(s *asked, client string, more ...string) response {
		return s.form("/oauth/par", client, authorization(client, more...))
	}
	pushed := func(s *asked, client string) url.Values {
		var got struct {
			RequestURI string `json:"request_uri"`
		}
		if res := push(s, client); res.status == http.StatusCreated {
			res.json(s.t, &got)
		}
		return url.Values{"client_id": {client}, "request_uri": {got.RequestURI}}
	}
	refused := func(name string, more ...string) question {
		return question{"PAR: " + name, func(s *asked) string { return answer(push(s, "web", more...)) }}
	}
	return []question{
		refused("pushed"),
		refused("another redirect_uri", "redirect_uri", "https://evil.example.com/cb"),
		refused("without PKCE", "code_challenge", "", "code_challenge_method", ""),
		refused("with a request_uri", "request_uri", "urn:ietf:params:oauth:request_uri:x"),
		refused("a scope that is not the client's", "scope", "openid notify.admin"),
		refused("another client_id", "client_id", "other"),
		refused("without client_id", "client_id", ""),
		refused("prompt=none login", "prompt", "none login"),
		refused("response_type=token", "response_type", "token"),
		{"PAR: no client", func(s *asked) string { return answer(s.form("/oauth/par", "", authorization("web"))) }},
		{"PAR: a public client", func(s *asked) string { return answer(s.form("/oauth/par", "", authorization("public"))) }},
		{"PAR: by GET", func(s *asked) string { return answerStatus(s.send(http.MethodGet, "/oauth/par", nil)) }},
		{"PAR: used", func(s *asked) string { return s.authorize(pushed(s, "web")) }},
		{"PAR: used by the client that must", func(s *asked) string { return s.authorize(pushed(s, "pushing")) }},
		{"PAR: used twice", func(s *asked) string {
			q := pushed(s, "web")
			s.authorize(q)
			return s.authorize(q)
		}},
		{"PAR: used by another client", func(s *asked) string {
			q := pushed(s, "web")
			q.Set("client_id", "other")
			return s.authorize(q)
		}},
		{"PAR: used with another scope beside", func(s *asked) string {
			q := pushed(s, "web")
			q.Set("scope", "openid surprise")
			return s.authorize(q)
		}},
		{"PAR: a request_uri that nobody made", func(s *asked) string {
			return s.authorize(url.Values{"client_id": {"web"}, "request_uri": {"urn:ietf:params:oauth:request_uri:surprise"}})
		}},
	}
}
