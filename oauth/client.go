package oauth

import (
	"encoding/json"
	"time"

	"gatehouse/authn/cutover"
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
	// Localised are members for people who read some language, by their names on
	// the wire, such as "client_name#cy"; nil for none.
	Localised map[string]string
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
	UpdatedAt       time.Time // zero until it is changed
	// RegistrationTokenHash is the SHA-256 of the token that manages the client
	// over RFC 7592; empty for clients that the operator manages.
	RegistrationTokenHash []byte

	Metadata
}

// Subject types (OpenID Connect Core section 8).
const (
	SubjectPublic   = "public"   // the sub is the user's id
	SubjectPairwise = "pairwise" // each sector knows the user by another sub
)

// Origins of a client: who may change it.
const (
	OriginOperator     = ""             // commands
	OriginFile         = "file"         // a client file that is planned and applied
	OriginRegistration = "registration" // RFC 7591
	OriginDocument     = "document"     // a client ID metadata document, fetched from the client's own address
)

// Metadata is the part of a registration that not every request needs. It is
// stored as one JSON document; zero values are the defaults and are left out.
type Metadata struct {
	// Origin is one of the Origin constants.
	Origin string `json:"origin,omitempty"`
	// Applied is the fingerprint of what a client file made of the client, to
	// find out who changed it since. It is not part of the client's document.
	Applied string `json:"applied,omitempty"`
	// DocumentUntil is when a client ID metadata document has to be fetched
	// again, in seconds since 1970. It is not part of the client's document.
	DocumentUntil int64 `json:"document_until,omitempty"`

	ApplicationType string `json:"application_type,omitempty"` // web (default) or native

	// JWKSURI is where the client publishes its keys, instead of Client.JWKS.
	JWKSURI string `json:"jwks_uri,omitempty"`
	// AuthSigningAlg is the only algorithm of the client's assertions; "" for any we take.
	AuthSigningAlg string `json:"token_endpoint_auth_signing_alg,omitempty"`

	SubjectType         string `json:"subject_type,omitempty"` // public (default) or pairwise
	SectorIdentifierURI string `json:"sector_identifier_uri,omitempty"`
	// UserInfoAlg signs userinfo answers; "" for plain JSON.
	UserInfoAlg      string   `json:"userinfo_signed_response_alg,omitempty"`
	DefaultMaxAge    *int64   `json:"default_max_age,omitempty"` // seconds; nil for none
	RequireAuthTime  bool     `json:"require_auth_time,omitempty"`
	DefaultACRValues []string `json:"default_acr_values,omitempty"`
	// ResponseModes are those the client may ask for; none for all we have (ASVS 10.4.12).
	ResponseModes []string `json:"response_modes,omitempty"`

	// Audiences are what the client may ask tokens for beside this service: the
	// values of resource (RFC 8707) and of audience (RFC 8693).
	Audiences []string `json:"audiences,omitempty"`
	// Resources are the identifiers that the client answers to as a resource
	// server, beside its client id: tokens for them it may introspect.
	Resources []string `json:"resources,omitempty"`

	BackchannelLogoutURI             string `json:"backchannel_logout_uri,omitempty"`
	BackchannelLogoutSessionRequired bool   `json:"backchannel_logout_session_required,omitempty"`

	// EmailSignIn lets people come to the client who have shown no more than that
	// they read their mail; their level is authn.ACREmail.
	EmailSignIn bool `json:"email_sign_in,omitempty"`
	// MinimumACR is the least level of a sign-in that the client accepts, whatever
	// its requests say: authn.ACRSingle or authn.ACRMulti; "" asks for nothing more
	// than [Client.admits] does by itself.
	MinimumACR string `json:"minimum_acr,omitempty"`

	// OrganisationID is whose brand the pages carry on the way to the client, a
	// UUID; "" for nobody's. Only the operator sets it: a client could pretend to
	// be anybody's.
	OrganisationID string `json:"organisation_id,omitempty"`

	// Shadow says which system the client relies on at POST /authenticate while an
	// old one is asked as well; "" leaves it to the configuration.
	Shadow cutover.Mode `json:"shadow,omitempty"`

	InitiateLoginURI string   `json:"initiate_login_uri,omitempty"`
	ClientURI        string   `json:"client_uri,omitempty"`
	LogoURI          string   `json:"logo_uri,omitempty"`
	PolicyURI        string   `json:"policy_uri,omitempty"`
	TermsURI         string   `json:"tos_uri,omitempty"`
	Contacts         []string `json:"contacts,omitempty"`
	SoftwareID       string   `json:"software_id,omitempty"`
	SoftwareVersion  string   `json:"software_version,omitempty"`
}
