package oauth

import (
	"cmp"
	"net/http"

	"gatehouse/authn/pages"
	"gatehouse/internal/web"
)

// SelectAccountPath is the page of prompt=select_account.
const SelectAccountPath = string(pages.SelectAccountPage)

// SelectAccountPage asks whoever is signed in whether to go on as who they are
// (OpenID Connect Core section 3.1.2.1).
func (s *Server) SelectAccountPage(w http.ResponseWriter, r *http.Request) error {
	f, session, user, err := s.consenting(r)
	if err != nil {
		return err
	}
	if session == nil {
		return pages.Follow(w, r, pages.SelectAccountPage, pages.SignInNeeded, f.ID)
	}
	a, err := s.authorizationOf(r.Context(), f)
	if err != nil {
		return err
	}
	return s.Pages.SelectAccount(w, r, pages.SelectAccountView{
		Flow: f.ID, ClientName: a.client.Named(), Organisation: a.client.organisation(), UserName: user.Name, Identifier: cmp.Or(user.EmailAddress, user.Username),
		FormAction: formAction(a.redirectURI),
	})
}

// SelectAccountSubmit takes the answer: the field account is current or
// another, which leads to the sign-in page.
func (s *Server) SelectAccountSubmit(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	f, session, _, err := s.consenting(r)
	if err != nil {
		return err
	}
	switch {
	case session == nil || form.Get("account") == "another":
		return pages.Follow(w, r, pages.SelectAccountPage, pages.AnotherAccount, f.ID)
	case form.Get("account") != "current":
		return web.Errorf(http.StatusBadRequest, "Choose the account to go on with")
	}
	f.SelectedBy = session.UserID
	if err := s.putFlow(r.Context(), f); err != nil {
		return unavailable(err)
	}
	return s.authorize(w, r, &authorization{params: f.Params, flow: f})
}
