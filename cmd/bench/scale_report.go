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
		"half of the services on twelve days. Beside it a marketplace of %d users, the newest %d with encrypted values: a quarter are of\n"+
		"one partner, the others of the partner that asks, and the provider sees half of all. %d requests for each route over one connection,\n"+
		"one after the other, each for another row unless the route is a list; a filter names users with and without encrypted values. The\n"+
		"time is the client's, with HTTP and the check of the token in it. Target: a p99 of %d ms or less, but for the page after 50,000.\n\n",
		taken.Format("2 January 2006"), scaleOrganisations, scaleServices, scaleUsers, scaleShoppers, scaleSealed, scaleRequests, scaleTarget.Milliseconds())
	fmt.Fprintf(&b, "Machine: %s. Load averages of %s before the run.\n\n", machine, busy)
	b.WriteString("| | p50 | p99 | longest | answer | what PostgreSQL counted as used |\n|--|--:|--:|--:|--:|--|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d bytes | %s |\n", r.name, rounded(r.p50), rounded(r.p99), rounded(r.longest), r.size, r.used)
	}
	b.WriteString("\nThe plans of the queries behind them, in short:\n")
	for _, r := range results {
		if r.plan == "" {
			continue
		}
		fmt.Fprintf(&b, "\n`%s`\n\n```\n%s\n```\n", r.name, r.plan)
	}
	return b.String()
}

// scaleFailures lists the routes that miss the target or read a whole table.
func scaleFailures(results []scaleResult) error {
	var all []error
	for _, r := range results {
		if r.p99 > scaleTarget && !r.deep {
			all = append(all, fmt.Errorf("%s: a p99 of %s", r.name, rounded(r.p99)))
		}
		if strings.Contains(r.used, "end to end") {
			all = append(all, fmt.Errorf("%s: reads a table: %s", r.name, r.used))
		}
	}
	return errors.Join(all...)
}
