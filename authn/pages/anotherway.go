package pages

import (
	"errors"
	"fmt"
	"net/http"

	"gatehouse/authn"
	"gatehouse/internal/web"
)

// anotherWayView is the page that lets people choose how to go on after the password.
type anotherWayView struct {
	frame
	Ways []way
}

// way is one factor, in the words of whoever chooses it.
type way struct {
	Factor authn.Factor
	Text   string
}

func (p *Pages) anotherWayView(r *http.Request, f *Flow, o *authn.Outcome) anotherWayView {
	view := anotherWayView{frame: p.frame(r, "anotherway.title", f)}
	for _, factor := range o.Choices {
		view.Ways = append(view.Ways, way{factor, view.wayText(factor, o)})
	}
	return view
}

func (v anotherWayView) wayText(f authn.Factor, o *authn.Outcome) string {
	switch f {
	case authn.SecurityKey:
		return v.text("anotherway.security_key")
	case authn.TOTP:
		return v.text("anotherway.totp")
	case authn.RecoveryCode:
		return v.text("anotherway.recovery")
	case authn.EmailCode:
		return fmt.Sprintf(v.text("anotherway.email"), authn.Hint(o.User, f))
	default:
		return fmt.Sprintf(v.text("anotherway.sms"), authn.Hint(o.User, f))
	}
}

// anotherWay shows the factors that serve in the place of the one asked for.
func (p *Pages) anotherWay(w http.ResponseWriter, r *http.Request, _ fields, flow *Flow, outcome *authn.Outcome) error {
	if len(outcome.Choices) == 0 { // the code proves the address, and nothing else would
		return Follow(w, r, AnotherWayPage, CodeNeeded, flow.ID)
	}
	return p.render(w, http.StatusOK, "anotherway", flow, p.anotherWayView(r, flow, outcome))
}

// submitAnotherWay goes on with the factor that was chosen.
func (p *Pages) submitAnotherWay(w http.ResponseWriter, r *http.Request, form fields, flow *Flow, under *authn.Outcome) error {
	outcome, err := p.Authn.ChooseFactor(r.Context(), p.Cookies.Get(r, authn.SignInCookie), authn.Factor(form["factor"]), web.Network(r))
	switch {
	case errors.Is(err, authn.ErrRefused):
		view := p.anotherWayView(r, flow, under)
		view.Faults = []fault{{"factor", view.text("anotherway.missing")}}
		return p.render(w, http.StatusBadRequest, "anotherway", flow, view)
	case err != nil:
		return p.expired(w, r, flow, err)
	}
	return p.proceed(w, r, AnotherWayPage, flow, outcome)
}
