package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/directory"
)

func TestEventsAreToldAndListed(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		fields := func(pairs ...string) string { return `{"message":{` + strings.Join(pairs, ",") + `},"result":"error"}` }
		missing := `["Missing data for required field."]`
		post := func(name, body string, status int, want string) step {
			return step{name, "POST", "/events", body, status, want}
		}
		s.steps(t, []step{
			post("null", `null`, 400, fields(`"_schema":["Invalid input type."]`)),
			post("empty", `{}`, 400, fields(`"data":`+missing, `"event_type":`+missing)),
			post("type null", `{"event_type":null,"data":1}`, 400, fields(`"event_type":["Field may not be null."]`)),
			post("type a number", `{"event_type":1,"data":1}`, 400, fields(`"event_type":["Not a valid string."]`)),
			post("type too long", `{"event_type":"`+strings.Repeat("x", 256)+`","data":1}`, 400, fields(`"event_type":["Longer than maximum length 255."]`)),
			post("data null", `{"event_type":"x","data":null}`, 400, fields(`"data":["Field may not be null."]`)),
			post("data with a NUL", `{"event_type":"x","data":"\u0000"}`, 400, ``),
			post("unparsable", `{"event_type"`, 400, rule(notUnderstoodText)),
			{"wrong method", "DELETE", "/events", ``, 405, rule(notAllowedText)},
			{"unreadable moment", "GET", "/events?from=soon&to=later", ``, 400, fields(`"from":["Not a valid datetime."]`, `"to":["Not a valid datetime."]`)},
			{"limit none", "GET", "/events?limit=0", ``, 400, fields(`"limit":["Must be between 1 and 1000."]`)},
			{"limit too high", "GET", "/events?limit=1001", ``, 400, fields(`"limit":["Must be between 1 and 1000."]`)},
			{"limit a word", "GET", "/events?limit=x", ``, 400, fields(`"limit":["Must be between 1 and 1000."]`)},
			{"after no UUID", "GET", "/events?after=x", ``, 400, fields(`"after":["Not a valid UUID."]`)},
			{"after unknown", "GET", "/events?after=" + nobody, ``, 404, noResult},
			{"nothing was kept", "GET", "/events", ``, 200, `{"data":[],"next":null}`},
		})
		var told []string
		for i, data := range []string{`{"user_id":"` + nobody + `","ip_address":"::1"}`, `"text"`, `[1,2.50]`, `0`, `false`, `{"a":{"b":null},"é":"😀"}`} {
			r := s.do(request{method: "POST", path: "/events", body: fmt.Sprintf(`{"event_type":"type_%d","data":%s,"foo":1}`, i%2, data)})
			got := decode[struct {
				Data struct {
					ID   string
					Data json.RawMessage
				}
			}](t, r, 201).Data
			var want, have any
			if json.Unmarshal([]byte(data), &want) != nil || json.Unmarshal(got.Data, &have) != nil || cmp.Diff(want, have) != "" {
				t.Errorf("told %s, got %s", data, got.Data)
			}
			told = append([]string{got.ID}, told...)
			s.registry.Clock = s.later(time.Duration(i+1) * time.Second)
		}
		list := func(query string) (ids []string, next *string) {
			page := decode[struct {
				Data []struct{ ID string }
				Next *string
			}](t, s.do(request{method: "GET", path: "/events" + query}), 200)
			ids = []string{}
			for _, e := range page.Data {
				ids = append(ids, e.ID)
			}
			return ids, page.Next
		}
		for query, want := range map[string][]string{
			"": told, "?limit=2": told[:2], "?limit=2&after=" + told[1]: told[2:4], "?after=" + told[5]: {}, "?type=type_0": {told[1], told[3], told[5]},
			"?subject=" + nobody: {told[5]}, "?actor=notify-admin": told, "?actor=x": {}, "?type=type_1&limit=1&after=" + told[0]: {told[2]},
			"?from=2026-01-31T12:00:04Z": told[:2], "?to=2026-01-31T12:00:02Z": told[4:], "?from=2026-01-31T12:00:01Z&to=2026-01-31T12:00:03Z": told[3:5],
		} {
			if got, _ := list(query); cmp.Diff(want, got) != "" {
				t.Errorf("%s: %s", query, cmp.Diff(want, got))
			}
		}
		if _, next := list("?limit=2"); next == nil || *next != told[1] {
			t.Errorf("the next page begins after %v", next)
		}
	})
}

