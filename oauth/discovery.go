package oauth

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/authn/pages"
)

// Paths of the endpoints, below the issuer's own path.
const (
	AuthorizePath  = "/oauth/authorize"
	TokenPath      = "/oauth/token"
	UserInfoPath   = "/oauth/userinfo"
	IntrospectPath = "/oauth/introspect"
	RevokePath     = "/oauth/revoke"
	PushPath       = "/oauth/par"
	JWKSPath       = "/oauth/jwks"
	EndSessionPath = "/oauth/end-session"
	DevicePath     = string(pages.DevicePage) // where people enter what a device shows

	DeviceAuthorizationPath = "/oauth/device_authorization"
)

const (
	openIDConfiguration = "/.well-known/openid-configuration"
	oauthServer         = "/.well-known/oauth-authorization-server"

	discoveryMaxAge = 5 * time.Minute
)

// metadata is what discovery says (OpenID Connect Discovery section 3, RFC 8414
// section 2). It names only what works.
type metadata struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	UserInfoEndpoint      string `json:"userinfo_endpoint"`
	IntrospectionEndpoint string `json:"introspection_endpoint"`
	RevocationEndpoint    string `json:"revocation_endpoint"`
	DeviceAuthorization   string `json:"device_authorization_endpoint"`
	RegistrationEndpoint  string `json:"registration_endpoint"`
	EndSessionEndpoint    string `json:"end_session_endpoint"`
	PushEndpoint          string `json:"pushed_authorization_request_endpoint"`
	JWKSURI               string `json:"jwks_uri"`
	ServiceDocumentation  string `json:"service_documentation"`

	ScopesSupported        []string `json:"scopes_supported"`
	ResponseTypesSupported []string `json:"response_types_supported"`
	ResponseModesSupported []string `json:"response_modes_supported"`
	GrantTypesSupported    []string `json:"grant_types_supported"`
	ACRValuesSupported     []string `json:"acr_values_supported"`
	SubjectTypesSupported  []string `json:"subject_types_supported"`
	PromptValuesSupported  []string `json:"prompt_values_supported"`
	ClaimTypesSupported    []string `json:"claim_types_supported"`
	ClaimsSupported        []string `json:"claims_supported"`
	DisplayValuesSupported []string `json:"display_values_supported"`
	UILocalesSupported     []string `json:"ui_locales_supported"`

	IDTokenSigningAlgs         []string     `json:"id_token_signing_alg_values_supported"`
	UserInfoSigningAlgs        []string     `json:"userinfo_signing_alg_values_supported"`
	TokenAuthMethods           []AuthMethod `json:"token_endpoint_auth_methods_supported"`
	TokenAuthSigningAlgs       []string     `json:"token_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAuthMethods   []AuthMethod `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAuthAlgs      []string     `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	RevocationAuthMethods      []AuthMethod `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAuthSigningAlgs  []string     `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	CodeChallengeMethods       []string     `json:"code_challenge_methods_supported"`
	ProofSigningAlgs           []string     `json:"dpop_signing_alg_values_supported"`
	ResponseIssuer             bool         `json:"authorization_response_iss_parameter_supported"`
	ClaimsParameterSupported   bool         `json:"claims_parameter_supported"`
	RequestParameterSupported  bool         `json:"request_parameter_supported"`
	RequestURIParameterSupport bool         `json:"request_uri_parameter_supported"`
	ClientDocuments            bool         `json:"client_id_metadata_document_supported,omitempty"`
	BackchannelLogout          bool         `json:"backchannel_logout_supported"`
	BackchannelLogoutSession   bool         `json:"backchannel_logout_session_supported"`
	RequirePush                bool         `json:"require_pushed_authorization_requests"` // of every client
}

// Discovery tells clients where and what this server is: one document, built
// once from the configured issuer and never from a request's Host.
type Discovery struct {
	issuer   string
	document *document
}

// NewDiscovery builds the document of an issuer, which has no slash at its end.
// With clientDocuments it says that clients may be known by an address; see
// [Documents].
func NewDiscovery(issuer string, clientDocuments bool) *Discovery {
	confidential := []AuthMethod{ClientSecretBasic, ClientSecretPost, PrivateKeyJWT}
	algs := make([]string, len(assertionAlgs))
	for i, alg := range assertionAlgs {
		algs[i] = string(alg)
	}
	return &Discovery{issuer: issuer, document: newDocument(&metadata{
		Issuer:                issuer,
		AuthorizationEndpoint: issuer + AuthorizePath,
		TokenEndpoint:         issuer + TokenPath,
		UserInfoEndpoint:      issuer + UserInfoPath,
		IntrospectionEndpoint: issuer + IntrospectPath,
		RevocationEndpoint:    issuer + RevokePath,
		DeviceAuthorization:   issuer + DeviceAuthorizationPath,
		RegistrationEndpoint:  issuer + RegisterPath,
		EndSessionEndpoint:    issuer + EndSessionPath,
		PushEndpoint:          issuer + PushPath,
		JWKSURI:               issuer + JWKSPath,
		ServiceDocumentation:  issuer + "/openapi.yaml",

		ScopesSupported:        scopes,
		ResponseTypesSupported: []string{"code"},
		ResponseModesSupported: responseModes,
		GrantTypesSupported:    grantTypes,
		ACRValuesSupported:     knownLevels,
		SubjectTypesSupported:  []string{SubjectPublic, SubjectPairwise},
		PromptValuesSupported:  prompts,
		ClaimTypesSupported:    []string{"normal"},
		ClaimsSupported: []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "sid",
			"name", "given_name", "family_name", "preferred_username", "locale", "updated_at",
			"email", "email_verified", "phone_number",
		},
		DisplayValuesSupported: []string{"page"},
		UILocalesSupported:     []string{"en", "cy"},

		IDTokenSigningAlgs:        []string{RS256, ES256, EdDSA},
		UserInfoSigningAlgs:       []string{RS256, ES256, EdDSA},
		TokenAuthMethods:          append(confidential, NoAuthentication),
		TokenAuthSigningAlgs:      algs,
		IntrospectionAuthMethods:  confidential,
		IntrospectionAuthAlgs:     algs,
		RevocationAuthMethods:     append(confidential, NoAuthentication),
		RevocationAuthSigningAlgs: algs,
		CodeChallengeMethods:      []string{"S256"},
		ProofSigningAlgs:          proofAlgNames(),
		ResponseIssuer:            true,
		BackchannelLogout:         true,
		BackchannelLogoutSession:  true,
		ClaimsParameterSupported:  true,
		ClientDocuments:           clientDocuments,
	}, discoveryMaxAge)}
}

// Paths are the paths the document is found at: OpenID Connect puts the
// well-known part after the issuer's path, RFC 8414 section 3.1 before it.
func (d *Discovery) Paths() []string {
	paths := []string{openIDConfiguration, oauthServer}
	u, err := url.Parse(d.issuer)
	if err != nil || strings.Trim(u.Path, "/") == "" {
		return paths
	}
	return append(paths, u.Path+openIDConfiguration, openIDConfiguration+u.Path, oauthServer+u.Path)
}

// Metadata answers GET on any of [Discovery.Paths].
func (d *Discovery) Metadata(w http.ResponseWriter, r *http.Request) error {
	return d.document.serve(w, r)
}
