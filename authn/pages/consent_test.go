package pages_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/authn/pages"
	"gatehouse/directory"
)

func TestConsentPageLinksToWhatTheServiceWantsRead(t *testing.T) {
	hosted := &pages.Pages{Issuer: "https://id.example.gov.uk", ServiceName: "Gatehouse"}
	show := func(v pages.ConsentView) string {
		t.Helper()
		w := httptest.NewRecorder()
		v.ClientName, v.UserName = directory.Wording{Plain: "The service"}, "Pat"
		if err := hosted.Consent(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/consent", nil), v); err != nil {
			t.Fatal(err)
		}
		return w.Body.String()
	}
	body := show(pages.ConsentView{
		PolicyURI: directory.Wording{Plain: "https://rp.example.gov.uk/privacy?a=1&b=2"}, TermsURI: directory.Wording{Plain: "https://rp.example.gov.uk/terms"},
	})
	for _, link := range []string{
		`href="https://rp.example.gov.uk/privacy?a=1&amp;b=2" rel="noreferrer">What The service does with your data</a>`,
		`href="https://rp.example.gov.uk/terms" rel="noreferrer">The terms of The service</a>`,
	} {
		if !strings.Contains(body, link) {
			t.Errorf("the page lacks %s", link)
		}
	}
	if plain := show(pages.ConsentView{}); strings.Contains(plain, "noreferrer") {
		t.Error("a page without anything to read links to it")
	}
}

// TestPagesNameTheServiceInTheLanguageOfTheReader: what a service says of itself in
// Welsh is for who reads Welsh; everybody else reads the other.
func TestPagesNameTheServiceInTheLanguageOfTheReader(t *testing.T) {
	hosted := &pages.Pages{Issuer: "https://id.example.gov.uk", ServiceName: "Gatehouse"}
	shop := directory.Wording{Plain: "The shop", In: map[string]string{"cy-GB": "Y siop", "fr": "La boutique"}}
	terms := directory.Wording{Plain: "https://rp.example.gov.uk/terms", In: map[string]string{"cy": "https://rp.example.gov.uk/telerau"}}
	partner := directory.Wording{Plain: "A partner", In: map[string]string{"CY": "Partner o Gymru"}}
	profile := &pages.ProfileChoice{Profiles: []pages.ProfileOption{{ID: "1", Partner: partner}}}
	views := map[string]func(w http.ResponseWriter, r *http.Request) error{
		"consent": func(w http.ResponseWriter, r *http.Request) error {
			return hosted.Consent(w, r, pages.ConsentView{ClientName: shop, TermsURI: terms, Profile: profile})
		},
		"device consent": func(w http.ResponseWriter, r *http.Request) error {
			return hosted.DeviceConsent(w, r, pages.DeviceConsentView{ClientName: shop})
		},
		"device done": func(w http.ResponseWriter, r *http.Request) error {
			return hosted.DeviceDone(w, r, pages.DeviceDoneView{ClientName: shop})
		},
		"accounts": func(w http.ResponseWriter, r *http.Request) error {
			return hosted.SelectAccount(w, r, pages.SelectAccountView{ClientName: shop})
		},
		"form post": func(w http.ResponseWriter, r *http.Request) error {
			return hosted.FormPost(w, r, pages.FormPostView{ClientName: shop})
		},
		"sign out": func(w http.ResponseWriter, r *http.Request) error {
			return hosted.ConfirmSignOut(w, r, pages.SignOutView{ClientName: shop})
		},
	}
	for what, show := range views {
		for language, name := range map[string]string{"cy": "Y siop", "en": "The shop", "fr": "The shop"} {
			w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Header.Set("Accept-Language", language)
			if err := show(w, r); err != nil {
				t.Fatal(err)
			}
			body := w.Body.String()
			other := map[string]string{"Y siop": "The shop", "The shop": "Y siop"}[name]
			if !strings.Contains(body, name) || strings.Contains(body, other) || strings.Contains(body, "boutique") {
				t.Errorf("%s in %s:\n%s", what, language, body)
			}
			if what == "consent" && (strings.Contains(body, "/telerau") != (language == "cy") || strings.Contains(body, "Partner o Gymru") != (language == "cy")) {
				t.Errorf("consent in %s:\n%s", language, body)
			}
		}
	}
}
