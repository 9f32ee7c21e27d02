package main

import (
	"encoding/json"
	"net/http"
	"strings"
)

// registrationQuestions are about RFC 7591 and RFC 7592.
func registrationQuestions() []question {
	const good = `{"client_name":"Example Forms","redirect_uris":["` + callback + `"],"scope":"openid email"}`
	post := func(s *asked, body string, header ...string) response {
		return s.send(http.MethodPost, "/register", body, header...)
	}
	register := func(s *asked, body string) response { return post(s, body, "Authorization", "Bearer "+s.initial) }
	asks := func(name, member, value string) question {
		return question{"register: " + name, func(s *asked) string {
			var document map[string]json.RawMessage
			response{body: good}.json(s.t, &document)
			if document[member] = json.RawMessage(value); value == "" {
				delete(document, member)
			}
			res := register(s, string(marshal(s.t, document)))
			if res.status == http.StatusCreated {
				return "201"
			}
			return answer(res)
		}}
	}
	// manage sends a request to the registration itself, with its token.
	manage := func(s *asked, method string, change func(document map[string]json.RawMessage), token string) response {
		var made struct {
			ID    string `json:"client_id"`
			URI   string `json:"registration_client_uri"`
			Token string `json:"registration_access_token"`
		}
		res := register(s, good)
		res.json(s.t, &made)
		var document map[string]json.RawMessage
		res.json(s.t, &document)
		for _, member := range []string{"registration_client_uri", "registration_access_token", "client_secret_expires_at", "client_id_issued_at"} {
			delete(document, member)
		}
		var body any
		if method == http.MethodPut {
			change(document)
			body = string(marshal(s.t, document))
		}
		if token == "" {
			token = made.Token
		}
		return s.send(method, strings.TrimPrefix(made.URI, s.url), body, "Authorization", "Bearer "+token)
	}
	same := func(map[string]json.RawMessage) {}
	return []question{
		{"register: made", func(s *asked) string {
			res := register(s, good)
			var made map[string]json.RawMessage
			res.json(s.t, &made)
			var managed []string
			for _, member := range []string{"client_id", "client_secret", "client_secret_expires_at", "registration_access_token", "registration_client_uri", "client_id_issued_at"} {
				if _, ok := made[member]; ok {
					managed = append(managed, member)
				}
			}
			return answerStatus(res) + " " + strings.Join(managed, " ")
		}},
		{"register: cacheable", func(s *asked) string { return register(s, good).header.Get("Cache-Control") }},
		{"register: without a token", func(s *asked) string { return answer(post(s, good)) }},
		{"register: with a token nobody made", func(s *asked) string { return answer(post(s, good, "Authorization", "Bearer surprise")) }},
		{"register: no JSON", func(s *asked) string { return answer(register(s, "{")) }},
		{"register: by GET", func(s *asked) string { return answerStatus(s.send(http.MethodGet, "/register", nil)) }},
		asks("without redirect_uris", "redirect_uris", ""),
		asks("a redirect URI with a fragment", "redirect_uris", `["https://rp.example.com/cb#x"]`),
		asks("a redirect URI that is none", "redirect_uris", `["surprise"]`),
		asks("an http redirect URI of another machine", "redirect_uris", `["http://rp.example.com/cb"]`),
		asks("a member nobody knows", "surprise", `"x"`),
		asks("a grant type nobody knows", "grant_types", `["surprise"]`),
		asks("the grant type implicit", "grant_types", `["implicit"]`),
		asks("a response type without its grant type", "grant_types", `["client_credentials"]`),
		asks("an authentication method nobody knows", "token_endpoint_auth_method", `"surprise"`),
		asks("private_key_jwt without keys", "token_endpoint_auth_method", `"private_key_jwt"`),
		asks("an algorithm of ID tokens nobody knows", "id_token_signed_response_alg", `"surprise"`),
		asks("unsigned ID tokens", "id_token_signed_response_alg", `"none"`),
		asks("a subject type nobody knows", "subject_type", `"surprise"`),
		asks("a scope that is not for everybody", "scope", `"openid notify.usage"`),
		{"registration: read", func(s *asked) string { return answerStatus(manage(s, http.MethodGet, same, "")) }},
		{"registration: read with another token", func(s *asked) string { return answer(manage(s, http.MethodGet, same, "surprise")) }},
		{"registration: the secret when read", func(s *asked) string {
			var made map[string]json.RawMessage
			manage(s, http.MethodGet, same, "").json(s.t, &made)
			if _, ok := made["client_secret"]; ok {
				return "shown"
			}
			return "not shown"
		}},
		{"registration: changed", func(s *asked) string { return answerStatus(manage(s, http.MethodPut, same, "")) }},
		{"registration: changed, another client_id", func(s *asked) string {
			return answer(manage(s, http.MethodPut, func(document map[string]json.RawMessage) { document["client_id"] = json.RawMessage(`"web"`) }, ""))
		}},
		{"registration: deleted", func(s *asked) string { return answer(manage(s, http.MethodDelete, same, "")) }},
	}
}
