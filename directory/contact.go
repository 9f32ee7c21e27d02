package directory

import (
	"regexp"
	"strings"

	"golang.org/x/net/idna"
)

// The parts of an address, as the Notify API reads them (seed 000): no quoted
// local part, no comment, no address literal, no display name.
var (
	emailShape = regexp.MustCompile("^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@([^.@][^@\\s]+)$")
	hostLabel  = regexp.MustCompile(`^(?i:xn|[a-z0-9]+)(?i:-?-[a-z0-9]+)*$`)
	topDomain  = regexp.MustCompile(`^(?i:[a-z]{2,63}|xn--([a-z0-9]+-)*[a-z0-9]+)$`)
)

// hostNames turns a domain into ASCII. Unlike idna.Lookup it lets a label hold
// two hyphens at its third place, which real domains do.
var hostNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckHyphens(false), idna.StrictDomainName(true))

// ValidateEmail reports whether a string is an e-mail address: one @, the usual
// characters before it, a host name of at least two labels behind it, at most
// 320 characters. White space around it is not looked at, seen or unseen. The
// error is a [*FieldError] without the address in it.
func ValidateEmail(address string) error {
	invalid := &FieldError{Field: "email_address", Reason: "Not a valid email address"}
	s := strings.TrimSpace(stripObscureSpace(address))
	match := emailShape.FindStringSubmatch(s)
	if match == nil || len(s) > 320 || strings.Contains(s, "..") {
		return invalid
	}
	host, err := hostNames.ToASCII(match[1])
	if err != nil || len(host) > 253 {
		return invalid
	}
	labels := strings.Split(host, ".")
	if len(labels) < 2 || !topDomain.MatchString(labels[len(labels)-1]) {
		return invalid
	}
	for _, label := range labels {
		if len(label) > 63 || !hostLabel.MatchString(label) {
			return invalid
		}
	}
	return nil
}

// governmentDomains are the domains whose users, and those of their
// sub-domains, work for a government body (seed 000).
var governmentDomains = []string{
	"gov.uk", "nhs.uk", "nhs.net", "nhs.scot", "police.uk", "cjsm.net", "sch.uk", "hscni.net", "llyw.cymru", "nhs.wales",
	"judiciary.uk", "kirkleeseducation.uk",
}

// GovernmentAddress reports whether an address belongs to a government body: its
// domain is, or is below, one of the well-known ones or one of domains, those
// that organisations have registered.
func GovernmentAddress(address string, domains []string) bool {
	_, host, ok := cutLast(NormaliseEmail(address), "@")
	if !ok {
		return false
	}
	return anyAbove(host, governmentDomains) || anyAbove(host, domains)
}

func anyAbove(host string, domains []string) bool {
	for _, domain := range domains {
		domain = strings.ToLower(domain)
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}
