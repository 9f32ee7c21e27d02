package main

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// question is something that both servers are asked over HTTP; its answer is
// short and the same where they behave the same.
type question struct {
	name string
	ask  func(s *asked) string
}

// questions are all that is asked, in the order of the table.
func questions() []question {
	return slices.Concat(
		discoveryQuestions(), authorizationQuestions(), clientQuestions(), codeQuestions(), refreshQuestions(), machineQuestions(),
		userInfoQuestions(), introspectionQuestions(), revocationQuestions(), pushedQuestions(), proofQuestions(), deviceQuestions(), logoutQuestions(),
		registrationQuestions(), formPostQuestions(),
	)
}

// metadataMembers are the members of discovery that are compared.
var metadataMembers = []string{
	"acr_values_supported", "authorization_response_iss_parameter_supported", "claim_types_supported", "claims_parameter_supported",
	"claims_supported", "code_challenge_methods_supported", "dpop_signing_alg_values_supported", "grant_types_supported",
	"id_token_signing_alg_values_supported", "request_parameter_supported", "request_uri_parameter_supported", "response_modes_supported",
	"response_types_supported", "scopes_supported", "subject_types_supported", "token_endpoint_auth_methods_supported",
	"token_endpoint_auth_signing_alg_values_supported",
}

func discoveryQuestions() []question {
	document := func(s *asked, path string) map[string]any {
		var m map[string]any
		s.send(http.MethodGet, path, nil).json(s.t, &m)
		return m
	}
	all := []question{
		{"discovery: type", func(s *asked) string {
			return contentType(s.send(http.MethodGet, "/.well-known/openid-configuration", nil))
		}},
		{"discovery: at RFC 8414's path", func(s *asked) string {
			return contentType(s.send(http.MethodGet, "/.well-known/oauth-authorization-server", nil))
		}},
		{"discovery: endpoints", func(s *asked) string {
			var paths []string
			for name, value := range document(s, "/.well-known/openid-configuration") {
				if text, _ := value.(string); strings.HasPrefix(text, s.url+"/") {
					paths = append(paths, name+"="+strings.TrimPrefix(text, s.url))
				}
			}
			slices.Sort(paths)
			return strings.Join(paths, " ")
		}},
		{"JWKS: type", func(s *asked) string { return contentType(s.send(http.MethodGet, "/oauth/jwks", nil)) }},
		{"JWKS: keys", func(s *asked) string {
			var keys []string
			list, _ := document(s, "/oauth/jwks")["keys"].([]any)
			for _, raw := range list {
				key, _ := raw.(map[string]any)
				keys = append(keys, short(key["alg"])+short(key["crv"]))
			}
			slices.Sort(keys)
			return strings.Join(slices.Compact(keys), " ")
		}},
	}
	for _, member := range metadataMembers {
		all = append(all, question{"discovery: " + member, func(s *asked) string {
			return short(document(s, "/.well-known/openid-configuration")[member])
		}})
	}
	return all
}

// short is a value of JSON in a line, a list in order.
func short(v any) string {
	switch value := v.(type) {
	case nil:
		return "absent"
	case string:
		return value
	case []any:
		var all []string
		for _, one := range value {
			all = append(all, short(one))
		}
		slices.Sort(all)
		return strings.Join(all, " ")
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		return string(raw)
	}
}

func contentType(r response) string {
	media, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
	return answerStatus(r) + " " + media
}

func answerStatus(r response) string { return strings.Fields(answer(r))[0] }

func authorizationQuestions() []question {
	request := func(name string, more ...string) question {
		return question{"authorize: " + name, func(s *asked) string { return s.authorize(authorization("web", more...)) }}
	}
	return []question{
		request("a code"),
		request("without a nonce", "nonce", ""),
		request("without a state", "state", ""),
		request("with display, ui_locales, claims_locales", "display", "popup", "ui_locales", "cy en", "claims_locales", "cy"),
		request("with an unknown parameter", "extra", "1"),
		request("with a login_hint", "login_hint", "pat@example.gov.uk"),
		request("with voluntary acr_values", "acr_values", "urn:nobody:knows"),
		request("max_age=10000", "max_age", "10000"),
		request("max_age=-1", "max_age", "-1"),
		request("max_age=abc", "max_age", "abc"),
		request("prompt=none, signed in", "prompt", "none"),
		request("prompt=none login", "prompt", "none login"),
		request("prompt=surprise", "prompt", "surprise"),
		request("display=surprise", "display", "surprise"),
		request("response_mode=fragment", "response_mode", "fragment"),
		request("response_mode=surprise", "response_mode", "surprise"),
		request("without response_type", "response_type", ""),
		request("response_type=token", "response_type", "token"),
		request("response_type=code id_token", "response_type", "code id_token"),
		request("without scope", "scope", ""),
		request("a scope nobody knows", "scope", "openid surprise"),
		request("a scope that is not the client's", "scope", "openid notify.admin"),
		request("offline_access without prompt=consent", "scope", "openid offline_access"),
		request("without PKCE", "code_challenge", "", "code_challenge_method", ""),
		request("PKCE plain", "code_challenge_method", "plain"),
		request("PKCE without a method", "code_challenge_method", ""),
		request("a code_challenge that is too short", "code_challenge", "short"),
		request("an id_token_hint that is none", "id_token_hint", "surprise"),
		request("request", "request", "eyJhbGciOiJub25lIn0.e30."),
		request("request_uri", "request_uri", "https://rp.example.com/request"),
		request("registration", "registration", "{}"),
		request("claims that are no JSON", "claims", "{"),
		request("claims with a claim of userinfo", "claims", `{"userinfo":{"email":{"essential":true}}}`),
		request("a resource nobody knows", "resource", "https://api.example.com/"),
		request("a resource with a fragment", "resource", "https://api.example.com/#x"),
		request("a client nobody knows", "client_id", "surprise"),
		request("without client_id", "client_id", ""),
		request("without redirect_uri, which is the only one", "redirect_uri", ""),
		request("a redirect_uri with a query added", "redirect_uri", callback+"?x=1"),
		request("a redirect_uri with a path added", "redirect_uri", callback+"/x"),
		request("a redirect_uri of another site", "redirect_uri", "https://evil.example.com/cb"),
		request("a client that must push", "client_id", "pushing"),
		{"authorize: state twice", func(s *asked) string {
			q := authorization("web")
			q.Add("state", "another")
			return s.authorize(q)
		}},
		{"authorize: by POST", func(s *asked) string {
			return ended(s.open(browserRequest(s, http.MethodPost, "/oauth/authorize", authorization("web"))))
		}},
		{"authorize: by PUT", func(s *asked) string { return answerStatus(s.send(http.MethodPut, "/oauth/authorize", nil)) }},
		{"authorize: prompt=none, nobody signed in", func(s *asked) string {
			stranger := *s
			stranger.browser = newBrowser(s.t)
			return stranger.authorize(authorization("web", "prompt", "none"))
		}},
	}
}

