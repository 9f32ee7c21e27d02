package pages

import (
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// SelectAccountView is what the page shows that asks which account to go on with.
type SelectAccountView struct {
	Flow         string // the flow's id
	ClientName   directory.Wording
	Organisation uuid.UUID // see [Flow.Organisation]
	UserName     string
	Identifier   string // tells accounts of one name apart
	FormAction   string // see [Flow.FormAction]
}

// SelectAccount offers to go on as the person who is signed in, or to sign in
// as somebody else. The answer is a POST to /select-account with the flow and
// account=current or another.
func (p *Pages) SelectAccount(w http.ResponseWriter, r *http.Request, v SelectAccountView) error {
	flow := &Flow{ID: v.Flow, ClientName: v.ClientName, Organisation: v.Organisation, FormAction: v.FormAction}
	view := struct {
		frame
		UserName   string
		Identifier string
	}{p.frame(r, "selectaccount.title", flow), v.UserName, v.Identifier}
	return p.render(w, http.StatusOK, "selectaccount", flow, view)
}

// FormPostView is a response that the browser posts to a relying service.
type FormPostView struct {
	ClientName   directory.Wording
	Organisation uuid.UUID  // see [Flow.Organisation]
	Action       string     // the redirect URI
	FormAction   string     // see [Flow.FormAction]
	Fields       url.Values // one value each
}

// formPostScript sends the form at once where scripts run; elsewhere there is its button.
const formPostScript = "formpost.js"

// FormPost has the browser post a response, which stays out of addresses,
// histories and logs (OAuth 2.0 Form Post Response Mode). The page may run one
// script, post to one place, and load nothing from anywhere else.
func (p *Pages) FormPost(w http.ResponseWriter, r *http.Request, v FormPostView) error {
	flow := &Flow{ClientName: v.ClientName, Organisation: v.Organisation, FormAction: v.FormAction}
	fields := make(map[string]string, len(v.Fields)) // a template walks it in the order of names
	for name := range v.Fields {
		fields[name] = v.Fields.Get(name)
	}
	view := struct {
		frame
		Action string
		Fields map[string]string
		Script string
	}{p.frame(r, "formpost.title", flow), v.Action, fields, assetURL(formPostScript)}
	view.request = nil // the response is good once: there is no other language to have it in
	policy := contentPolicy(v.FormAction) + "; script-src " + origin(p.Issuer) + "/assets/" + formPostScript
	return p.renderWith(w, http.StatusOK, "formpost", policy, view)
}
