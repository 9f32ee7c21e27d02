package pages_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/authn/pages"
)

func TestConsentPageLinksToWhatTheServiceWantsRead(t *testing.T) {
	hosted := &pages.Pages{Issuer: "https://id.example.gov.uk", ServiceName: "Gatehouse"}
	show := func(v pages.ConsentView) string {
		t.Helper()
		w := httptest.NewRecorder()
		v.ClientName, v.UserName = "The service", "Pat"
		if err := hosted.Consent(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/consent", nil), v); err != nil {
			t.Fatal(err)
		}
		return w.Body.String()
	}
	body := show(pages.ConsentView{PolicyURI: "https://rp.example.gov.uk/privacy?a=1&b=2", TermsURI: "https://rp.example.gov.uk/terms"})
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
