package oauth

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"gatehouse/directory"
)

// Kinds of clients that are companies of the marketplace (seed 003).
const (
	KindPartner  = string(directory.Partner)
	KindProvider = string(directory.Provider)
)

// Grant types.
const (
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
	GrantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code"    // RFC 8628
	GrantTokenExchange     = "urn:ietf:params:oauth:grant-type:token-exchange" // RFC 8693
)

// confidentialGrants are not for public clients, which anybody can pretend to be.
var confidentialGrants = []string{GrantClientCredentials, GrantTokenExchange}

var grantTypes = []string{GrantAuthorizationCode, GrantRefreshToken, GrantClientCredentials, GrantDeviceCode, GrantTokenExchange}

// Bounds of a registration. A client is read with every token, so it stays small.
const (
	maxClientName = 200
	maxURIs       = 50
	maxClientJWKS = 16 << 10
)

// clientID needs no encoding anywhere: in a URL, a form or a Basic header.
var clientID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$`)

// normalise fills in the defaults of RFC 7591 section 2 and ours, and removes
// what is said twice.
func (c *Client) normalise() {
	if c.AuthMethod == "" {
		c.AuthMethod = ClientSecretBasic
		if c.Public {
			c.AuthMethod = NoAuthentication
		}
	}
	if len(c.GrantTypes) == 0 {
		c.GrantTypes = []string{GrantAuthorizationCode}
	}
	roles := make([]string, len(c.Roles))
	for i, role := range c.Roles {
		roles[i] = strings.TrimPrefix(role, "ROLE_")
	}
	c.GrantTypes, c.Scopes, c.Roles = unique(c.GrantTypes), unique(c.Scopes), unique(roles)
	c.RedirectURIs, c.PostLogoutRedirectURIs = unique(c.RedirectURIs), unique(c.PostLogoutRedirectURIs)
	c.IDTokenAlg = cmp.Or(c.IDTokenAlg, RS256)
	c.AccessTokenAlg = cmp.Or(c.AccessTokenAlg, ES256)
	c.TokenFormat = cmp.Or(c.TokenFormat, JWT)
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (f faults) err() error { return errors.Join(f...) }

// validate returns every fault of a registration, each a *directory.FieldError.
func (c *Client) validate() error {
	var f faults
	c.validateIdentity(&f)
	c.validateAuthentication(&f)
	c.validateGrants(&f)
	c.validateTokens(&f)
	c.validateSubject(&f)
	c.validateMetadata(&f)
	return f.err()
}

type faults []error

func (f *faults) add(broken bool, field, reason string) {
	if broken {
		*f = append(*f, &directory.FieldError{Field: field, Reason: reason})
	}
}

func (c *Client) validateIdentity(f *faults) {
	described := c.Origin == OriginDocument && isDocumentID(c.ID)
	f.add(!described && !clientID.MatchString(c.ID), "client_id", "must be 1 to 128 letters, digits, '.', '_', '~' or '-', a letter or digit first")
	// The sub of a client's own token is its id: it must not be a user's.
	_, err := uuid.Parse(c.ID)
	f.add(err == nil, "client_id", "must not have the form of a UUID")
	f.add(!visibleName(c.Name), "client_name", nameFault)
	c.validateLocalised(f)
	f.add(c.Kind != "" && c.Kind != KindPartner && c.Kind != KindProvider, "kind", "must be partner or provider")
	for _, role := range c.Roles {
		f.add(!roleName.MatchString(role), "roles", "must be upper-case letters, digits and underscores")
	}
}

const nameFault = "must be 1 to 200 visible characters"

// visibleName reports whether a name can be shown to people.
func visibleName(name string) bool {
	invisible := func(r rune) bool { return !unicode.IsGraphic(r) }
	return strings.TrimSpace(name) != "" && len(name) <= maxClientName && !strings.ContainsFunc(name, invisible)
}

func (c *Client) validateAuthentication(f *faults) {
	methods := []AuthMethod{ClientSecretBasic, ClientSecretPost, PrivateKeyJWT, NoAuthentication}
	const field = "token_endpoint_auth_method"
	f.add(!slices.Contains(methods, c.AuthMethod), field, "is not supported")
	f.add(c.Public && c.AuthMethod != NoAuthentication, field, "must be none for a public client")
	f.add(!c.Public && c.AuthMethod == NoAuthentication, field, "can be none only for a public client")
	f.add(c.AuthMethod != PrivateKeyJWT && (len(c.JWKS) > 0 || c.JWKSURI != ""), "jwks", "is only for private_key_jwt")
	f.add(len(c.JWKS) > 0 && c.JWKSURI != "", "jwks_uri", "cannot stand beside jwks")
	f.add(c.AuthSigningAlg != "" && !slices.Contains(assertionAlgs, jose.SignatureAlgorithm(c.AuthSigningAlg)),
		"token_endpoint_auth_signing_alg", "is not supported")
	if c.AuthMethod == PrivateKeyJWT && c.JWKSURI == "" {
		_, err := parseClientJWKS(c.JWKS)
		f.add(err != nil, "jwks", "must be a JWK set of public RSA, P-256 or Ed25519 keys")
	}
}

func (c *Client) validateGrants(f *faults) {
	for _, grant := range c.GrantTypes {
		f.add(!slices.Contains(grantTypes, grant), "grant_types", "has an unsupported grant type")
	}
	redirects := slices.Contains(c.GrantTypes, GrantAuthorizationCode)
	users := redirects || slices.Contains(c.GrantTypes, GrantDeviceCode)
	f.add(!users && slices.Contains(c.GrantTypes, GrantRefreshToken), "grant_types", "has refresh_token without authorization_code or device_code")
	for _, grant := range confidentialGrants {
		f.add(c.Public && slices.Contains(c.GrantTypes, grant), "grant_types", "has "+grant+" for a public client")
	}
	f.add(c.Public && c.PKCEOptional, "pkce_optional", "cannot be set for a public client")
	f.add(redirects && len(c.RedirectURIs) == 0, "redirect_uris", "must have one URI for authorization_code")
	f.add(!redirects && len(c.RedirectURIs) > 0, "redirect_uris", "are only for authorization_code")
	validateURIs(f, "redirect_uris", c.RedirectURIs)
	validateURIs(f, "post_logout_redirect_uris", c.PostLogoutRedirectURIs)
	f.add(c.BackchannelLogoutURI != "" && webFault(c.BackchannelLogoutURI) != "",
		"backchannel_logout_uri", webFault(c.BackchannelLogoutURI))
	f.add(c.BackchannelLogoutSessionRequired && c.BackchannelLogoutURI == "", "backchannel_logout_session_required", "is only for a backchannel_logout_uri")
	for _, scope := range c.Scopes {
		f.add(!KnownScope(scope), "scope", "has an unknown scope")
		kind := scopeKind(scope)
		f.add(kind != "" && kind != c.Kind, "scope", "has a scope of another kind of client")
	}
}

func validateURIs(f *faults, field string, uris []string) {
	f.add(len(uris) > maxURIs, field, "has more than 50 URIs")
	for _, uri := range uris {
		fault := redirectFault(uri)
		f.add(fault != "", field, "has a URI that "+fault)
	}
}

func (c *Client) validateTokens(f *faults) {
	algs := []string{RS256, ES256, EdDSA}
	f.add(!slices.Contains(algs, c.IDTokenAlg), "id_token_signed_response_alg", "must be RS256, ES256 or EdDSA")
	f.add(!slices.Contains(algs, c.AccessTokenAlg), "access_token_signed_response_alg", "must be RS256, ES256 or EdDSA")
	f.add(c.TokenFormat != JWT && c.TokenFormat != Opaque, "access_token_format", "must be jwt or opaque")
}
