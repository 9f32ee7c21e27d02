package oauth

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// ClientDocument is a client as the world reads and writes it, in commands, in
// client files and at the registration endpoint: the names of RFC 7591 and of
// OpenID Connect Registration, and a few of our own.
type ClientDocument struct {
	ClientID   string `json:"client_id,omitempty"`
	ClientName string `json:"client_name"`
	// Localised are the members with the tag of a language, by their whole names.
	Localised map[string]string `json:"-"`
	// ClientSecret is there once, when it was made, and never read back.
	ClientSecret string `json:"client_secret,omitempty"`
	// ClientSecretSHA256 is the SHA-256 of a secret, in hexadecimal: a client
	// file can carry it where it may not carry the secret.
	ClientSecretSHA256 string `json:"client_secret_sha256,omitempty"`
	// ClientSecretExpiresAt is 0, for never, beside a secret (RFC 7591 section 3.2.1).
	ClientSecretExpiresAt *int64 `json:"client_secret_expires_at,omitempty"`
	// ClientIDIssuedAt is in seconds since 1970.
	ClientIDIssuedAt int64 `json:"client_id_issued_at,omitempty"`

	TokenEndpointAuthMethod AuthMethod      `json:"token_endpoint_auth_method"`
	JWKS                    json.RawMessage `json:"jwks,omitempty"`
	GrantTypes              []string        `json:"grant_types"`
	ResponseTypes           []string        `json:"response_types,omitempty"`
	Scope                   string          `json:"scope"`
	Roles                   []string        `json:"roles"`
	RedirectURIs            []string        `json:"redirect_uris"`
	PostLogoutRedirectURIs  []string        `json:"post_logout_redirect_uris"`
	Kind                    string          `json:"kind,omitempty"`

	IDTokenSignedResponseAlg           string      `json:"id_token_signed_response_alg"`
	AccessTokenSignedResponseAlg       string      `json:"access_token_signed_response_alg"`
	AccessTokenFormat                  TokenFormat `json:"access_token_format"`
	FirstParty                         bool        `json:"first_party"`
	PKCEOptional                       bool        `json:"pkce_optional,omitempty"`
	RequirePushedAuthorizationRequests bool        `json:"require_pushed_authorization_requests"`
	DPoPBoundAccessTokens              bool        `json:"dpop_bound_access_tokens"`

	Metadata
}

// Document is the client as the world reads it, without any secret.
func (c *Client) Document() ClientDocument {
	d := ClientDocument{
		ClientID: c.ID, ClientName: c.Name, Localised: c.Localised, ClientIDIssuedAt: c.CreatedAt.Unix(), TokenEndpointAuthMethod: c.AuthMethod, JWKS: c.JWKS,
		GrantTypes: present(c.GrantTypes), Scope: strings.Join(c.Scopes, " "), Roles: present(c.Roles), RedirectURIs: present(c.RedirectURIs),
		PostLogoutRedirectURIs: present(c.PostLogoutRedirectURIs), Kind: c.Kind, IDTokenSignedResponseAlg: c.IDTokenAlg,
		AccessTokenSignedResponseAlg: c.AccessTokenAlg, AccessTokenFormat: c.TokenFormat, FirstParty: c.FirstParty,
		PKCEOptional: c.PKCEOptional, RequirePushedAuthorizationRequests: c.RequirePAR, DPoPBoundAccessTokens: c.DPoPBound,
		Metadata: c.Metadata,
	}
	d.Applied, d.DocumentUntil = "", 0
	if slices.Contains(c.GrantTypes, GrantAuthorizationCode) {
		d.ResponseTypes = []string{"code"}
	}
	return d
}

// DocumentWithSecret is Document with the secret that was just made, if one was.
func (c *Client) DocumentWithSecret(secret string) ClientDocument {
	d := c.Document()
	if secret != "" {
		d.ClientSecret, d.ClientSecretExpiresAt = secret, new(int64)
	}
	return d
}

// DocumentWithSecretHash is Document with the hash that recognises the secret.
func (c *Client) DocumentWithSecretHash() ClientDocument {
	d := c.Document()
	d.ClientSecretSHA256 = hex.EncodeToString(c.SecretHash)
	return d
}

// present makes a missing list an empty one, so that JSON shows [].
func present(l []string) []string { return append([]string{}, l...) }

// Client is the client that a document describes, with the defaults filled in
// but nothing validated beyond what a Client cannot hold. Errors join
// *directory.FieldError.
func (d *ClientDocument) Client() (Client, error) {
	var f faults
	f.add(len(d.ResponseTypes) > 0 && !slices.Equal(d.ResponseTypes, []string{"code"}), "response_types", "can only be code")
	f.add(d.ClientSecret != "", "client_secret", "cannot be chosen; client_secret_sha256 can")
	hash, err := hex.DecodeString(d.ClientSecretSHA256)
	f.add(err != nil || len(hash) != 0 && len(hash) != 32, "client_secret_sha256", "must be a SHA-256 in hexadecimal")
	c := Client{
		ID: d.ClientID, Name: d.ClientName, Localised: d.Localised, SecretHash: hash, Public: d.TokenEndpointAuthMethod == NoAuthentication,
		AuthMethod: d.TokenEndpointAuthMethod, JWKS: d.JWKS, GrantTypes: d.GrantTypes, Scopes: strings.Fields(d.Scope), Roles: d.Roles,
		RedirectURIs: d.RedirectURIs, PostLogoutRedirectURIs: d.PostLogoutRedirectURIs, Kind: d.Kind, IDTokenAlg: d.IDTokenSignedResponseAlg,
		AccessTokenAlg: d.AccessTokenSignedResponseAlg, TokenFormat: d.AccessTokenFormat, FirstParty: d.FirstParty,
		PKCEOptional: d.PKCEOptional, RequirePAR: d.RequirePushedAuthorizationRequests, DPoPBound: d.DPoPBoundAccessTokens,
		Metadata: d.Metadata,
	}
	c.Applied, c.DocumentUntil = "", 0
	c.normalise()
	f.add(len(hash) > 0 && !c.hasSecret(), "client_secret_sha256", "is only for clients with a secret")
	return c, errors.Join(f...)
}

// ParseClientFile reads a JSON list of clients. What is not known is refused:
// in a file it is a mistake, and would silently mean nothing. Each client has an
// id of its own.
func ParseClientFile(content []byte) ([]ClientDocument, error) {
	var objects []json.RawMessage
	if err := web.DecodeJSON(content, &objects, true); err != nil {
		return nil, fmt.Errorf("client file: %w", errors.Unwrap(err))
	}
	all := make([]ClientDocument, len(objects))
	for i, object := range objects {
		if err := all[i].read(object, true); err != nil {
			return nil, fmt.Errorf("client file: client %d: %w", i+1, errors.Unwrap(err))
		}
	}
	seen := map[string]bool{}
	var faults []error
	for i := range all {
		id := all[i].ClientID
		if id == "" {
			faults = append(faults, fmt.Errorf("client %d: %w", i+1, &directory.FieldError{Field: "client_id", Reason: "is missing"}))
		} else if seen[id] {
			faults = append(faults, fmt.Errorf("client %s: %w", id, &directory.FieldError{Field: "client_id", Reason: "is there twice"}))
		}
		seen[id] = true
	}
	return all, errors.Join(faults...)
}

// Merge changes the members of a document that a JSON object names.
func (d *ClientDocument) Merge(object []byte) error {
	if err := d.read(object, true); err != nil {
		return fmt.Errorf("client document: %w", errors.Unwrap(err))
	}
	return nil
}
