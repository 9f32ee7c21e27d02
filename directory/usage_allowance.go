package directory

import "time"

// FinancialYear is the year in which the financial year of a time began: on 1
// April in London, whose summer time has always started by then.
func FinancialYear(t time.Time) int {
	day := t.Add(time.Hour).UTC() // British Summer Time, which the turn of the year is in
	if day.Month() < time.April {
		return day.Year() - 1
	}
	return day.Year()
}

// allowance is how many text messages a service may send in a year before it is charged.
type allowance struct {
	from   int // the first financial year it holds for
	byType map[OrganisationType]int
}

// allowances are the free text messages of every year, the latest first (seed
// 001). NHSNotify has never had any, and a missing type counts as Other.
var allowances = []allowance{
	{2026, map[OrganisationType]int{Central: 20000, Local: 10000, NHSCentral: 20000, NHSLocal: 10000, NHSGP: 0, EmergencyService: 10000, SchoolOrCollege: 5000, Other: 5000}},
	{2024, map[OrganisationType]int{Central: 30000, Local: 10000, NHSCentral: 30000, NHSLocal: 10000, NHSGP: 0, EmergencyService: 10000, SchoolOrCollege: 5000, Other: 5000}},
	{2022, map[OrganisationType]int{Central: 40000, Local: 20000, NHSCentral: 40000, NHSLocal: 20000, NHSGP: 10000, EmergencyService: 20000, SchoolOrCollege: 10000, Other: 10000}},
	{2021, map[OrganisationType]int{Central: 150000, Local: 25000, NHSCentral: 150000, NHSLocal: 25000, NHSGP: 10000, EmergencyService: 25000, SchoolOrCollege: 10000, Other: 10000}},
	{2016, map[OrganisationType]int{Central: 250000, Local: 25000, NHSCentral: 250000, NHSLocal: 25000, NHSGP: 25000, EmergencyService: 25000, SchoolOrCollege: 25000, Other: 25000}},
}

// FreeAllowance is the number of text message fragments that a service of a type
// sends free of charge in a financial year. Years before the first count as the first.
func FreeAllowance(t OrganisationType, year int) int {
	if t == "" {
		t = Other
	}
	for _, a := range allowances {
		if year >= a.from {
			return a.byType[t]
		}
	}
	return allowances[len(allowances)-1].byType[t]
}

// heavyUse is the number of fragments in one year after which the next year has
// no allowance.
const heavyUse = 300_000

// Allowance is the free allowance that services are given for a year.
type Allowance struct {
	Year      int // financial year
	Fragments int
	// HeavyUse is the number of fragments sent in the year before from which a
	// service is given none.
	HeavyUse int
	At       time.Time
}

// NewAllowance is the allowance for the financial year of now.
func NewAllowance(t OrganisationType, now time.Time) Allowance {
	year := FinancialYear(now)
	return Allowance{Year: year, Fragments: FreeAllowance(t, year), HeavyUse: heavyUse, At: now}
}
