package cutover

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Rule says when a caller is ready to rely on this service alone.
type Rule struct {
	Days   int   // how far back comparisons count
	Agreed int64 // right passwords that both systems must have recognised
}

// Report says who still calls what, and who is ready to be cut over.
type Report struct {
	At          time.Time      `json:"at"`
	Days        int            `json:"days"`
	Callers     []CallerReport `json:"callers"`
	Differences []Difference   `json:"differences"`
}

// CallerReport is what is known of one caller.
type CallerReport struct {
	Caller string        `json:"caller"`
	Mode   Mode          `json:"mode,omitempty"`
	Calls  []EndpointUse `json:"calls"`
	// Results are the comparisons of the last days; Agreement is how many of a
	// hundred agreed, nil where there were none.
	Results   map[Result]Tally `json:"results"`
	Agreement *float64         `json:"agreement_percent"`
	Ready     bool             `json:"ready"`
	// Reason is why, in words.
	Reason string `json:"reason"`
}

// EndpointUse is how a caller uses one legacy endpoint.
type EndpointUse struct {
	Endpoint string `json:"endpoint"`
	Tally
}

// NewReport reads the figures. modes names the mode of a caller; "" where no old
// system is configured, or the caller has nothing to compare.
func NewReport(ctx context.Context, store Store, rule Rule, now time.Time, differences int, mode func(caller string) (Mode, error)) (*Report, error) {
	since := dayOf(now).AddDate(0, 0, 1-rule.Days)
	comparisons, err := store.Comparisons(ctx, since)
	if err != nil {
		return nil, fmt.Errorf("read comparisons: %w", err)
	}
	calls, err := store.Calls(ctx)
	if err != nil {
		return nil, fmt.Errorf("read calls: %w", err)
	}
	report := &Report{At: now, Days: rule.Days, Callers: []CallerReport{}, Differences: []Difference{}}
	found, err := store.Differences(ctx, differences)
	if err != nil {
		return nil, fmt.Errorf("read differences: %w", err)
	}
	report.Differences = append(report.Differences, found...)
	for _, c := range calls {
		caller := report.caller(c.Caller)
		caller.Calls = append(caller.Calls, EndpointUse{c.Endpoint, c.Tally})
	}
	for _, c := range comparisons {
		caller := report.caller(c.Caller)
		caller.Results[c.Result] = caller.Results[c.Result].add(c.Tally)
	}
	slices.SortFunc(report.Callers, func(a, b CallerReport) int { return strings.Compare(a.Caller, b.Caller) })
	for i := range report.Callers {
		c := &report.Callers[i]
		if c.Mode, err = mode(c.Caller); err != nil {
			return nil, fmt.Errorf("mode of %s: %w", c.Caller, err)
		}
		c.Agreement = c.agreement()
		c.Ready, c.Reason = rule.judge(c)
	}
	return report, nil
}

func (r *Report) caller(name string) *CallerReport {
	i := slices.IndexFunc(r.Callers, func(c CallerReport) bool { return c.Caller == name })
	if i < 0 {
		i = len(r.Callers)
		r.Callers = append(r.Callers, CallerReport{Caller: name, Calls: []EndpointUse{}, Results: map[Result]Tally{}})
	}
	return &r.Callers[i]
}

func (c *CallerReport) differences() int64 {
	return c.Results[UpstreamYesLocalNo].Count + c.Results[UpstreamNoLocalYes].Count
}

// agreement leaves out what was adopted, which is neither.
func (c *CallerReport) agreement() *float64 {
	agreed := c.Results[AgreeYes].Count + c.Results[AgreeNo].Count
	all := agreed + c.differences()
	if all == 0 {
		return nil
	}
	percent := 100 * float64(agreed) / float64(all)
	return &percent
}

// judge says whether a caller is ready. Wrong passwords do not count for it:
// whoever guesses would make everybody ready.
func (rule Rule) judge(c *CallerReport) (bool, string) {
	agreed, differ := c.Results[AgreeYes].Count, c.differences()
	switch {
	case c.Mode == "":
		return false, "nothing is compared"
	case c.Mode == Off:
		return false, "relies on this service alone"
	case differ > 0:
		return false, fmt.Sprintf("%d differences in the last %d days", differ, rule.Days)
	case agreed < rule.Agreed:
		return false, fmt.Sprintf("%d of %d right passwords compared in the last %d days", agreed, rule.Agreed, rule.Days)
	}
	return true, fmt.Sprintf("%d right passwords and no difference in the last %d days", agreed, rule.Days)
}
