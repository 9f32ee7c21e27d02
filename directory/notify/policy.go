package notify

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// access says which people may call a route with their own access token. What
// they may not call does not exist for them.
type access int

const (
	closed                access = iota // nobody: machines alone
	administrators                      // platform administrators
	ownUser                             // the user, and platform administrators here and below
	inService                           // whoever is in the service's team
	managesService                      // who may manage the team
	managesFolders                      // who may manage the templates
	managesFoldersAndTeam               // who may manage the templates and the team
	inOrganisation                      // whoever is in the organisation
	managesOrganisation                 // who may manage the organisation
)

// row is a line of the policy, with the segments of its path.
type row struct {
	segments []string
	access   access
}

func byShape(rules map[string]access) map[string]row {
	all := make(map[string]row, len(rules))
	for rule, access := range rules {
		method, path, _ := strings.Cut(rule, " ")
		all[shape(method, path)] = row{strings.Split(path, "/"), access}
	}
	return all
}

// shape is what a route and a request for it have in common: the method and the
// path with {} for every segment that is an identifier.
func shape(method, path string) string {
	segments := strings.Split(path, "/")
	if len(segments) > 1 && segments[1] == "organisations" {
		segments[1] = "organisation"
	}
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") || validID(segment) {
			segments[i] = "{}"
		}
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return method + " " + strings.Join(segments, "/")
}

// permits reports whether a person may send a request. Users they share nothing
// with do not exist for them, whatever the route.
func (g *Gate) permits(p *directory.Person, r *http.Request) (bool, error) {
	path := r.URL.EscapedPath()
	rule, ok := policy[shape(r.Method, path)]
	if !ok || rule.access == closed {
		return false, nil
	}
	ids := rule.ids(path)
	if !p.User.PlatformAdmin && !rule.permits(p, ids) {
		return false, nil
	}
	if user, ok := ids["user_id"]; ok {
		return g.People.Knows(r.Context(), p, user)
	}
	return true, nil
}

// ids are the identifiers in a path by their names in the row.
func (rule row) ids(path string) map[string]uuid.UUID {
	ids := map[string]uuid.UUID{}
	for i, segment := range strings.Split(path, "/") {
		if name, isID := strings.CutPrefix(rule.segments[i], "{"); isID {
			ids[strings.TrimSuffix(name, "}")] = uuid.MustParse(segment)
		}
	}
	return ids
}

func (rule row) permits(p *directory.Person, ids map[string]uuid.UUID) bool {
	service, organisation := ids["service_id"], ids["organisation_id"]
	switch rule.access {
	case ownUser:
		return ids["user_id"] == p.User.ID
	case inService:
		return p.InService(service)
	case managesService:
		return p.MayInService(service, directory.ManageUsers)
	case managesFolders:
		return p.MayInService(service, directory.ManageTemplates)
	case managesFoldersAndTeam:
		return p.MayInService(service, directory.ManageTemplates, directory.ManageUsers)
	case inOrganisation:
		return p.InOrganisation(organisation)
	case managesOrganisation:
		return p.MayInOrganisation(organisation, directory.ManageOrganisation)
	}
	return false
}

// linkHost is where the links of messages lead. Machines may choose; a message
// that a person sends leads here, not where they want its token to go.
func linkHost(r *http.Request, wanted string) string {
	if directory.CallerFrom(r.Context()).Person != nil {
		return ""
	}
	return wanted
}

// userSeen is a user as the caller may see them: a colleague's other teams,
// number and sign-ins are not shown to a person.
func userSeen(r *http.Request, u *directory.User, m directory.Memberships) user {
	p := directory.CallerFrom(r.Context()).Person
	if p == nil || p.User.PlatformAdmin || p.User.ID == u.ID {
		return userOf(u, m)
	}
	colleague := *u
	colleague.MobileNumber, colleague.CurrentSessionID, colleague.FailedLoginCount = "", uuid.NullUUID{}, 0
	return userOf(&colleague, p.Shared(m))
}
