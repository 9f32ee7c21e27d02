package notify

import (
	"testing"

	"gatehouse/directory"
)

func TestUsageIsTakenInAndServed(t *testing.T) {
	const none = `{"services":[],"updated_at":null}`
	const noYear = `{"message":"No valid year provided","result":"error"}`
	eachServer(t, func(t *testing.T, s *server) {
		ids := map[string]string{"ORG": s.anOrganisation(t, "A", ""), "NONE": unknownID}
		// In the order of the list: an archived service last, one on trial not at all.
		ids["ALPHA"] = s.aService(t, directory.Service{Name: "alpha", Active: true, OrganisationID: of(ids["ORG"])})
		ids["BETA"] = s.aService(t, directory.Service{Name: "Beta", Active: true, OrganisationID: of(ids["ORG"])})
		ids["GONE"] = s.aService(t, directory.Service{Name: "Aardvark", OrganisationID: of(ids["ORG"])})
		ids["TRIAL"] = s.aService(t, directory.Service{Name: "Trial", Active: true, Restricted: true, OrganisationID: of(ids["ORG"])})
		zero := func(id, name, active, free string) string {
			return `{"active":` + active + `,"chargeable_billable_sms":0,"email_totals":0,"emails_sent":0,"free_sms_limit":` + free + `,"letter_cost":0,"letter_totals":0,"service_id":"` + id + `","service_name":"` + name + `","sms_billable_units":0,"sms_cost":0,"sms_remainder":` + free + `,"sms_totals":0}`
		}
		const used = `{"active":true,"chargeable_billable_sms":10000,"email_totals":7,"emails_sent":7,"free_sms_limit":30000,"letter_cost":4.1,"letter_totals":5,"service_id":"ALPHA","service_name":"alpha","sms_billable_units":40000,"sms_cost":210,"sms_remainder":0,"sms_totals":300}`
		rest := zero("BETA", "Beta", "true", "30000") + "," + zero("GONE", "Aardvark", "false", "30000")
		usage := func(date, channel, sent, units, rate string) string {
			return `{"date":"` + date + `","channel":"` + channel + `","notifications_sent":` + sent + `,"billable_units":` + units + `,"rate":` + rate + `}`
		}
		s.rows(t, ids, []organisationCase{
			{"nothing sent", "GET", "/organisation/ORG/services-with-usage?year=2025", "", 200, `{"services":[` + zero("ALPHA", "alpha", "true", "30000") + "," + rest + `],"updated_at":null}`},
			{"earlier allowance", "GET", "/organisation/ORG/services-with-usage?year=2023", "", 200, `{"services":[` + zero("ALPHA", "alpha", "true", "40000") + "," + zero("BETA", "Beta", "true", "40000") + "," + zero("GONE", "Aardvark", "false", "40000") + `],"updated_at":null}`},
			{"unknown organisation", "GET", "/organisation/NONE/services-with-usage?year=2025", "", 200, none},
			{"no year", "GET", "/organisation/ORG/services-with-usage", "", 400, noYear},
			{"empty year", "GET", "/organisation/ORG/services-with-usage?year=", "", 400, noYear},
			{"word for a year", "GET", "/organisations/NONE/services-with-usage?year=abc", "", 400, noYear},
			{"fraction", "GET", "/organisation/ORG/services-with-usage?year=2025.5", "", 400, noYear},
			{"absurd year", "GET", "/organisation/ORG/services-with-usage?year=99999", "", 400, noYear},
			{"negative year", "GET", "/organisation/ORG/services-with-usage?year=-1", "", 400, noYear},

			{"last day of the year before", "POST", "/service/ALPHA/usage", usage("2025-03-31", "sms", "9", "9", "1"), 204, "-"},
			{"first day", "POST", "/service/ALPHA/usage", usage("2025-04-01", "sms", "100", "20000", "0.02"), 204, "-"},
			{"beyond the allowance in part", "POST", "/service/ALPHA/usage", usage("2025-04-02", "sms", "100", "11000", "0.03"), 204, "-"},
			{"beyond it at another rate", "POST", "/service/ALPHA/usage", usage("2025-04-03", "sms", "100", "9000", "0.02"), 204, "-"},
			{"e-mails, first count", "POST", "/service/ALPHA/usage", usage("2025-05-01", "email", "3", "0", "0"), 204, "-"},
			{"e-mails, replaced", "POST", "/service/ALPHA/usage", usage("2025-05-01", "email", "7", "0", "0.0"), 204, "-"},
			{"letters", "POST", "/service/ALPHA/usage", usage("2026-03-31", "letter", "5", "10.0", "0.41"), 204, "-"},
			{"next year", "POST", "/service/ALPHA/usage", usage("2026-04-01", "letter", "1", "1", "1"), 204, "-"},
			{"trial", "POST", "/service/TRIAL/usage", usage("2025-05-01", "email", "1", "0", "0"), 204, "-"},
			{"served", "GET", "/organisations/ORG/services-with-usage?year=2025", "", 200, `{"services":[` + used + "," + rest + `],"updated_at":"2026-01-31T12:00:00.123456Z"}`},
			{"moved with its usage", "GET", "/organisation/ORG/services-with-usage?year=2026", "", 200, ""},

			{"unknown service", "POST", "/service/NONE/usage", usage("2025-05-01", "email", "1", "0", "0"), 404, noResultBody},
			{"malformed service", "POST", "/service/7/usage", "{}", 404, noRouteBody},
			{"nothing", "POST", "/service/ALPHA/usage", "{}", 400, e3("date is a required property", "channel is a required property", "notifications_sent is a required property", "billable_units is a required property", "rate is a required property")},
			{"no date", "POST", "/service/ALPHA/usage", usage("2025-02-30", "email", "1", "0", "0"), 400, e3("date 2025-02-30 is not a date")},
			{"unknown channel", "POST", "/service/ALPHA/usage", usage("2025-05-01", "fax", "1", "0", "0"), 400, e3("channel fax is not one of [email, sms, letter]")},
			{"negative", "POST", "/service/ALPHA/usage", usage("2025-05-01", "email", "-1", "-2", "-0.5"), 400, e3("notifications_sent -1 is less than the minimum of 0", "billable_units -2 is less than the minimum of 0", "rate -0.5 is less than the minimum of 0")},
			{"too many", "POST", "/service/ALPHA/usage", usage("2025-05-01", "email", "1e13", "0", "0"), 400, e3("notifications_sent 10000000000000 is greater than the maximum of 1000000000000")},
			{"half a message", "POST", "/service/ALPHA/usage", usage("2025-05-01", "email", "0.5", "0", "0"), 400, e3("notifications_sent 0.5 is not of type integer")},
			{"rate in words", "POST", "/service/ALPHA/usage", usage("2025-05-01", "email", "1", "0", `"1"`), 400, e3("rate 1 is not of type number")},
			{"number beyond any float", "POST", "/service/ALPHA/usage", usage("2025-05-01", "email", "1", "0", "1e999"), 400, notUnderstood},
			{"GET", "GET", "/service/ALPHA/usage", "", 405, notAllowedBody},
		})
	})
}

