package notify

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// nobody is the id of nothing.
const nobody = "3f5e7c9a-1b2d-4e8f-9a3c-7d6e4b2f1a8c"

const noResult = `{"message":"No result found","result":"error"}`

// schemaFaults is a body of shape E3.
func schemaFaults(messages ...string) string {
	return `{"errors":[{"error":"ValidationError","message":"` + strings.Join(messages, `"},{"error":"ValidationError","message":"`) + `"}],"status_code":400}`
}

// rule is a body of shape E1.
func rule(text string) string { return `{"message":"` + text + `","result":"error"}` }

// person creates an active user.
func (s *server) person(address string) *directory.User {
	s.t.Helper()
	u, err := s.registry.CreateUser(s.t.Context(), directory.NewUser{
		Name: strings.SplitN(address, "@", 2)[0], EmailAddress: address, AuthType: directory.EmailAuth, State: directory.Active,
	}, directory.Actor{Kind: "operator"}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func newServiceBody(name string, u *directory.User) string {
	return fmt.Sprintf(`{"name":%q,"user_id":%q,"created_by":%q,"email_message_limit":50,"sms_message_limit":40,"letter_message_limit":30,"restricted":true}`, name, u.ID, u.ID)
}

// service creates a trial service over HTTP and returns its id.
func (s *server) service(t *testing.T, name string, creator *directory.User) string {
	t.Helper()
	r := s.do(request{method: "POST", path: "/service", body: newServiceBody(name, creator)})
	return decode[struct{ Data struct{ ID string } }](t, r, 201).Data.ID
}

// join adds a user to a service's team over HTTP.
func (s *server) join(t *testing.T, service string, u *directory.User, permissions ...string) {
	t.Helper()
	r := s.do(request{method: "POST", path: "/service/" + service + "/users/" + u.ID.String(), body: rights(permissions...)})
	if r.StatusCode != http.StatusCreated {
		t.Fatalf("got %d %s", r.StatusCode, r.body)
	}
}

func rights(permissions ...string) string {
	items := make([]string, len(permissions))
	for i, p := range permissions {
		items[i] = fmt.Sprintf(`{"permission":%q}`, p)
	}
	return `{"permissions":[` + strings.Join(items, ",") + `]}`
}

// step is one request and what it must be answered with; "" is any body.
type step struct {
	name, method, path, body string
	status                   int
	want                     string
}

func (s *server) steps(t *testing.T, all []step) {
	t.Helper()
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			r := s.do(request{method: c.method, path: c.path, body: c.body})
			if c.want == "" {
				if r.StatusCode != c.status {
					t.Errorf("got %d %s, want %d", r.StatusCode, r.body, c.status)
				}
				return
			}
			r.want(t, c.status, c.want)
		})
	}
}

// wantNothing wants 204 without a body.
func (r response) wantNothing(t *testing.T) {
	t.Helper()
	if r.StatusCode != http.StatusNoContent || r.body != "" {
		t.Errorf("got %d %s, want 204", r.StatusCode, r.body)
	}
}

