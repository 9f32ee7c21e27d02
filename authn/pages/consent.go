package pages

import (
	"fmt"
	"net/http"

	"gatehouse/directory"
)

// Consent asks the person whether the relying service may have what it asks
// for. The answer is a POST to /consent with the flow, consent=accept or deny, and
// the profile where one is asked for.
func (p *Pages) Consent(w http.ResponseWriter, r *http.Request, v ConsentView) error {
	flow := &Flow{ID: v.Flow, ClientName: v.ClientName, Organisation: v.Organisation, FormAction: v.FormAction}
	view := struct {
		frame
		UserName            string
		Scopes              []string
		PolicyURI, TermsURI directory.Wording
		Profile             *ProfileChoice
	}{p.frame(r, "consent.title", flow), v.UserName, p.texts(r).scopes(v.Scopes), v.PolicyURI, v.TermsURI, v.Profile}
	view.Title = fmt.Sprintf(view.Title, view.Client())
	return p.render(w, http.StatusOK, "consent", flow, view)
}

// scopes words what each scope gives; a scope without words is shown by its name.
func (c catalogue) scopes(names []string) []string {
	words := make([]string, 0, len(names))
	for _, name := range names {
		text, known := c["scope."+name]
		if !known {
			text = name
		}
		words = append(words, text)
	}
	return words
}
