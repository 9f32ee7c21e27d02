package pages

import (
	"net/http"
	"strconv"
	"time"

	"gatehouse/authn"
)

const activityPath = accountPath + "/activity"

// mostActivity is how much one page looks at; of some of it people are not told.
const mostActivity = 50

// listedActivity is something that happened, in words.
type listedActivity struct {
	At    time.Time
	Text  string
	Other bool // somebody who looks after accounts did it
}

// activity shows what happened to the account.
func (p *Pages) activity(w http.ResponseWriter, r *http.Request, a *account) error {
	before := pageBefore(r)
	found, more, err := p.Authn.Activity(r.Context(), a.User.ID, before, mostActivity)
	if err != nil {
		return err
	}
	view := struct {
		accountFrame
		Activity []listedActivity
		Later    bool  // what is on the page before is later
		Before   int64 // where the next page begins, in microseconds since 1970; 0 for none
	}{accountFrame: p.accountFrame(p.frame(r, "account.activity.title", &Flow{}), r, a), Later: !before.IsZero()}
	if !more.IsZero() {
		view.Before = more.UnixMicro()
	}
	view.Activity = view.activities(found)
	return p.render(w, http.StatusOK, "accountactivity", view.Flow, view)
}

// pageBefore is the time that a page ends at; zero, for the first page, also for
// what is no time.
func pageBefore(r *http.Request) time.Time {
	micros, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	if err != nil || micros <= 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros)
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
