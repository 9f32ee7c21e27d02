package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

const (
	noResultE1      = `{"message":"No result found","result":"error"}`
	nobodyID        = "00000000-0000-4000-8000-000000000000"
	notUnderstoodE1 = `{"message":"The browser (or proxy) sent a request that this server could not understand.","result":"error"}`
	noSuchURLE1     = `{"message":"The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.","result":"error"}`
)

func bodyE1(text string) string   { return `{"message":"` + text + `","result":"error"}` }
func bodyE2(faults string) string { return `{"message":{` + faults + `},"result":"error"}` }

// bodyE3 is the shape E3 with these messages.
func bodyE3(messages ...string) string {
	parts := make([]string, len(messages))
	for i, m := range messages {
		text, _ := json.Marshal(m)
		parts[i] = `{"error":"ValidationError","message":` + string(text) + `}`
	}
	return `{"errors":[` + strings.Join(parts, ",") + `],"status_code":400}`
}

// john creates the user of most tests and returns the path of it.
func (s *server) john() (path string, id uuid.UUID) {
	s.t.Helper()
	got := decode[userData](s.t, s.do(request{method: "POST", path: "/user", body: john}), 201).Data
	id = uuid.MustParse(got["id"].(string))
	s.outbox.take()
	return "/user/" + id.String(), id
}

// other creates a user who gets links by e-mail.
func (s *server) other(name, address string) uuid.UUID {
	s.t.Helper()
	u, err := s.registry.CreateUser(s.t.Context(), directory.NewUser{Name: name, EmailAddress: address, State: directory.Active}, directory.Actor{Kind: "system"}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return u.ID
}

func (s *server) user(id uuid.UUID) *directory.User {
	s.t.Helper()
	u, err := s.registry.Store.User(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// exchange is one request of a table and its whole answer.
type exchange struct {
	name, path, body string
	status           int
	want             string
}

func (s *server) run(t *testing.T, method string, cases []exchange) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := s.do(request{method: method, path: c.path, body: c.body})
			if c.status == http.StatusNoContent {
				if got.StatusCode != c.status || got.body != "" {
					t.Errorf("got %d %s, want 204", got.StatusCode, got.body)
				}
				return
			}
			got.want(t, c.status, c.want)
		})
	}
}

func TestUserIsChangedFieldByField(t *testing.T) {
	cases := []struct{ body, key, want string }{
		{`{"name":"John A. Smith"}`, "name", `"John A. Smith"`},
		{`{"email_address":"john.a.smith@example.gov.uk"}`, "email_address", `"john.a.smith@example.gov.uk"`},
		{`{"email_address":"JOHN.SMITH@example.gov.uk"}`, "email_address", `"JOHN.SMITH@example.gov.uk"`},
		{`{"mobile_number":"+447700900456"}`, "mobile_number", `"+447700900456"`},
		{`{"auth_type":"email_auth"}`, "auth_type", `"email_auth"`},
		{`{"auth_type":"webauthn_auth"}`, "can_use_webauthn", `true`},
		{`{"auth_type":"email_auth","mobile_number":null}`, "mobile_number", `null`},
		{`{"current_session_id":"D6AA2C68-a2d9-4437-ab19-3ae8eb202553"}`, "current_session_id", `"d6aa2c68-a2d9-4437-ab19-3ae8eb202553"`},
		{`{"current_session_id":null}`, "current_session_id", `null`},
		{`{"email_access_validated_at":"2026-01-30T10:00:00.5+01:00"}`, "email_access_validated_at", `"2026-01-30T09:00:00.500000Z"`},
		{`{"email_access_validated_at":"2026-01-30 10:00:00.000001"}`, "email_access_validated_at", `"2026-01-30T10:00:00.000001Z"`},
		{`{"email_access_validated_at":"2026-01-30T10:00"}`, "email_access_validated_at", `"2026-01-30T10:00:00.000000Z"`},
		{`{"take_part_in_research":false}`, "take_part_in_research", `false`},
		{`{"receives_new_features_email":"no"}`, "receives_new_features_email", `false`},
		{`{"platform_admin":false}`, "platform_admin", `false`},
		{`{}`, "name", `"John Smith"`},
	}
	eachServer(t, func(t *testing.T, s *server) {
		for i, c := range cases {
			address := strings.Replace(john, "john.smith@", "john.smith"+strings.Repeat("x", i)+"@", 1)
			before := decode[userData](t, s.do(request{method: "POST", path: "/user", body: address}), 201).Data
			body := strings.Replace(c.body, "JOHN.SMITH@", "JOHN.SMITH"+strings.Repeat("x", i)+"@", 1)
			want := strings.Replace(c.want, "JOHN.SMITH@", "JOHN.SMITH"+strings.Repeat("x", i)+"@", 1)
			got := s.do(request{method: "POST", path: "/user/" + before["id"].(string), body: body})
			var all struct{ Data map[string]json.RawMessage }
			if err := json.Unmarshal([]byte(got.body), &all); err != nil || got.StatusCode != http.StatusOK || string(all.Data[c.key]) != want {
				t.Errorf("%s: %d, %s is %s, want %s", c.body, got.StatusCode, c.key, all.Data[c.key], want)
			}
			shown := s.do(request{method: "GET", path: "/user/" + before["id"].(string)})
			if shown.body != got.body {
				t.Errorf("%s: answered %sstored %s", c.body, got.body, shown.body)
			}
		}
		if sent := s.outbox.take(); len(sent) != 0 {
			t.Errorf("%d messages were sent without updated_by", len(sent))
		}
	})
}