// browserRequest is a form that a page of the server itself submits.
func browserRequest(s *asked, method, path string, form url.Values) *http.Request {
	return request(s.t, method, s.url+path, form, "Origin", s.url, "Sec-Fetch-Site", "same-origin")
}

// clientQuestions are about who a client is.
func clientQuestions() []question {
	form := url.Values{"grant_type": {"client_credentials"}}
	with := func(name string, ask func(s *asked, form url.Values) response) question {
		return question{"client: " + name, func(s *asked) string {
			copied := url.Values{}
			for key, values := range form {
				copied[key] = slices.Clone(values)
			}
			return answer(ask(s, copied))
		}}
	}
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	}
	token := "/oauth/token"
	return []question{
		with("none", func(s *asked, form url.Values) response { return s.form(token, "", form) }),
		with("nobody knows", func(s *asked, form url.Values) response {
			return s.form(token, "", form, "Authorization", basic("surprise", "surprise"))
		}),
		with("wrong secret", func(s *asked, form url.Values) response {
			return s.form(token, "", form, "Authorization", basic("machine", "surprise"))
		}),
		with("wrong secret in the body", func(s *asked, form url.Values) response {
			form.Set("client_id", "post")
			form.Set("client_secret", "surprise")
			return s.form(token, "", form)
		}),
		with("a scheme nobody knows", func(s *asked, form url.Values) response {
			return s.form(token, "", form, "Authorization", "Surprise x")
		}),
		with("secret in the body, registered for the header", func(s *asked, form url.Values) response {
			form.Set("client_id", "machine")
			form.Set("client_secret", s.clients["machine"].ClientSecret)
			return s.form(token, "", form)
		}),
		with("two methods at once", func(s *asked, form url.Values) response {
			form.Set("client_secret", s.clients["machine"].ClientSecret)
			return s.form(token, "machine", form)
		}),
		with("another client_id in the body", func(s *asked, form url.Values) response {
			form.Set("client_id", "web")
			return s.form(token, "machine", form)
		}),
		with("an assertion that is none", func(s *asked, form url.Values) response {
			form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
			form.Set("client_assertion", "surprise")
			return s.form(token, "", form)
		}),
		with("no grant_type", func(s *asked, form url.Values) response {
			form.Del("grant_type")
			return s.form(token, "machine", form)
		}),
		with("a grant_type nobody knows", func(s *asked, form url.Values) response {
			form.Set("grant_type", "surprise")
			return s.form(token, "machine", form)
		}),
		with("a grant_type that is not its own", func(s *asked, form url.Values) response { return s.form(token, "web", form) }),
		with("grant_type twice", func(s *asked, form url.Values) response {
			form.Add("grant_type", "client_credentials")
			return s.form(token, "machine", form)
		}),
		with("scope twice", func(s *asked, form url.Values) response {
			form["scope"] = []string{"notify.admin", "notify.admin"}
			return s.form(token, "machine", form)
		}),
		with("by GET", func(s *asked, _ url.Values) response { return s.send(http.MethodGet, token, nil) }),
		with("JSON instead of a form", func(s *asked, _ url.Values) response {
			return s.send(http.MethodPost, token, `{"grant_type":"client_credentials"}`, "Authorization", basic("machine", s.clients["machine"].ClientSecret))
		}),
	}
}

// formPostQuestions are about answers that a page posts to the client.
func formPostQuestions() []question {
	post := func(name string, more ...string) question {
		return question{"form_post: " + name, func(s *asked) string {
			at, page := s.open(request(s.t, http.MethodGet, s.url+"/oauth/authorize?"+authorization("web", append(more, "response_mode", "form_post")...).Encode(), nil))
			if !strings.HasPrefix(at, s.url) {
				return ended(at, page)
			}
			form := url.Values{}
			for _, field := range hiddenInput.FindAllStringSubmatch(page.body, -1) {
				form.Set(field[1], field[2])
			}
			action := formAction.FindStringSubmatch(page.body)
			if action == nil {
				return "page " + answerStatus(page)
			}
			return answerStatus(page) + " a form, and " + ended(html.UnescapeString(action[1])+"?"+form.Encode(), page)
		}}
	}
	return []question{
		post("a code"),
		post("a scope that is not the client's", "scope", "openid notify.admin"),
		post("prompt=none login", "prompt", "none login"),
		post("without PKCE", "code_challenge", "", "code_challenge_method", ""),
	}
}
