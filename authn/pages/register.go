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

// register makes an account for somebody invited and begins its first sign-in,
// which proves the number or the address. Only with that does the account become
// active and the invitation count as accepted.
func (p *Pages) register(w http.ResponseWriter, r *http.Request, v *invitationView, form fields) error {
	v.Name, v.Mobile = strings.TrimSpace(form["name"]), strings.TrimSpace(form["mobile_number"])
	v.Faults = p.registrationFaults(v, form)
	if v.Faults != nil {
		return p.render(w, http.StatusBadRequest, "invitation", v.Flow, v)
	}
	user, err := p.createInvited(r, v, form["password"])
	switch {
	case errors.Is(err, directory.ErrConflict), errors.Is(err, directory.ErrInvitationClosed):
		return FollowTo(w, r, InvitationPage, Joined, v.Path) // the page says what has changed meanwhile
	case err != nil:
		if v.Faults = v.registrationFault(err); v.Faults == nil {
			return err
		}
		return p.render(w, http.StatusBadRequest, "invitation", v.Flow, v)
	}
	outcome, err := p.try(r, authn.Attempt{
		Factor: authn.Password, UserID: user.ID, Secret: form["password"], Network: web.Network(r), AdmitPending: true,
	})
	if errors.Is(err, authn.ErrRefused) {
		return FollowTo(w, r, InvitationPage, Joined, v.Path) // the account was begun anew at the same time
	}
	if err != nil {
		return err
	}
	back := wayBack{Path: v.Path, UserID: user.ID, Kind: v.Invitation.Kind, Invitation: v.Invitation.ID}
	if err := p.comeBack(w, r, back); err != nil {
		return err
	}
	return p.proceed(w, r, InvitationPage, v.Flow, outcome)
}

// createInvited writes the account and its password in one transaction.
func (p *Pages) createInvited(r *http.Request, v *invitationView, password string) (*directory.User, error) {
	prepared, err := p.Authn.PreparePassword(r.Context(), password)
	if err != nil {
		return nil, err
	}
	return p.Invitations.RegisterInvited(r.Context(), v.Invitation, v.Name, v.Mobile, func(ctx context.Context, u *directory.User) error {
		return p.Authn.StorePassword(ctx, u.ID, prepared, directory.Actor{Kind: "user", ID: u.ID.String()})
	})
}

// registrationFaults are those that are seen without looking anything up.
func (p *Pages) registrationFaults(v *invitationView, form fields) []fault {
	faults := v.missing(fields{"name": v.Name}, "name")
	if text := p.invitedMobileFault(v); text != "" {
		faults = append(faults, fault{"mobile_number", text})
	}
	return append(faults, v.missing(form, "password")...)
}

// invitedMobileFault says why a number cannot be used; "" when it may be.
func (p *Pages) invitedMobileFault(v *invitationView) string {
	if v.Mobile == "" {
		if v.SMS() {
			return v.text("mobile_number.missing")
		}
		return ""
	}
	if _, err := directory.ParseMobile(v.Mobile); err != nil {
		return v.text("mobile_number.refused")
	}
	if err := p.Authn.CheckTexting(v.Mobile); err != nil {
		return v.text("mobile_number.country")
	}
	return ""
}

// registrationFault words why the account was refused; nil when it is no fault
// of the form.
func (v *invitationView) registrationFault(err error) []fault {
	if weak, ok := errors.AsType[*authn.PasswordError](err); ok {
		return []fault{{"password", weak.Reason}}
	}
	field, ok := errors.AsType[*directory.FieldError](err)
	switch {
	case ok && field.Field == "mobile_number":
		return []fault{{"mobile_number", v.text("mobile_number.refused")}}
	case ok && field.Field == "name":
		return []fault{{"name", v.text("name.refused")}}
	}
	return nil
}
