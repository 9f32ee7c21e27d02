package web

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"slices"
)

// checkAddress refuses an address, with its port, that is neither public nor allowed.
func (o *Outbound) checkAddress(address string) error {
	if o.checkAllowed(address) == nil {
		return nil
	}
	if to, err := netip.ParseAddrPort(address); err != nil || !isPublic(to.Addr().Unmap().WithZone("")) {
		return ErrAddressRefused
	}
	return nil
}

// checkAllowed refuses an address that is not in one of the allowed networks.
func (o *Outbound) checkAllowed(address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrAddressRefused
	}
	addr := to.Addr().Unmap().WithZone("")
	if !slices.ContainsFunc(o.Allowed, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return ErrAddressRefused
	}
	return nil
}

// special are the networks of the IANA registries of special-purpose addresses
// (RFC 6890 and its updates) that nothing of the public internet has. An IPv6
// address outside 2000::/3 is never public, which covers loopback, mapped and
// translated IPv4, unique local, link-local and multicast addresses.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("10.0.0.0/8"),      // private
	netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT
	netip.MustParsePrefix("127.0.0.0/8"),     // loopback
	netip.MustParsePrefix("169.254.0.0/16"),  // link-local, metadata of clouds
	netip.MustParsePrefix("172.16.0.0/12"),   // private
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("192.168.0.0/16"),  // private
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("224.0.0.0/3"),     // multicast, reserved, broadcast
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo, benchmarks
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4, which carries an IPv4 address
	netip.MustParsePrefix("3fff::/20"),       // documentation
}

var unicast6 = netip.MustParsePrefix("2000::/3")

func isPublic(addr netip.Addr) bool {
	if addr.Is6() && !unicast6.Contains(addr) {
		return false
	}
	return addr.IsValid() && !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func tlsFor(roots *x509.CertPool) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
}
