package pages

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

const totpPath = accountPath + "/totp"

// factorAuthn is what the pages of second factors need of [authn.Service].
type factorAuthn interface {
	Enrolled(ctx context.Context, userID uuid.UUID) (authn.Enrolment, error)
	SetUpTOTP(ctx context.Context, u *directory.User) (*authn.TOTPSetup, error)
	ConfirmTOTP(ctx context.Context, u *directory.User, code string, session uuid.UUID) error
	RemoveTOTP(ctx context.Context, u *directory.User, session uuid.UUID) error
	NewRecoveryCodes(ctx context.Context, u *directory.User, session uuid.UUID) ([]string, error)
}

// totpView is the page of the authenticator app.
type totpView struct {
	accountFrame
	Secret string // in groups, for people to type; "" when there is an app
}

// totp shows what an app is set up with, or that there is one.
func (p *Pages) totp(w http.ResponseWriter, r *http.Request, a *account) error {
	return p.totpPage(w, r, a, http.StatusOK)
}

func (p *Pages) totpPage(w http.ResponseWriter, r *http.Request, a *account, status int, faults ...fault) error {
	view := totpView{accountFrame: p.accountFrame(p.frame(r, "account.totp.title", &Flow{}), r, a)}
	view.Faults = faults
	setup, err := p.Authn.SetUpTOTP(r.Context(), a.User)
	switch {
	case err == nil:
		view.Secret = inGroups(setup.Secret)
	case !errors.Is(err, directory.ErrConflict):
		return err
	}
	return p.render(w, status, "accounttotp", view.Flow, view)
}

// inGroups parts a secret where the eye needs it.
func inGroups(secret string) string {
	const group = 4
	var parts []string
	for ; len(secret) > group; secret = secret[group:] {
		parts = append(parts, secret[:group])
	}
	return strings.Join(append(parts, secret), " ")
}

// totpPicture is the QR code of the page. It is a picture of its own, since the
// policy of the pages allows none inside them.
func (p *Pages) totpPicture(w http.ResponseWriter, r *http.Request, a *account) error {
	setup, err := p.Authn.SetUpTOTP(r.Context(), a.User)
	if errors.Is(err, directory.ErrConflict) {
		return web.Errorf(http.StatusNotFound, "There is nothing to set up")
	}
	if err != nil {
		return err
	}
	picture, err := setup.PNG()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(picture) // the client has gone when this fails
	return nil
}

// submitTOTP takes the code that shows that the app is set up, or removes the app.
func (p *Pages) submitTOTP(w http.ResponseWriter, r *http.Request, a *account) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	if form["remove"] != "" {
		return p.removeTOTP(w, r, a)
	}
	view, code := p.frame(r, "account.totp.title", &Flow{}), withoutSpaces(form["code"])
	if slip := view.codeSlip(authn.TOTP, code); slip != "" {
		return p.totpPage(w, r, a, http.StatusBadRequest, fault{"code", slip})
	}
	err = p.Authn.ConfirmTOTP(r.Context(), a.User, code, a.Session.ID)
	if errors.Is(err, authn.ErrRefused) {
		return p.totpPage(w, r, a, http.StatusForbidden, fault{"code", view.text("account.totp.refused")})
	}
	if err != nil {
		return err
	}
	return done(w, r, totpPath, "added")
}

func (p *Pages) removeTOTP(w http.ResponseWriter, r *http.Request, a *account) error {
	err := p.Authn.RemoveTOTP(r.Context(), a.User, a.Session.ID)
	switch {
	case errors.Is(err, authn.ErrLastFactor):
		text := p.frame(r, "account.totp.title", &Flow{}).text("account.totp.last")
		return p.totpPage(w, r, a, http.StatusConflict, fault{"remove", text})
	case err != nil && !errors.Is(err, directory.ErrNotFound):
		return err
	}
	return done(w, r, totpPath, "removed")
}
