package pages_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"gatehouse/authn/pages"
	"gatehouse/internal/web"
)

// TestEveryPageForbidsEverythingItDoesNotNeed holds for every status alike.
func TestEveryPageForbidsEverythingItDoesNotNeed(t *testing.T) {
	v := visit(t, serve(t, &person{}))
	v.do(http.MethodGet, "/begin", nil)
	const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'%; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
	for path, action := range map[string]string{
		"/": "", "/signin": "", "/signin?flow=flow-1": " https://rp.example.gov.uk", "/signin/code": "", "/signed-out": "",
		"/consent": " https://rp.example.gov.uk", "/nowhere": "", "/signout": "", "/broken": "", "/signin?flow=a&flow=b": "",
	} {
		res, body := v.do(http.MethodGet, path, nil)
		for name, want := range map[string]string{
			"Content-Security-Policy": strings.Replace(policy, "%", action, 1), "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s: %q, want %q", path, name, got, want)
			}
		}
		if found := regexp.MustCompile(`<script|style="|<style| on[a-z]+=|(src|href)="(https?:)?//`).FindString(body); found != "" {
			t.Errorf("%s: the page holds %q", path, found)
		}
	}
}

func TestErrorPageNeverRepeatsTheRequest(t *testing.T) {
	v := visit(t, serve(t, &person{}))
	res, body := v.do(http.MethodGet, "/canary-4711?canary-4712", nil)
	if res.StatusCode != http.StatusNotFound || strings.Contains(body, "canary") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

// TestLostFlowIsExplainedWhereverItIsMissed: package oauth has no page of its own for it.
func TestLostFlowIsExplainedWhereverItIsMissed(t *testing.T) {
	recorder := httptest.NewRecorder()
	hosted := &pages.Pages{Issuer: "https://id.example.gov.uk", ServiceName: "Gatehouse"}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, pages.ContinuePath, nil)
	hosted.WriteError(recorder, r, &web.Error{Status: http.StatusBadRequest, Cause: pages.ErrNoFlow})
	if body := recorder.Body.String(); recorder.Code != http.StatusBadRequest || !strings.Contains(body, "Your sign-in has expired") {
		t.Errorf("%d %s", recorder.Code, body)
	}
}

func TestStyleSheetIsKeptByItsVersion(t *testing.T) {
	v := visit(t, serve(t, &person{}))
	_, page := v.do(http.MethodGet, "/signin", nil)
	link := regexp.MustCompile(`/assets/gatehouse\.css\?v=[0-9a-f]+`).FindString(page)
	if link == "" {
		t.Fatal(page)
	}
	for path, want := range map[string]string{
		link: "public, max-age=31536000, immutable", "/assets/gatehouse.css": "no-cache", "/assets/gatehouse.css?v=0": "no-cache",
		"/assets/icon.svg": "no-cache", "/favicon.ico": "no-cache", "/robots.txt": "no-cache",
	} {
		res, body := v.do(http.MethodGet, path, nil)
		if res.StatusCode != http.StatusOK || res.Header.Get("Cache-Control") != want || body == "" {
			t.Errorf("%s: %d, Cache-Control %q", path, res.StatusCode, res.Header.Get("Cache-Control"))
		}
		again, _ := v.do(http.MethodGet, path, nil, "If-None-Match", res.Header.Get("ETag"))
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", path, again.StatusCode)
		}
	}
	if res, _ := v.do(http.MethodGet, "/assets/templates", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("unknown asset: %d", res.StatusCode)
	}
}

// TestStyleSheetShipsNoFontAndNoCrown: the MIT licence of govuk-frontend covers
// neither outside gov.uk.
func TestStyleSheetShipsNoFontAndNoCrown(t *testing.T) {
	content, err := os.ReadFile("static/gatehouse.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, forbidden := range []string{"@font-face", "GDS Transport", "url(", "crown"} {
		if strings.Contains(string(content), forbidden) {
			t.Errorf("the style sheet holds %q", forbidden)
		}
	}
}

// TestSameOriginAcceptsTheIssuerBehindAProxy: a proxy may change the Host header.
func TestSameOriginAcceptsTheIssuerBehindAProxy(t *testing.T) {
	hosted := &pages.Pages{Issuer: "https://id.example.gov.uk/tenant"}
	h := hosted.SameOrigin(func(http.ResponseWriter, *http.Request) error { return nil })
	for origin, ok := range map[string]bool{"https://id.example.gov.uk": true, "http://id.example.gov.uk": false, "https://evil.example": false, "null": false, "": true} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://10.0.0.7:8080/signin", nil)
		if err != nil {
			t.Fatal(err)
		}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if err := h(nil, r); (err == nil) != ok {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
}