func TestUserChangeIsRefused(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, id := s.john()
		s.other("Ann", "ann@example.gov.uk")
		unknown := func(name string) string { return bodyE2(`"_schema":["Unknown field name ` + name + `"]`) }
		cases := []exchange{
			{"nobody", "/user/" + nobodyID, `{"name":"x"}`, 404, noResultE1},
			{"no id", "/user/john", `{"name":"x"}`, 404, noSuchURLE1},
			{"unknown updater", path, `{"name":"x","updated_by":"` + nobodyID + `"}`, 404, noResultE1},
			{"unknown updater before the schema", path, `{"name":1,"updated_by":"` + nobodyID + `"}`, 404, noResultE1},
			{"updater that is no id", path, `{"name":"x","updated_by":"me"}`, 404, noResultE1},
			{"updater null", path, `{"name":"x","updated_by":null}`, 404, noResultE1},
			{"null", path, `null`, 400, bodyE2(`"_schema":["Invalid input type."]`)},
			{"array", path, `[1]`, 400, bodyE2(`"_schema":["Invalid input type."]`)},
			{"malformed", path, `{`, 400, notUnderstoodE1},
			{"password", path, `{"password":"x"}`, 400, unknown("password")},
			{"_password", path, `{"_password":"x"}`, 400, unknown("_password")},
			{"state", path, `{"state":"active"}`, 400, unknown("state")},
			{"id", path, `{"id":"` + nobodyID + `"}`, 400, unknown("id")},
			{"failed_login_count", path, `{"failed_login_count":0}`, 400, unknown("failed_login_count")},
			{"logged_in_at", path, `{"logged_in_at":null}`, 400, unknown("logged_in_at")},
			{"created_at", path, `{"created_at":null}`, 400, unknown("created_at")},
			{"password_changed_at", path, `{"password_changed_at":null}`, 400, unknown("password_changed_at")},
			{"permissions", path, `{"permissions":{}}`, 400, unknown("permissions")},
			{"services", path, `{"services":[]}`, 400, unknown("services")},
			{"webauthn_credentials", path, `{"webauthn_credentials":[]}`, 400, unknown("webauthn_credentials")},
			{"another letter case", path, `{"Name":"x"}`, 400, unknown("Name")},
			{"first unknown of two", path, `{"b":1,"a":1}`, 400, unknown("b")},
			{"unknown beside a fault", path, `{"b":1,"name":""}`, 400, bodyE2(`"name":["Invalid name"]`)},
			{"name null", path, `{"name":null}`, 400, bodyE2(`"name":["Field may not be null."]`)},
			{"name number", path, `{"name":1}`, 400, bodyE2(`"name":["Not a valid string."]`)},
			{"name blank", path, `{"name":"  "}`, 400, bodyE2(`"name":["Invalid name"]`)},
			{"name long", path, `{"name":"` + strings.Repeat("a", 256) + `"}`, 400, bodyE2(`"name":["Longer than maximum length 255."]`)},
			{"name with a line break", path, `{"name":"a\nb"}`, 400, bodyE2(`"name":["Not a valid string."]`)},
			{"address", path, `{"email_address":"nope"}`, 400, bodyE2(`"email_address":["Not a valid email address"]`)},
			{"address null", path, `{"email_address":null}`, 400, bodyE2(`"email_address":["Field may not be null."]`)},
			{"address taken", path, `{"email_address":"ann@example.gov.uk"}`, 400, bodyE2(`"email_address":["This value is already in use by another user"]`)},
			{"address taken in another case", path, `{"email_address":"ANN@example.gov.uk"}`, 400, bodyE2(`"email_address":["This value is already in use by another user"]`)},
			{"mobile short", path, `{"mobile_number":"07700"}`, 400, bodyE2(`"mobile_number":["Invalid phone number: Not enough digits"]`)},
			{"mobile empty", path, `{"mobile_number":""}`, 400, bodyE2(`"mobile_number":["Invalid phone number: Not enough digits"]`)},
			{"mobile letters", path, `{"mobile_number":"0770O900123"}`, 400, bodyE2(`"mobile_number":["Invalid phone number: Must not contain letters or symbols"]`)},
			{"mobile removed", path, `{"mobile_number":null}`, 400, bodyE1("Mobile number must be set if auth_type is set to sms_auth")},
			{"auth type", path, `{"auth_type":"smoke"}`, 400, bodyE2(`"auth_type":["Must be one of: sms_auth, email_auth, webauthn_auth."]`)},
			{"session", path, `{"current_session_id":"x"}`, 400, bodyE2(`"current_session_id":["Not a valid UUID."]`)},
			{"session number", path, `{"current_session_id":1}`, 400, bodyE2(`"current_session_id":["Not a valid UUID."]`)},
			{"time", path, `{"email_access_validated_at":"yesterday"}`, 400, bodyE2(`"email_access_validated_at":["Not a valid datetime."]`)},
			{"time null", path, `{"email_access_validated_at":null}`, 400, bodyE2(`"email_access_validated_at":["Field may not be null."]`)},
			{"time number", path, `{"email_access_validated_at":1}`, 400, bodyE2(`"email_access_validated_at":["Not a valid datetime."]`)},
			{"research", path, `{"take_part_in_research":"maybe"}`, 400, bodyE2(`"take_part_in_research":["Not a valid boolean."]`)},
			{"features", path, `{"receives_new_features_email":null}`, 400, bodyE2(`"receives_new_features_email":["Field may not be null."]`)},
			{"administrator", path, `{"platform_admin":true}`, 400, bodyE2(`"platform_admin":["Cannot set platform_admin to True"]`)},
			{"administrator in words", path, `{"platform_admin":"yes"}`, 400, bodyE2(`"platform_admin":["Cannot set platform_admin to True"]`)},
			{"administrator of no kind", path, `{"platform_admin":"x"}`, 400, bodyE2(`"platform_admin":["Not a valid boolean."]`)},
			{"two faults", path, `{"name":"","auth_type":null}`, 400, bodyE2(`"auth_type":["Field may not be null."],"name":["Invalid name"]`)},
		}
		before := s.user(id)
		s.run(t, "POST", cases)
		if diff := cmp.Diff(before, s.user(id)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestUserIsToldWhatSomebodyElseChanged(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, _ := s.john()
		ann := s.other("Ann", "ann@example.gov.uk")
		personal := map[string]any{"name": "John Smith", "servicemanagername": "Ann", "email address": "john.smith@example.gov.uk"}
		moved := map[string]any{"name": "John Smith", "servicemanagername": "Ann", "email address": "new@example.gov.uk"}
		cases := []struct {
			body string
			want []authn.Message
		}{
			{`{"name":"John Smith"`, nil},
			{`{"mobile_number":"+447700900456"`, []authn.Message{{Channel: "sms", To: "+447700900456", Template: "team_member_edit_mobile", Personalisation: personal}}},
			{`{"email_address":"new@example.gov.uk"`, []authn.Message{{Channel: "email", To: "new@example.gov.uk", Template: "team_member_edit_email", Personalisation: moved}}},
			{`{"email_address":"new@example.gov.uk","mobile_number":"+447700900457"`, []authn.Message{{Channel: "email", To: "new@example.gov.uk", Template: "team_member_edit_email", Personalisation: moved}}},
		}
		for _, c := range cases {
			decode[userData](t, s.do(request{method: "POST", path: path, body: c.body + `,"updated_by":"` + ann.String() + `"}`}), 200)
			if diff := cmp.Diff(c.want, s.outbox.take()); diff != "" {
				t.Errorf("%s: %s", c.body, diff)
			}
		}
		got := s.do(request{method: "POST", path: path, body: `{"mobile_number":null,"auth_type":"email_auth","updated_by":"` + ann.String() + `"}`})
		got.want(t, 400, bodyE1("Recipient can't be empty"))
		if shown := decode[userData](t, s.do(request{method: "GET", path: path}), 200).Data; shown["mobile_number"] == nil || shown["auth_type"] != "sms_auth" {
			t.Errorf("half of the change stayed: %v", shown)
		}
	})
}

