package main

import (
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
)

var (
	// languageForm changes the language of a page; it stands before what the page is about.
	languageForm = regexp.MustCompile(`(?s)<form[^>]* action="/language".*?</form>`)
	formAction   = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	hiddenInput  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// submit submits the form of a page, with what it hides and what is filled in,
// and returns where that ended.
func (s *asked) submit(at string, page response, filled url.Values) (string, response) {
	s.t.Helper()
	body := languageForm.ReplaceAllString(page.body, "")
	action := formAction.FindStringSubmatch(body)
	base, err := url.Parse(at)
	if err != nil || action == nil {
		s.t.Fatalf("%s: no form at %s (%v): %d %s", s.name, at, err, page.status, page.body)
	}
	target, err := base.Parse(html.UnescapeString(action[1]))
	if err != nil {
		s.t.Fatal(err)
	}
	form := url.Values{}
	for _, field := range hiddenInput.FindAllStringSubmatch(body, -1) {
		form.Set(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
	}
	maps.Copy(form, filled)
	return s.follow(browserRequest(s, http.MethodPost, target.RequestURI(), form))
}

// answerDevice enters the code that a device shows and answers what is asked
// then: "accept" or "deny".
func (s *asked) answerDevice(userCode, answer string) {
	s.t.Helper()
	s.code("web") // so that somebody is signed in
	at, page := s.follow(request(s.t, http.MethodGet, s.url+"/device", nil))
	at, page = s.submit(at, page, url.Values{"user_code": {userCode}})
	filled := url.Values{"consent": {answer}}
	if answer == "deny" {
		filled.Set("abort", "yes") // how oidc-provider calls it
	}
	s.submit(at, page, filled)
}
