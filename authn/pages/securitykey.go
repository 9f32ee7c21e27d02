package pages

import (
	"errors"
	"net/http"

	"gatehouse/authn"
	"gatehouse/internal/web"
)

// securityKeyPath is where a sign-in waits for a key.
const securityKeyPath = "/signin/security-key"

// securityKeyView is the page that asks for a key after the password.
type securityKeyView struct {
	frame
	Others bool // there are other ways to go on
}

func (p *Pages) securityKeyView(r *http.Request, f *Flow, o *authn.Outcome) securityKeyView {
	return securityKeyView{p.frame(r, "securitykey.title", f), len(o.Choices) > 1}
}

// securityKey asks for a key. It needs a script: without, the page says so, and
// where else to go.
func (p *Pages) securityKey(w http.ResponseWriter, r *http.Request, _ fields, flow *Flow, under *authn.Outcome) error {
	if under.Next != authn.SecurityKey {
		return Follow(w, r, SecurityKeyPage, CodeNeeded, flow.ID)
	}
	return p.renderWith(w, http.StatusOK, "securitykey", p.keyPolicy(flow), p.securityKeyView(r, flow, under))
}

// securityKeyOptions begins the proof of a key of whoever gave the password.
func (p *Pages) securityKeyOptions(w http.ResponseWriter, r *http.Request) error {
	options, err := p.Authn.BeginSecurityKey(r.Context(), p.Cookies.Get(r, authn.SignInCookie), web.Network(r))
	return writeOptions(w, options, err)
}

// submitSecurityKey takes the answer of a key.
func (p *Pages) submitSecurityKey(w http.ResponseWriter, r *http.Request, form fields, flow *Flow, under *authn.Outcome) error {
	outcome, err := p.try(r, authn.Attempt{
		Factor: authn.SecurityKey, SignIn: p.Cookies.Get(r, authn.SignInCookie), Secret: form["response"],
		ACRValues: flow.ACRValues, Floor: flow.Floor,
	})
	if errors.Is(err, authn.ErrRefused) {
		view := p.securityKeyView(r, flow, under)
		view.Faults = []fault{{"key-button", view.text("securitykey.refused")}}
		return p.renderWith(w, http.StatusForbidden, "securitykey", p.keyPolicy(flow), view)
	}
	if err != nil {
		return p.expired(w, r, flow, err)
	}
	return p.proceed(w, r, SecurityKeyPage, flow, outcome)
}
