package pages

import (
	"errors"
	"net/http"

	"gatehouse/authn"
)

// note is a page that only says something.
type note struct {
	frame
	Text   string
	Late   bool   // it is about a message that can take its time
	SignIn bool   // the way on is to sign in
	Again  string // where to ask for another link; "" for nowhere
}

func (p *Pages) note(w http.ResponseWriter, status int, n note) error {
	return p.render(w, status, "note", n.Flow, n)
}

// closed explains that a link is good for nothing, and where to ask for another;
// an error of another kind is passed on.
func (p *Pages) closed(w http.ResponseWriter, r *http.Request, err error, again string) error {
	if !errors.Is(err, authn.ErrLinkClosed) {
		return err
	}
	n := note{frame: p.frame(r, "linkclosed.title", &Flow{}), Again: again}
	n.Text = n.text("linkclosed.text")
	return p.note(w, http.StatusGone, n)
}

// sameFlow finds the authorization that this browser was about when it asked for
// a link; the zero Flow in another browser, and when it is over.
func (p *Pages) sameFlow(r *http.Request, id string) *Flow {
	flow, err := p.flow(r, id)
	if err != nil {
		return &Flow{}
	}
	return flow
}
