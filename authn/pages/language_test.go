package pages_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/authn/pages"
)

var shownIn = regexp.MustCompile(`<html lang="([a-z]+)"`)

// TestPagesAreInTheLanguageAskedFor: what the service asks for comes before what
// was chosen in the browser, and that before what the browser prefers.
func TestPagesAreInTheLanguageAskedFor(t *testing.T) {
	v := visit(t, serve(t, &person{}))
	for name, tt := range map[string]struct {
		flow, chosen, accept string
		want                 string
	}{
		"nothing":                    {want: "en"},
		"a language not spoken here": {accept: "fr, de;q=0.9", want: "en"},
		"Welsh":                      {accept: "cy", want: "cy"},
		"Welsh of a country":         {accept: "fr, cy-GB;q=0.8, en;q=0.3", want: "cy"},
		"Welsh, but rather English":  {accept: "cy;q=0.5, en-GB", want: "en"},
		"Welsh refused":              {accept: "cy;q=0", want: "en"},
		"no number for a weight":     {accept: "cy;q=high", want: "en"},
		"chosen":                     {chosen: "cy", accept: "en", want: "cy"},
		"chosen English":             {chosen: "en", accept: "cy", want: "en"},
		"chosen nonsense":            {chosen: "xx", accept: "cy", want: "cy"},
		"asked for by the service":   {flow: "cy", chosen: "en", accept: "en", want: "cy"},
	} {
		t.Run(name, func(t *testing.T) {
			v.cookies = map[string]string{"gatehouse_flow_language": tt.flow, "gatehouse_language": tt.chosen}
			for _, path := range []string{"/signin", "/nowhere", "/consent"} {
				res, body := v.do(http.MethodGet, path, nil, "Accept-Language", tt.accept)
				if got := shownIn.FindStringSubmatch(body); got == nil || got[1] != tt.want || res.Header.Get("Content-Language") != tt.want {
					t.Errorf("%s: shown in %q, Content-Language %q, want %s", path, got, res.Header.Get("Content-Language"), tt.want)
				}
				if vary := res.Header.Values("Vary"); !slices.Contains(vary, "Accept-Language, Cookie") {
					t.Errorf("%s: Vary %q", path, vary)
				}
			}
		})
	}
}

// TestServiceAsksForALanguage: the first of ui_locales that is spoken here counts,
// and the next authorization without any is in the person's own again.
func TestServiceAsksForALanguage(t *testing.T) {
	hosted := &pages.Pages{Issuer: "http://127.0.0.1:1"}
	for locales, want := range map[string]string{
		"cy": "gatehouse_flow_language=cy; Path=/; HttpOnly; SameSite=Lax", "fr cy-GB en": "gatehouse_flow_language=cy; Path=/; HttpOnly; SameSite=Lax",
		"": "gatehouse_flow_language=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", "fr": "gatehouse_flow_language=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
	} {
		recorder, r := newRequest(t, "/oauth/authorize")
		r.AddCookie(&http.Cookie{Name: "gatehouse_flow_language", Value: "en"})
		hosted.Speak(recorder, r, locales)
		if got := recorder.Header().Get("Set-Cookie"); got != want {
			t.Errorf("ui_locales %q: Set-Cookie %q, want %q", locales, got, want)
		}
	}
}

