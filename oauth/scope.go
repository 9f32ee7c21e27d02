package oauth

import (
	"regexp"
	"slices"

	"gatehouse/directory"
)

// Scopes that mean something here.
const (
	ScopeOpenID        = "openid"
	ScopeProfile       = "profile"
	ScopeEmail         = "email"
	ScopePhone         = "phone"
	ScopeOfflineAccess = "offline_access"

	ScopeNotifyAdmin   = "notify.admin"
	ScopeNotifyUsage   = "notify.usage"
	ScopeDirectoryRead = "directory.read"

	// Only clients of that kind can be granted these.
	ScopePartner  = directory.ScopePartner
	ScopeProvider = directory.ScopeProvider
	// ScopeMarketplaceProfile lets a provider see a profile of the user. The user
	// is asked each time.
	ScopeMarketplaceProfile = "marketplace.profile"
)

// scopes are what discovery advertises: scopes of the protocol and of our API.
var scopes = []string{
	ScopeOpenID, ScopeProfile, ScopeEmail, ScopePhone, ScopeOfflineAccess,
	ScopeNotifyAdmin, ScopeNotifyUsage, ScopeDirectoryRead, ScopePartner, ScopeProvider, ScopeMarketplaceProfile,
}

// roleName is the form of a role: what callers of the Delius API present, as an
// authority or as a scope of the same name (seed 004).
var roleName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{2,99}$`)

// KnownScope reports whether a client may be registered for a scope: one of
// ours, or the name of a role.
func KnownScope(scope string) bool {
	return slices.Contains(scopes, scope) || roleName.MatchString(scope)
}

// scopeKind returns the kind a client must be of for a scope; "" when any may.
func scopeKind(scope string) string {
	switch scope {
	case ScopePartner:
		return KindPartner
	case ScopeProvider, ScopeMarketplaceProfile:
		return KindProvider
	default:
		return ""
	}
}

// withoutScopesOfOtherKinds takes away what a client could not be registered for,
// in case it stopped being of that kind in a way that nobody checked.
func (c *Client) withoutScopesOfOtherKinds() {
	c.Scopes = slices.DeleteFunc(c.Scopes, func(scope string) bool {
		kind := scopeKind(scope)
		return kind != "" && kind != c.Kind
	})
}
