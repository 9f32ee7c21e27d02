package pages

import (
	"errors"
	"net/http"

	"gatehouse/authn"
	"gatehouse/internal/web"
)

// confirmPath is where somebody who is signed in signs in again.
const confirmPath = accountPath + "/confirm"

// confirmView is the page that asks somebody to sign in again.
type confirmView struct {
	frame
	Username string // for password managers
	UserName string
	Passkeys bool // they can be used here
}

func (p *Pages) confirmView(r *http.Request, a *account) confirmView {
	v := confirmView{frame: p.frame(r, "confirm.title", &Flow{}), Username: a.User.EmailAddress, UserName: a.User.Name, Passkeys: p.passkeys()}
	if a.User.Username != "" {
		v.Username = a.User.Username
	}
	return v
}

// confirm asks for the password of whoever is signed in.
func (p *Pages) confirm(w http.ResponseWriter, r *http.Request, a *account) error {
	view := p.confirmView(r, a)
	return p.renderWith(w, http.StatusOK, "accountconfirm", p.keyPolicy(view.Flow), view)
}

// submitConfirm begins a whole sign-in of the same person, with every factor that
// the account needs: a password alone would make the session claim more than was
// proved. Its end replaces the session and leads back to the page that asked.
func (p *Pages) submitConfirm(w http.ResponseWriter, r *http.Request, a *account) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	view := p.confirmView(r, a)
	if view.Faults = view.missing(form, "password"); view.Faults != nil {
		return p.renderWith(w, http.StatusBadRequest, "accountconfirm", p.keyPolicy(view.Flow), view)
	}
	outcome, err := p.try(r, authn.Attempt{
		Factor: authn.Password, UserID: a.User.ID, Secret: form["password"], Network: web.Network(r),
		ACRValues: []string{a.Session.ACR}, // no less than before
	})
	if errors.Is(err, authn.ErrRefused) {
		view.Faults = []fault{{"password", view.text("confirm.refused")}}
		return p.renderWith(w, http.StatusForbidden, "accountconfirm", p.keyPolicy(view.Flow), view)
	}
	if err != nil {
		return err
	}
	if p.Cookies.Get(r, authn.ReturnCookie) == "" {
		if err := p.comeBack(w, r, wayBack{Path: accountPath}); err != nil {
			return err
		}
	}
	return p.proceed(w, r, ConfirmPage, view.Flow, outcome)
}
