package pages

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// contactView is the page of a new address or number, and of its code.
type contactView struct {
	accountFrame
	Path    string // where its forms go
	Mobile  bool   // it is about a number, else about an address
	Entered string // what was typed
	Pending string // what a code was sent to; "" asks for a new one
}

// contactPath is the page of an address or a number, and the name of its field.
func contactPath(c authn.Contact) string { return accountPath + "/" + string(c) }

func (p *Pages) contactView(r *http.Request, a *account, c authn.Contact) *contactView {
	head := p.frame(r, "account.email.title", &Flow{})
	if c == authn.MobileContact {
		head = p.frame(r, "account.mobile.title", &Flow{})
	}
	return &contactView{accountFrame: p.accountFrame(head, r, a), Path: contactPath(c), Mobile: c == authn.MobileContact}
}

func (p *Pages) contactPage(w http.ResponseWriter, status int, v *contactView, faults ...fault) error {
	v.Faults = faults
	return p.render(w, status, "accountcontact", v.Flow, v)
}

// contact asks for a new address or number, or for the code that was sent to it.
func (p *Pages) contact(c authn.Contact) accountHandler {
	return func(w http.ResponseWriter, r *http.Request, a *account) error {
		view := p.contactView(r, a, c)
		if r.URL.Query().Has("sent") {
			to, err := p.Authn.PendingContact(r.Context(), a.Session, c)
			if err != nil && !errors.Is(err, authn.ErrNoSignIn) {
				return err
			}
			view.Pending = to
		}
		return p.contactPage(w, http.StatusOK, view)
	}
}

// submitContact takes a new address or number, and then its code.
func (p *Pages) submitContact(c authn.Contact) accountHandler {
	return func(w http.ResponseWriter, r *http.Request, a *account) error {
		form, err := readForm(r)
		if err != nil {
			return err
		}
		if code, given := form["code"]; given {
			return p.proveContact(w, r, a, c, withoutSpaces(code))
		}
		if form["remove"] != "" && c == authn.MobileContact {
			return p.removeMobile(w, r, a)
		}
		view := p.contactView(r, a, c)
		view.Entered = strings.TrimSpace(form[string(c)])
		if text := view.contactFault(c, a.User); text != "" {
			return p.contactPage(w, http.StatusBadRequest, view, fault{string(c), text})
		}
		if c == authn.EmailContact {
			err := p.Users.MayMoveTo(r.Context(), a.User, view.Entered)
			if errors.Is(err, directory.ErrForbidden) {
				return p.contactPage(w, http.StatusBadRequest, view, fault{string(c), view.text("account.email.government")})
			}
			if err != nil {
				return err
			}
		}
		err = p.Authn.BeginContactChange(r.Context(), a.Session, a.User, c, view.Entered)
		if _, ok := errors.AsType[*directory.MobileError](err); ok {
			return p.contactPage(w, http.StatusBadRequest, view, fault{string(c), view.text("mobile_number.country")})
		}
		if err != nil {
			return err
		}
		return FollowTo(w, r, AccountPage, CodeSent, view.Path+"?sent=1")
	}
}

// contactFault says why what was typed cannot be used; "" when it may be. Whether
// somebody else has it is not said: that would tell who has an account.
func (v *contactView) contactFault(c authn.Contact, u *directory.User) string {
	switch {
	case v.Entered == "" && c == authn.MobileContact:
		return v.text("mobile_number.missing")
	case v.Entered == "":
		return v.text("email.missing")
	case c == authn.MobileContact:
		return v.mobileFault(u)
	case directory.ValidateEmail(v.Entered) != nil:
		return v.text("email.refused")
	case directory.NormaliseEmail(v.Entered) == directory.NormaliseEmail(u.EmailAddress):
		return v.text("account.email.same")
	}
	return ""
}

func (v *contactView) mobileFault(u *directory.User) string {
	number, err := directory.ParseMobile(v.Entered)
	if err != nil {
		return v.text("mobile_number.refused")
	}
	if before, err := directory.ParseMobile(u.MobileNumber); err == nil && before == number {
		return v.text("account.mobile.same")
	}
	return ""
}

// removeMobile takes the number away where no code is sent to it.
func (p *Pages) removeMobile(w http.ResponseWriter, r *http.Request, a *account) error {
	view, none := p.contactView(r, a, authn.MobileContact), ""
	if !view.Removable() {
		return p.contactPage(w, http.StatusConflict, view, fault{"mobile", view.text("account.mobile.needed")})
	}
	err := p.Authn.RemoveMobile(r.Context(), a.Session, a.User, func(ctx context.Context) error {
		_, err := p.Users.UpdateUser(ctx, a.User.ID, directory.UserChange{MobileNumber: &none}, a.actor(), nil)
		return err
	})
	if _, ok := errors.AsType[*directory.FieldError](err); ok { // needed since the page was shown
		return p.contactPage(w, http.StatusConflict, view, fault{"mobile", view.text("account.mobile.needed")})
	}
	if err != nil {
		return err
	}
	return done(w, r, accountPath, "mobile_removed")
}

