package oauth_test

import (
	"net/url"
	"slices"
	"testing"

	"gatehouse/oauth"
)

var registered = []string{
	"https://app.example.com/cb", "https://app.example.com/cb2?x=1", "http://127.0.0.1/cb", "http://[::1]:9000/cb?a=b",
	"http://localhost:3000/cb", "com.example.app:/cb", "https://127.0.0.1/tls",
}

func TestRedirectURIsMatchExactly(t *testing.T) {
	for _, c := range []struct {
		given string
		want  bool
	}{
		{"https://app.example.com/cb", true},
		{"https://app.example.com/cb2?x=1", true},
		{"com.example.app:/cb", true},
		{"http://localhost:3000/cb", true},
		{"http://127.0.0.1/cb", true},
		{"http://127.0.0.1:1/cb", true},
		{"http://127.0.0.1:65535/cb", true},
		{"http://[::1]/cb?a=b", true},
		{"http://[::1]:1234/cb?a=b", true},

		{"", false},
		{"https://app.example.com/cb/", false},
		{"https://app.example.com/CB", false},
		{"https://APP.example.com/cb", false},
		{"https://app.example.com:443/cb", false},
		{"https://app.example.com/cb?", false},
		{"https://app.example.com/cb#", false},
		{"https://app.example.com/cb#x", false},
		{"https://app.example.com/cb?x=1", false},
		{"https://app.example.com/cb2?x=1&x=2", false},
		{"https://app.example.com/./cb", false},
		{"https://app.example.com/a/../cb", false},
		{"https://app.example.com/%63b", false},
		{"https://app.example.com\\@evil.example/cb", false},
		{"https://app.example.com@evil.example/cb", false},
		{"https://evil.example/https://app.example.com/cb", false},
		{"https://app.example.com.evil.example/cb", false},
		{"http://app.example.com/cb", false},
		{"//app.example.com/cb", false},
		{" https://app.example.com/cb", false},
		{"https://app.example.com/cb\n", false},
		{"http://localhost/cb", false},
		{"http://localhost:3001/cb", false},
		{"com.example.app://cb", false},
		{"com.example.app:/cb/", false},
		{"https://127.0.0.1:8443/tls", false},
		{"http://127.0.0.1/tls", false},
		{"http://evil.example@127.0.0.1:54321/cb", false},
		{"http://127.0.0.1:54321@evil.example/cb", false},
		{"http://127.0.0.1.evil.example/cb", false},
		{"http://127.0.0.1:54321/c%62", false},
		{"http://127.0.0.1:0/cb", false},
		{"http://127.0.0.1:99999/cb", false},
		{"http://127.0.0.1:080/cb", false},
		{"http://127.0.0.1:+80/cb", false},
		{"http://127.0.0.1:/cb", false},
		{"http://127.0.0.1:80", false},
		{"http://127.0.0.1:54321/cb#", false},
		{"http://127.0.0.1:54321/cb?a=b", false},
		{"http://127.0.0.2:54321/cb", false},
		{"http://127.1:54321/cb", false},
		{"http://0x7f.0.0.1/cb", false},
		{"http://[::1]:1234/cb", false},
		{"http://[0:0:0:0:0:0:0:1]/cb?a=b", false},
		{"HTTP://127.0.0.1/cb", false},
	} {
		if got := oauth.MatchRedirect(registered, c.given); got != c.want {
			t.Errorf("%q: %v, want %v", c.given, got, c.want)
		}
	}
}

func FuzzMatchRedirect(f *testing.F) {
	for _, uri := range registered {
		f.Add(uri)
	}
	f.Add("http://127.0.0.1:54321/cb")
	f.Fuzz(func(t *testing.T, given string) {
		if !oauth.MatchRedirect(registered, given) || slices.Contains(registered, given) {
			return
		}
		// What is not a registered string differs from one in its port alone.
		u, err := url.Parse(given)
		if err != nil {
			t.Fatalf("%q matches and is no URI", given)
		}
		u.Host = u.Hostname()
		withoutPort := slices.ContainsFunc(registered, func(uri string) bool {
			r, _ := url.Parse(uri)
			r.Host = r.Hostname()
			return *r == *u
		})
		if !withoutPort || u.Scheme != "http" || u.Host != "127.0.0.1" && u.Host != "::1" {
			t.Errorf("%q matches", given)
		}
	})
}
