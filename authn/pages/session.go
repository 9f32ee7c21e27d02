package pages

import (
	"net/http"

	"gatehouse/directory"
)

// home says who is signed in, and lets them sign out.
func (p *Pages) home(w http.ResponseWriter, r *http.Request) error {
	user, err := p.signedIn(r)
	if err != nil {
		return err
	}
	view := struct {
		frame
		User *directory.User // nil when nobody is signed in
	}{p.frame(r, "home.title", &Flow{}), user}
	if user != nil {
		view.Title = view.text("home.signedin.title")
	}
	return p.render(w, http.StatusOK, "home", view.Flow, view)
}

// SignedOut shows that the person is signed out.
func (p *Pages) SignedOut(w http.ResponseWriter, r *http.Request) error {
	return p.render(w, http.StatusOK, "signedout", &Flow{}, p.frame(r, "signedout.title", &Flow{}))
}
