package notify

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// sentLink takes the one message that was sent, and opens its link.
func (s *server) sentLink(t *testing.T, to, template, start string) map[string]string {
	t.Helper()
	sent := s.outbox.take()
	if len(sent) != 1 || sent[0].To != to || sent[0].Template != template || sent[0].Channel != "email" {
		t.Fatalf("%d messages were sent, not one %s", len(sent), template)
	}
	url, _ := sent[0].Personalisation["url"].(string)
	token, ok := strings.CutPrefix(url, start)
	token, _, _ = strings.Cut(token, "?")
	plain, err := s.links.Open(token, time.Hour)
	var payload map[string]string
	if !ok || err != nil || json.Unmarshal(plain, &payload) != nil {
		t.Fatalf("%s holds %s (%v)", url, plain, err)
	}
	return payload
}

func TestLinksOfMessagesHoldUpstreamsPayloads(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, id := s.john()
		cases := []struct {
			path, body, to, template, start string
			want                            map[string]string
		}{
			{"/user/reset-password", `{"email":"JOHN.smith@example.gov.uk"}`, "john.smith@example.gov.uk", "password_reset", "http://localhost:6012/new-password/", map[string]string{"email": "john.smith@example.gov.uk", "created_at": "2026-01-31 12:00:00.123456"}},
			{"/user/reset-password", `{"email":"john.smith@example.gov.uk","admin_base_url":"https://notify.gov.uk","next":"/services"}`, "john.smith@example.gov.uk", "password_reset", "https://notify.gov.uk/new-password/", map[string]string{"email": "john.smith@example.gov.uk", "created_at": "2026-01-31 12:00:00.123456"}},
			{path + "/email-verification", `{}`, "john.smith@example.gov.uk", "verify_email", "http://localhost:6012/verify-email/", map[string]string{"user_id": id.String(), "email": "john.smith@example.gov.uk"}},
			{path + "/email-verification", `{"admin_base_url":"https://notify.gov.uk","to":"x"}`, "john.smith@example.gov.uk", "verify_email", "https://notify.gov.uk/verify-email/", map[string]string{"user_id": id.String(), "email": "john.smith@example.gov.uk"}},
			{path + "/change-email-verification", `{"email":"new@example.gov.uk","admin_base_url":"https://ignored.example"}`, "new@example.gov.uk", "change_email", "http://localhost:6012/your-account/email/confirm/", map[string]string{"user_id": id.String(), "email": "new@example.gov.uk"}},
		}
		for _, c := range cases {
			s.run(t, "POST", []exchange{{c.template, c.path, c.body, 204, ""}})
			if diff := cmp.Diff(c.want, s.sentLink(t, c.to, c.template, c.start)); diff != "" {
				t.Errorf("%s %s: %s", c.path, c.body, diff)
			}
		}
		s.run(t, "POST", []exchange{{"registered", "/user/" + nobodyID + "/email-already-registered", `{"email":"any@example.gov.uk"}`, 204, ""}})
		want := []authn.Message{{Channel: "email", To: "any@example.gov.uk", Template: "already_registered", Personalisation: map[string]any{
			"signin_url": "http://localhost:6012/sign-in", "forgot_password_url": "http://localhost:6012/forgot-password", "feedback_url": "http://localhost:6012/support",
		}}}
		if diff := cmp.Diff(want, s.outbox.take()); diff != "" {
			t.Error(diff)
		}
		if u := s.user(id); u.EmailAddress != "john.smith@example.gov.uk" {
			t.Error("asking has changed the address")
		}
	})
}

func TestMessageIsRefused(t *testing.T) {
	missing, invalid := bodyE2(`"email":["Missing data for required field."]`), bodyE2(`"email":["Not a valid email address"]`)
	eachServer(t, func(t *testing.T, s *server) {
		path, _ := s.john()
		none := "/user/" + nobodyID
		s.run(t, "POST", []exchange{
			{"reset nobody", "/user/reset-password", `{"email":"no@example.gov.uk"}`, 404, noResultE1},
			{"reset without", "/user/reset-password", `{}`, 400, missing},
			{"reset invalid", "/user/reset-password", `{"email":"x"}`, 400, invalid},
			{"reset null", "/user/reset-password", `{"email":null}`, 400, bodyE2(`"email":["Field may not be null."]`)},
			{"reset host", "/user/reset-password", `{"email":"john.smith@example.gov.uk","admin_base_url":null}`, 400, bodyE2(`"admin_base_url":["Field may not be null."]`)},
			{"reset next", "/user/reset-password", `{"email":"john.smith@example.gov.uk","next":1}`, 400, bodyE2(`"next":["Not a valid string."]`)},
			{"reset array", "/user/reset-password", `[]`, 400, bodyE2(`"_schema":["Invalid input type."]`)},
			{"verify nobody", none + "/email-verification", `{}`, 404, noResultE1},
			{"verify host", path + "/email-verification", `{"admin_base_url":1}`, 400, bodyE2(`"admin_base_url":["Not a valid string."]`)},
			{"verify null", path + "/email-verification", `null`, 400, bodyE2(`"_schema":["Invalid input type."]`)},
			{"verify without a body", path + "/email-verification", ``, 415, bodyE1("The request body must be application/json")},
			{"change nobody", none + "/change-email-verification", `{}`, 404, noResultE1},
			{"change without", path + "/change-email-verification", `{}`, 400, missing},
			{"change invalid", path + "/change-email-verification", `{"email":"a@b"}`, 400, invalid},
			{"registered without", path + "/email-already-registered", `{}`, 400, missing},
			{"registered invalid", none + "/email-already-registered", `{"email":"x"}`, 400, invalid},
			{"registered no id", "/user/x/email-already-registered", `{"email":"a@b.gov.uk"}`, 404, noSuchURLE1},
		})
		if sent := s.outbox.take(); len(sent) != 0 {
			t.Errorf("%d messages were sent", len(sent))
		}
	})
}

