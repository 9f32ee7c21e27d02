package pages

import (
	"errors"
	"net/http"

	"gatehouse/authn"
	"gatehouse/internal/web"
)

const passwordPath = accountPath + "/password"

// password shows the form of a new password.
func (p *Pages) password(w http.ResponseWriter, r *http.Request, a *account) error {
	return p.passwordPage(w, r, a, http.StatusOK)
}

func (p *Pages) passwordPage(w http.ResponseWriter, r *http.Request, a *account, status int, faults ...fault) error {
	view := struct {
		accountFrame
		Username string // for password managers
	}{p.accountFrame(p.frame(r, "account.password.title", &Flow{}), r, a), p.confirmView(r, a).Username}
	view.Faults = faults
	return p.render(w, status, "accountpassword", view.Flow, view)
}

// submitPassword changes the password. The new one is looked at first, so that a
// slip costs no attempt, and hashed last, so that a guess at the old one, which is
// tried under the limits of a sign-in, costs no hash more.
func (p *Pages) submitPassword(w http.ResponseWriter, r *http.Request, a *account) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	if faults := p.texts(r).missing(form, "current_password", "password"); faults != nil {
		return p.passwordPage(w, r, a, http.StatusBadRequest, faults...)
	}
	err = p.Authn.CheckNewPassword(form["password"])
	if weak, ok := errors.AsType[*authn.PasswordError](err); ok {
		return p.passwordPage(w, r, a, http.StatusBadRequest, fault{"password", weak.Reason})
	}
	if err != nil {
		return err
	}
	err = p.Authn.ProvePassword(r.Context(), a.User.ID, form["current_password"], web.Network(r))
	if errors.Is(err, authn.ErrRefused) {
		return p.passwordPage(w, r, a, http.StatusForbidden, fault{"current_password", p.texts(r).text("current_password.refused")})
	}
	if err != nil {
		return err
	}
	prepared, err := p.Authn.PreparePassword(r.Context(), form["password"])
	if err != nil {
		return err
	}
	token, err := p.Authn.ChangePassword(r.Context(), a.Session, prepared, authn.SessionInfo{Network: web.Network(r), UserAgent: r.UserAgent()})
	if err != nil {
		return err
	}
	p.Cookies.Set(w, authn.SessionCookie, token, 0)
	return done(w, r, accountPath, "password")
}