// TestNoChangeOfAUserIsLost changes different bodyE2 at the same time.
func TestNoChangeOfAUserIsLost(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, id := s.john()
		var all sync.WaitGroup
		for _, body := range []string{
			`{"name":"Jo"}`, `{"mobile_number":"+447700900456"}`, `{"take_part_in_research":false}`, `{"receives_new_features_email":false}`,
			`{"email_address":"jo@example.gov.uk"}`, `{"current_session_id":"d6aa2c68-a2d9-4437-ab19-3ae8eb202553"}`,
		} {
			all.Go(func() { s.do(request{method: "POST", path: path, body: body}) })
		}
		all.Go(func() { s.do(request{method: "POST", path: path + "/activate"}) })
		all.Wait()
		u := s.user(id)
		if u.Name != "Jo" || u.MobileNumber != "+447700900456" || u.TakePartInResearch || u.ReceivesNewFeaturesEmail ||
			u.EmailAddress != "jo@example.gov.uk" || !u.CurrentSessionID.Valid || u.State != directory.Active {
			t.Errorf("a change was lost: %+v", u)
		}
	})
}

func TestUsersAreFoundByAddress(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.john()
		s.other("Ann", "ann_50%@example.gov.uk")
		s.other("Bo", "bo@other.example")
		listed := func(users ...string) string { return `{"data":[` + strings.Join(users, ",") + `]}` }
		item := func(name, address, mobile string) string {
			all, err := s.registry.Store.UsersByEmail(t.Context(), address)
			if err != nil || len(all) != 1 {
				t.Fatal(len(all), err)
			}
			return `{"email_address":"` + address + `","id":"` + all[0].ID.String() + `","mobile_number":` + mobile + `,"name":"` + name + `"}`
		}
		ann, bo := item("Ann", "ann_50%@example.gov.uk", "null"), item("Bo", "bo@other.example", "null")
		jo := item("John Smith", "john.smith@example.gov.uk", `"+447700900123"`)
		missing := bodyE2(`"email":["Missing data for required field."]`)
		s.run(t, "POST", []exchange{
			{"everybody", "/user/find-users-by-email", `{"email":""}`, 200, listed(ann, bo, jo)},
			{"part", "/user/find-users-by-email", `{"email":"example.gov"}`, 200, listed(ann, jo)},
			{"in another case", "/user/find-users-by-email", `{"email":"SMITH@"}`, 200, listed(jo)},
			{"percent", "/user/find-users-by-email", `{"email":"0%"}`, 200, listed(ann)},
			{"percent alone", "/user/find-users-by-email", `{"email":"%"}`, 200, listed(ann)},
			{"underscore", "/user/find-users-by-email", `{"email":"n_5"}`, 200, listed(ann)},
			{"underscore is no wildcard", "/user/find-users-by-email", `{"email":"joh_"}`, 200, listed()},
			{"the escape itself", "/user/find-users-by-email", `{"email":"!"}`, 200, listed()},
			{"backslash", "/user/find-users-by-email", `{"email":"\\"}`, 200, listed()},
			{"quote", "/user/find-users-by-email", `{"email":"'"}`, 200, listed()},
			{"nobody", "/user/find-users-by-email", `{"email":"zzz"}`, 200, listed()},
			{"no part", "/user/find-users-by-email", `{}`, 400, missing},
			{"part null", "/user/find-users-by-email", `{"email":null}`, 400, bodyE2(`"email":["Field may not be null."]`)},
			{"part number", "/user/find-users-by-email", `{"email":1}`, 400, bodyE2(`"email":["Not a valid string."]`)},
			{"part NUL", "/user/find-users-by-email", `{"email":"\u0000"}`, 400, bodyE1("The request body holds a NUL character, which no field can")},
			{"no address", "/user/email", `{}`, 400, missing},
			{"address null", "/user/email", `{"email":null}`, 400, bodyE2(`"email":["Field may not be null."]`)},
			{"address number", "/user/email", `{"email":1}`, 400, bodyE2(`"email":["Not a valid string."]`)},
			{"no such address", "/user/email", `{"email":"zzz"}`, 400, bodyE2(`"email":["Not a valid email address"]`)},
			{"unknown address", "/user/email", `{"email":"zzz@example.gov.uk"}`, 404, noResultE1},
			{"next null", "/user/email", `{"email":"bo@other.example","next":null}`, 400, bodyE2(`"next":["Field may not be null."]`)},
			{"host number", "/user/email", `{"email":"bo@other.example","admin_base_url":1}`, 400, bodyE2(`"admin_base_url":["Not a valid string."]`)},
			{"null body", "/user/email", `null`, 400, bodyE2(`"_schema":["Invalid input type."]`)},
		})
		for _, address := range []string{"john.smith@example.gov.uk", "John.Smith@EXAMPLE.gov.uk"} {
			got := decode[userData](t, s.do(request{method: "POST", path: "/user/email", body: `{"email":"` + address + `","extra":1}`}), 200).Data
			if got["name"] != "John Smith" || len(got) != 20 {
				t.Errorf("%s: %v", address, got)
			}
		}
	})
}

