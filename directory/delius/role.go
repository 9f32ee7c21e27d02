package delius

import (
	"net/http"
	"slices"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// Role is what a caller must present, under its present name or an older one: as
// an authority of the client, with or without ROLE_, or as a scope.
type Role []string

// The roles of the routes (seed 004).
var (
	AuthenticateRole = Role{"PROBATION_API__HMPPS_AUTH__AUTHENTICATE", "DELIUS_USER_AUTH"}
	DetailsRole      = Role{"PROBATION_API__HMPPS_AUTH__USER_DETAILS", "DELIUS_USER_DETAILS"}
	PasswordRole     = Role{"PROBATION_API__HMPPS_AUTH__PASSWORD__RW", "PROBATION_API__HMPPS_AUTH__UPDATE_PASSWORD"}
)

// Check returns a 403 for a caller that does not present the role: a scope of the
// role's name would do.
func (role Role) Check(c *directory.Caller) error {
	if slices.ContainsFunc(role, func(name string) bool { return c.HasRole(name) || c.HasRole("ROLE_"+name) }) {
		return nil
	}
	return &web.Error{Status: http.StatusForbidden, Message: "Access Denied", Cause: directory.ScopeError(role[0])}
}