func TestCreatedServiceIsTheFullService(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		u := s.person("ann@example.com")
		got := decode[struct{ Data map[string]any }](t, s.do(request{method: "POST", path: "/service", body: newServiceBody(" Café  & Co. ", u)}), 201).Data
		want := map[string]any{
			"id": got["id"], "name": " Café  & Co. ", "active": true, "restricted": true, "organisation": nil, "organisation_type": nil,
			"permissions":         []any{"sms", "email", "letter", "international_sms", "international_letters"},
			"email_message_limit": 50.0, "sms_message_limit": 40.0, "letter_message_limit": 30.0, "email_branding": nil, "letter_branding": nil,
			"has_active_go_live_request": false, "go_live_user": nil, "go_live_at": nil, "created_by": u.ID.String(),
			"billing_contact_email_addresses": nil, "billing_contact_names": nil, "billing_reference": nil, "confirmed_email_sender_name": nil,
			"confirmed_unique": false, "consent_to_research": nil, "contact_link": nil, "count_as_live": true, "custom_email_sender_name": nil,
			"email_sender_local_part": "cafe.co", "international_sms_message_limit": 100.0, "notes": nil, "prefix_sms": true,
			"purchase_order_number": nil, "rate_limit": 3000.0, "service_callback_api": []any{}, "volume_email": nil, "volume_letter": nil, "volume_sms": nil,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		shown := decode[struct{ Data map[string]any }](t, s.do(request{method: "GET", path: "/service/" + got["id"].(string)}), 200).Data
		if diff := cmp.Diff(want, shown); diff != "" {
			t.Error(diff)
		}
		member := decode[struct {
			Data struct{ Permissions map[uuid.UUID][]string }
		}](t, s.do(request{method: "GET", path: "/user/" + u.ID.String()}), 200).Data
		id := uuid.MustParse(got["id"].(string))
		if diff := cmp.Diff(directory.CreatorPermissions(), member.Permissions[id]); diff != "" {
			t.Errorf("the creator's permissions: %s", diff)
		}
	})
}

func TestServiceBelongsToTheOrganisationOfItsCreatorsDomain(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		crown := false
		actor := directory.Actor{Kind: "operator"}
		o, err := s.registry.CreateOrganisation(t.Context(), directory.NewOrganisation{Name: "Leeds", Crown: &crown, Type: directory.NHSLocal}, actor)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.registry.Store.ReplaceDomains(t.Context(), o.ID, []string{"leeds.gov.uk"}); err != nil {
			t.Fatal(err)
		}
		nhs := directory.NHSEmailBrandingID.String()
		cases := []struct {
			address, organisationType    string
			organisation, kind, branding any
		}{
			{"a@leeds.gov.uk", "central", o.ID.String(), "nhs_local", nhs},
			{"b@it.leeds.gov.uk", "", o.ID.String(), "nhs_local", nhs},
			{"c@leeds.gsi.gov.uk", "", o.ID.String(), "nhs_local", nhs},
			{"d@notleeds.gov.uk", "central", nil, "central", nil},
			{"e@trust.nhs.uk", "", nil, nil, nhs},
			{"f@nhs.net", "other", nil, "other", nhs},
			{"g@example.com", "nhs_gp", nil, "nhs_gp", nhs},
			{"h@example.com", "local", nil, "local", nil},
		}
		for _, c := range cases {
			t.Run(c.address, func(t *testing.T) {
				body := newServiceBody(c.address, s.person(c.address))
				if c.organisationType != "" {
					body = strings.Replace(body, "{", fmt.Sprintf(`{"organisation_type":%q,`, c.organisationType), 1)
				}
				got := decode[struct{ Data map[string]any }](t, s.do(request{method: "POST", path: "/service", body: body}), 201).Data
				if got["organisation"] != c.organisation || got["organisation_type"] != c.kind || got["email_branding"] != c.branding {
					t.Errorf("got %v, %v, %v", got["organisation"], got["organisation_type"], got["email_branding"])
				}
				shown := decode[map[string]any](t, s.do(request{method: "GET", path: "/service/" + got["id"].(string) + "/organisation"}), 200)
				if c.organisation == nil && len(shown) > 0 || c.organisation != nil && shown["name"] != "Leeds" {
					t.Errorf("the organisation: %v", shown)
				}
			})
		}
	})
}

