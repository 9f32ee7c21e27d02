package main

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"gatehouse/authn/cutover"
	"gatehouse/storage"
)

type migrateReportCommand struct {
	Days        int   `default:"14" help:"How many days of comparisons count."`
	Agreed      int64 `default:"100" help:"Right passwords that both systems must have recognised in these days before a caller is ready."`
	Differences int   `default:"20" help:"How many users to show about whom the systems did not agree, the latest first."`
	JSON        bool  `name:"json" help:"Print JSON."`
}

// Run prints the report.
func (c migrateReportCommand) Run(env *environment) error {
	if c.Days < 1 || c.Agreed < 1 || c.Differences < 0 {
		return usageError{fmt.Errorf("--days and --agreed want at least 1, --differences 0 or more")}
	}
	return withApp(env, func(a *app) error {
		rule := cutover.Rule{Days: c.Days, Agreed: c.Agreed}
		mode := func(caller string) (cutover.Mode, error) { return a.shadowMode(env.ctx, caller) }
		report, err := cutover.NewReport(env.ctx, storage.Cutover{DB: a.stores.DB}, rule, a.clock.Now().UTC(), c.Differences, mode)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.stdout, report)
		}
		return printReport(env.stdout, report)
	})
}

func printReport(w io.Writer, report *cutover.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CALLER\tENDPOINT\tCALLS\tFIRST\tLAST")
	for _, c := range report.Callers {
		for _, use := range c.Calls {
			fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\n", c.Caller, use.Endpoint, use.Count, minute(use.First), minute(use.Last))
		}
	}
	fmt.Fprintf(t, "\nCALLER\tRELIES ON\tAGREE\tBOTH YES\tBOTH NO\tADOPTED\tONLY OLD\tONLY NEW\tNO ANSWER\tNOT COMPARED\tREADY\t(last %d days)\n", report.Days)
	for _, c := range report.Callers {
		fmt.Fprintf(t, "%s\t%s\t%s", c.Caller, cmp.Or(string(c.Mode), "-"), percent(c.Agreement))
		for _, result := range cutover.Results {
			fmt.Fprintf(t, "\t%d", c.Results[result].Count)
		}
		fmt.Fprintf(t, "\t%s\t%s\n", yesNo(c.Ready), c.Reason)
	}
	if len(report.Differences) > 0 {
		fmt.Fprintln(t, "\nCALLER\tUSERNAME\tUSER\tDIFFERENCE\tTIMES\tLAST")
	}
	for _, d := range report.Differences {
		user := "-"
		if d.UserID.Valid {
			user = d.UserID.UUID.String()
		}
		fmt.Fprintf(t, "%s\t%q\t%s\t%s\t%d\t%s\n", d.Caller, d.Username, user, d.Kind, d.Count, minute(d.Last))
	}
	return t.Flush()
}

func minute(at time.Time) string { return at.UTC().Format("2006-01-02 15:04") }

func percent(value *float64) string {
	if value == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", *value)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
