package main

import (
	"net/http"
	"net/url"
	"strings"
)

// logoutQuestions are about OpenID Connect RP-Initiated Logout. Each has a
// browser of its own, in which somebody has signed in or not.
func logoutQuestions() []question {
	idToken := func(s *asked) string { return s.tokens("web").IDToken }
	own := func(name string, ask func(s *asked) string) question {
		return question{"end-session: " + name, func(s *asked) string {
			another := *s
			another.browser = newBrowser(s.t)
			return ask(&another)
		}}
	}
	leave := func(s *asked, q url.Values) (string, response) {
		return s.follow(request(s.t, http.MethodGet, s.url+"/oauth/end-session?"+q.Encode(), nil))
	}
	left := func(at string, page response) string {
		if brought, ok := strings.CutPrefix(at, afterLogout); ok {
			return "the client, with " + brought
		}
		return ended(at, page)
	}
	signedIn := func(s *asked) string { return s.authorize(authorization("web", "prompt", "none")) }
	good := func(hint string) url.Values {
		return url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {afterLogout}, "state": {"bye"}}
	}
	with := func(q url.Values, name, value string) url.Values {
		if q.Set(name, value); value == "" {
			q.Del(name)
		}
		return q
	}
	return []question{
		own("signed in, with a hint", func(s *asked) string { return left(leave(s, good(idToken(s)))) }),
		own("signed in, with a hint, by POST", func(s *asked) string {
			return left(s.follow(browserRequest(s, http.MethodPost, "/oauth/end-session", good(idToken(s)))))
		}),
		own("signed in, without anything", func(s *asked) string {
			s.code("web")
			return left(leave(s, url.Values{}))
		}),
		own("signed in, without anything, once confirmed", func(s *asked) string {
			s.code("web")
			at, page := leave(s, url.Values{})
			s.submit(at, page, url.Values{"logout": {"yes"}})
			return signedIn(s)
		}),
		own("signed in, with a client_id instead of a hint", func(s *asked) string {
			s.code("web")
			return left(leave(s, with(with(good(""), "id_token_hint", ""), "client_id", "web")))
		}),
		own("a redirect URI that is not the client's", func(s *asked) string {
			return left(leave(s, with(good(idToken(s)), "post_logout_redirect_uri", "https://evil.example.com/")))
		}),
		own("a redirect URI that is not the client's, still signed in", func(s *asked) string {
			leave(s, with(good(idToken(s)), "post_logout_redirect_uri", "https://evil.example.com/"))
			return signedIn(s)
		}),
		own("a redirect URI without a hint or client_id", func(s *asked) string {
			s.code("web")
			return left(leave(s, with(good(""), "id_token_hint", "")))
		}),
		own("a hint that is none", func(s *asked) string { return left(leave(s, good("surprise"))) }),
		own("a hint with another signature", func(s *asked) string {
			hint := idToken(s)
			return left(leave(s, good(hint[:len(hint)-8]+"AAAAAAAA")))
		}),
		own("a hint of another client than client_id", func(s *asked) string {
			return left(leave(s, with(good(idToken(s)), "client_id", "other")))
		}),
		own("a client_id nobody knows", func(s *asked) string {
			return left(leave(s, url.Values{"client_id": {"surprise"}}))
		}),
		own("nobody signed in, without anything", func(s *asked) string { return left(leave(s, url.Values{})) }),
	}
}
