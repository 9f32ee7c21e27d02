package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Metadata is what the server says about itself (OpenID Connect Discovery
// section 3, RFC 8414 section 2).
type Metadata struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	UserInfoEndpoint      string `json:"userinfo_endpoint"`
	RegistrationEndpoint  string `json:"registration_endpoint"`
	EndSessionEndpoint    string `json:"end_session_endpoint"`
	PushedEndpoint        string `json:"pushed_authorization_request_endpoint"`
	JWKSURI               string `json:"jwks_uri"`

	Scopes         []string `json:"scopes_supported"`
	ResponseTypes  []string `json:"response_types_supported"`
	ResponseModes  []string `json:"response_modes_supported"`
	GrantTypes     []string `json:"grant_types_supported"`
	SubjectTypes   []string `json:"subject_types_supported"`
	ACRValues      []string `json:"acr_values_supported"`
	Claims         []string `json:"claims_supported"`
	IDTokenAlgs    []string `json:"id_token_signing_alg_values_supported"`
	UserInfoAlgs   []string `json:"userinfo_signing_alg_values_supported"`
	RequestAlgs    []string `json:"request_object_signing_alg_values_supported"`
	AuthMethods    []string `json:"token_endpoint_auth_methods_supported"`
	AuthAlgs       []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	DPoPAlgs       []string `json:"dpop_signing_alg_values_supported"`
	Challenges     []string `json:"code_challenge_methods_supported"`
	UILocales      []string `json:"ui_locales_supported"`
	ResponseIssuer bool     `json:"authorization_response_iss_parameter_supported"`
	ClaimsParam    bool     `json:"claims_parameter_supported"`
	RequestParam   bool     `json:"request_parameter_supported"`
	// RequestURIParam is true when it is left out (OpenID Connect Discovery section 3).
	RequestURIParam     *bool `json:"request_uri_parameter_supported"`
	RequirePushed       bool  `json:"require_pushed_authorization_requests"`
	BackchannelLogout   bool  `json:"backchannel_logout_supported"`
	BackchannelSessions bool  `json:"backchannel_logout_session_supported"`

	raw map[string]json.RawMessage
}

const wellKnown = "/.well-known/openid-configuration"

// Metadata returns what the server says about itself, read once per module.
func (e *Env) Metadata() *Metadata {
	e.t.Helper()
	if e.meta.Issuer == "" {
		answer := e.call(e.newRequest(http.MethodGet, e.Issuer+wellKnown, nil))
		if answer.Status != http.StatusOK {
			e.Fatalf("discovery answers %d", answer.Status)
		}
		e.JSON(answer, &e.meta)
		e.JSON(answer, &e.meta.raw)
		if e.meta.Issuer != e.Issuer {
			e.Fatalf("the issuer is %q, not the one whose discovery it is", e.meta.Issuer)
		}
	}
	return &e.meta
}

// supportsRequestURI reports whether request_uri is claimed to work.
func (m *Metadata) supportsRequestURI() bool { return m.RequestURIParam == nil || *m.RequestURIParam }

// keys fetches the server's JWK set, which holds public keys and their ids alone.
func (e *Env) keys() *jose.JSONWebKeySet {
	e.t.Helper()
	answer := e.call(e.newRequest(http.MethodGet, e.Metadata().JWKSURI, nil))
	if answer.Status != http.StatusOK {
		e.Fatalf("the JWK set answers %d", answer.Status)
	}
	var set jose.JSONWebKeySet
	e.must("read JWK set", json.Unmarshal(answer.Body, &set))
	if len(set.Keys) == 0 {
		e.Errorf("the JWK set is empty")
	}
	ids := map[string]bool{}
	for _, key := range set.Keys {
		if !key.IsPublic() || !key.Valid() {
			e.Errorf("key %q of the JWK set is no valid public key", key.KeyID)
		}
		if key.KeyID == "" || ids[key.KeyID+key.Use] {
			e.Errorf("the JWK set has a key without a kid of its own")
		}
		ids[key.KeyID+key.Use] = true
	}
	return &set
}

// discoveryEndpointVerification is oidcc-discovery-endpoint-verification: what
// the metadata has to hold, and that it is well-formed.
func discoveryEndpointVerification(e *Env) {
	m := e.Metadata()
	e.checkIssuer()
	e.contains("response_types_supported", m.ResponseTypes, "code")
	e.contains("subject_types_supported", m.SubjectTypes, "public", "pairwise")
	e.contains("id_token_signing_alg_values_supported", m.IDTokenAlgs, "RS256")
	if m.raw["grant_types_supported"] != nil {
		e.contains("grant_types_supported", m.GrantTypes, "authorization_code")
	}
	for name, value := range map[string]string{
		"authorization_endpoint": m.AuthorizationEndpoint, "token_endpoint": m.TokenEndpoint, "userinfo_endpoint": m.UserInfoEndpoint, "jwks_uri": m.JWKSURI,
	} {
		if value == "" {
			e.Errorf("%s is missing", name)
		}
	}
	e.checkEndpoints()
	e.keys()
	e.checkOptionalMetadata()
}

func (e *Env) checkIssuer() {
	u, err := url.Parse(e.Metadata().Issuer)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		e.Errorf("the issuer is no https URL without query and fragment")
	}
}

// checkEndpoints wants every endpoint, those of other specifications too, to be https.
func (e *Env) checkEndpoints() {
	for name, raw := range e.Metadata().raw {
		if !strings.HasSuffix(name, "_endpoint") && name != "jwks_uri" && name != "check_session_iframe" {
			continue
		}
		var address string
		e.must(name, json.Unmarshal(raw, &address))
		if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" || u.Fragment != "" {
			e.Errorf("%s is no https URL: %q", name, address)
		}
	}
}

func (e *Env) checkOptionalMetadata() {
	m := e.Metadata()
	switch {
	case m.raw["scopes_supported"] == nil:
		e.Warn("scopes_supported is not given")
	case !slices.Contains(m.Scopes, "openid"):
		e.Errorf("scopes_supported lacks openid")
	}
	for _, scope := range m.Scopes {
		if scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			e.Errorf("scope %q has a character that no scope has (RFC 6749 section 3.3)", scope)
		}
	}
	if len(m.Claims) == 0 {
		e.Warn("claims_supported is not given")
	}
	if m.raw["userinfo_signing_alg_values_supported"] != nil && len(m.UserInfoAlgs) == 0 {
		e.Errorf("userinfo_signing_alg_values_supported is empty")
	}
	if m.raw["request_object_signing_alg_values_supported"] != nil && !slices.Contains(m.RequestAlgs, "RS256") {
		e.Warn("request_object_signing_alg_values_supported lacks RS256")
	}
	if m.raw["code_challenge_methods_supported"] != nil && len(m.Challenges) == 0 {
		e.Errorf("code_challenge_methods_supported is empty")
	}
}

// contains fails unless a list has one of the values.
func (e *Env) contains(name string, list []string, values ...string) {
	e.t.Helper()
	if !slices.ContainsFunc(values, func(v string) bool { return slices.Contains(list, v) }) {
		e.Errorf("%s is %q and has none of %q", name, list, values)
	}
}
