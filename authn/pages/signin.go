package pages

import (
	"errors"
	"net/http"

	"gatehouse/authn"
	"gatehouse/internal/web"
)

// signInView is the sign-in page.
type signInView struct {
	frame
	Identifier   string
	Registration bool // see [Pages.Registration]
	Passkeys     bool // they can be used here
}

func (p *Pages) signInView(r *http.Request, f *Flow) signInView {
	return signInView{
		frame: p.frame(r, "signin.title", f), Identifier: f.LoginHint, Registration: p.Registration, Passkeys: p.passkeys(),
	}
}

// signIn shows the sign-in page.
func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) error {
	query, err := readQuery(r)
	if err != nil {
		return err
	}
	flow, err := p.flow(r, query["flow"])
	if err != nil {
		return p.expired(w, r, &Flow{}, err)
	}
	return p.renderWith(w, http.StatusOK, "signin", p.keyPolicy(flow), p.signInView(r, flow))
}

// submitSignIn takes the identifier and the password. A form that is shown
// again answers 400 when something is missing and 403 when the account or
// password was refused, whatever the reason (seed 002).
func (p *Pages) submitSignIn(w http.ResponseWriter, r *http.Request) error {
	form, flow, err := p.formInFlow(r)
	if err != nil {
		return p.expired(w, r, &Flow{}, err)
	}
	view := p.signInView(r, flow)
	view.Identifier = form["identifier"]
	if view.Faults = view.missing(form, "identifier", "password"); view.Faults != nil {
		return p.renderWith(w, http.StatusBadRequest, "signin", p.keyPolicy(flow), view)
	}
	outcome, err := p.try(r, authn.Attempt{
		Factor: authn.Password, Identifier: form["identifier"], Secret: form["password"],
		ACRValues: flow.ACRValues, Floor: flow.Floor,
	})
	if errors.Is(err, authn.ErrRefused) {
		view.Faults = []fault{{"identifier", view.text("signin.refused")}}
		return p.renderWith(w, http.StatusForbidden, "signin", p.keyPolicy(flow), view)
	}
	if err != nil {
		return err
	}
	return p.proceed(w, r, SignInPage, flow, outcome)
}

// try tries a factor with what the browser brings along.
func (p *Pages) try(r *http.Request, a authn.Attempt) (*authn.Outcome, error) {
	a.Front, a.Network = authn.Browser, web.Network(r)
	a.Known, a.UserAgent = p.Cookies.Get(r, authn.KnownCookie), r.UserAgent()
	// The old session ends as the new one begins, so that one that was planted in the
	// browser before never becomes somebody's own.
	a.Begin = &authn.SessionInfo{Network: a.Network, UserAgent: a.UserAgent, Replaces: p.Cookies.Get(r, authn.SessionCookie)}
	return p.Authn.Authenticate(r.Context(), a)
}

// missing names the fields of a form that were left empty.
func (c catalogue) missing(form fields, names ...string) []fault {
	var faults []fault
	for _, name := range names {
		if form[name] == "" {
			faults = append(faults, fault{name, c.text(name + ".missing")})
		}
	}
	return faults
}

// proceed follows a factor that was accepted on a page with what comes next.
func (p *Pages) proceed(w http.ResponseWriter, r *http.Request, from Page, f *Flow, o *authn.Outcome) error {
	switch {
	case o.Complete():
		return p.finish(w, r, from, f, o)
	case o.Next == authn.SecurityKey && o.Keys == 0:
		return p.render(w, http.StatusOK, "nosecuritykey", f, p.frame(r, "nosecuritykey.title", f))
	}
	p.Cookies.Set(w, authn.SignInCookie, o.SignIn, 0)
	if o.Next == authn.SecurityKey {
		return Follow(w, r, from, KeyNeeded, f.ID)
	}
	return Follow(w, r, from, CodeNeeded, f.ID)
}

// finish hands the session of a sign-in that is complete to the browser.
func (p *Pages) finish(w http.ResponseWriter, r *http.Request, from Page, f *Flow, o *authn.Outcome) error {
	p.Cookies.Set(w, authn.SessionCookie, o.Session, 0)
	p.Cookies.Clear(w, authn.SignInCookie)
	if o.Known != "" {
		p.Cookies.Set(w, authn.KnownCookie, o.Known, authn.KnownFor)
	}
	if f.ID == "" {
		return p.goBack(w, r, from, o.User)
	}
	return Follow(w, r, from, SignedInFor, f.ID)
}

// expired explains that a sign-in cannot go on and where to begin again; an
// error of another kind is passed on.
func (p *Pages) expired(w http.ResponseWriter, r *http.Request, f *Flow, err error) error {
	return p.over(w, r, http.StatusBadRequest, f, err)
}

// over is expired with a status of its own.
func (p *Pages) over(w http.ResponseWriter, r *http.Request, status int, f *Flow, err error) error {
	if !errors.Is(err, ErrNoFlow) && !errors.Is(err, authn.ErrNoSignIn) {
		return err
	}
	view := struct {
		frame
		Restart bool
	}{p.frame(r, "expired.title", f), errors.Is(err, authn.ErrNoSignIn)}
	return p.render(w, status, "expired", f, view)
}
