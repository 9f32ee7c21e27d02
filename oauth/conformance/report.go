package conformance

import (
	"fmt"
	"slices"
	"strings"
)

// Report words results as Markdown: a summary, and a table for each plan.
func Report(results []Result) string {
	var b strings.Builder
	b.WriteString("| Plan | Modules | Passed | With a warning | Skipped | Declined | Failed |\n|--|--|--|--|--|--|--|\n")
	for _, plan := range byPlan(results) {
		count := map[Outcome]int{}
		for _, r := range plan {
			count[r.Outcome]++
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d |\n",
			plan[0].Plan, len(plan), count[Passed], count[Warning], count[Skipped], count[Declined], count[Failed])
	}
	for _, plan := range byPlan(results) {
		fmt.Fprintf(&b, "\n### %s\n\n| Module | Result | Why |\n|--|--|--|\n", plan[0].Plan)
		for _, r := range plan {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", r.Module, r.Outcome, strings.ReplaceAll(strings.Join(r.Reasons, "; "), "|", "\\|"))
		}
	}
	return b.String()
}

// Complete reports whether every module was run: go test can be asked for a part.
func Complete(results []Result) bool {
	return len(results) > 0 && !slices.ContainsFunc(results, func(r Result) bool { return r.Outcome == "" })
}

// byPlan cuts results where the plan changes.
func byPlan(results []Result) [][]Result {
	var plans [][]Result
	for i, r := range results {
		if i == 0 || r.Plan != results[i-1].Plan {
			plans = append(plans, nil)
		}
		plans[len(plans)-1] = append(plans[len(plans)-1], r)
	}
	return plans
}
