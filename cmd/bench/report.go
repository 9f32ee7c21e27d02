package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Targets that are not a part of the bare handler's rate.
const (
	idleTarget        = 64.0 // MiB
	firstAnswerTarget = 300 * time.Millisecond
)

// report is everything that one run has measured.
type report struct {
	machine  string
	busy     string // load averages before the run
	taken    time.Time
	settings *bench
	engines  []*engineResult
}

// engineResult is what was measured on one engine.
type engineResult struct {
	name        string
	bare        *measurement
	firstAnswer time.Duration
	idle        float64 // MiB
	signing     float64 // RS256 signatures a second
	cases       []*measurement
	peers       []*peerResult
}

// ratio is a case's rate as a part of what it is held against.
func (e *engineResult) ratio(m *measurement) float64 {
	if m.ofSigning {
		return m.perSecond / e.signing
	}
	return m.perSecond / e.bare.perSecond
}

func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Performance

Written by `+"`make bench`"+` on %s; run it on the machine you want to know about.

- Machine: %s. The load generator and the databases run on it too.
- What else it was doing: load averages of %s before the run. Above 0.5 others took part, and the numbers are too low.
- Load: wrk, %d connections, %s for each line, one line after the other.
- Bare handler: net/http answering a JSON document of %d bytes, in its own process; the better of before and after the others.
- "CPU" is the server's processor time for one unit of work, without the databases' own; "memory" is resident after the load.
  A sign-in is two requests: authorization with PKCE on an existing session, and the exchange of its code for tokens with
  an RS256 ID token. The ratio is to the bare handler, for the RS256 access token to signatures alone.
`, r.taken.Format("2 January 2006"), r.machine, r.busy, r.settings.connections, r.settings.duration, len(bareDocument))
	for _, e := range r.engines {
		fmt.Fprintf(&b, "\n## %s\n\n", e.name)
		fmt.Fprintf(&b, "First 200 on discovery %d ms after the start (target %d ms or less). Idle memory %.0f MiB (target %.0f MiB or less).\n",
			e.firstAnswer.Milliseconds(), firstAnswerTarget.Milliseconds(), e.idle, idleTarget)
		fmt.Fprintf(&b, "RS256 signatures alone, on every core: %.0f a second.\n\n", e.signing)
		names, rule := peerHeader(e.peers)
		fmt.Fprintf(&b, "| | per second | ratio | target |%s p50 | p99 | CPU | memory |\n|--|--:|--:|--:|%s--:|--:|--:|--:|\n", names, rule)
		for _, m := range append([]*measurement{e.bare}, e.cases...) {
			e.row(&b, m)
		}
		b.WriteString(peersMarkdown(e.peers))
	}
	return b.String()
}

func (e *engineResult) row(b *strings.Builder, m *measurement) {
	target := ""
	if m.target > 0 {
		target = fmt.Sprintf("%.3g", m.target)
	}
	fmt.Fprintf(b, "| %s | %.0f | %.3g | %s |%s %s | %s | %s | %.0f MiB |\n", m.name, m.perSecond, e.ratio(m), target,
		peerColumns(e.peers, m), rounded(m.p50), rounded(m.p99), rounded(m.cpu), m.memory)
}

// rounded is a duration with the digits that mean something.
func rounded(d time.Duration) string {
	switch {
	case d >= 10*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	default:
		return fmt.Sprintf("%d µs", d.Microseconds())
	}
}

// failures lists missed targets and requests that failed.
func (r *report) failures() error {
	var all []error
	miss := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	for _, e := range r.engines {
		if e.idle > idleTarget {
			miss("%s: idle memory is %.0f MiB", e.name, e.idle)
		}
		if e.firstAnswer > firstAnswerTarget {
			miss("%s: the first answer takes %v", e.name, e.firstAnswer)
		}
		for _, m := range e.cases {
			if m.errors > 0 {
				miss("%s: %s: %d failed", e.name, m.name, m.errors)
			}
			if ratio := e.ratio(m); ratio < m.target {
				miss("%s: %s: %.3g is below %.3g", e.name, m.name, ratio, m.target)
			}
		}
		all = append(all, peerFailures(e)...)
	}
	return errors.Join(all...)
}
