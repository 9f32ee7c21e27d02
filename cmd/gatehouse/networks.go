package main

import (
	"fmt"
	"net/netip"
)

// proxies are the networks whose X-Forwarded-For is believed.
func (c *Config) proxies() ([]netip.Prefix, error) { return parseNetworks(c.TrustedProxies) }

// outboundNetworks are the networks, beside the public ones, that a client's
// own addresses may be in. On a loopback issuer the clients are on this machine
// as well.
func (c *Config) outboundNetworks() ([]netip.Prefix, error) {
	all, err := parseNetworks(c.OutboundNetworks)
	if err == nil && c.loopbackIssuer() {
		all = append(all, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	}
	return all, err
}

// parseNetworks reads networks, or single addresses.
func parseNetworks(texts []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("%q is no network", text)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		all = append(all, prefix.Masked())
	}
	return all, nil
}
