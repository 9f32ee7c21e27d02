package oauth

import (
	"net/http"
	"net/url"
	"strings"
)

const protectedResource = "/.well-known/oauth-protected-resource"

// resourceMetadata is what the directory API says about itself (RFC 9728 section 2).
type resourceMetadata struct {
	Resource              string   `json:"resource"`
	AuthorizationServers  []string `json:"authorization_servers"`
	ScopesSupported       []string `json:"scopes_supported"`
	BearerMethods         []string `json:"bearer_methods_supported"`
	ResourceName          string   `json:"resource_name"`
	ResourceDocumentation string   `json:"resource_documentation"`
	ProofSigningAlgs      []string `json:"dpop_signing_alg_values_supported"`
	BoundTokensRequired   bool     `json:"dpop_bound_access_tokens_required"`
}

// ProtectedResource tells clients what the directory API takes: one document, built once
// like [Discovery].
type ProtectedResource struct {
	issuer   string
	document *document
}

// NewProtectedResource builds the document of an API of some name and scopes. Its tokens
// have the issuer as their audience, so the issuer is the resource's identifier too.
func NewProtectedResource(issuer, name string, scopes []string) *ProtectedResource {
	return &ProtectedResource{issuer: issuer, document: newDocument(&resourceMetadata{
		Resource: issuer, AuthorizationServers: []string{issuer}, ScopesSupported: scopes, BearerMethods: []string{"header"},
		ResourceName: name, ResourceDocumentation: issuer + "/openapi.yaml", ProofSigningAlgs: proofAlgNames(),
	}, discoveryMaxAge)}
}

// Path is where RFC 9728 section 3.1 puts the document: its well-known part
// stands before the path of the identifier.
func (res *ProtectedResource) Path() string { return protectedResource + pathOf(res.issuer) }

// Metadata answers GET on [ProtectedResource.Path].
func (res *ProtectedResource) Metadata(w http.ResponseWriter, r *http.Request) error {
	return res.document.serve(w, r)
}

// resourceMetadataURL is where the document is found.
func (s *Server) resourceMetadataURL() string {
	path := pathOf(s.Issuer)
	return strings.TrimSuffix(s.Issuer, path) + protectedResource + path
}

// pathOf is the path of an issuer; "" for one without.
func pathOf(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}
