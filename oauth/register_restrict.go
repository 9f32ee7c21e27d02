package oauth

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"gatehouse/internal/web"
)

// DefaultRegistrationScopes are what registered clients can ask for where the
// operator says nothing else: what a person can allow for themselves.
func DefaultRegistrationScopes() []string {
	return []string{ScopeOpenID, ScopeProfile, ScopeEmail, ScopePhone, ScopeOfflineAccess}
}

// registrable are the grant types of clients that register themselves. Each
// needs a person who agrees.
var registrable = []string{GrantAuthorizationCode, GrantRefreshToken, GrantDeviceCode}

// registrationRequest is what a client asks to become. Members that are not
// here are ignored (RFC 7591 section 2), but those by which a client asks for a
// protection that is not to be had here: leaving that out would betray it.
type registrationRequest struct {
	ClientDocument
	protections
}

// protections are members by which a client asks for what is not to be had here.
type protections struct {
	SoftwareStatement                 json.RawMessage `json:"software_statement"`
	RequireSignedRequestObject        bool            `json:"require_signed_request_object"`
	IDTokenEncryptedResponseAlg       string          `json:"id_token_encrypted_response_alg"`
	UserInfoEncryptedResponseAlg      string          `json:"userinfo_encrypted_response_alg"`
	AuthorizationSignedResponseAlg    string          `json:"authorization_signed_response_alg"`
	AuthorizationEncryptedResponseAlg string          `json:"authorization_encrypted_response_alg"`
	IntrospectionSignedResponseAlg    string          `json:"introspection_signed_response_alg"`
	IntrospectionEncryptedResponseAlg string          `json:"introspection_encrypted_response_alg"`
	TLSClientCertificateBoundTokens   bool            `json:"tls_client_certificate_bound_access_tokens"`
}

// read decodes what a client sent.
func (q *registrationRequest) read(body []byte) error {
	if err := q.ClientDocument.read(body, false); err != nil {
		return err
	}
	return web.DecodeJSON(body, &q.protections, false)
}

// unsupported names the protection that a client asks for in vain; "" for none.
func (q *registrationRequest) unsupported() string {
	for name, asked := range map[string]bool{
		"require_signed_request_object":              q.RequireSignedRequestObject,
		"id_token_encrypted_response_alg":            q.IDTokenEncryptedResponseAlg != "",
		"userinfo_encrypted_response_alg":            q.UserInfoEncryptedResponseAlg != "",
		"authorization_signed_response_alg":          q.AuthorizationSignedResponseAlg != "",
		"authorization_encrypted_response_alg":       q.AuthorizationEncryptedResponseAlg != "",
		"introspection_signed_response_alg":          q.IntrospectionSignedResponseAlg != "",
		"introspection_encrypted_response_alg":       q.IntrospectionEncryptedResponseAlg != "",
		"tls_client_certificate_bound_access_tokens": q.TLSClientCertificateBoundTokens,
	} {
		if asked {
			return name
		}
	}
	return ""
}

// restrict is what a client can become by asking for it at the endpoint.
func (g *Registrar) restrict(q *registrationRequest) (*Client, error) {
	c, err := q.restricted(g.Scopes)
	if err != nil {
		return nil, err
	}
	c.Origin = OriginRegistration
	return c, nil
}

// restricted is what a client can become by describing itself: never
// first-party, without roles, without a kind, always with PKCE, and with no
// scope or audience beyond those that the operator leaves to such clients.
// Scopes that it cannot have are left out, and the answer of a registration
// tells (RFC 7591 section 3.2.1).
func (q *registrationRequest) restricted(allowed []string) (*Client, error) {
	if len(q.SoftwareStatement) > 0 && string(q.SoftwareStatement) != "null" {
		return nil, refuse("invalid_software_statement", "Software statements are not supported")
	}
	if name := q.unsupported(); name != "" {
		return nil, refuse("invalid_client_metadata", name+": is not supported")
	}
	if len(q.ResponseTypes) > 0 && !slices.Equal(q.ResponseTypes, []string{"code"}) {
		return nil, refuse("invalid_client_metadata", "response_types: can only be code")
	}
	c := selfDescribed(&q.ClientDocument)
	for _, grant := range c.GrantTypes {
		if !slices.Contains(registrable, grant) {
			return nil, refuse("invalid_client_metadata", "grant_types: has one that a client cannot give itself")
		}
	}
	c.Scopes = allowedScopes(q.Scope, allowed)
	return c, nil
}

// allowedScopes are those of a request that may be had, all of them when it
// names none.
func allowedScopes(asked string, allowed []string) []string {
	if len(allowed) == 0 {
		allowed = DefaultRegistrationScopes()
	}
	if asked == "" {
		return slices.Clone(allowed)
	}
	return slices.DeleteFunc(strings.Fields(asked), func(s string) bool { return !slices.Contains(allowed, s) })
}

// selfDescribed takes from a document what a client can say of itself, member
// by member, so that a member added later is not taken by accident.
func selfDescribed(d *ClientDocument) *Client {
	c := &Client{
		ID: d.ClientID, Name: strings.TrimSpace(d.ClientName), Localised: d.Localised, Public: d.TokenEndpointAuthMethod == NoAuthentication,
		AuthMethod: d.TokenEndpointAuthMethod, GrantTypes: d.GrantTypes, RedirectURIs: d.RedirectURIs,
		PostLogoutRedirectURIs: d.PostLogoutRedirectURIs, IDTokenAlg: d.IDTokenSignedResponseAlg,
		RequirePAR: d.RequirePushedAuthorizationRequests, DPoPBound: d.DPoPBoundAccessTokens,
		Metadata: Metadata{
			ApplicationType: d.ApplicationType, AuthSigningAlg: d.AuthSigningAlg, SubjectType: d.SubjectType,
			SectorIdentifierURI: d.SectorIdentifierURI, UserInfoAlg: d.UserInfoAlg, DefaultMaxAge: d.DefaultMaxAge,
			RequireAuthTime: d.RequireAuthTime, DefaultACRValues: d.DefaultACRValues, ResponseModes: d.ResponseModes, MinimumACR: d.MinimumACR,
			BackchannelLogoutURI: d.BackchannelLogoutURI, BackchannelLogoutSessionRequired: d.BackchannelLogoutSessionRequired,
			InitiateLoginURI: d.InitiateLoginURI, ClientURI: d.ClientURI, LogoURI: d.LogoURI, PolicyURI: d.PolicyURI,
			TermsURI: d.TermsURI, Contacts: d.Contacts, SoftwareID: d.SoftwareID, SoftwareVersion: d.SoftwareVersion,
		},
	}
	if c.Name == "" {
		c.Name = "Unnamed client"
	}
	// Keys serve for nothing else here, and clients name them in any case.
	if c.AuthMethod == PrivateKeyJWT {
		c.JWKS, c.JWKSURI = d.JWKS, d.JWKSURI
	}
	if c.ApplicationType == "" {
		c.ApplicationType = applicationOf(c.RedirectURIs)
	}
	return c
}

// applicationOf is what redirect URIs say of an application that does not say
// itself what it is: OAuth 2.0 clients, which know no application_type, would
// otherwise not be able to be native.
func applicationOf(uris []string) string {
	onThisMachine := func(uri string) bool {
		u, err := url.Parse(uri)
		return err == nil && (isLoopback(u.Hostname()) || u.Scheme != "https" && u.Scheme != "http")
	}
	if slices.ContainsFunc(uris, onThisMachine) {
		return ApplicationNative
	}
	return ApplicationWeb
}
