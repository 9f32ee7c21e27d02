package pages_test

import (
	"strings"
	"testing"

	"gatehouse/authn/pages/pagestest"
)

// checkInWelsh presses the button for the other language and looks at what comes
// back, as a phone shows it. It reports whether the page had such a button: what
// follows a form that was accepted has none, and what a form found wrong is gone.
func checkInWelsh(t *testing.T, b *pagestest.Browser, name, english string) bool {
	t.Helper()
	if !b.Has("#language-cy") {
		return false
	}
	at := b.URL()
	b.Click("#language-cy")
	if b.Language() != "cy" || b.Heading() == english || strings.Contains(b.Text(), "Sign in") {
		t.Errorf("in Welsh: lang %q, heading %q", b.Language(), b.Heading())
	}
	if path := func(u string) string { u, _, _ = strings.Cut(u, "?"); return u }; path(b.URL()) != path(at) && !strings.HasSuffix(path(at), "/signin/passkey") {
		t.Errorf("the choice of a language led from %s to %s", at, b.URL())
	}
	b.View(320, 800, true)
	if wider := b.Overflow(); wider > 0 {
		t.Errorf("in Welsh the page is %d px wider than the window", wider)
	}
	b.CheckAccessible()
	b.Keep(name + "-320-cy")
	return true
}
