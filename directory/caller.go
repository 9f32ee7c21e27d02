package directory

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Caller is who calls the directory API, as the protection in front of a route
// established it.
type Caller struct {
	// ClientID is the OAuth client, or the issuer of Notify's internal JWT.
	ClientID string
	// Subject is the user the token speaks for; "" for a client on its own.
	Subject string
	// ACR and AuthTime are how, and when, that user last signed in; "" and zero
	// for a client on its own.
	ACR      string
	AuthTime time.Time
	// OnBehalfOf is the X-Notify-User-Id header: recorded, it grants nothing.
	OnBehalfOf string
	// Internal is true for Notify's internal JWT.
	Internal bool
	Scopes   []string
	// Authorities are the client's roles, without the prefix ROLE_.
	Authorities []string
	// Person is who calls with their own token; nil for a machine, which is not
	// held to what one person may do.
	Person *Person
}

// HasScope reports whether the token carries a scope.
func (c *Caller) HasScope(scope string) bool { return slices.Contains(c.Scopes, scope) }

// HasRole reports whether the caller presents a role: as an authority, with or
// without ROLE_, or as a scope of the same name.
func (c *Caller) HasRole(role string) bool {
	return slices.Contains(c.Authorities, strings.TrimPrefix(role, "ROLE_")) || c.HasScope(role)
}

// ScopeError is why a caller is refused whose token would need one of some
// scopes, named with spaces between them. As the cause of an error it has the
// protection in front of the route challenge for them, in the scheme of the token
// (RFC 6750 section 3.1, RFC 9449 section 7.1).
type ScopeError string

// Error implements error.
func (e ScopeError) Error() string { return "the token has no scope of " + string(e) }

// Actor is the caller as the audit trail names it.
func (c *Caller) Actor() Actor {
	if c.Subject != "" {
		return Actor{Kind: "user", ID: c.Subject}
	}
	if c.OnBehalfOf != "" {
		return Actor{Kind: "user", ID: c.OnBehalfOf}
	}
	return Actor{Kind: "client", ID: c.ClientID}
}

type callerKey struct{}

// WithCaller returns a context that carries the caller.
func WithCaller(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller of a protected route; an empty one elsewhere.
func CallerFrom(ctx context.Context) *Caller {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok {
		return c
	}
	return &Caller{}
}
