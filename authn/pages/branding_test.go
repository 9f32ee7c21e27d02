package pages_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// formsOwner is the organisation of the service that [person] is on the way to.
var formsOwner = uuid.MustParse("0b0e7a4e-0000-4000-8000-000000000001")

var logos = fstest.MapFS{
	"examples.svg":   {Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="90" height="32"><rect width="90" height="32" fill="#003078"/></svg>`)},
	"big.png":        {Data: make([]byte, 2<<20)},
	"notes.html":     {Data: []byte("<script>alert(1)</script>")},
	"folder.png/a":   {},
	"liar.png":       {Data: []byte("<!DOCTYPE html><script>alert(1)</script>")},
	"liar.svg":       {Data: []byte("<!-- <svg> --><html xmlns='http://www.w3.org/1999/xhtml'/>")},
	"cut.svg":        {Data: []byte("<?xml version='1.0'?><!-- ")},
	"sub/secret.png": {},
}

func (p *person) Brand(_ context.Context, organisation uuid.UUID) (*directory.Brand, error) {
	if organisation != formsOwner {
		return nil, errors.New("another organisation")
	}
	return p.brand, p.err
}

const sheetOf = `<link rel="stylesheet" href="/branding/`

func TestPagesOfAFlowCarryTheBrand(t *testing.T) {
	v := visit(t, serve(t, &person{next: authn.TOTP, choices: everyWay, brand: &directory.Brand{Name: "Ministry of Examples", Colour: "1D70B8", Logo: "examples.svg"}}))
	v.do(http.MethodGet, "/begin", nil)
	v.do(http.MethodPost, "/signin", url.Values{"flow": {"flow-1"}, "identifier": {"alice"}, "password": {rightPassword}})
	for _, path := range []string{
		"/signin?flow=flow-1", "/signin/code?flow=flow-1", "/signin/another-way?flow=flow-1", "/forgotten-password?flow=flow-1", "/register?flow=flow-1",
		"/signin/email?flow=flow-1", "/consent",
	} {
		_, body := v.do(http.MethodGet, path, nil)
		for _, part := range []string{
			sheetOf + `1d70b8.css">`, `src="/branding/logo/examples.svg" alt=""`, `<span class="gh-brand__name">Ministry of Examples</span>`,
			`<span>Gatehouse</span>`, `<strong class="gh-host">127.0.0.1:`,
		} {
			if !strings.Contains(body, part) {
				t.Errorf("%s is without %s:\n%s", path, part, body)
			}
		}
	}
	for _, path := range []string{"/signin", "/signed-out", "/nowhere"} {
		if _, body := v.do(http.MethodGet, path, nil); strings.Contains(body, "gh-brand") || strings.Contains(body, sheetOf) {
			t.Errorf("%s carries a brand", path)
		}
	}
}

// TestNothingOfABrandIsTrusted: somebody typed it, for e-mails.
func TestNothingOfABrandIsTrusted(t *testing.T) {
	name := func(body string) string {
		_, rest, _ := strings.Cut(body, `<span class="gh-brand__name">`)
		text, _, _ := strings.Cut(rest, "</span>")
		return text
	}
	for shows, c := range map[string]struct {
		brand             directory.Brand
		name, sheet, logo string
	}{
		"markup":     {directory.Brand{Name: "<b>HMPO</b> & co", Colour: "red;}body{display:none"}, "&lt;b&gt;HMPO&lt;/b&gt; &amp; co", "", ""},
		"reordering": {directory.Brand{Name: "ku\u202eoc.elpmaxe\u0000\nLtd", Colour: "#fff"}, "kuoc.elpmaxe Ltd", "ffffff", ""},
		"length":     {directory.Brand{Name: strings.Repeat("Ω", 500)}, strings.Repeat("Ω", 99) + "…", "", ""},
		"climbing":   {directory.Brand{Name: "A", Logo: "../../etc/passwd.png"}, "A", "", ""},
		"below":      {directory.Brand{Name: "A", Logo: "sub/secret.png"}, "A", "", ""},
		"elsewhere":  {directory.Brand{Name: "A", Logo: "https://a.example/a.png"}, "A", "", ""},
		"no image":   {directory.Brand{Name: "A", Logo: "notes.html"}, "A", "", ""},
		"no file":    {directory.Brand{Name: "A", Logo: "folder.png"}, "A", "", ""},
		"too large":  {directory.Brand{Name: "A", Logo: "big.png"}, "A", "", ""},
		"a liar":     {directory.Brand{Name: "A", Logo: "liar.png"}, "A", "", ""},
		"not there":  {directory.Brand{Name: "A", Logo: "gone.png"}, "A", "", ""},
		"nothing":    {directory.Brand{Name: " \u200b"}, "", "", ""},
	} {
		v := visit(t, serve(t, &person{brand: &c.brand}))
		v.do(http.MethodGet, "/begin", nil)
		res, body := v.do(http.MethodGet, "/signin?flow=flow-1", nil)
		if got := name(body); got != c.name || strings.Contains(body, "gh-brand__logo") != (c.logo != "") ||
			strings.Contains(body, sheetOf+c.sheet) != (c.sheet != "") || !strings.HasPrefix(res.Header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'self'; img-src 'self';") {
			t.Errorf("%s: name %q:\n%s", shows, got, body)
		}
	}
}

func TestPageShowsWithoutABrandThatCannotBeRead(t *testing.T) {
	v := visit(t, serve(t, &person{err: directory.ErrUnavailable}))
	v.do(http.MethodGet, "/begin", nil)
	if res, body := v.do(http.MethodGet, "/signin?flow=flow-1", nil); res.StatusCode != http.StatusOK || strings.Contains(body, "gh-brand") {
		t.Errorf("%d\n%s", res.StatusCode, body)
	}
}

func TestLogoDoesNothingByItself(t *testing.T) {
	v := visit(t, serve(t, &person{}))
	res, body := v.do(http.MethodGet, "/branding/logo/examples.svg", nil)
	for header, want := range map[string]string{
		"Content-Type": "image/svg+xml", "X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=30",
		"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
	} {
		if got := res.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(body, "<svg") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	for _, name := range []string{"notes.html", "folder.png", "big.png", "liar.png", "liar.svg", "cut.svg", "gone.png", "sub%2fsecret.png", "..%2f..%2fetc%2fpasswd.png", "%2e%2e"} {
		if res, _ := v.do(http.MethodGet, "/branding/logo/"+name, nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}

func TestColourIsAStyleSheet(t *testing.T) {
	v := visit(t, serve(t, &person{}))
	for path, want := range map[string]string{
		"ffdd00.css": ":root{--gh-brand:#ffdd00;--gh-on-brand:#000000}\n", "1d70b8.css": ":root{--gh-brand:#1d70b8;--gh-on-brand:#ffffff}\n",
	} {
		res, body := v.do(http.MethodGet, "/branding/"+path, nil)
		if res.StatusCode != http.StatusOK || body != want || res.Header.Get("Content-Type") != "text/css; charset=utf-8" ||
			res.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d %s %v", path, res.StatusCode, body, res.Header)
		}
	}
	for _, path := range []string{"FFDD00.css", "fd0.css", "%23ffdd00.css", "ffdd00", ".css", "ffdd0;.css", "ffdd00%0a.css", "red.css"} {
		if res, _ := v.do(http.MethodGet, "/branding/"+path, nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}
