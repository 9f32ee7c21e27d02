package pages

import (
	"errors"
	"fmt"
	"net/http"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// invitationView is the page of an invitation: a button for whoever is signed
// in, the way to the sign-in for who has an account, or a form for who has none.
type invitationView struct {
	frame
	// Invitation is nil where the link is none of ours.
	Invitation *directory.TeamInvitation
	Path       string          // of the page, where its form goes too
	User       *directory.User // who is signed in; nil for nobody
	Account    bool            // who is invited has an account
	Name       string
	Mobile     string
}

// Lead says who invites to what.
func (v *invitationView) Lead() string {
	text := v.text("invitation.service")
	if v.Invitation.Kind == directory.OrganisationTeam {
		text = v.text("invitation.organisation")
	}
	return fmt.Sprintf(text, v.Invitation.InvitedBy, v.Invitation.TeamName)
}

// SMS reports whether the new account will sign in with codes by text message.
func (v *invitationView) SMS() bool { return v.Invitation.SignInBy() == directory.SMSAuth }

// invitation shows an invitation. It changes nothing: programs that look for
// malware follow links too.
func (p *Pages) invitation(kind directory.TeamKind) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := p.invited(r, kind)
		if err != nil {
			return err
		}
		if shown, err := p.notOpen(w, v); shown || err != nil {
			return err
		}
		return p.render(w, http.StatusOK, "invitation", v.Flow, v)
	}
}

// submitInvitation accepts an invitation, or does what has to come before.
func (p *Pages) submitInvitation(kind directory.TeamKind) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		form, err := readForm(r)
		if err != nil {
			return err
		}
		v, err := p.invited(r, kind)
		if err != nil {
			return err
		}
		if shown, err := p.notOpen(w, v); shown || err != nil {
			return err
		}
		switch {
		case v.User != nil:
			return p.accept(w, r, v)
		case !v.Account:
			return p.register(w, r, v, form)
		}
		if err := p.comeBack(w, r, wayBack{Path: v.Path}); err != nil {
			return err
		}
		return Follow(w, r, InvitationPage, SignInNeeded, "")
	}
}

// invited finds what a request for the page of an invitation is about.
func (p *Pages) invited(r *http.Request, kind directory.TeamKind) (*invitationView, error) {
	v := &invitationView{frame: p.frame(r, "invitation.title", &Flow{}), Path: r.URL.EscapedPath()}
	id, err := p.InvitationID(r.PathValue("token"))
	if err != nil {
		return v, nil //nolint:nilerr // the page says that the link is none of ours
	}
	v.Invitation, err = p.Invitations.TeamInvitation(r.Context(), kind, id)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		// Invitations are deleted some time after they have expired.
		v.Invitation = &directory.TeamInvitation{Kind: kind, Active: true}
		return v, nil
	case err != nil:
		return nil, err
	}
	if v.User, err = p.signedIn(r); err != nil || v.User != nil {
		return v, err
	}
	account, err := p.Invitations.InvitedAccount(r.Context(), v.Invitation)
	v.Account = account != nil
	return v, err
}

// notOpen shows why an invitation cannot be accepted, if it cannot: what became
// of it, or that it is for somebody else.
func (p *Pages) notOpen(w http.ResponseWriter, v *invitationView) (shown bool, err error) {
	page := struct {
		frame
		Text    string
		SignOut bool
	}{frame: v.frame}
	status := http.StatusGone
	switch i, now := v.Invitation, p.Clock(); {
	case i == nil:
		status = http.StatusNotFound
		page.Title, page.Text = v.text("invitation.unknown.title"), v.text("invitation.unknown.text")
	case i.Accepted() && v.User != nil && i.For(v.User):
		status = http.StatusOK
		page.Title, page.Text = fmt.Sprintf(v.text("invitation.joined.title"), i.TeamName), v.text("invitation.joined.text")
	case i.Accepted():
		page.Title, page.Text = v.text("invitation.accepted.title"), v.text("invitation.accepted.text")
	case i.Status == directory.InvitationCancelled, !i.Active:
		page.Title, page.Text = v.text("invitation.cancelled.title"), v.text("invitation.cancelled.text")
	case i.Expired(now):
		page.Title, page.Text = v.text("invitation.expired.title"), v.text("invitation.expired.text")
	case v.User != nil && !i.For(v.User):
		status, page.SignOut = http.StatusForbidden, true
		page.Title, page.Text = v.text("invitation.other.title"), v.text("invitation.other.text")
	default:
		return false, nil
	}
	return true, p.render(w, status, "invitationclosed", v.Flow, page)
}

// accept makes whoever is signed in a member. The page then says so, or what
// has happened to the invitation in the meantime.
func (p *Pages) accept(w http.ResponseWriter, r *http.Request, v *invitationView) error {
	err := p.Invitations.AcceptInvitation(r.Context(), v.Invitation.Kind, v.Invitation.ID, v.User.ID)
	if err != nil && !errors.Is(err, directory.ErrInvitationClosed) && !errors.Is(err, directory.ErrNotInvited) {
		return err
	}
	return FollowTo(w, r, InvitationPage, Joined, v.Path)
}

// signedIn returns who is signed in; nil for nobody.
func (p *Pages) signedIn(r *http.Request) (*directory.User, error) {
	token := p.Cookies.Get(r, authn.SessionCookie)
	if token == "" {
		return nil, nil
	}
	_, user, err := p.Authn.Session(r.Context(), token)
	if errors.Is(err, authn.ErrNoSession) {
		return nil, nil
	}
	return user, err
}
