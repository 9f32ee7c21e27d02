package notify

import (
	"net/http"

	"gatehouse/internal/web"
)

// OrganisationRoutes are the routes of organisations, under the path of the
// documentation (seed 001) and under the one that upstream's application asks.
// What protects a route stands behind the check of its path: a path that does
// not exist is told to everybody.
func (a *API) OrganisationRoutes(protect func(web.Handler) web.Handler) []web.Route {
	var all []web.Route
	for _, base := range []string{"/organisation", "/organisations"} {
		const one = "organisation_id"
		showUsers, addUser := a.showMembers, a.addMember
		if base == "/organisations" {
			showUsers, addUser = a.showFullMembers, a.addFullMember
		}
		id := base + "/{organisation_id}"
		all = append(all,
			protected(protect, http.MethodGet, base, a.listOrganisations),
			protected(protect, http.MethodPost, base, a.CreateOrganisation),
			protected(protect, http.MethodGet, base+"/by-domain", a.organisationByDomain),
			protected(protect, http.MethodGet, base+"/search", a.searchOrganisations),
			protected(protect, http.MethodGet, id, a.ShowOrganisation, one),
			protected(protect, http.MethodPost, id, a.changeOrganisation, one),
			protected(protect, http.MethodPost, id+"/archive", a.archiveOrganisation, one),
			protected(protect, http.MethodPost, id+"/service", a.moveService, one),
			protected(protect, http.MethodGet, id+"/services", a.organisationServices, one),
			protected(protect, http.MethodGet, id+"/services-with-usage", a.organisationUsage, one),
			protected(protect, http.MethodGet, id+"/users", showUsers, one),
			protected(protect, http.MethodPost, id+"/users/{user_id}", addUser, one, "user_id"),
			protected(protect, http.MethodDelete, id+"/users/{user_id}", a.removeMember, one, "user_id"),
		)
	}
	return all
}
