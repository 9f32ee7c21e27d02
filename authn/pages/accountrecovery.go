package pages

import (
	"errors"
	"net/http"
	"strconv"

	"gatehouse/authn"
)

const recoveryPath = accountPath + "/recovery-codes"

// recoveryView is the page of the recovery codes.
type recoveryView struct {
	accountFrame
	Left   string   // how many there are
	Usable bool     // they would stand in for something
	Codes  []string // new ones; they are never shown again
}

func (p *Pages) recoveryView(r *http.Request, a *account) (recoveryView, error) {
	view := recoveryView{accountFrame: p.accountFrame(p.frame(r, "account.recovery.title", &Flow{}), r, a)}
	has, err := p.Authn.Enrolled(r.Context(), a.User.ID)
	if err != nil {
		return view, err
	}
	view.Left, view.Usable = strconv.Itoa(has.RecoveryCodes), has.Recoverable(a.User)
	return view, nil
}

// recovery says how many codes are left.
func (p *Pages) recovery(w http.ResponseWriter, r *http.Request, a *account) error {
	view, err := p.recoveryView(r, a)
	if err != nil {
		return err
	}
	return p.render(w, http.StatusOK, "accountrecovery", view.Flow, view)
}

// submitRecovery makes new codes and shows them, this once.
func (p *Pages) submitRecovery(w http.ResponseWriter, r *http.Request, a *account) error {
	if _, err := readForm(r); err != nil {
		return err
	}
	codes, err := p.Authn.NewRecoveryCodes(r.Context(), a.User, a.Session.ID)
	if err != nil && !errors.Is(err, authn.ErrNoUse) {
		return err
	}
	view, lost := p.recoveryView(r, a)
	if lost != nil {
		return lost
	}
	if view.Codes = codes; codes == nil {
		return p.render(w, http.StatusConflict, "accountrecovery", view.Flow, view)
	}
	return p.render(w, http.StatusOK, "accountrecovery", view.Flow, view)
}
