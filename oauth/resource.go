package oauth

import (
	"net/url"
	"slices"
)

// Resource indicators (RFC 8707): whom tokens are for. Without one they are for
// this service, whose directory they open. A token for several can be used by
// each of them against the others, which is why our own endpoints take only
// those that are for nobody else.

// readResources reads whom the tokens are to be for.
func (s *Server) readResources(a *authorization) error {
	a.resources = s.resourcesFor(a.params)
	return s.checkResources(a.client, a.resources)
}

// resourcesFor are whom the tokens of a new grant are for.
func (s *Server) resourcesFor(params url.Values) []string {
	if asked := resourcesOf(params); len(asked) > 0 {
		return asked
	}
	return []string{s.Issuer}
}

// checkResources admits this service and what the client is registered for.
func (s *Server) checkResources(c *Client, resources []string) error {
	for _, resource := range resources {
		if resource != s.Issuer && !slices.Contains(c.Audiences, resource) {
			return refuse("invalid_target", "The client is not registered for the resource")
		}
	}
	return nil
}

// within admits resources that were granted, and no others.
func within(granted, asked []string) error {
	for _, resource := range asked {
		if !slices.Contains(granted, resource) {
			return refuse("invalid_target", "The resource exceeds what was granted")
		}
	}
	return nil
}

// resourcesOf are the resources that a token request names; none for all.
func resourcesOf(form url.Values) []string { return unique(form["resource"]) }

// audience is whom the access token of an exchange is for.
func (s *Server) audience(x *exchange) []string {
	switch asked := resourcesOf(x.form); {
	case len(asked) > 0:
		return asked
	case x.grant != nil:
		return x.grant.Audience
	default:
		return []string{s.Issuer}
	}
}