func TestUserIsActivatedOnce(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, _ := s.john()
		statuses := make([]int, 8)
		var all sync.WaitGroup
		for i := range statuses {
			all.Go(func() { statuses[i] = s.do(request{method: "POST", path: path + "/activate"}).StatusCode })
		}
		all.Wait()
		activated := 0
		for _, status := range statuses {
			if status == 200 {
				activated++
			}
		}
		if activated != 1 {
			t.Errorf("activated %d times: %v", activated, statuses)
		}
		s.do(request{method: "POST", path: path + "/activate", body: `{"anything":1}`}).want(t, 400, bodyE1("User already active"))
		s.do(request{method: "POST", path: "/user/" + nobodyID + "/activate"}).want(t, 404, noResultE1)
	})
}

func TestArchivedUserKeepsNothing(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, id := s.john()
		s.do(request{method: "POST", path: path + "/activate"})
		for _, name := range []string{"One", "Two", "Three"} {
			o, err := s.registry.CreateOrganisation(t.Context(), directory.NewOrganisation{Name: name, Type: directory.Central}, directory.Actor{Kind: "system"})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.registry.Store.AddOrganisationMember(t.Context(), directory.Membership{UserID: id, Of: o.ID, CreatedAt: testNow}); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			s.run(t, "POST", []exchange{{"archive", path + "/archive", "", 204, ""}})
			got := decode[userData](t, s.do(request{method: "GET", path: path}), 200).Data
			want := map[string]any{
				"name": "Archived user", "email_address": "_archived_2026-01-31-12:00:00_" + id.String() + "@localhost", "mobile_number": nil,
				"auth_type": "email_auth", "state": "inactive", "platform_admin": false, "current_session_id": "00000000-0000-0000-0000-000000000000",
				"organisations": []any{}, "organisation_permissions": map[string]any{}, "services": []any{},
				"password_changed_at": "2026-01-31 12:00:00.123456",
			}
			for key, value := range want {
				if diff := cmp.Diff(value, got[key]); diff != "" {
					t.Errorf("%s: %s", key, diff)
				}
			}
		}
		s.run(t, "POST", []exchange{
			{"password", path + "/verify/password", `{"password":"SecurePassword123!"}`, 400, bodyE2(`"password":["Incorrect password"]`)},
			{"nobody", "/user/" + nobodyID + "/archive", "", 404, noResultE1},
			{"no id", "/user/x/archive", "", 404, noSuchURLE1},
		})
		decode[userData](t, s.do(request{method: "POST", path: "/user", body: john}), 201)
		again := decode[userData](t, s.do(request{method: "POST", path: path + "/activate"}), 200).Data
		if again["state"] != "active" || again["name"] != "Archived user" {
			t.Errorf("%v", again)
		}
	})
}