func TestServiceIsRefusedAsItsFormSays(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		u := s.person("ann@example.com")
		s.service(t, "Taken", u)
		good := newServiceBody("New", u)
		fields := func(pairs ...string) string { return `{"message":{` + strings.Join(pairs, ",") + `},"result":"error"}` }
		with := func(old, replacement string) string { return strings.Replace(good, old, replacement, 1) }
		post := func(name, body string, status int, want string) step {
			return step{name, "POST", "/service", body, status, want}
		}
		missing := `["Missing data for required field."]`
		s.steps(t, []step{
			post("null", `null`, 400, fields(`"_schema":["Invalid input type."]`)),
			post("array", `[]`, 400, fields(`"_schema":["Invalid input type."]`)),
			post("no user", `{}`, 400, fields(`"user_id":`+missing)),
			post("null user", with(`"user_id":"`+u.ID.String()+`"`, `"user_id":null`), 400, fields(`"user_id":`+missing)),
			post("only a user", `{"user_id":"`+u.ID.String()+`"}`, 400, fields(`"created_by":`+missing, `"email_message_limit":`+missing,
				`"letter_message_limit":`+missing, `"name":`+missing, `"restricted":`+missing, `"sms_message_limit":`+missing)),
			post("unknown user", with(`"user_id":"`+u.ID.String(), `"user_id":"`+nobody), 404, noResult),
			post("unknown creator", with(`"created_by":"`+u.ID.String(), `"created_by":"`+nobody), 404, noResult),
			post("user is no UUID", with(`"user_id":"`+u.ID.String(), `"user_id":"x`), 400, fields(`"user_id":["Not a valid UUID."]`)),
			post("name null", with(`"New"`, `null`), 400, fields(`"name":["Field may not be null."]`)),
			post("name a number", with(`"New"`, `1`), 400, fields(`"name":["Not a valid string."]`)),
			post("name blank", with(`"New"`, `"  "`), 400, fields(`"name":["Invalid name"]`)),
			post("name too long", with(`"New"`, `"`+strings.Repeat("x", 256)+`"`), 400, fields(`"name":["Longer than maximum length 255."]`)),
			post("name with a control character", with(`"New"`, `"a\u0007"`), 400, fields(`"name":["Not a valid string."]`)),
			post("name taken", with(`"New"`, `"Taken"`), 400, fields(`"name":["Duplicate service name 'Taken'"]`)),
			post("limit a word", with(`_limit":50`, `_limit":"many"`), 400, fields(`"email_message_limit":["Not a valid integer."]`)),
			post("limit a fraction", with(`_limit":50`, `_limit":1.5`), 400, fields(`"email_message_limit":["Not a valid integer."]`)),
			post("limit beyond any", with(`_limit":50`, `_limit":99999999999999999999`), 400, fields(`"email_message_limit":["Not a valid integer."]`)),
			post("restricted a word", with(`true`, `"maybe"`), 400, fields(`"restricted":["Not a valid boolean."]`)),
			post("type unknown", with(`{`, `{"organisation_type":"guild",`), 400, fields(`"organisation_type":["Must be one of: central, local, nhs_central, nhs_local, nhs_gp, nhs_notify, emergency_service, school_or_college, other."]`)),
			post("feature unknown", with(`{`, `{"permissions":["fax"],`), 400, fields(`"permissions":["Invalid Service Permission: 'fax'"]`)),
			post("feature twice", with(`{`, `{"permissions":["sms","sms"],`), 400, fields(`"permissions":["Duplicate Service Permission: ['sms']"]`)),
			post("features no list", with(`{`, `{"permissions":"sms",`), 400, fields(`"permissions":["Not a valid list."]`)),
			post("setting of another type", with(`{`, `{"prefix_sms":7,"notes":[],"volume_sms":"x",`), 400, fields(`"notes":["Not a valid string."]`, `"prefix_sms":["Not a valid boolean."]`, `"volume_sms":["Not a valid integer."]`)),
			post("branding unknown", with(`{`, `{"email_branding":"`+nobody+`",`), 404, noResult),
			post("keys in another case", strings.ReplaceAll(good, "_id", "_ID"), 400, fields(`"user_id":`+missing)),
			post("key twice", with(`{`, `{"name":"x",`), 400, rule(notUnderstoodText)),
			post("no body", ``, 415, ``),
			post("unknown keys are ignored", with(`{`, `{"id":"`+nobody+`","created_at":"2020-01-01",`), 201, ``),
		})
	})
}

