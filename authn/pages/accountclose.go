package pages

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"gatehouse/authn"
	"gatehouse/directory"
)

const closePath = accountPath + "/close"

// closing is the page that asks before an account is closed.
func (p *Pages) closing(w http.ResponseWriter, r *http.Request, a *account) error {
	return p.closePage(w, r, a, http.StatusOK)
}

func (p *Pages) closePage(w http.ResponseWriter, r *http.Request, a *account, status int, faults ...fault) error {
	view := p.accountFrame(p.frame(r, "account.close.title", &Flow{}), r, a)
	view.Faults = faults
	return p.render(w, status, "accountclose", view.Flow, view)
}

// submitClose archives the person by the rules of the directory, and ends with it
// whatever signs in, every session, and what was issued.
func (p *Pages) submitClose(w http.ResponseWriter, r *http.Request, a *account) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	if form["close"] != "yes" {
		return p.closePage(w, r, a, http.StatusBadRequest, fault{"close", p.texts(r).text("close.missing")})
	}
	err = p.Users.ArchiveUser(r.Context(), a.User.ID, p.domain(), a.actor(), func(ctx context.Context) error {
		return p.Authn.CloseAccount(ctx, a.User)
	})
	if errors.Is(err, directory.ErrNeeded) {
		return p.closePage(w, r, a, http.StatusConflict, fault{"close", p.texts(r).text("account.close.needed")})
	}
	if err != nil {
		return err
	}
	p.Cookies.Clear(w, authn.SessionCookie)
	p.Cookies.Clear(w, authn.SignInCookie)
	n := note{frame: p.frame(r, "account.closed.title", &Flow{})}
	n.Text = n.text("account.closed.text")
	return p.note(w, http.StatusOK, n)
}

// domain is of the addresses that stand in for those of archived users.
func (p *Pages) domain() string {
	u, err := url.Parse(p.Issuer)
	if err != nil || u.Hostname() == "" {
		return "localhost"
	}
	return u.Hostname()
}
