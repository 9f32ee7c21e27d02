package pages

import (
	"errors"
	"net/http"
	"strings"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// codeView is the page that asks for a code, whatever made the code.
type codeView struct {
	frame
	Factor authn.Factor
	Anew   bool   // it proves the address and nothing else
	Hint   string // where it went, masked
	Resent bool
	Others bool // there are other ways to go on
}

func (p *Pages) codeView(r *http.Request, f *Flow, o *authn.Outcome) codeView {
	view := codeView{Factor: o.Next, Anew: o.Revalidation, Hint: o.Hint, Others: len(o.Choices) > 1}
	switch o.Next {
	case authn.EmailCode:
		view.frame = p.frame(r, "code.title.email", f)
	case authn.TOTP:
		view.frame = p.frame(r, "code.title.totp", f)
	case authn.RecoveryCode:
		view.frame = p.frame(r, "code.title.recovery", f)
	default:
		view.frame = p.frame(r, "code.title.sms", f)
	}
	return view
}

// Email reports that the code went by e-mail.
func (v codeView) Email() bool { return v.Factor == authn.EmailCode }

// Sent reports that the code was sent, so that another can be.
func (v codeView) Sent() bool { return v.Factor == authn.SMSCode || v.Factor == authn.EmailCode }

// TOTP reports that an authenticator app shows the code.
func (v codeView) TOTP() bool { return v.Factor == authn.TOTP }

// Recovery reports that the code is one that its owner has kept.
func (v codeView) Recovery() bool { return v.Factor == authn.RecoveryCode }

// Field is the name of the field that the code is typed into.
func (v codeView) Field() string { return codeField(v.Factor) }

func codeField(f authn.Factor) string {
	if f == authn.RecoveryCode {
		return "recovery_code"
	}
	return "code"
}

// signInUnderWay finds the sign-in that this browser began.
func (p *Pages) signInUnderWay(r *http.Request) (*authn.Outcome, error) {
	signIn := p.Cookies.Get(r, authn.SignInCookie)
	if signIn == "" {
		return nil, authn.ErrNoSignIn
	}
	return p.Authn.SignInUnderWay(r.Context(), signIn)
}

// midSignIn is a handler of a page between the first factor and the end of a
// sign-in; under says what the sign-in waits for.
type midSignIn func(w http.ResponseWriter, r *http.Request, given fields, f *Flow, under *authn.Outcome) error

// during finds the sign-in that a page belongs to; where there is none, the page
// says that it has expired.
func (p *Pages) during(read func(*http.Request) (fields, error), next midSignIn) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		given, err := read(r)
		if err != nil {
			return err
		}
		flow, err := p.flow(r, given["flow"])
		if err != nil {
			return p.expired(w, r, &Flow{}, err)
		}
		under, err := p.signInUnderWay(r)
		if err != nil {
			return p.expired(w, r, flow, err)
		}
		return next(w, r, given, flow, under)
	}
}

// formInFlow reads a form and finds the authorization under way that it belongs to.
func (p *Pages) formInFlow(r *http.Request) (fields, *Flow, error) {
	form, err := readForm(r)
	if err != nil {
		return nil, nil, err
	}
	flow, err := p.flow(r, form["flow"])
	return form, flow, err
}

func (p *Pages) code(w http.ResponseWriter, r *http.Request, query fields, flow *Flow, outcome *authn.Outcome) error {
	if outcome.Next == authn.SecurityKey {
		return Follow(w, r, CodePage, KeyNeeded, flow.ID)
	}
	view := p.codeView(r, flow, outcome)
	view.Resent = query["resent"] != ""
	return p.render(w, http.StatusOK, "code", flow, view)
}

// submitCode tries a code: 400 for what cannot be one, which is not counted,
// and 403 for one that was refused.
func (p *Pages) submitCode(w http.ResponseWriter, r *http.Request) error {
	form, flow, err := p.formInFlow(r)
	if err != nil {
		return p.expired(w, r, &Flow{}, err)
	}
	signIn := p.Cookies.Get(r, authn.SignInCookie)
	next, user, err := p.Authn.Awaited(r.Context(), signIn)
	switch {
	case err != nil:
		return p.expired(w, r, flow, err)
	case next == authn.SecurityKey:
		return Follow(w, r, CodePage, KeyNeeded, flow.ID)
	}
	code := withoutSpaces(form[codeField(next)])
	texts := p.texts(r)
	if slip := texts.codeSlip(next, code); slip != "" {
		return p.askCodeAgain(w, r, http.StatusBadRequest, flow, slip)
	}
	back, err := p.wayBack(r, flow, user)
	if err != nil {
		return err
	}
	outcome, err := p.try(r, authn.Attempt{
		Factor: next, SignIn: signIn, Secret: code, ACRValues: flow.ACRValues, Floor: flow.Floor, Also: p.joining(back),
	})
	switch {
	case errors.Is(err, directory.ErrInvitationClosed), errors.Is(err, directory.ErrNotInvited):
		return FollowTo(w, r, CodePage, Closed, back.Path) // which says why
	case errors.Is(err, authn.ErrRefused):
		return p.askCodeAgain(w, r, http.StatusForbidden, flow, texts.codeRefusal(next))
	case err != nil:
		return p.expired(w, r, flow, err)
	}
	return p.proceed(w, r, CodePage, flow, outcome)
}

// askCodeAgain shows the page of the code with what is wrong, or that the sign-in
// is over: with its last try it is, which was refused like those before.
func (p *Pages) askCodeAgain(w http.ResponseWriter, r *http.Request, status int, f *Flow, wrong string) error {
	under, err := p.signInUnderWay(r)
	if err != nil {
		return p.over(w, r, status, f, err)
	}
	view := p.codeView(r, f, under)
	view.Faults = []fault{{view.Field(), wrong}}
	return p.render(w, status, "code", f, view)
}

// resendCode sends another code to the same place.
func (p *Pages) resendCode(w http.ResponseWriter, r *http.Request) error {
	_, flow, err := p.formInFlow(r)
	if err != nil {
		return p.expired(w, r, &Flow{}, err)
	}
	if _, err := p.signInUnderWay(r); err != nil {
		return p.expired(w, r, flow, err)
	}
	if _, err := p.Authn.ResendCode(r.Context(), p.Cookies.Get(r, authn.SignInCookie), web.Network(r)); err != nil {
		return p.expired(w, r, flow, err)
	}
	again := withFlow(string(CodePage), flow)
	if flow.ID == "" {
		return FollowTo(w, r, CodePage, CodeSent, again+"?resent=1")
	}
	return FollowTo(w, r, CodePage, CodeSent, again+"&resent=1")
}

// codeSlip says what a slip of the finger makes of a code, before it costs an
// attempt; "" for what may be one.
func (c catalogue) codeSlip(f authn.Factor, code string) string {
	switch {
	case code == "":
		return c.text(codeField(f) + ".missing")
	case f != authn.RecoveryCode && strings.Trim(code, "0123456789") != "":
		return c.text("code.digits")
	default:
		return ""
	}
}

// codeRefusal says that a code was refused.
func (c catalogue) codeRefusal(f authn.Factor) string {
	switch f {
	case authn.TOTP:
		return c.text("totp.refused")
	case authn.RecoveryCode:
		return c.text("recovery_code.refused")
	default:
		return c.text("code.refused")
	}
}

// withoutSpaces drops what people put between the digits of a code.
func withoutSpaces(code string) string {
	return strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(code)
}
