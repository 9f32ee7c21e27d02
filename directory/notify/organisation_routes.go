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
		one := func(h web.Handler) web.Handler { return WithID("organisation_id", protect(h)) }
		showUsers, addUser := a.showMembers, a.addMember
		if base == "/organisations" {
			showUsers, addUser = a.showFullMembers, a.addFullMember
		}
		id := base + "/{organisation_id}"
		all = append(all,
			route(http.MethodGet, base, protect(a.listOrganisations)),
			route(http.MethodPost, base, protect(a.CreateOrganisation)),
			route(http.MethodGet, base+"/by-domain", protect(a.organisationByDomain)),
			route(http.MethodGet, base+"/search", protect(a.searchOrganisations)),
			route(http.MethodGet, id, one(a.ShowOrganisation)),
			route(http.MethodPost, id, one(a.changeOrganisation)),
			route(http.MethodPost, id+"/archive", one(a.archiveOrganisation)),
			route(http.MethodPost, id+"/service", one(a.moveService)),
			route(http.MethodGet, id+"/services", one(a.organisationServices)),
			route(http.MethodGet, id+"/users", one(showUsers)),
			route(http.MethodPost, id+"/users/{user_id}", WithID("user_id", one(addUser))),
			route(http.MethodDelete, id+"/users/{user_id}", WithID("user_id", one(a.removeMember))),
		)
	}
	return all
}

func route(method, path string, h web.Handler) web.Route {
	return web.Route{Method: method, Path: path, Surface: Surface{}, Handler: h}
}