// later is the server's clock, some time on.
func (s *server) later(d time.Duration) directory.Clock {
	return func() time.Time { return testNow.Add(d) }
}

func TestChangesOfTeamsAreAudited(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann, bob := s.person("ann@example.com"), s.person("bob@example.com")
		id := s.service(t, "Passports", ann)
		s.join(t, id, bob, "view_activity")
		s.do(request{method: "POST", path: "/service/" + id, body: `{"name":"Visas","billing_contact_email_addresses":"secret@example.com"}`})
		s.do(request{method: "POST", path: "/user/" + bob.ID.String() + "/service/" + id + "/permission", body: rights("send_texts"), header: map[string]string{"X-Notify-User-Id": ann.ID.String()}})
		s.do(request{method: "DELETE", path: "/service/" + id + "/users/" + bob.ID.String()}).wantNothing(t)
		s.do(request{method: "POST", path: "/service/" + id + "/archive"}).wantNothing(t)
		page := s.do(request{method: "GET", path: "/events?subject=" + id})
		var kinds []string
		for _, e := range decode[struct {
			Data []struct {
				EventType string `json:"event_type"`
				ActorID   string `json:"actor_id"`
				Data      struct{ Before, After map[string]any }
			}
		}](t, page, 200).Data {
			kinds = append(kinds, e.EventType)
			if e.EventType == "set_user_permissions" && (e.ActorID != ann.ID.String() || fmt.Sprint(e.Data.Before, e.Data.After) != "map[permissions:[view_activity]] map[permissions:[send_texts]]") {
				t.Errorf("got %+v", e)
			}
		}
		slices.Sort(kinds)
		want := []string{"add_user_to_service", "archive_service", "create_service", "remove_user_from_service", "set_user_permissions", "update_service"}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Error(diff)
		}
		if strings.Contains(page.body, "secret@example.com") {
			t.Error("the trail holds an address")
		}
	})
}

