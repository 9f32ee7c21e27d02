package oauth

import (
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
)

// NeedRecent needs a person to have signed in with more than one factor, no
// longer ago than maxAge; otherwise the client is told what to ask for (RFC 9470).
// A client on its own has nobody to ask, and passes.
func (s *Server) NeedRecent(maxAge time.Duration) func(*directory.Caller) error {
	return func(c *directory.Caller) error {
		if c.Subject == "" || c.ACR == authn.ACRMulti && s.Clock().Sub(c.AuthTime) <= maxAge {
			return nil
		}
		return insufficientAuthentication(authn.ACRMulti, maxAge)
	}
}
