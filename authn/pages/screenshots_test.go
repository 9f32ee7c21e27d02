package pages_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/authn/pages/pagestest"
)

const (
	screenshotsDocument = "../../docs/screenshots.md"
	maxScreenshots      = 4 << 20 // bytes of all pictures
	exampleHost         = "id.example.gov.uk"
)

// TestScreenshots holds docs/screenshots.md to the pages that there are, and to
// their pictures. With -update it takes those of new pages.
func TestScreenshots(t *testing.T) {
	want := screenshots()
	if *updateDocuments {
		takePictures(t)
		if err := os.WriteFile(screenshotsDocument, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(screenshotsDocument); err != nil || string(got) != want {
		t.Errorf("docs/screenshots.md does not show the pages that there are: run go test ./authn/pages -run TestScreenshots -update (%v)", err)
	}
	var size int64
	shown := map[string]bool{}
	for _, line := range strings.Split(want, "](")[1:] {
		name, _, _ := strings.Cut(line, ")")
		shown[filepath.Base(name)] = true
		info, err := os.Stat("../../docs/" + name)
		if err != nil {
			t.Error(err)
			continue
		}
		size += info.Size()
	}
	if size > maxScreenshots {
		t.Errorf("the pictures have %d bytes, want %d at most", size, maxScreenshots)
	}
	kept, err := filepath.Glob("../../docs/screenshots/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range kept {
		if !shown[filepath.Base(path)] {
			t.Errorf("%s is of no page", path)
		}
	}
}

// takePictures takes those that are missing; make screenshots takes all away first.
func takePictures(t *testing.T) {
	t.Helper()
	browser := pagestest.Open(t)
	for i := range states {
		state := &states[i]
		if _, err := os.Stat("../../docs/screenshots/" + state.name + "-1280.png"); err == nil {
			continue
		}
		server, b := serve(t, &state.person), browser.Another(t)
		state.reach(b, server.URL)
		if strings.HasPrefix(b.Title(), "Error: ") {
			b.WantFocus("govuk-error-summary")
		}
		b.Retouch(".gh-footer .gh-host", exampleHost)
		for _, width := range []int64{320, 1280} {
			b.View(width, 640, false)
			b.Picture(fmt.Sprintf("../../docs/screenshots/%s-%d.png", state.name, width))
		}
		if state.name == "signin" {
			b.View(320, 640, true)
			b.Picture("../../docs/screenshots/signin-320-dark.png")
			b.Click("#language-cy")
			b.Retouch(".gh-footer .gh-host", exampleHost)
			b.View(320, 640, false)
			b.Picture("../../docs/screenshots/signin-320-cy.png")
		}
	}
}

func screenshots() string {
	var b strings.Builder
	b.WriteString("# Every hosted page in every state\n\nAs a phone (320 px) and a desk (1280 px) show them; `make screenshots` makes this page from the states in\n`authn/pages/browser_test.go`. [Journeys](journeys.md) says what leads from one to the other.\n")
	b.WriteString("\n## The sign-in page by night, and in Welsh\n\n![signin, dark](screenshots/signin-320-dark.png) ![signin in Welsh](screenshots/signin-320-cy.png)\n")
	for i := range states {
		name := states[i].name
		fmt.Fprintf(&b, "\n## %s\n\n%s (%d)\n\n![%[1]s on a phone](screenshots/%[1]s-320.png) ![%[1]s on a desk](screenshots/%[1]s-1280.png)\n", name, states[i].heading, states[i].status)
	}
	return b.String()
}
