package pages

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

const sessionsPath = accountPath + "/sessions"

// listedSession is a browser in which somebody is signed in, as its owner knows it.
type listedSession struct {
	ID              uuid.UUID
	Here            bool
	Browser, System string // "" for one that is not known
	Network, Place  string // "" where nobody knows it
	Since, Seen     time.Time
}

// sessions lists where the person is signed in.
func (p *Pages) sessions(w http.ResponseWriter, r *http.Request, a *account) error {
	all, err := p.listSessions(r, a)
	if err != nil {
		return err
	}
	view := struct {
		accountFrame
		Sessions []listedSession
	}{p.accountFrame(p.frame(r, "account.sessions.title", &Flow{}), r, a), all}
	return p.render(w, http.StatusOK, "accountsessions", view.Flow, view)
}

func (p *Pages) listSessions(r *http.Request, a *account) ([]listedSession, error) {
	found, err := p.Authn.Sessions(r.Context(), a.User.ID)
	if err != nil {
		return nil, err
	}
	all := make([]listedSession, 0, len(found))
	for _, s := range found {
		browser, system := authn.Device(s.UserAgent)
		all = append(all, listedSession{
			ID: s.ID, Here: s.ID == a.Session.ID, Browser: browser, System: system, Since: s.CreatedAt, Seen: s.SeenAt,
			Network: s.Network, Place: p.Authn.Where(s.Network, p.language(r)),
		})
	}
	return all, nil
}

// submitSessions ends one session, or every one but this. Whose it is decides
// the session of the request, never the form.
func (p *Pages) submitSessions(w http.ResponseWriter, r *http.Request, a *account) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	if form["session"] == "" {
		if err := p.Authn.EndSessions(r.Context(), a.User.ID, a.Session.ID, a.actor()); err != nil {
			return err
		}
		return done(w, r, sessionsPath, "sessions")
	}
	id, err := uuid.Parse(form["session"])
	if err != nil {
		return errNotTheirs()
	}
	if err := p.Authn.EndSessionOf(r.Context(), a.User.ID, id); errors.Is(err, directory.ErrNotFound) {
		return errNotTheirs()
	} else if err != nil {
		return err
	}
	return done(w, r, sessionsPath, "session")
}
