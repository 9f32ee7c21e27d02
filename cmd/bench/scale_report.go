package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

func scaleMarkdown(results []scaleResult, machine, busy string, taken time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## A large directory on PostgreSQL\n\n")
	fmt.Fprintf(&b, "Written by `make bench-scale` on %s: %d organisations, %d services, %d users, each in a service, and the usage of\n"+
		"half of the services on twelve days. %d requests for each route over one connection, one after the other, each for another\n"+
		"row; the time is the client's, with HTTP and the check of the token in it. Target: a p99 of %d ms or less.\n\n",
		taken.Format("2 January 2006"), scaleOrganisations, scaleServices, scaleUsers, scaleRequests, scaleTarget.Milliseconds())
	fmt.Fprintf(&b, "Machine: %s. Load averages of %s before the run.\n\n", machine, busy)
	b.WriteString("| | p50 | p99 | longest | answer | what PostgreSQL counted as used |\n|--|--:|--:|--:|--:|--|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d bytes | %s |\n", r.name, rounded(r.p50), rounded(r.p99), rounded(r.longest), r.size, r.used)
	}
	b.WriteString("\nThe plans of the queries behind them, in short:\n")
	for _, r := range results {
		fmt.Fprintf(&b, "\n`%s`\n\n```\n%s\n```\n", r.name, r.plan)
	}
	return b.String()
}

// scaleFailures lists the routes that miss the target or read a whole table.
func scaleFailures(results []scaleResult) error {
	var all []error
	for _, r := range results {
		if r.p99 > scaleTarget {
			all = append(all, fmt.Errorf("%s: a p99 of %s", r.name, rounded(r.p99)))
		}
		if strings.Contains(r.used, "end to end") {
			all = append(all, fmt.Errorf("%s: reads a table: %s", r.name, r.used))
		}
	}
	return errors.Join(all...)
}
