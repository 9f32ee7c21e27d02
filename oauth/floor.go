package oauth

import (
	"slices"

	"gatehouse/authn"
)

// knownLevels are the authentication levels there are, the lowest first.
var knownLevels = []string{authn.ACREmail, authn.ACRSingle, authn.ACRMulti}

// atLeast reports whether a level is a floor, or above it. A level that is not
// known here is above nothing, and below everything but no floor.
func atLeast(level, floor string) bool {
	return slices.Index(knownLevels, level) >= slices.Index(knownLevels, floor)
}

// stricter is the higher one of two floors, of which "" is the lowest.
func stricter(a, b string) string {
	if atLeast(a, b) {
		return a
	}
	return b
}

// validateFloor knows two floors. Access to the mail is none: it serves where a
// client says that it does, which a client with a floor cannot say as well.
func (c *Client) validateFloor(f *faults) {
	f.add(!slices.Contains([]string{"", authn.ACRSingle, authn.ACRMulti}, c.MinimumACR), "minimum_acr", "must be "+authn.ACRSingle+" or "+authn.ACRMulti)
	f.add(c.EmailSignIn && c.MinimumACR != "", "minimum_acr", "cannot stand beside email_sign_in")
}

// admits reports whether a sign-in of a level serves the client, whatever its
// request says. A mail alone serves only a client that is content with it.
func (c *Client) admits(acr string) bool {
	if acr == authn.ACREmail && !c.EmailSignIn {
		return false
	}
	return atLeast(acr, c.MinimumACR)
}