func TestServiceIsChangedByWhatTheBodyNames(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		u := s.person("ann@example.com")
		s.service(t, "Other", u)
		id := s.service(t, "Passports", u)
		path := "/service/" + id
		cases := []struct {
			name, body string
			want       map[string]any
		}{
			{"nothing", `{}`, map[string]any{"name": "Passports", "restricted": true}},
			{"name", `{"name":"Visas"}`, map[string]any{"name": "Visas", "email_sender_local_part": "visas"}},
			{"sender name", `{"custom_email_sender_name":"The Visa Office"}`, map[string]any{"custom_email_sender_name": "The Visa Office", "email_sender_local_part": "the.visa.office", "name": "Visas"}},
			{"sender name removed", `{"custom_email_sender_name":null}`, map[string]any{"custom_email_sender_name": nil, "email_sender_local_part": "visas"}},
			{"go-live request", `{"go_live_user":"` + u.ID.String() + `","has_active_go_live_request":true}`, map[string]any{"go_live_user": u.ID.String(), "has_active_go_live_request": true}},
			{"features", `{"permissions":["email","email_auth"]}`, map[string]any{"permissions": []any{"email", "email_auth"}}},
			{"limits", `{"sms_message_limit":250000,"rate_limit":9}`, map[string]any{"sms_message_limit": 250000.0, "rate_limit": 9.0, "email_message_limit": 50.0}},
			{"volumes", `{"volume_email":1,"volume_sms":0,"volume_letter":null,"consent_to_research":false}`, map[string]any{"volume_email": 1.0, "volume_sms": 0.0, "volume_letter": nil, "consent_to_research": false, "rate_limit": 9.0}},
			{"type", `{"organisation_type":"local"}`, map[string]any{"organisation_type": "local"}},
			{"type removed", `{"organisation_type":null}`, map[string]any{"organisation_type": nil}},
			{"branding", `{"email_branding":"` + directory.NHSEmailBrandingID.String() + `"}`, map[string]any{"email_branding": directory.NHSEmailBrandingID.String()}},
			{"branding removed", `{"email_branding":null}`, map[string]any{"email_branding": nil}},
			{"moment of going live", `{"go_live_at":"2026-01-31 10:00:00.5"}`, map[string]any{"go_live_at": "2026-01-31T10:00:00.500000Z"}},
			{"moment with an offset", `{"go_live_at":"2026-06-30T11:00:00+01:00"}`, map[string]any{"go_live_at": "2026-06-30T10:00:00.000000Z"}},
			{"what is not the caller's", `{"id":"` + nobody + `","created_by":"` + nobody + `","organisation":"` + nobody + `"}`, map[string]any{"id": id, "created_by": u.ID.String(), "organisation": nil}},
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				changed := decode[struct{ Data map[string]any }](t, s.do(request{method: "POST", path: path, body: c.body}), 200).Data
				shown := decode[struct{ Data map[string]any }](t, s.do(request{method: "GET", path: path}), 200).Data
				if diff := cmp.Diff(shown, changed); diff != "" {
					t.Errorf("the answer is not what is kept: %s", diff)
				}
				for key, value := range c.want {
					if diff := cmp.Diff(value, shown[key]); diff != "" {
						t.Errorf("%s: %s", key, diff)
					}
				}
			})
		}
		s.steps(t, []step{
			{"name taken", "POST", path, `{"name":"Other"}`, 400, `{"message":{"name":["Duplicate service name 'Other'"]},"result":"error"}`},
			{"unknown service", "POST", "/service/" + nobody, `{}`, 404, noResult},
			{"unknown service before the body", "POST", "/service/" + nobody, `[`, 404, noResult},
			{"no UUID", "POST", "/service/7", `{}`, 404, rule(notFoundText)},
			{"no UUID to show", "GET", "/service/7", ``, 404, rule(notFoundText)},
			{"unknown to show", "GET", "/service/" + nobody, ``, 404, noResult},
			{"upper case", "GET", "/service/" + strings.ToUpper(id), ``, 200, ``},
			{"trailing slash", "GET", path + "/", ``, 404, rule(notFoundText)},
			{"unknown organisation's service", "GET", "/service/" + nobody + "/organisation", ``, 404, noResult},
			{"go-live user unknown", "POST", path, `{"go_live_user":"` + nobody + `"}`, 404, noResult},
			{"moment unreadable", "POST", path, `{"go_live_at":"soon"}`, 400, `{"message":{"go_live_at":["Not a valid datetime."]},"result":"error"}`},
			{"null name", "POST", path, `{"name":null}`, 400, `{"message":{"name":["Field may not be null."]},"result":"error"}`},
			{"null body", "POST", path, `null`, 400, `{"message":{"_schema":["Invalid input type."]},"result":"error"}`},
			{"wrong method", "DELETE", path, ``, 405, rule(notAllowedText)},
		})
	})
}

