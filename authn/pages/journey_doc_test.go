package pages_test

import (
	"cmp"
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/authn"
	"gatehouse/authn/pages"
)

var updateDocuments = flag.Bool("update", false, "write what is generated under docs")

// journeysDocument is written between two markers.
const (
	journeysDocument = "../../docs/journeys.md"
	journeysBegin    = "<!-- Written by `make journeys`. -->\n"
	journeysEnd      = "<!-- The end of what is written. -->\n"
)

// TestJourneys holds docs/journeys.md to what the pages go by, and to the links
// and forms that they show.
func TestJourneys(t *testing.T) {
	document, err := os.ReadFile(journeysDocument)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, begins := strings.Cut(string(document), journeysBegin)
	_, tail, ends := strings.Cut(rest, journeysEnd)
	if !begins || !ends {
		t.Fatal("docs/journeys.md has lost its markers")
	}
	want := head + journeysBegin + picture() + table() + offers(t) + journeysEnd + tail
	if *updateDocuments {
		if err := os.WriteFile(journeysDocument, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(document) {
		t.Error("docs/journeys.md is not what the code does: run make journeys")
	}
}

// picture draws a page as a box, and a part as a box that its pages lead to.
func picture() string {
	var b strings.Builder
	steps, parts := pages.Journey()
	b.WriteString("\n```mermaid\nstateDiagram-v2\n    direction LR\n")
	for _, page := range drawn(steps, parts) {
		fmt.Fprintf(&b, "    state %q as %s\n", page, id(page))
	}
	b.WriteString("    [*] --> " + id(pages.AuthorizePage) + "\n")
	for _, page := range drawn(steps, parts) {
		if part := parts[page]; part != "" {
			fmt.Fprintf(&b, "    %s --> %s\n", id(page), id(part))
		}
	}
	for _, step := range steps {
		fmt.Fprintf(&b, "    %s --> %s : %s\n", id(step.From), id(step.To), step.On)
	}
	b.WriteString("    " + id(pages.Service) + " --> [*]\n```\n\n")
	return b.String()
}

// drawn are all pages and parts in the order of their names.
func drawn(steps []pages.Step, parts map[pages.Page]pages.Page) []pages.Page {
	var all []pages.Page
	for _, step := range steps {
		all = append(all, step.From, step.To)
	}
	for page, part := range parts {
		all = append(all, page, part)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var notLetters = regexp.MustCompile(`[^a-z]+`)

func id(page pages.Page) string { return "at" + notLetters.ReplaceAllString(string(page), "_") }

func table() string {
	var b strings.Builder
	steps, parts := pages.Journey()
	b.WriteString("| from | when | to |\n|--|--|--|\n")
	for _, step := range steps {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", named(step.From), step.On, named(step.To))
	}
	for _, part := range []pages.Page{pages.Deciding, pages.SigningIn} {
		var members []string
		for _, page := range drawn(steps, parts) {
			if parts[page] == part {
				members = append(members, named(page))
			}
		}
		fmt.Fprintf(&b, "\nPages of *%s*: %s.\n", part, strings.Join(members, ", "))
	}
	return b.String()
}

// named is a path as code, and a part or a place in italics.
func named(page pages.Page) string {
	if strings.HasPrefix(string(page), "/") {
		return "`" + string(page) + "`"
	}
	return "*" + string(page) + "*"
}

// shown are pages as a browser comes to them in the middle of a sign-in that a
// service began.
var shown = []struct {
	page string
	next authn.Factor
}{
	{"/signin?flow=flow-1", ""}, {"/signin/code", authn.SMSCode}, {"/signin/security-key", authn.SecurityKey}, {"/signin/another-way", authn.TOTP},
	{"/signin/email?flow=flow-1", ""}, {"/signin/email-code?flow=flow-1", ""}, {"/forgotten-password", ""}, {"/new-password/good", ""},
	{"/register", ""}, {"/verify-email/good", ""}, {"/invitation/good", ""}, {"/select", ""}, {"/consent", ""}, {"/device", ""},
	{"/", ""}, {"/account", ""}, {"/account/confirm", ""}, {"/leave", ""}, {"/signed-out", ""},
}

var addresses = regexp.MustCompile(`(?:href|action)="(/[^"?]*)`)

// elsewhere is where package oauth serves a page that the tests have at a path of their own.
var elsewhere = map[string]string{"/select": "/select-account", "/leave": "/oauth/end-session"}

// offers lists where the links and forms of each page lead.
func offers(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("\n| page | its links and forms lead to |\n|--|--|\n")
	for _, c := range shown {
		p := &person{next: c.next, keys: 1, choices: everyWay, invited: invited{to: aliceInvited()}}
		v := visit(t, serve(t, p))
		v.cookies[authn.BrowserCookie], v.cookies[authn.SignInCookie] = "browser-1", "sign-in-1"
		if c.page == "/" || strings.HasPrefix(c.page, "/account") {
			v.cookies[authn.SessionCookie] = "session-1"
		}
		res, body := v.do(http.MethodGet, c.page, nil)
		_, main, found := strings.Cut(body, "<main")
		if res.StatusCode != http.StatusOK || !found {
			t.Fatalf("%s: %d %s", c.page, res.StatusCode, body)
		}
		main, _, _ = strings.Cut(main, "</main>")
		path, _, _ := strings.Cut(c.page, "?")
		var to []string
		for _, match := range addresses.FindAllStringSubmatch(main, -1) {
			to = append(to, "`"+strings.ReplaceAll(match[1], "/good", "/{token}")+"`")
		}
		slices.Sort(to)
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(cmp.Or(elsewhere[path], path), "/good", "/{token}"), strings.Join(slices.Compact(to), ", "))
	}
	return b.String() + "\n"
}