func TestPasswordIsReplaced(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, id := s.john()
		at := path + "/update-password"
		s.run(t, "POST", []exchange{
			{"nobody", "/user/" + nobodyID + "/update-password", `{"_password":"x"}`, 404, noResultE1},
			{"missing", at, `{}`, 400, bodyE2(`"_password":["Missing data for required field."]`)},
			{"null", at, `{"_password":null}`, 400, bodyE2(`"_password":["Field may not be null."]`)},
			{"number", at, `{"_password":1}`, 400, bodyE2(`"_password":["Not a valid string."]`)},
			{"empty", at, `{"_password":""}`, 400, bodyE2(`"_password":["Password must be 12 characters or more"]`)},
			{"short", at, `{"_password":"short"}`, 400, bodyE2(`"_password":["Password must be 12 characters or more"]`)},
			{"well known", at, `{"_password":"passwordpassword"}`, 400, bodyE2(`"_password":["Choose a password that\u2019s harder to guess"]`)},
			{"more", at, `{"_password":"AnotherPassword456!","x":1}`, 400, bodyE2(`"_schema":["Unknown field name x"]`)},
			{"null body", at, `null`, 400, bodyE2(`"_schema":["Invalid input type."]`)},
			{"wrong before", path + "/verify/password", `{"password":"AnotherPassword456!"}`, 400, wrongPassword},
		})
		s.advance(time.Minute)
		got := decode[userData](t, s.do(request{method: "POST", path: at, body: `{"_password":"AnotherPassword456!"}`}), 200).Data
		if got["password_changed_at"] != "2026-01-31 12:01:00.123456" || got["failed_login_count"] != 1.0 || got["id"] != id.String() {
			t.Errorf("%v", got)
		}
		s.run(t, "POST", []exchange{
			{"old", path + "/verify/password", rightPassword, 400, wrongPassword},
			{"new", path + "/verify/password", `{"password":"AnotherPassword456!"}`, 204, ""},
		})
	})
}

func TestWhereAUserBelongs(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, id := s.john()
		at := path + "/organisations-and-services"
		s.do(request{method: "GET", path: at}).want(t, 200, `{"organisations":[],"services":[]}`)
		s.do(request{method: "GET", path: "/user/" + nobodyID + "/organisations-and-services"}).want(t, 404, noResultE1)
		o, err := s.registry.CreateOrganisation(t.Context(), directory.NewOrganisation{Name: "Cabinet Office", Type: directory.Central}, directory.Actor{Kind: "system"})
		if err != nil {
			t.Fatal(err)
		}
		permissions := path + "/organisation/" + o.ID.String() + "/permissions"
		live := `{"permissions":[{"permission":"can_make_services_live"}]}`
		s.run(t, "POST", []exchange{{"no member", permissions, live, 404, noResultE1}})
		service := &directory.Service{ID: uuid.New(), Name: "Post", Active: true, OrganisationID: uuid.NullUUID{UUID: o.ID, Valid: true}, CreatedAt: testNow}
		store := s.registry.Store
		for _, err := range []error{
			store.CreateService(t.Context(), service),
			store.AddServiceMember(t.Context(), directory.Membership{UserID: id, Of: service.ID, CreatedAt: testNow}),
			store.AddOrganisationMember(t.Context(), directory.Membership{UserID: id, Of: o.ID, CreatedAt: testNow}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		s.do(request{method: "GET", path: at}).want(t, 200, `{"organisations":[{"count_of_live_services":1,"id":"`+o.ID.String()+`","name":"Cabinet Office"}],`+
			`"services":[{"id":"`+service.ID.String()+`","name":"Post","organisation":"`+o.ID.String()+`","restricted":false}]}`)
		s.run(t, "POST", []exchange{
			{"set", permissions, live, 204, ""},
			{"unknown", permissions, `{"permissions":[{"permission":"manage_services"},{"permission":"fly"}]}`, 404, noResultE1},
			{"missing", permissions, `{}`, 400, bodyE3("permissions is a required property")},
			{"not a list", permissions, `{"permissions":"x"}`, 400, bodyE3("permissions x is not of type array")},
			{"item", permissions, `{"permissions":["x"]}`, 400, bodyE3("permissions x is not of type object")},
			{"item without", permissions, `{"permissions":[{}]}`, 400, bodyE3("permissions permission is a required property")},
			{"more", permissions, `{"permissions":[],"x":1}`, 400, bodyE3("Additional properties are not allowed (x was unexpected)")},
			{"no organisation", path + "/organisation/" + nobodyID + "/permissions", live, 404, noResultE1},
			{"no organisation's id", path + "/organisation/x/permissions", live, 404, noSuchURLE1},
			{"nobody", "/user/" + nobodyID + "/organisation/" + o.ID.String() + "/permissions", live, 404, noResultE1},
		})
		shown := func() any {
			all := decode[userData](t, s.do(request{method: "GET", path: path}), 200).Data["organisation_permissions"].(map[string]any)
			return all[o.ID.String()]
		}
		if diff := cmp.Diff([]any{"can_make_services_live"}, shown()); diff != "" {
			t.Error(diff)
		}
		s.run(t, "POST", []exchange{{"twice", permissions, `{"permissions":[{"permission":"view_all_services"},{"permission":"manage_services"},{"permission":"view_all_services"}]}`, 204, ""}})
		if diff := cmp.Diff([]any{"manage_services", "view_all_services"}, shown()); diff != "" {
			t.Error(diff)
		}
	})
}