func TestGoingLiveTellsEveryActiveMember(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann, bob := s.person("ann@example.com"), s.person("bob@example.com")
		pending, err := s.registry.CreateUser(t.Context(), directory.NewUser{Name: "Pat", EmailAddress: "pat@example.com"}, directory.Actor{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		id := s.service(t, "Passports", ann)
		s.join(t, id, bob, "view_activity")
		s.join(t, id, pending, "view_activity")
		for _, c := range []struct {
			body string
			want []string
		}{
			{`{"restricted":true}`, nil},
			{`{"restricted":false,"name":"Visas"}`, []string{"ann@example.com ann Visas", "bob@example.com bob Visas"}},
			{`{"restricted":false}`, nil},
			{`{"name":"Forms"}`, nil},
		} {
			decode[map[string]any](t, s.do(request{method: "POST", path: "/service/" + id, body: c.body}), 200)
			var got []string
			for _, m := range s.outbox.take() {
				got = append(got, fmt.Sprint(m.To, " ", m.Personalisation["name"], " ", m.Personalisation["service_name"]))
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: %s", c.body, diff)
			}
		}
	})
}

func TestArchivedServiceFreesItsName(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		u := s.person("ann@example.com")
		id := s.service(t, "Passports", u)
		path := "/service/" + id
		for range 2 {
			s.do(request{method: "POST", path: path + "/archive"}).wantNothing(t)
			got := decode[struct{ Data map[string]any }](t, s.do(request{method: "GET", path: path}), 200).Data
			if got["active"] != false || got["name"] != "_archived_2026-01-31-12:00:00_Passports" {
				t.Errorf("got %v %v", got["active"], got["name"])
			}
		}
		s.service(t, "Passports", u)
		s.do(request{method: "POST", path: "/service/" + nobody + "/archive"}).want(t, 404, noResult)
	})
}

