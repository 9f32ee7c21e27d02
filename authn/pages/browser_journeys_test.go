package pages_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"gatehouse/authn"
	"gatehouse/authn/pages/pagestest"
)

// TestSignInByKeyboardAlone goes from the address to the end without a mouse.
func TestSignInByKeyboardAlone(t *testing.T) {
	server := serve(t, &person{next: authn.SMSCode})
	b := pagestest.Open(t)
	b.Go(server.URL + "/signin")
	for _, want := range []string{"govuk-skip-link", "gh-wordmark", "language-cy", "identifier"} {
		b.Press(kb.Tab)
		b.WantFocus(want)
	}
	b.Press("alice@example.gov.uk")
	b.Press(kb.Tab)
	b.Press("wrong")
	b.PressAndGo(kb.Enter)
	b.WantFocus("govuk-error-summary")
	b.Press(kb.Tab)
	b.Follow() // the summary's link leads to the field
	b.WantFocus("identifier")
	if b.Value("identifier") != "alice@example.gov.uk" || b.Value("password") != "" {
		t.Errorf("identifier %q, password %q", b.Value("identifier"), b.Value("password"))
	}
	b.Press(kb.Tab)
	b.Press(rightPassword)
	b.PressAndGo(kb.Enter)
	for range 4 {
		b.Press(kb.Tab)
	}
	b.WantFocus("code")
	b.Press("271 828")
	b.PressAndGo(kb.Enter)
	if got := b.Heading(); got != "You are signed in" {
		t.Errorf("ended on %q", got)
	}
}

// TestResponseIsPosted sends a form_post response by script, and without scripts
// by its button.
func TestResponseIsPosted(t *testing.T) {
	posted := make(chan url.Values, 1)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/cb" && r.ParseForm() == nil {
			posted <- r.PostForm
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>Service</title><h1>Back at the service</h1>"))
	}))
	t.Cleanup(service.Close)
	server, b := serve(t, &person{}), pagestest.Open(t)
	page := server.URL + "/form-post?to=" + url.QueryEscape(service.URL)
	for _, scripts := range []bool{false, true} {
		b.Scripts(scripts)
		b.Go(page)
		if !scripts {
			b.Click("main button")
		}
		select {
		case got := <-posted:
			if len(got) != 2 || got.Get("code") != `a"b<c>` || got.Get("state") != "s1" {
				t.Errorf("scripts %v: posted %v", scripts, got)
			}
		case <-time.After(time.Minute):
			t.Errorf("scripts %v: nothing was posted; at %s", scripts, b.URL())
		}
	}
}

// TestNoPageShowsInAFrame (S18): another site cannot put our buttons under its own.
func TestNoPageShowsInAFrame(t *testing.T) {
	server := serve(t, &person{})
	b := pagestest.Open(t)
	for _, path := range []string{"/signin", "/consent", "/select", "/form-post", "/device", "/device-consent", "/leave", "/nowhere", "/broken"} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprintf(w, `<iframe src="%s%s"></iframe>`, server.URL, path)
		}))
		t.Cleanup(other.Close)
		b.Go(other.URL)
		if shown := b.Framed(); !strings.HasPrefix(shown, "chrome-error:") {
			t.Errorf("%s: the frame shows %s", path, shown)
		}
	}
}