func TestServiceTakesTheAllowanceOfItsOrganisation(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		org := s.anOrganisation(t, "A", "")
		light, heavy := s.aService(t, directory.Service{Name: "Light", Active: true}), s.aService(t, directory.Service{Name: "Heavy", Active: true})
		s.do(request{method: "POST", path: "/service/" + heavy + "/usage", body: `{"date":"2024-06-01","channel":"sms","notifications_sent":300000,"billable_units":300000,"rate":0.02}`}).want204(t)
		for _, id := range []string{light, heavy} {
			s.do(request{method: "POST", path: "/organisation/" + org + "/service", body: `{"service_id":"` + id + `"}`}).want204(t)
		}
		free := func() map[string]float64 {
			all := map[string]float64{}
			for _, item := range decode[struct{ Services []map[string]any }](t, s.do(request{method: "GET", path: "/organisation/" + org + "/services-with-usage?year=2025"}), 200).Services {
				all[item["service_name"].(string)] = item["free_sms_limit"].(float64)
			}
			return all
		}
		if got := free(); got["Light"] != 30000 || got["Heavy"] != 0 {
			t.Errorf("central: %v", got)
		}
		s.do(request{method: "POST", path: "/organisation/" + org, body: `{"organisation_type":"local"}`}).want204(t)
		if got := free(); got["Light"] != 10000 || got["Heavy"] != 0 {
			t.Errorf("local: %v", got)
		}
	})
}