func TestServiceKeepsItsLastManager(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, id := s.john()
		s.do(request{method: "POST", path: path + "/activate"})
		ann := s.other("Ann", "ann@example.gov.uk")
		store := s.registry.Store
		service := &directory.Service{ID: uuid.New(), Name: "Post", Active: true, Restricted: true, CreatedAt: testNow}
		if err := store.CreateService(t.Context(), service); err != nil {
			t.Fatal(err)
		}
		for _, member := range []uuid.UUID{id, ann} {
			if err := store.AddServiceMember(t.Context(), directory.Membership{UserID: member, Of: service.ID, Permissions: []string{"manage_settings"}, CreatedAt: testNow}); err != nil {
				t.Fatal(err)
			}
		}
		statuses := make(chan int, 2)
		var all sync.WaitGroup
		for _, member := range []uuid.UUID{id, ann} {
			all.Go(func() {
				statuses <- s.do(request{method: "POST", path: "/user/" + member.String() + "/archive"}).StatusCode
			})
		}
		all.Wait()
		if first, second := <-statuses, <-statuses; first+second != 204+400 {
			t.Errorf("%d and %d: want one archived and one refused", first, second)
		}
		left := id
		if s.user(id).State == directory.Inactive {
			left = ann
		}
		s.do(request{method: "POST", path: "/user/" + left.String() + "/archive"}).want(t, 400, bodyE1("User cannot be removed from a service"))
		if u := s.user(left); u.State != directory.Active || u.Name == "Archived user" {
			t.Errorf("a refused archiving left %+v", u)
		}
	})
}

