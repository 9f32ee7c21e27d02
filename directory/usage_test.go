package directory

import (
	"testing"
	"time"
)

func TestFinancialYearBeginsInAprilInLondon(t *testing.T) {
	for at, want := range map[string]int{
		"2026-01-31T12:00:00Z": 2025, "2026-03-31T22:59:59Z": 2025, "2026-03-31T23:00:00Z": 2026,
		"2026-04-01T00:30:00+02:00": 2025, "2026-12-31T23:59:59Z": 2026, "2027-01-01T00:00:00Z": 2026,
	} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := FinancialYear(moment); got != want {
			t.Errorf("%s: %d, want %d", at, got, want)
		}
	}
}

func TestFreeAllowanceDependsOnTypeAndYear(t *testing.T) {
	for _, c := range []struct {
		kind OrganisationType
		year int
		want int
	}{
		{Central, 2010, 250000}, {Central, 2016, 250000}, {Central, 2020, 250000}, {Central, 2021, 150000}, {Central, 2022, 40000}, {Central, 2023, 40000},
		{Central, 2024, 30000}, {Central, 2025, 30000}, {Central, 2026, 20000}, {Central, 2040, 20000},
		{Local, 2020, 25000}, {Local, 2023, 20000}, {NHSGP, 2021, 10000}, {NHSGP, 2024, 0}, {NHSNotify, 2016, 0}, {NHSNotify, 2026, 0},
		{SchoolOrCollege, 2026, 5000}, {Other, 2024, 5000}, {"", 2024, 5000}, {EmergencyService, 2022, 20000},
	} {
		if got := FreeAllowance(c.kind, c.year); got != c.want {
			t.Errorf("%s in %d: %d, want %d", c.kind, c.year, got, c.want)
		}
	}
}
