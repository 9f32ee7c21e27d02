package directory

import "strings"

// DomainsOf returns the domain of an address and every domain it is part of,
// the longest first. The secure intranet's former domain counts as the one that
// replaced it.
func DomainsOf(address string) []string {
	_, domain, ok := cutLast(NormaliseEmail(address), "@")
	if !ok || domain == "" {
		return nil
	}
	if before, ok := strings.CutSuffix(domain, ".gsi.gov.uk"); ok {
		domain = before + ".gov.uk"
	}
	all := []string{domain}
	for {
		_, rest, ok := strings.Cut(domain, ".")
		if !ok || !strings.Contains(rest, ".") {
			return all
		}
		all = append(all, rest)
		domain = rest
	}
}