// Needed reports that codes are sent to the number when its owner signs in.
func (v *contactView) Needed() bool { return v.Mobile && v.User.AuthType == directory.SMSAuth }

// Removable reports that there is a number, and that the account opens without it.
func (v *contactView) Removable() bool { return v.Mobile && v.User.MobileNumber != "" && !v.Needed() }

// proveContact tries the code and makes the change.
func (p *Pages) proveContact(w http.ResponseWriter, r *http.Request, a *account, c authn.Contact, code string) error {
	view := p.contactView(r, a, c)
	to, err := p.Authn.PendingContact(r.Context(), a.Session, c)
	if errors.Is(err, authn.ErrNoSignIn) {
		return p.contactPage(w, http.StatusBadRequest, view, fault{string(c), view.text("account.contact.late")})
	}
	if err != nil {
		return err
	}
	view.Pending = to
	if slip := view.codeSlip(authn.SMSCode, code); slip != "" {
		return p.contactPage(w, http.StatusBadRequest, view, fault{"code", slip})
	}
	err = p.Authn.ChangeContact(r.Context(), a.Session, a.User, c, code, p.changingContact(a, c))
	switch {
	case errors.Is(err, authn.ErrRefused):
		return p.contactPage(w, http.StatusForbidden, view, fault{"code", view.text("code.refused")})
	case errors.Is(err, directory.ErrConflict):
		// Whoever gets here reads the mail of the address: they may know.
		view.Pending = ""
		return p.contactPage(w, http.StatusConflict, view, fault{string(c), view.text("account.email.taken")})
	case errors.Is(err, directory.ErrForbidden): // in a team since the code was sent
		view.Pending = ""
		return p.contactPage(w, http.StatusConflict, view, fault{string(c), view.text("account.email.government")})
	case errors.Is(err, authn.ErrNoSignIn):
		return FollowTo(w, r, AccountPage, Changed, view.Path) // used in another tab
	case err != nil:
		return err
	}
	return done(w, r, accountPath, string(c))
}

// changingContact writes what was proved into the directory.
func (p *Pages) changingContact(a *account, c authn.Contact) func(ctx context.Context, to string) error {
	return func(ctx context.Context, to string) error {
		now := p.Clock()
		change := directory.UserChange{EmailAddress: &to, EmailAccessValidatedAt: &now}
		if c == authn.MobileContact {
			change = directory.UserChange{MobileNumber: &to}
		} else if err := p.Users.MayMoveTo(ctx, a.User, to); err != nil {
			return err
		}
		_, err := p.Users.UpdateUser(ctx, a.User.ID, change, a.actor(), nil)
		return err
	}
}

// name shows the form of a person's name.
func (p *Pages) name(w http.ResponseWriter, r *http.Request, a *account) error {
	return p.namePage(w, r, a, http.StatusOK, a.User.Name)
}

func (p *Pages) namePage(w http.ResponseWriter, r *http.Request, a *account, status int, name string, faults ...fault) error {
	view := struct {
		accountFrame
		Name string
	}{p.accountFrame(p.frame(r, "account.name.title", &Flow{}), r, a), name}
	view.Faults = faults
	return p.render(w, status, "accountname", view.Flow, view)
}

// submitName changes the name and nothing else, whatever else the form holds.
func (p *Pages) submitName(w http.ResponseWriter, r *http.Request, a *account) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(form["name"])
	if faults := p.texts(r).missing(fields{"name": name}, "name"); faults != nil {
		return p.namePage(w, r, a, http.StatusBadRequest, name, faults...)
	}
	_, err = p.Users.UpdateUser(r.Context(), a.User.ID, directory.UserChange{Name: &name}, a.actor(), nil)
	if _, ok := errors.AsType[*directory.FieldError](err); ok {
		return p.namePage(w, r, a, http.StatusBadRequest, name, fault{"name", p.texts(r).text("name.refused")})
	}
	if err != nil {
		return err
	}
	return done(w, r, accountPath, "name")
}

// errNotTheirs answers for what is somebody else's, or nobody's: they are not told apart.
func errNotTheirs() error { return web.Errorf(http.StatusNotFound, "Your account has no such thing") }