func TestUsersListForThePlatform(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann, bob := s.person("ann@example.com"), s.person("bob@example.com")
		id := s.service(t, "Passports", ann)
		s.service(t, "On trial", ann)
		s.do(request{method: "POST", path: "/service/" + id, body: `{"restricted":false}`})
		post := func(name, body string, status int, want string) step {
			return step{name, "POST", "/platform-admin/users-list", body, status, want}
		}
		s.steps(t, []step{
			post("null", `null`, 400, schemaFaults("None is not of type object")),
			post("empty", `{}`, 400, schemaFaults("{} should be non-empty")),
			post("no date", `{"created_start":"soon"}`, 400, schemaFaults("created_start soon is not a date")),
			post("a time", `{"created_end":"2026-01-31T00:00:00"}`, 400, schemaFaults("created_end 2026-01-31T00:00:00 is not a date")),
			post("no such day", `{"logged_in_start":"2026-02-30"}`, 400, schemaFaults("logged_in_start 2026-02-30 is not a date")),
			post("a number", `{"logged_in_end":1}`, 400, schemaFaults("logged_in_end 1 is not of type string, null")),
			post("research a word", `{"take_part_in_research":"yes"}`, 400, schemaFaults("take_part_in_research yes is not of type boolean, null")),
			post("strict", `{"foo":1}`, 400, schemaFaults("Additional properties are not allowed (foo was unexpected)")),
			{"after no UUID", "POST", "/platform-admin/users-list?after=x", `{"created_start":null}`, 404, noResult},
			{"after unknown", "POST", "/platform-admin/users-list?after=" + nobody, `{"created_start":null}`, 404, noResult},
		})
		for _, c := range []struct {
			body string
			want int
		}{
			{`{"created_start":null}`, 2}, {`{"created_start":"2026-01-31"}`, 2}, {`{"created_start":"2026-02-01"}`, 0}, {`{"created_end":"2026-01-31"}`, 2},
			{`{"created_end":"2026-01-30"}`, 0}, {`{"take_part_in_research":true}`, 2}, {`{"take_part_in_research":false}`, 0}, {`{"logged_in_start":"2026-01-01"}`, 0},
			{`{"logged_in_end":"2026-12-31"}`, 0}, {`{"created_start":"2026-01-01","created_end":"2026-02-01","take_part_in_research":null}`, 2},
		} {
			list := decode[struct {
				Data []struct {
					ID       string
					Services []struct{ ID, Name string }
				}
			}](t, s.do(request{method: "POST", path: "/platform-admin/users-list", body: c.body}), 200).Data
			if len(list) != c.want {
				t.Errorf("%s: %d users", c.body, len(list))
			}
			for _, u := range list {
				if live := u.ID == ann.ID.String(); live != (len(u.Services) == 1) || live && u.Services[0].Name != "Passports" {
					t.Errorf("services %v", u.Services)
				}
			}
		}
		folder := s.folder(t, id, "A", nil)
		find := func(name, body string, status int, want string) step {
			return step{name, "POST", "/platform-admin/find-by-uuid", body, status, want}
		}
		found := func(id, kind, context string) string {
			return `{"context":{` + context + `},"id":"` + id + `","type":"` + kind + `"}`
		}
		s.steps(t, []step{
			find("a service", `{"uuid":"`+id+`"}`, 200, found(id, "service", "")),
			find("a user", `{"uuid":"`+bob.ID.String()+`"}`, 200, found(bob.ID.String(), "user", "")),
			find("a folder", `{"uuid":"`+folder+`"}`, 200, found(folder, "template_folder", `"service_id":"`+id+`"`)),
			find("an e-mail branding", `{"uuid":"`+directory.NHSEmailBrandingID.String()+`"}`, 200, found(directory.NHSEmailBrandingID.String(), "email_branding", "")),
			find("a letter branding", `{"uuid":"`+directory.NHSLetterBrandingID.String()+`"}`, 200, found(directory.NHSLetterBrandingID.String(), "letter_branding", "")),
			find("nothing", `{"uuid":"`+nobody+`"}`, 404, noResult),
			find("no UUID", `{"uuid":"x"}`, 404, noResult),
			find("no key", `{}`, 400, rule(notUnderstoodText)),
			find("array", `[]`, 400, rule(notUnderstoodText)),
		})
	})
}

func TestLiveServicesAreCounted(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		count := func(organisations, services int) {
			t.Helper()
			s.do(request{method: "GET", path: "/_status/live-service-and-organisation-counts", authorization: "-"}).
				want(t, 200, fmt.Sprintf(`{"organisations":%d,"services":%d}`, organisations, services))
		}
		count(0, 0)
		o, err := s.registry.CreateOrganisation(t.Context(), directory.NewOrganisation{Name: "Leeds", Type: directory.Local}, directory.Actor{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.registry.Store.ReplaceDomains(t.Context(), o.ID, []string{"leeds.gov.uk"}); err != nil {
			t.Fatal(err)
		}
		ann, bob := s.person("ann@leeds.gov.uk"), s.person("bob@example.com")
		a, b, c := s.service(t, "A", ann), s.service(t, "B", ann), s.service(t, "C", bob)
		count(0, 0)
		for _, id := range []string{a, b, c} {
			s.do(request{method: "POST", path: "/service/" + id, body: `{"restricted":false,"notes":"\"count_as_live\":false"}`})
		}
		count(1, 3)
		s.do(request{method: "POST", path: "/service/" + a, body: `{"count_as_live":false}`})
		count(1, 2)
		s.do(request{method: "POST", path: "/service/" + b + "/archive"})
		count(0, 1)
	})
}
