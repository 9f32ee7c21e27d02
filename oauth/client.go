package oauth

import (
	"encoding/json"
	"time"
)

// AuthMethod is how a client authenticates (OpenID Connect Core section 9).
type AuthMethod string

// Client authentication methods.
const (
	ClientSecretBasic AuthMethod = "client_secret_basic"
	ClientSecretPost  AuthMethod = "client_secret_post"
	PrivateKeyJWT     AuthMethod = "private_key_jwt"
	NoAuthentication  AuthMethod = "none" // public clients
)

// TokenFormat is what a client's access tokens are.
type TokenFormat string

// Access token formats.
const (
	JWT    TokenFormat = "jwt"    // RFC 9068
	Opaque TokenFormat = "opaque" // a reference, looked up at each use
)

// Client is a registered client: a relying service, a resource server, a legacy
// caller. Field names on the wire follow RFC 7591.
type Client struct {
	ID   string
	Name string
	// SecretHash is the SHA-256 of the generated 256-bit secret; empty without one.
	SecretHash []byte
	// Public clients have no credential and always use PKCE.
	Public                 bool
	AuthMethod             AuthMethod
	JWKS                   json.RawMessage // for private_key_jwt
	GrantTypes             []string        // authorization_code, refresh_token, client_credentials, …
	Scopes                 []string        // what it may ask for
	Roles                  []string        // the authorities claim, without ROLE_
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	// FirstParty clients skip the consent page.
	FirstParty bool
	// Kind is "partner" or "provider" for companies of the marketplace, else "".
	Kind            string
	IDTokenAlg      string      // RS256 (default), ES256 or EdDSA
	AccessTokenAlg  string      // ES256 (default), RS256 or EdDSA
	TokenFormat     TokenFormat // JWT by default
	PKCEOptional    bool        // opt-out for confidential clients that cannot; logged
	RequirePAR      bool        // require_pushed_authorization_requests (RFC 9126)
	DPoPBound       bool        // dpop_bound_access_tokens (RFC 9449)
	CreatedAt       time.Time
	SecretChangedAt time.Time
}