func TestServicesAreListedAndFound(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann, bob := s.person("ann@example.com"), s.person("bob@example.com")
		passports, visas := s.service(t, "Passports", ann), s.service(t, "100% Visas", bob)
		old := s.service(t, "Old_Forms", ann)
		s.do(request{method: "POST", path: "/service/" + old + "/archive"}).wantNothing(t)
		inOrder := []string{passports, visas, old}
		slices.Sort(inOrder) // all were created at the same moment
		cases := []struct {
			path string
			want []string
		}{
			{"/service", inOrder},
			{"/service?only_active=True", only(inOrder, passports, visas)},
			{"/service?only_active=true", only(inOrder, passports, visas)},
			{"/service?only_active=False", inOrder},
			{"/service?user_id=" + ann.ID.String(), only(inOrder, passports, old)},
			{"/service?only_active=True&user_id=" + ann.ID.String(), []string{passports}},
			{"/service?user_id=" + nobody, []string{}},
			{"/service?after=" + inOrder[0], inOrder[1:]},
			{"/service?after=" + inOrder[2], []string{}},
			{"/service?user_id=" + ann.ID.String() + "&after=" + only(inOrder, passports, old)[0], only(inOrder, passports, old)[1:]},
			{"/service/find-services-by-name?service_name=pASS", []string{passports}},
			{"/service/find-services-by-name?service_name=%25", []string{visas}},
			{"/service/find-services-by-name?service_name=_", []string{old}},
			{"/service/find-services-by-name?service_name=s", []string{visas, old, passports}},
			{"/service/find-services-by-name?service_name=zzz", []string{}},
		}
		for _, c := range cases {
			t.Run(c.path, func(t *testing.T) {
				got := []string{}
				for _, item := range decode[struct{ Data []struct{ ID string } }](t, s.do(request{method: "GET", path: c.path}), 200).Data {
					got = append(got, item.ID)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
		s.steps(t, []step{
			{"user is no UUID", "GET", "/service?user_id=x", ``, 404, noResult},
			{"after is no UUID", "GET", "/service?after=x", ``, 404, noResult},
			{"after is unknown", "GET", "/service?after=" + nobody, ``, 404, noResult},
			{"no name", "GET", "/service/find-services-by-name", ``, 400, `{"message":{"service_name":["Missing data for required field."]},"result":"error"}`},
			{"empty name", "GET", "/service/find-services-by-name?service_name=", ``, 400, `{"message":{"service_name":["Missing data for required field."]},"result":"error"}`},
		})
	})
}

// placeholder is a segment of a route's path.
var placeholder = regexp.MustCompile(`{\w+}`)

func only(ids []string, wanted ...string) []string {
	kept := []string{}
	for _, id := range ids {
		if slices.Contains(wanted, id) {
			kept = append(kept, id)
		}
	}
	return kept
}

func TestServiceRoutesAreProtected(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		routes := (&API{}).ServiceRoutes(func(next web.Handler) web.Handler { return next })
		for _, route := range routes {
			path := placeholder.ReplaceAllString(route.Path, nobody)
			if path == "/_status/live-service-and-organisation-counts" {
				continue
			}
			t.Run(route.Method+" "+route.Path, func(t *testing.T) {
				s.do(request{method: route.Method, path: path, authorization: "-"}).want(t, 401,
					`{"message":{"token":["Unauthorized: authentication token must be provided"]},"result":"error"}`)
				if r := s.do(request{method: route.Method, path: path, authorization: "Bearer gh_at_other"}); r.StatusCode != http.StatusForbidden {
					t.Errorf("without the scope: %d", r.StatusCode)
				}
			})
		}
	})
}

func TestOneOfTwoSimultaneousChangesOfAServiceIsNotLost(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		id := s.service(t, "Passports", s.person("ann@example.com"))
		bodies := []string{`{"notes":"a"}`, `{"contact_link":"b"}`, `{"sms_message_limit":7}`, `{"volume_sms":8}`}
		s.atOnce(len(bodies), func(i int) response { return s.do(request{method: "POST", path: "/service/" + id, body: bodies[i]}) })
		got := decode[struct{ Data map[string]any }](t, s.do(request{method: "GET", path: "/service/" + id}), 200).Data
		if got["notes"] != "a" || got["contact_link"] != "b" || got["sms_message_limit"] != 7.0 || got["volume_sms"] != 8.0 {
			t.Errorf("a change was lost: %v", got)
		}
	})
}

// atOnce sends n requests together and returns their answers.
func (s *server) atOnce(n int, send func(i int) response) []response {
	all := make([]response, n)
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			all[i] = send(i)
		})
	}
	done.Wait()
	return all
}
