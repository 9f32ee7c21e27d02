package pages

import (
	"context"
	"errors"
	"net/http"

	"gatehouse/authn"
	"gatehouse/internal/web"
)

// Where people sign in with a mail alone.
const (
	emailSignInPath = "/signin/email"
	emailCodePath   = "/signin/email-code"
)

// emailSignIns is what the pages for a sign-in with a mail need of [authn.Service].
type emailSignIns interface {
	AskEmailSignIn(ctx context.Context, a authn.EmailSignIn) (browser string, err error)
	OpenEmailSignIn(ctx context.Context, token, browser string) (flow string, same bool, err error)
}

// emailFlow is the flow of a service that is content with access to the mail;
// without one there is no such page.
func (p *Pages) emailFlow(r *http.Request, id string) (*Flow, error) {
	flow, err := p.flow(r, id)
	if err == nil && !flow.EmailSignIn {
		err = web.Errorf(http.StatusNotFound, "This service does not let people sign in by email")
	}
	return flow, err
}

// emailSignIn asks whom to send the mail to.
func (p *Pages) emailSignIn(w http.ResponseWriter, r *http.Request) error {
	query, err := readQuery(r)
	if err != nil {
		return err
	}
	flow, err := p.emailFlow(r, query["flow"])
	if err != nil {
		return p.expired(w, r, &Flow{}, err)
	}
	view := forgottenView{frame: p.frame(r, "emailsignin.title", flow), Identifier: flow.LoginHint}
	return p.render(w, http.StatusOK, "emailsignin", flow, view)
}

// submitEmailSignIn sends the browser on to the same page, whoever was named.
func (p *Pages) submitEmailSignIn(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	flow, err := p.emailFlow(r, form["flow"])
	if err != nil {
		return p.expired(w, r, &Flow{}, err)
	}
	view := forgottenView{frame: p.frame(r, "emailsignin.title", flow), Identifier: form["identifier"]}
	if view.Faults = view.missing(form, "identifier"); view.Faults != nil {
		return p.render(w, http.StatusBadRequest, "emailsignin", flow, view)
	}
	browser, err := p.Authn.AskEmailSignIn(r.Context(), authn.EmailSignIn{
		Identifier: form["identifier"], Flow: flow.ID, Network: web.Network(r), Want: authn.Want{ACRValues: flow.ACRValues, Floor: flow.Floor},
	})
	if err != nil {
		return err
	}
	p.Cookies.Set(w, authn.SignInCookie, browser, 0)
	return Follow(w, r, EmailSignInPage, MailSent, flow.ID)
}

// emailCode asks for the code, and says to open the link.
func (p *Pages) emailCode(w http.ResponseWriter, r *http.Request) error {
	query, err := readQuery(r)
	if err != nil {
		return err
	}
	flow, err := p.emailFlow(r, query["flow"])
	if err != nil {
		return p.expired(w, r, &Flow{}, err)
	}
	return p.render(w, http.StatusOK, "emailcode", flow, p.frame(r, "asked.title", flow))
}

// submitEmailCode tries the code.
func (p *Pages) submitEmailCode(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	flow, err := p.emailFlow(r, form["flow"])
	if err != nil {
		return p.expired(w, r, &Flow{}, err)
	}
	view, code := p.frame(r, "asked.title", flow), withoutSpaces(form["code"])
	if slip := view.codeSlip(authn.EmailCode, code); slip != "" {
		view.Faults = []fault{{"code", slip}}
		return p.render(w, http.StatusBadRequest, "emailcode", flow, view)
	}
	outcome, err := p.tryMail(r, code)
	switch {
	case errors.Is(err, authn.ErrRefused):
		view.Faults = []fault{{"code", view.text("code.refused")}}
		return p.render(w, http.StatusForbidden, "emailcode", flow, view)
	case err != nil:
		return p.expired(w, r, flow, err)
	}
	return p.proceed(w, r, EmailCodePage, flow, outcome)
}

// tryMail tries what came from a mail in the browser that asked for it.
func (p *Pages) tryMail(r *http.Request, secret string) (*authn.Outcome, error) {
	return p.try(r, authn.Attempt{
		Factor: authn.MagicLink, SignIn: p.Cookies.Get(r, authn.SignInCookie), Secret: secret,
	})
}

// emailAuth shows the button that signs in, in the browser that asked, and what to
// do in another. It uses nothing up: programs that look for malware follow links too.
func (p *Pages) emailAuth(w http.ResponseWriter, r *http.Request) error {
	flow, same, err := p.linkedSignIn(r)
	switch {
	case err != nil:
		return p.closed(w, r, err, "")
	case !same:
		return p.openedElsewhere(w, r)
	}
	view := struct {
		frame
		Path string
	}{p.frame(r, "emailauth.title", flow), r.URL.EscapedPath()}
	return p.render(w, http.StatusOK, "emailauth", flow, view)
}

// submitEmailAuth signs in with the link. The flow's id was sealed with it: nothing
// that the request says leads anywhere.
func (p *Pages) submitEmailAuth(w http.ResponseWriter, r *http.Request) error {
	if _, err := readForm(r); err != nil {
		return err
	}
	flow, same, err := p.linkedSignIn(r)
	switch {
	case err != nil:
		return p.closed(w, r, err, "")
	case !same:
		return p.openedElsewhere(w, r)
	}
	outcome, err := p.tryMail(r, r.PathValue("token"))
	if errors.Is(err, authn.ErrRefused) {
		err = authn.ErrLinkClosed
	}
	if errors.Is(err, authn.ErrLinkClosed) {
		return p.closed(w, r, err, "")
	}
	if err != nil {
		return p.expired(w, r, flow, err)
	}
	return p.proceed(w, r, EmailLinkPage, flow, outcome)
}

func (p *Pages) linkedSignIn(r *http.Request) (*Flow, bool, error) {
	id, same, err := p.Authn.OpenEmailSignIn(r.Context(), r.PathValue("token"), p.Cookies.Get(r, authn.SignInCookie))
	if err != nil || !same {
		return &Flow{}, false, err
	}
	flow, err := p.emailFlow(r, id)
	if errors.Is(err, ErrNoFlow) {
		err = authn.ErrLinkClosed // what it was for is over
	}
	return flow, true, err
}

func (p *Pages) openedElsewhere(w http.ResponseWriter, r *http.Request) error {
	n := note{frame: p.frame(r, "emailauth.other.title", &Flow{})}
	n.Text = n.text("emailauth.other.text")
	return p.note(w, http.StatusForbidden, n)
}
