package web

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// newRouter returns a router with a few routes, and its log.
func newRouter(t *testing.T) (*Router, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	rt := &Router{
		Classify:     func(error) *Error { return nil },
		Fallback:     func(*http.Request) Surface { return Problem{} },
		Hosts:        []string{"id.example.com", "example.com"},
		Timeout:      time.Second,
		Clock:        time.Now,
		Log:          slog.New(slog.NewTextHandler(log, nil)),
		NewRequestID: func() string { return "r1" },
	}
	echo := func(w http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		return WriteJSON(w, http.StatusOK, map[string]string{"id": r.PathValue("id"), "body": string(body)})
	}
	rt.Add(
		Route{Method: http.MethodGet, Path: "/things/{id}", Surface: Problem{}, Handler: echo},
		Route{Method: http.MethodPost, Path: "/things/{id}", Surface: Problem{}, Handler: echo, MaxBody: 10},
		Route{Method: http.MethodPost, Path: "/net/{word}", Surface: Problem{}, Handler: echo, Exists: func(r *http.Request) bool { return r.PathValue("word") == "caught" }},
		Route{Method: http.MethodGet, Path: "/open", Surface: Problem{}, Handler: echo, CORS: true},
		Route{Method: http.MethodGet, Path: "/document", Surface: Problem{}, Handler: echo, CORS: true, FromMemory: true},
		Route{Method: http.MethodGet, Path: "/probe", Surface: Problem{}, Handler: echo, AnyHost: true},
		Route{Method: http.MethodGet, Path: "/panic", Surface: Problem{}, Handler: func(http.ResponseWriter, *http.Request) error { panic("broken") }},
		Route{Method: http.MethodGet, Path: "/fails", Surface: Problem{}, Handler: func(http.ResponseWriter, *http.Request) error { return errors.New("the cause") }},
	)
	return rt, log
}

// A script may call what is open to all, and sees the challenges of what asks for something.
func TestScriptsOfAnyOriginSeeWhatIsForThem(t *testing.T) {
	for path, want := range map[string][2]string{
		"/things/1": {"", ""}, "/open": {"*", "WWW-Authenticate, DPoP-Nonce"}, "/document": {"*", ""},
	} {
		rt, _ := newRouter(t)
		w := httptest.NewRecorder()
		rt.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil))
		got := [2]string{w.Header().Get("Access-Control-Allow-Origin"), w.Header().Get("Access-Control-Expose-Headers")}
		if w.Code != http.StatusOK || got != want {
			t.Errorf("%s: %d %q, want %q", path, w.Code, got, want)
		}
	}
}

func TestRouterAnswersWithoutRedirecting(t *testing.T) {
	for name, c := range map[string]struct {
		method, target, host, body string
		status                     int
	}{
		"a route":                   {method: "GET", target: "/things/1", status: 200},
		"HEAD of a GET route":       {method: "HEAD", target: "/things/1", status: 200},
		"another method":            {method: "PUT", target: "/things/1", status: 405},
		"OPTIONS without CORS":      {method: "OPTIONS", target: "/things/1", status: 405},
		"OPTIONS with CORS":         {method: "OPTIONS", target: "/open", status: 204},
		"another method of a net":   {method: "GET", target: "/net/caught", status: 405},
		"a path a net lets through": {method: "POST", target: "/net/x", status: 404},
		"another method of none":    {method: "GET", target: "/net/x", status: 404},
		"no such path":              {method: "GET", target: "/nothing", status: 404},
		"a trailing slash":          {method: "GET", target: "/things/1/", status: 404},
		"doubled slashes":           {method: "POST", target: "//things//1", status: 404},
		"dot segments":              {method: "GET", target: "/things/../things/1", status: 404},
		"a NUL byte":                {method: "GET", target: "/things/a%00", status: 400},
		"bytes that are no text":    {method: "GET", target: "/things/%ff", status: 400},
		"the issuer's host":         {method: "GET", target: "/things/1", host: "ID.example.com", status: 200},
		"its host and port":         {method: "GET", target: "/things/1", host: "id.example.com:8443", status: 200},
		"an unknown host":           {method: "GET", target: "/things/1", host: "evil.example", status: 421},
		"a probe, any host":         {method: "GET", target: "/probe", host: "10.1.2.3:80", status: 200},
		"a small body":              {method: "POST", target: "/things/1", body: "0123456789", status: 200},
		"too large a body":          {method: "POST", target: "/things/1", body: "0123456789x", status: 413},
		"a panic":                   {method: "GET", target: "/panic", status: 500},
		"an unknown error":          {method: "GET", target: "/fails", status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			rt, _ := newRouter(t)
			r := httptest.NewRequest(c.method, "http://localhost"+c.target, strings.NewReader(c.body))
			if c.host != "" {
				r.Host = c.host
			}
			w := httptest.NewRecorder()
			rt.ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("status %d, want %d: %s", w.Code, c.status, w.Body)
			}
			if location := w.Header().Get("Location"); location != "" {
				t.Errorf("redirected to %q", location)
			}
			for _, header := range []string{"Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Strict-Transport-Security", "X-Request-Id"} {
				if w.Header().Get(header) == "" {
					t.Errorf("no %s", header)
				}
			}
			if c.status == 405 && w.Header().Get("Allow") == "" {
				t.Error("405 without Allow")
			}
		})
	}
}

func TestLogNamesTheRouteAndNotThePath(t *testing.T) {
	rt, log := newRouter(t)
	r := httptest.NewRequest(http.MethodGet, "http://localhost/things/canary-in-path?q=canary-in-query", nil)
	rt.ServeHTTP(httptest.NewRecorder(), r)
	if text := log.String(); strings.Contains(text, "canary") || !strings.Contains(text, "/things/{id}") {
		t.Errorf("log: %s", text)
	}
}

func TestInternalErrorIsLoggedAndNotShown(t *testing.T) {
	rt, log := newRouter(t)
	w := httptest.NewRecorder()
	rt.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/fails", nil))
	if strings.Contains(w.Body.String(), "the cause") {
		t.Errorf("body shows the cause: %s", w.Body)
	}
	if !strings.Contains(log.String(), "the cause") {
		t.Errorf("log lacks the cause: %s", log)
	}
}

func TestNetworkBelievesOnlyTrustedProxies(t *testing.T) {
	for name, c := range map[string]struct{ peer, forwarded, want string }{
		"no proxy":                     {"203.0.113.7:1", "198.51.100.1", "203.0.113.7"},
		"one proxy":                    {"10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		"a forged first hop":           {"10.0.0.1:1", "192.0.2.66, 198.51.100.1", "198.51.100.1"},
		"two proxies":                  {"10.0.0.1:1", "198.51.100.1, 10.0.0.2", "198.51.100.1"},
		"rubbish":                      {"10.0.0.1:1", "not an address", "10.0.0.1"},
		"an IPv4 address in IPv6 form": {"[::ffff:203.0.113.7]:1", "", "203.0.113.7"},
	} {
		t.Run(name, func(t *testing.T) {
			rt := &Router{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			r.Header.Set("X-Forwarded-For", c.forwarded)
			if got := rt.network(r).String(); got != c.want {
				t.Errorf("network %s, want %s", got, c.want)
			}
		})
	}
}
