package pages_test

import (
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

// maxFirstPage is how many bytes the first page of a sign-in may cost a phone,
// with everything that it needs and without those of TLS.
const maxFirstPage = 30 << 10

// counted is a connection that counts what comes in.
type counted struct {
	net.Conn
	bytes *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.bytes.Add(int64(n))
	return n, err
}

var loaded = regexp.MustCompile(`(?:href|src)="([^"]*/assets/[^"]+)"`)

// TestTheFirstPageIsLight follows a service's redirect to the sign-in page and
// loads what it names, the script and the icon among it, as a browser does.
func TestTheFirstPageIsLight(t *testing.T) {
	server := serve(t, &person{named: true})
	var bytes atomic.Int64
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return counted{conn, &bytes}, err
	}}
	t.Cleanup(transport.CloseIdleConnections)
	get := func(path string, cookies ...*http.Cookie) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
		for _, cookie := range cookies {
			r.AddCookie(cookie)
		}
		res, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(body)
	}
	begun, _ := get("/begin")
	_, page := get(begun.Header.Get("Location"), begun.Cookies()...)
	names := map[string]bool{}
	for _, match := range loaded.FindAllStringSubmatch(page, -1) {
		names[match[1]] = true
	}
	for name := range names {
		u, err := url.Parse(name)
		if err != nil || u.Host != "" {
			t.Errorf("the page names %s", name)
		}
		res, _ := get(name)
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", name, res.StatusCode, res.Header)
		}
	}
	if len(names) < 3 {
		t.Errorf("the page names %v", names)
	}
	if got := bytes.Load(); got > maxFirstPage {
		t.Errorf("%d bytes, want %d at most", got, maxFirstPage)
	}
}

// TestFilesComeAsTheBrowserTakesThem: compressed or not, with a tag for each.
func TestFilesComeAsTheBrowserTakesThem(t *testing.T) {
	v := visit(t, serve(t, &person{}))
	plain, css := v.do(http.MethodGet, "/assets/gatehouse.css", nil, "Accept-Encoding", "identity")
	for accepts, zipped := range map[string]bool{"gzip": true, "br, GZIP;q=0.5": true, "gzip;q=0": false, "br": false, "gzip;q=x": false} {
		res, body := v.do(http.MethodGet, "/assets/gatehouse.css", nil, "Accept-Encoding", accepts)
		if got := res.Header.Get("Content-Encoding") == "gzip"; got != zipped || res.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %v", accepts, res.Header)
		}
		if zipped == (res.Header.Get("ETag") == plain.Header.Get("ETag")) {
			t.Errorf("%s: tag %s", accepts, res.Header.Get("ETag"))
		}
		if zipped {
			body = unzipped(t, body)
		}
		if body != css {
			t.Errorf("%s: another file", accepts)
		}
		again, _ := v.do(http.MethodGet, "/assets/gatehouse.css", nil, "Accept-Encoding", accepts, "If-None-Match", res.Header.Get("ETag"))
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%s: asked again: %d", accepts, again.StatusCode)
		}
	}
}

func unzipped(t *testing.T, body string) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
