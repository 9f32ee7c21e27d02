package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Network returns where a request came from, as the limits count it: the peer's
// address, or, when the peer is a trusted proxy, the nearest address in
// X-Forwarded-For that is none. The zero Addr is unknown.
func Network(r *http.Request) netip.Addr {
	if ev := eventOf(r.Context()); ev != nil && ev.network.IsValid() {
		return ev.network
	}
	return peer(r)
}

func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// network walks X-Forwarded-For from its end, the part that trusted proxies wrote.
func (rt *Router) network(r *http.Request) netip.Addr {
	addr := peer(r)
	if len(rt.TrustedProxies) == 0 || !rt.trusts(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(hops) {
		hop, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			return addr
		}
		addr = hop.Unmap().WithZone("")
		if !rt.trusts(addr) {
			return addr
		}
	}
	return addr
}

func (rt *Router) trusts(addr netip.Addr) bool {
	for _, prefix := range rt.TrustedProxies {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}
