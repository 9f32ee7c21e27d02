package pages

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// SignOutView is what the page shows that asks before it signs out. The fields
// that come back with the answer are empty when the browser is to stay here.
type SignOutView struct {
	UserName   string
	ClientName directory.Wording // who asks; nothing when nobody knows
	ClientID   string
	// Organisation is that of who asks, see [Flow.Organisation].
	Organisation uuid.UUID
	RedirectURI  string
	State        string
	FormAction   string // see [Flow.FormAction]
}

// ConfirmSignOut asks the person whether to sign out. The answer is a POST to
// /signout, which no other site can send.
func (p *Pages) ConfirmSignOut(w http.ResponseWriter, r *http.Request, v SignOutView) error {
	flow := &Flow{ClientName: v.ClientName, Organisation: v.Organisation, FormAction: v.FormAction}
	view := struct {
		frame
		SignOutView
	}{p.frame(r, "signout.title", flow), v}
	if client := view.Client(); client != "" {
		view.Title = fmt.Sprintf(p.texts(r).text("signout.title.client"), client)
	}
	return p.render(w, http.StatusOK, "signout", flow, view)
}

// submitSignOut ends the session. It is a POST: no link or image of another site
// can do it.
func (p *Pages) submitSignOut(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	to := ""
	if form["client_id"] != "" {
		if to, err = p.Flows.AfterSignOut(r.Context(), form["client_id"], form["post_logout_redirect_uri"], form["state"]); err != nil {
			return err
		}
	}
	return p.SignOut(w, r, to)
}

// SignOut ends the session of the browser, if it has one, takes its cookies and
// sends it on; to "" shows that it is signed out. Every sign-out ends here.
func (p *Pages) SignOut(w http.ResponseWriter, r *http.Request, to string) error {
	if token := p.Cookies.Get(r, authn.SessionCookie); token != "" {
		if err := p.Authn.EndSession(r.Context(), token); err != nil && !errors.Is(err, authn.ErrNoSession) {
			return err
		}
	}
	p.Cookies.Clear(w, authn.SessionCookie)
	p.Cookies.Clear(w, authn.SignInCookie)
	if to == "" {
		return Follow(w, r, SignOutPage, SignedOut, "")
	}
	return FollowTo(w, r, SignOutPage, SignedOutFor, to)
}