// trail notes the events that were committed to the audit trail.
type trail struct {
	directory.Store
	events []directory.Event
}

func (t *trail) AppendEvent(ctx context.Context, e directory.Event) error {
	t.events = append(t.events, e)
	return t.Store.AppendEvent(ctx, e)
}

func TestUserChangesAreInTheAuditTrail(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, _ := s.john()
		noted := &trail{Store: s.registry.Store}
		s.registry.Store = noted
		s.do(request{method: "POST", path: path, body: `{"email_address":"secret@example.gov.uk","mobile_number":"+447700900999","auth_type":"email_auth"}`})
		s.do(request{method: "POST", path: path + "/activate"})
		s.do(request{method: "POST", path: path + "/webauthn", body: securityKey})
		s.do(request{method: "POST", path: path + "/archive"})
		var kinds []string
		for _, e := range noted.events {
			kinds = append(kinds, e.Type)
			data, err := json.Marshal(e.Data)
			if err != nil || strings.Contains(string(data), "@") || strings.Contains(string(data), "7700900") {
				t.Errorf("%s holds what is personal: %s (%v)", e.Type, data, err)
			}
			if e.Subject != strings.TrimPrefix(path, "/user/") || e.Actor != (directory.Actor{Kind: "client", ID: "notify-admin"}) {
				t.Errorf("%s: subject %s, actor %v", e.Type, e.Subject, e.Actor)
			}
		}
		if diff := cmp.Diff([]string{"update_user", "activate_user", "create_webauthn_credential", "archive_user"}, kinds); diff != "" {
			t.Error(diff)
		}
	})
}
