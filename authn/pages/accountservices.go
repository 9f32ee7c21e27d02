package pages

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

const servicesPath = accountPath + "/services"

// Services is what the pages of an account need of the authorization server.
type Services interface {
	// ServicesOf returns the services that use an account, by name.
	ServicesOf(ctx context.Context, user uuid.UUID) ([]UsedService, error)
	// WithdrawConsent ends what a service may do with an account; it joins the
	// transaction in ctx.
	WithdrawConsent(ctx context.Context, user uuid.UUID, clientID string) error
}

// UsedService is a service that uses somebody's account.
type UsedService struct {
	ClientID string
	Name     directory.Wording
	Scopes   []string // what its user has allowed; empty where nobody had to ask
	// AllowedAt and LastUsed are zero for never, and for longer ago than is kept.
	AllowedAt, LastUsed time.Time
}

// services lists the services that use the account.
func (p *Pages) services(w http.ResponseWriter, r *http.Request, a *account) error {
	all, err := p.Services.ServicesOf(r.Context(), a.User.ID)
	if err != nil {
		return err
	}
	view := struct {
		accountFrame
		Services []UsedService
	}{p.accountFrame(p.frame(r, "account.services.title", &Flow{}), r, a), all}
	for i := range view.Services {
		view.Services[i].Scopes = view.scopes(view.Services[i].Scopes)
	}
	byName := func(a, b UsedService) int {
		return strings.Compare(view.Word(a.Name), view.Word(b.Name))
	}
	slices.SortStableFunc(view.Services, byName)
	return p.render(w, http.StatusOK, "accountservices", view.Flow, view)
}

// submitServices withdraws what one service was allowed.
func (p *Pages) submitServices(w http.ResponseWriter, r *http.Request, a *account) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	all, err := p.Services.ServicesOf(r.Context(), a.User.ID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(s UsedService) bool { return s.ClientID == form["client"] }) {
		return errNotTheirs()
	}
	if err := p.Services.WithdrawConsent(r.Context(), a.User.ID, form["client"]); err != nil {
		return err
	}
	return done(w, r, servicesPath, "service")
}