func TestLanguageIsChosenOnThePage(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	v.do(http.MethodGet, "/begin", nil)
	v.cookies["gatehouse_flow_language"] = "en"
	_, page := v.do(http.MethodGet, "/signin?flow=flow-1", nil)
	if !strings.Contains(page, `name="back" value="/signin?flow=flow-1"`) || !strings.Contains(page, `value="cy" lang="cy"`) {
		t.Fatalf("no way to another language: %s", page)
	}
	v.wantRedirect("/signin?flow=flow-1", http.MethodPost, "/language", url.Values{"language": {"cy"}, "back": {"/signin?flow=flow-1"}})
	if v.cookies["gatehouse_language"] != "cy" || v.cookies["gatehouse_flow_language"] != "" || len(p.did) > 0 {
		t.Errorf("cookies %v, did %q", v.cookies, p.did)
	}
	// What a form that is sent back says is Welsh too, and so is the way to English.
	_, page = v.do(http.MethodPost, "/signin", url.Values{"flow": {"flow-1"}, "identifier": {"alice@example.gov.uk"}})
	for _, want := range []string{"<title>Gwall: Mewngofnodi – Gatehouse</title>", "Mae problem wedi codi", "Rhowch eich cyfrinair", `value="/signin?flow=flow-1"`, `value="en" lang="en">English`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
	v.wantRedirect("/oauth/continue?flow=flow-1", http.MethodPost, "/signin", credentials("flow-1"))
	v.wantRedirect("/account", http.MethodPost, "/language", url.Values{"language": {"en"}, "back": {"/account"}})
	if want := []string{"session-1 speaks en"}; !slices.Equal(p.did, want) {
		t.Errorf("did %q, want %q", p.did, want)
	}
}

// TestChoiceOfALanguageLeadsNowhereElse: the address that the form names is a path
// of this server, or none (S2).
func TestChoiceOfALanguageLeadsNowhereElse(t *testing.T) {
	server := serve(t, &person{})
	v := visit(t, server)
	for back, want := range map[string]string{
		"/signin?flow=a%26b": "/signin?flow=a%26b", "": "/", "signin": "/", "//evil.example": "/", "///evil.example": "/", `/\evil.example`: "/",
		"https://evil.example/": "/", "http:/evil.example": "/", "javascript:alert(1)": "/", "/\t/evil.example": "/", "/a\r\nSet-Cookie: b=c": "/",
		"/%0d%0aSet-Cookie:b": "/%0d%0aSet-Cookie:b", "?flow=x": "/", "/signin#a": "/signin", "@evil.example": "/", "/%2F/evil.example": "/%2F/evil.example",
	} {
		v.wantRedirect(want, http.MethodPost, "/language", url.Values{"language": {"cy"}, "back": {back}})
	}
	form := url.Values{"language": {"cy"}}
	for referer, want := range map[string]string{server.URL + "/nowhere?a=b": "/nowhere?a=b", "https://evil.example/nowhere": "/", server.URL + "@evil.example/": "/", "": "/"} {
		res, _ := v.do(http.MethodPost, "/language", form, "Referer", referer)
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != want {
			t.Errorf("from %q: %d to %q, want %q", referer, res.StatusCode, got, want)
		}
	}
	if res, _ := v.do(http.MethodPost, "/language", form, "Origin", "https://evil.example"); res.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %d", res.StatusCode)
	}
	if res, _ := v.do(http.MethodPost, "/language", url.Values{"language": {"fr"}}); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a language not spoken here: %d", res.StatusCode)
	}
}

// TestEveryFormThatComesBackCanBeHadInAnotherLanguage: the button leads to a GET
// of the same path, which has to exist.
func TestEveryFormThatComesBackCanBeHadInAnotherLanguage(t *testing.T) {
	read := map[string]bool{}
	routes := (&pages.Pages{Issuer: "http://127.0.0.1:1"}).Routes()
	for _, route := range routes {
		read[route.Path] = read[route.Path] || route.Method == http.MethodGet
	}
	// These lead on without a page, or show one that has a path of its own.
	leadOn := []string{"/signin/resend", "/language", "/signout", "/signin/passkey", "/signin/passkey/options", "/signin/security-key/options", "/account/passkeys/options"}
	for _, route := range routes {
		if route.Method == http.MethodPost && !read[route.Path] && !slices.Contains(leadOn, route.Path) {
			t.Errorf("POST %s has no page of its own", route.Path)
		}
	}
}

func newRequest(t *testing.T, path string) (*httptest.ResponseRecorder, *http.Request) {
	t.Helper()
	return httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
}
