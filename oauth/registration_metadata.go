package oauth

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Application types (OpenID Connect Registration section 2).
const (
	ApplicationWeb    = "web"
	ApplicationNative = "native"
)

const (
	maxMetadataList = 20
	maxMetadataText = 200
	// maxDefaultAge is ten years, in seconds: longer means nothing.
	maxDefaultAge = 10 * 365 * 24 * 3600
)

// validateMetadata checks what not every request needs.
func (c *Client) validateMetadata(f *faults) {
	c.validateApplication(f)
	c.validateAnswers(f)
	c.validateAudiences(f)
	c.validateOrganisation(f)
	f.add(c.Shadow != "" && !c.Shadow.Valid(), "shadow", "must be off, upstream-first or local-first")
	for field, uri := range map[string]string{
		"jwks_uri": c.JWKSURI, "initiate_login_uri": c.InitiateLoginURI,
		"client_uri": c.ClientURI, "logo_uri": c.LogoURI, "policy_uri": c.PolicyURI, "tos_uri": c.TermsURI,
	} {
		fault := webFault(uri)
		f.add(uri != "" && fault != "", field, fault)
	}
	validateTexts(f, "contacts", c.Contacts)
	validateTexts(f, "software_id", []string{c.SoftwareID})
	validateTexts(f, "software_version", []string{c.SoftwareVersion})
}

// validateApplication holds a client that says what it is to what such a
// client can be: a web application is not on the user's own machine.
func (c *Client) validateApplication(f *faults) {
	f.add(!slices.Contains([]string{"", ApplicationWeb, ApplicationNative}, c.ApplicationType), "application_type", "must be web or native")
	if c.ApplicationType != ApplicationWeb {
		return
	}
	for _, uri := range c.RedirectURIs {
		u, err := url.Parse(uri)
		f.add(err == nil && (u.Scheme != "https" || isLoopback(u.Hostname())), "redirect_uris",
			"has a URI that a web application cannot have: it must be https and not on the loopback")
	}
}

func (c *Client) validateAnswers(f *faults) {
	algs := []string{"", RS256, ES256, EdDSA}
	f.add(!slices.Contains(algs, c.UserInfoAlg), "userinfo_signed_response_alg", "must be RS256, ES256 or EdDSA")
	f.add(c.DefaultMaxAge != nil && (*c.DefaultMaxAge < 0 || *c.DefaultMaxAge > maxDefaultAge), "default_max_age", "must be a number of seconds, up to ten years")
	for _, mode := range c.ResponseModes {
		f.add(!slices.Contains(responseModes, mode), "response_modes", "has a mode other than query and form_post")
	}
	validateTexts(f, "default_acr_values", c.DefaultACRValues)
	c.validateFloor(f)
}

// validateAudiences wants absolute URIs without a fragment (RFC 8707 section
// 2) of a resource, or client ids besides of an audience. What a client
// answers to must not be another client's id, which has no colon.
func (c *Client) validateAudiences(f *faults) {
	f.add(len(c.Audiences) > maxURIs, "audiences", "has more than 50 values")
	f.add(len(c.Resources) > maxURIs, "resources", "has more than 50 values")
	for _, audience := range c.Audiences {
		f.add(!clientID.MatchString(audience) && !isResource(audience), "audiences", "has a value that is neither a client id nor an absolute URI without a fragment")
	}
	for _, resource := range c.Resources {
		f.add(!isResource(resource), "resources", "has a value that is not an absolute URI without a fragment")
	}
}

func isResource(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxRedirectURI && u.Scheme != "" && (u.Host != "" || u.Opaque != "") && u.User == nil &&
		!strings.Contains(text, "#") && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

func validateTexts(f *faults, field string, texts []string) {
	invisible := func(r rune) bool { return !unicode.IsGraphic(r) }
	f.add(len(texts) > maxMetadataList, field, "has more than 20 values")
	for _, text := range texts {
		f.add(len(text) > maxMetadataText || strings.ContainsFunc(text, invisible), field, "must be at most 200 visible characters")
	}
}
