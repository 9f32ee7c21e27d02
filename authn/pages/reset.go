package pages

import (
	"context"
	"errors"
	"net/http"
	"net/netip"

	"gatehouse/authn"
	"gatehouse/internal/web"
)

// resets is what the pages for a forgotten password need of [authn.Service].
type resets interface {
	AskPasswordReset(ctx context.Context, identifier, flow string, network netip.Addr) error
	PasswordReset(ctx context.Context, token string) (flow string, err error)
	ResetPassword(ctx context.Context, token, password string) error
}

// forgottenView is the page that asks whose password was forgotten.
type forgottenView struct {
	frame
	Identifier string
}

func (p *Pages) forgottenView(r *http.Request, f *Flow) forgottenView {
	return forgottenView{frame: p.frame(r, "forgotten.title", f), Identifier: f.LoginHint}
}

func (p *Pages) forgotten(w http.ResponseWriter, r *http.Request) error {
	query, err := readQuery(r)
	if err != nil {
		return err
	}
	flow, err := p.flow(r, query["flow"])
	if err != nil {
		return p.expired(w, r, &Flow{}, err)
	}
	return p.render(w, http.StatusOK, "forgotten", flow, p.forgottenView(r, flow))
}

// submitForgotten answers 202 and one page, whoever was named.
func (p *Pages) submitForgotten(w http.ResponseWriter, r *http.Request) error {
	form, flow, err := p.formInFlow(r)
	if err != nil {
		return p.expired(w, r, &Flow{}, err)
	}
	view := p.forgottenView(r, flow)
	view.Identifier = form["identifier"]
	if view.Faults = view.missing(form, "identifier"); view.Faults != nil {
		return p.render(w, http.StatusBadRequest, "forgotten", flow, view)
	}
	if err := p.Authn.AskPasswordReset(r.Context(), form["identifier"], flow.ID, web.Network(r)); err != nil {
		return err
	}
	return p.note(w, http.StatusAccepted, note{frame: p.frame(r, "asked.title", flow), Text: view.text("forgotten.asked.text"), Late: true})
}

// newPasswordView is the page that a link to choose a new password leads to.
type newPasswordView struct {
	frame
	Path string
}

// newPassword shows the form. It uses nothing up: programs that look for malware
// follow links too.
func (p *Pages) newPassword(w http.ResponseWriter, r *http.Request) error {
	view, err := p.newPasswordView(r)
	if err != nil {
		return p.closed(w, r, err, "/forgotten-password")
	}
	return p.render(w, http.StatusOK, "newpassword", view.Flow, view)
}

func (p *Pages) newPasswordView(r *http.Request) (newPasswordView, error) {
	flow, err := p.Authn.PasswordReset(r.Context(), r.PathValue("token"))
	return newPasswordView{p.frame(r, "newpassword.title", p.sameFlow(r, flow)), r.URL.EscapedPath()}, err
}

// submitNewPassword changes the password and leads to the sign-in, which asks for
// the second factor as ever.
func (p *Pages) submitNewPassword(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	view, err := p.newPasswordView(r)
	if err != nil {
		return p.closed(w, r, err, "/forgotten-password")
	}
	view.Faults = view.missing(form, "password")
	if view.Faults == nil {
		err = p.Authn.ResetPassword(r.Context(), r.PathValue("token"), form["password"])
		if weak, ok := errors.AsType[*authn.PasswordError](err); ok {
			view.Faults = []fault{{"password", weak.Reason}}
		}
	}
	switch {
	case view.Faults != nil:
		return p.render(w, http.StatusBadRequest, "newpassword", view.Flow, view)
	case err != nil:
		return p.closed(w, r, err, "/forgotten-password")
	}
	done := p.frame(r, "newpassword.done.title", view.Flow)
	return p.note(w, http.StatusOK, note{frame: done, Text: done.text("newpassword.done.text"), SignIn: true})
}
