package oauth

import (
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/token/jwt"
)

// exchange is one request to fosite: what it asked for, the grant it turned out
// to be about, and what was made of it. Fosite hands its session to whatever
// stores and makes tokens, so the exchange travels as the session.
type exchange struct {
	client *Client
	form   url.Values
	// key is the thumbprint of the key that the tokens are bound to (RFC 9449);
	// "" for none.
	key string
	// since is when the burst of requests for the code began.
	since time.Time
	// grant is set from the start at the authorization endpoint, by the store at
	// the token endpoint, and stays nil for a client on its own.
	grant *Grant
	// request is grant as fosite sees it.
	request *fosite.Request

	refresh string // the refresh token to give out; "" for none
	access  issuedToken

	claims  jwt.IDTokenClaims
	headers jwt.Headers
}

// issuedToken is the access token of an exchange.
type issuedToken struct {
	token   string
	expires time.Time
	scopes  []string
	opaque  *OpaqueToken // nil for a JWT
}

var _ openid.Session = (*exchange)(nil)

// mayRefresh reports whether the client is given refresh tokens.
func (x *exchange) mayRefresh() bool { return slices.Contains(x.client.GrantTypes, GrantRefreshToken) }

// refreshKey is the key that the refresh token is bound to. A confidential
// client's is bound to the client (RFC 9449 section 5).
func (x *exchange) refreshKey() string {
	if x.client.Public {
		return x.key
	}
	return ""
}

// rotates reports whether a refresh replaces the refresh token. Where both the
// client and its tokens are bound to keys that gains nothing, and costs a client
// that loses the answer its grant: the FAPI 2.0 Security Profile forbids it
// (section 5.3.2.1).
func (x *exchange) rotates() bool { return x.client.AuthMethod != PrivateKeyJWT || !x.client.DPoPBound }

// over makes the exchange one over a grant, for the scopes asked for.
func (x *exchange) over(g *Grant) {
	scopes := x.scopesOf(g)
	x.grant = g
	x.request = &fosite.Request{
		ID: g.ID.String(), RequestedAt: g.CreatedAt, Client: fositeClient{Client: x.client},
		RequestedScope: scopes, GrantedScope: scopes,
		RequestedAudience: g.Audience, GrantedAudience: g.Audience,
		Form:    url.Values{"redirect_uri": {g.RedirectURI}, "code_challenge": {g.CodeChallenge}, "code_challenge_method": {"S256"}},
		Session: x,
	}
}

// scopesOf are the grant's scopes, or those fewer that a refresh asked for.
func (x *exchange) scopesOf(g *Grant) []string {
	if x.form.Get("grant_type") == GrantRefreshToken && x.form.Has("scope") {
		return unique(scopeList(x.form.Get("scope")))
	}
	return g.Scopes
}

// subject is the user, or the client on its own.
func (x *exchange) subject() string {
	if x.grant != nil {
		return x.grant.sub()
	}
	return x.client.ID
}

// grantID is the grant's id; uuid.Nil for a client on its own.
func (x *exchange) grantID() uuid.UUID {
	if x.grant == nil {
		return uuid.Nil
	}
	return x.grant.ID
}

// SetExpiresAt implements fosite.Session. Fosite's notion of expiry, taken from
// the wall clock, is not used: the grant and the tokens carry their own.
func (x *exchange) SetExpiresAt(fosite.TokenType, time.Time) {}

// GetExpiresAt implements fosite.Session.
func (x *exchange) GetExpiresAt(fosite.TokenType) time.Time { return time.Time{} }

// GetUsername implements fosite.Session.
func (x *exchange) GetUsername() string { return "" }

// GetSubject implements fosite.Session.
func (x *exchange) GetSubject() string { return x.subject() }

// Clone implements fosite.Session. An exchange is used once.
func (x *exchange) Clone() fosite.Session { return x }

// IDTokenClaims implements openid.Session. Fosite insists on a subject; the ID
// token itself is made from the grant.
func (x *exchange) IDTokenClaims() *jwt.IDTokenClaims {
	x.claims.Subject = x.subject()
	return &x.claims
}

// IDTokenHeaders implements openid.Session.
func (x *exchange) IDTokenHeaders() *jwt.Headers { return &x.headers }
