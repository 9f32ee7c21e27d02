package pages

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// askedTTL is how long a browser remembers that it asked for a link; longer than
// any link is good.
const askedTTL = 25 * time.Hour

// registrations is what the pages for a new account need of [authn.Service].
type registrations interface {
	// Register returns a [*directory.MobileError] for a number that no text message goes to.
	Register(ctx context.Context, r authn.Registration) (browser string, err error)
	// CheckTexting is such an error, or nil, for the number of somebody invited.
	CheckTexting(number string) error
	OpenRegistration(ctx context.Context, token, browser string) (*authn.Registering, error)
	ConfirmRegistration(ctx context.Context, token, browser, password string, network netip.Addr) error
}

// registrationView is the form for a new account.
type registrationView struct {
	frame
	Name, Email, Mobile string
}

func (p *Pages) registrationView(r *http.Request, f *Flow) *registrationView {
	return &registrationView{frame: p.frame(r, "register.title", f)}
}

// registration shows the form, where people may make accounts themselves.
func (p *Pages) registration(w http.ResponseWriter, r *http.Request) error {
	query, err := readQuery(r)
	if err != nil {
		return err
	}
	flow, err := p.flow(r, query["flow"])
	if err != nil {
		return p.expired(w, r, &Flow{}, err)
	}
	if !p.Registration {
		return p.byInvitation(w, r, flow)
	}
	return p.render(w, http.StatusOK, "register", flow, p.registrationView(r, flow))
}

func (p *Pages) byInvitation(w http.ResponseWriter, r *http.Request, f *Flow) error {
	n := note{frame: p.frame(r, "register.closed.title", f), SignIn: true}
	n.Text = n.text("register.closed.text")
	return p.note(w, http.StatusForbidden, n)
}

// SubmitRegistration takes the form. An address that has an account gets the
// answer of one that has none: only the mail differs.
func (p *Pages) SubmitRegistration(w http.ResponseWriter, r *http.Request) error {
	form, flow, err := p.formInFlow(r)
	if err != nil {
		return p.expired(w, r, &Flow{}, err)
	}
	if !p.Registration {
		return p.byInvitation(w, r, flow)
	}
	v := p.registrationView(r, flow)
	v.Name, v.Email, v.Mobile = strings.TrimSpace(form["name"]), strings.TrimSpace(form["email"]), strings.TrimSpace(form["mobile"])
	if v.Faults = v.missing(fields{"name": v.Name, "email": v.Email, "password": form["password"]}, "name", "email", "password"); v.Faults != nil {
		return p.render(w, http.StatusBadRequest, "register", flow, v)
	}
	browser, err := p.Authn.Register(r.Context(), authn.Registration{
		Name: v.Name, Email: v.Email, Mobile: v.Mobile, Password: form["password"], Flow: flow.ID, Network: web.Network(r),
	})
	if v.Faults = v.refused(err); v.Faults != nil {
		return p.render(w, http.StatusBadRequest, "register", flow, v)
	}
	if err != nil {
		return err
	}
	p.Cookies.Set(w, authn.AskedCookie, browser, askedTTL)
	n := note{frame: p.frame(r, "asked.title", flow), Late: true}
	n.Text = n.text("register.asked.text")
	return p.note(w, http.StatusAccepted, n)
}

// refused words why a registration was refused; nil when it is no fault of the form.
func (v *registrationView) refused(err error) []fault {
	if weak, ok := errors.AsType[*authn.PasswordError](err); ok {
		return []fault{{"password", weak.Reason}}
	}
	field, ok := errors.AsType[*directory.FieldError](err)
	_, elsewhere := errors.AsType[*directory.MobileError](err)
	switch {
	case !ok && elsewhere:
		return []fault{{"mobile", v.text("mobile_number.country")}}
	case !ok:
		return nil
	case field.Field == "mobile_number":
		return []fault{{"mobile", v.text("mobile_number.refused")}}
	case field.Field == "email_address":
		return []fault{{"email", v.text("email.refused")}}
	}
	return []fault{{"name", v.text("name.refused")}}
}

// verifyView is the page that the link to a new account leads to.
type verifyView struct {
	frame
	Path    string
	Account *authn.Registering
}

// verifyEmail shows the button. It uses nothing up: programs that look for malware
// follow links too.
func (p *Pages) verifyEmail(w http.ResponseWriter, r *http.Request) error {
	view, err := p.verifyView(r)
	if err != nil {
		return p.closed(w, r, err, "/register")
	}
	return p.render(w, http.StatusOK, "verifyemail", view.Flow, view)
}

func (p *Pages) verifyView(r *http.Request) (*verifyView, error) {
	account, err := p.Authn.OpenRegistration(r.Context(), r.PathValue("token"), p.Cookies.Get(r, authn.AskedCookie))
	if err != nil {
		return nil, err
	}
	return &verifyView{p.frame(r, "verify.title", p.sameFlow(r, account.Flow)), r.URL.EscapedPath(), account}, nil
}

// submitVerifyEmail makes the account and leads to the sign-in.
func (p *Pages) submitVerifyEmail(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	view, err := p.verifyView(r)
	if err != nil {
		return p.closed(w, r, err, "/register")
	}
	if !view.Account.Same {
		if view.Faults = view.missing(form, "password"); view.Faults != nil {
			return p.render(w, http.StatusBadRequest, "verifyemail", view.Flow, view)
		}
	}
	browser := p.Cookies.Get(r, authn.AskedCookie)
	err = p.Authn.ConfirmRegistration(r.Context(), r.PathValue("token"), browser, form["password"], web.Network(r))
	switch {
	case errors.Is(err, authn.ErrRefused):
		view.Faults = []fault{{"password", view.text("verify.refused")}}
		return p.render(w, http.StatusForbidden, "verifyemail", view.Flow, view)
	case err != nil:
		return p.closed(w, r, err, "/register")
	}
	p.Cookies.Clear(w, authn.AskedCookie)
	n := note{frame: p.frame(r, "verify.done.title", view.Flow), SignIn: true}
	n.Text = n.text("verify.done.text")
	return p.note(w, http.StatusOK, n)
}
