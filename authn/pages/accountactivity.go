package pages

import (
	"net/http"
	"time"

	"gatehouse/authn"
)

const activityPath = accountPath + "/activity"

// mostActivity bounds what is shown of each kind of record.
const mostActivity = 50

// listedActivity is something that happened, in words.
type listedActivity struct {
	At    time.Time
	Text  string
	Other bool // somebody who looks after accounts did it
}

// activity shows what happened to the account.
func (p *Pages) activity(w http.ResponseWriter, r *http.Request, a *account) error {
	found, err := p.Authn.Activity(r.Context(), a.User.ID, mostActivity)
	if err != nil {
		return err
	}
	view := struct {
		accountFrame
		Activity []listedActivity
	}{accountFrame: p.accountFrame(p.frame(r, "account.activity.title", &Flow{}), r, a)}
	view.Activity = view.activities(found)
	return p.render(w, http.StatusOK, "accountactivity", view.Flow, view)
}

// activities words what happened; what has no words here is not for its owner,
// as the consequence of something that is shown.
func (c catalogue) activities(found []authn.Activity) []listedActivity {
	all := make([]listedActivity, 0, len(found))
	for _, a := range found {
		if text, known := c["activity."+a.Kind]; known {
			all = append(all, listedActivity{At: a.At, Text: text, Other: a.ByOther})
		}
	}
	return all
}
