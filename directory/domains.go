package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// registrableDomains are domains in the form in which they are stored: lower
// case. One that is there twice is a [*ConflictError], as when another
// organisation had it.
func registrableDomains(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		domain := strings.ToLower(strings.TrimSpace(name))
		if !validDomain(domain) {
			return nil, &FieldError{Field: "domains", Reason: "Not a valid domain"}
		}
		if slices.Contains(all, domain) {
			return nil, &ConflictError{Field: "domains"}
		}
		all = append(all, domain)
	}
	slices.Sort(all)
	return all, nil
}

// validDomain reports whether a text is a host name that addresses may end in.
func validDomain(domain string) bool {
	if len(domain) > 253 || !strings.Contains(domain, ".") {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if len(label) > 63 || !hostLabel.MatchString(label) {
			return false
		}
	}
	return true
}

// OrganisationByDomain returns the organisation whose registered domain is, or
// is above, a domain; of several the one with the longest.
func (r *Registry) OrganisationByDomain(ctx context.Context, domain string) (*Organisation, error) {
	return r.organisationOf(ctx, DomainsOf("@"+domain))
}

// organisationOf returns the owner of the first of domains that has one.
func (r *Registry) organisationOf(ctx context.Context, domains []string) (*Organisation, error) {
	owners, err := r.Store.DomainOwners(ctx, domains)
	if err != nil {
		return nil, fmt.Errorf("look up domain: %w", err)
	}
	for _, name := range domains {
		if id, ok := owners[name]; ok {
			return r.Store.Organisation(ctx, id)
		}
	}
	return nil, ErrNotFound
}
