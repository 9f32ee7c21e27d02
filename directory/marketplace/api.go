package marketplace

import (
	"net/http"
	"slices"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// API answers the routes of the dialect.
type API struct{ Marketplace *directory.Marketplace }

// Protect puts a check of the caller in front of a handler.
type Protect func(need func(*directory.Caller) error, next web.Handler) web.Handler

// ConsentsSegment is the segment behind a user's id in the route that records
// consents. The route is registered with a wildcard there: net/http cannot have
// it beside /users/broadband/{cp_user_id}, since both would match /users/broadband/consents.
const ConsentsSegment = "consents"

// Routes are the routes of the dialect, each for the kinds of companies it is for.
func (a *API) Routes(protect Protect) []web.Route {
	route := func(method, path string, h web.Handler, kinds ...directory.CompanyKind) web.Route {
		return web.Route{Method: method, Path: path, Surface: web.Problem{}, Handler: protect(needCompany(kinds...), explained(h))}
	}
	consents := route(http.MethodPost, "/users/{user_id}/{part}", a.GiveConsent, directory.Partner)
	consents.Exists = func(r *http.Request) bool { return r.PathValue("part") == ConsentsSegment }
	return []web.Route{
		route(http.MethodGet, "/users", a.Users, directory.Partner, directory.Provider),
		route(http.MethodPost, "/users", a.CreateUser, directory.Partner),
		route(http.MethodGet, "/users/{user_id}", a.User, directory.Partner, directory.Provider),
		route(http.MethodPost, "/users/{user_id}", a.UpdateUser, directory.Partner, directory.Provider),
		route(http.MethodDelete, "/users/{user_id}", a.DeleteUser, directory.Partner),
		consents,
		route(http.MethodDelete, "/users/{user_id}/consents/{cp_id}", a.EndConsent, directory.Partner),
		route(http.MethodPost, "/users/broadband", a.CreateBroadband, directory.Partner, directory.Provider),
		route(http.MethodGet, "/users/broadband/{cp_user_id}", a.Broadband, directory.Partner, directory.Provider),
		route(http.MethodPost, "/users/broadband/{cp_user_id}", a.UpdateBroadband, directory.Partner, directory.Provider),
	}
}

// companyOf is the company that calls. A person's token is none, whatever its
// scopes: a person who signs in at a company does not speak for it.
func companyOf(c *directory.Caller) (directory.Company, bool) {
	switch {
	case c.Subject != "":
		return directory.Company{}, false
	case c.HasScope(directory.ScopePartner):
		return directory.Company{ID: c.ClientID, Kind: directory.Partner}, true
	case c.HasScope(directory.ScopeProvider):
		return directory.Company{ID: c.ClientID, Kind: directory.Provider}, true
	}
	return directory.Company{}, false
}

// needCompany refuses whoever is no company of some kinds.
func needCompany(kinds ...directory.CompanyKind) func(*directory.Caller) error {
	return func(c *directory.Caller) error {
		if company, ok := companyOf(c); ok && slices.Contains(kinds, company.Kind) {
			return nil
		}
		return &web.Error{
			Status: http.StatusForbidden, Message: "The token is not that of a company that may do this",
			Cause: directory.ScopeError("marketplace:" + string(kinds[0])),
		}
	}
}

// caller is the company that calls a protected route.
func caller(r *http.Request) directory.Company {
	company, _ := companyOf(directory.CallerFrom(r.Context()))
	return company
}

// id reads an id in the path. What is not one is the id of nothing.
func id(r *http.Request, name string) (uuid.UUID, error) {
	id, ok := parseID(r.PathValue(name))
	if !ok {
		return uuid.Nil, directory.ErrNotFound
	}
	return id, nil
}

// parseID reads an id in the one form in which they are given out.
func parseID(text string) (uuid.UUID, bool) {
	if len(text) != 36 {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(text)
	return id, err == nil
}
