package pages

import (
	"errors"
	"net/http"
	"strings"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// codeView is the page that asks for a code.
type codeView struct {
	frame
	Email  bool   // the code went by e-mail, else by text message
	Anew   bool   // it proves the address and nothing else
	Hint   string // where it went, masked
	Resent bool
}

func (p *Pages) codeView(f *Flow, o *authn.Outcome) codeView {
	if o.Next == authn.EmailCode {
		return codeView{frame: p.frame("code.title.email", f), Email: true, Anew: o.Revalidation, Hint: o.Hint}
	}
	return codeView{frame: p.frame("code.title.sms", f), Hint: o.Hint}
}

// signInUnderWay finds the sign-in that this browser began.
func (p *Pages) signInUnderWay(r *http.Request) (*authn.Outcome, error) {
	signIn := p.Cookies.Get(r, authn.SignInCookie)
	if signIn == "" {
		return nil, authn.ErrNoSignIn
	}
	return p.Authn.SignInUnderWay(r.Context(), signIn)
}

func (p *Pages) code(w http.ResponseWriter, r *http.Request) error {
	query, err := readQuery(r)
	if err != nil {
		return err
	}
	flow, err := p.flow(r, query["flow"])
	if err != nil {
		return p.expired(w, &Flow{}, err)
	}
	outcome, err := p.signInUnderWay(r)
	if err != nil {
		return p.expired(w, flow, err)
	}
	view := p.codeView(flow, outcome)
	view.Resent = query["resent"] != ""
	return p.render(w, http.StatusOK, "code", flow, view)
}

// submitCode tries a code: 400 for what cannot be one, which is not counted,
// and 403 for one that was refused.
func (p *Pages) submitCode(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	flow, err := p.flow(r, form["flow"])
	if err != nil {
		return p.expired(w, &Flow{}, err)
	}
	under, err := p.signInUnderWay(r)
	if err != nil {
		return p.expired(w, flow, err)
	}
	view := p.codeView(flow, under)
	code := withoutSpaces(form["code"])
	if fault := view.codeFault(code); fault != nil {
		view.Faults = fault
		return p.render(w, http.StatusBadRequest, "code", flow, view)
	}
	back, err := p.wayBack(r, flow, under.User)
	if err != nil {
		return err
	}
	outcome, err := p.Authn.Authenticate(r.Context(), authn.Attempt{
		Front: authn.Browser, Factor: under.Next, SignIn: p.Cookies.Get(r, authn.SignInCookie), Secret: code,
		ACRValues: flow.ACRValues, Network: web.Network(r), Also: p.joining(back),
	})
	switch {
	case errors.Is(err, directory.ErrInvitationClosed), errors.Is(err, directory.ErrNotInvited):
		return redirect(w, back.Path) // which says why
	case errors.Is(err, authn.ErrRefused):
		view.Faults = []fault{{"code", view.text("code.refused")}}
		return p.render(w, http.StatusForbidden, "code", flow, view)
	case err != nil:
		return p.expired(w, flow, err)
	}
	return p.proceed(w, r, flow, outcome)
}

// resendCode sends another code to the same place.
func (p *Pages) resendCode(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	flow, err := p.flow(r, form["flow"])
	if err != nil {
		return p.expired(w, &Flow{}, err)
	}
	if _, err := p.signInUnderWay(r); err != nil {
		return p.expired(w, flow, err)
	}
	if _, err := p.Authn.ResendCode(r.Context(), p.Cookies.Get(r, authn.SignInCookie), web.Network(r)); err != nil {
		return p.expired(w, flow, err)
	}
	if flow.ID == "" {
		return redirect(w, "/signin/code?resent=1")
	}
	return redirect(w, withFlow("/signin/code", flow)+"&resent=1")
}

// codeFault finds what a slip of the finger makes of a code, before it costs an attempt.
func (c catalogue) codeFault(code string) []fault {
	switch {
	case code == "":
		return []fault{{"code", c.text("code.missing")}}
	case strings.Trim(code, "0123456789") != "":
		return []fault{{"code", c.text("code.digits")}}
	}
	return nil
}

// withoutSpaces drops what people put between the digits of a code.
func withoutSpaces(code string) string {
	return strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(code)
}
