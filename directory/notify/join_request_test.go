package notify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/directory"
)

func askBody(requester *directory.User, more string, contacts ...string) string {
	return fmt.Sprintf(`{"requester_id":%q,"contacted_user_ids":["%s"],"invite_link_host":"https://admin.example"%s}`,
		requester.ID, strings.Join(contacts, `","`), more)
}

// ask asks to join a service over HTTP and returns the request's id.
func (s *server) ask(t *testing.T, service, body string) string {
	t.Helper()
	r := s.do(request{method: "POST", path: "/service/" + service + "/service-join-request", body: body})
	return decode[struct {
		ID string `json:"service_join_request_id"`
	}](t, r, 201).ID
}

func TestJoinRequestReachesTheManagers(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann, bob, eve := s.person("ann@example.com"), s.person("bob@example.com"), s.person("eve@example.com")
		service := s.service(t, "Passports", ann)
		for _, c := range []struct{ more, given, reason string }{
			{``, "no", ""}, {`,"reason":null`, "no", ""}, {`,"reason":""`, "no", ""},
			{`,"reason":"I work\n\nhere"`, "yes", "^ I work\n^ \n^ here"},
		} {
			t.Run(c.more, func(t *testing.T) {
				s.outbox.take()
				id := s.ask(t, service, askBody(eve, c.more, ann.ID.String(), bob.ID.String()))
				sent := s.outbox.take()
				if len(sent) != 2 {
					t.Fatalf("%d messages", len(sent))
				}
				want := map[string]any{
					"approver_name": "ann", "requester_name": "eve", "requester_email_address": "eve@example.com", "service_name": "Passports",
					"reason_given": c.given, "reason": c.reason, "url": "https://admin.example/services/" + service + "/join-request/" + id + "/approve",
				}
				if diff := cmp.Diff(want, sent[0].Personalisation); diff != "" || sent[0].To != "ann@example.com" || sent[0].ReplyTo != "eve@example.com" {
					t.Errorf("to %s: %s", sent[0].To, diff)
				}
				receipt := map[string]any{
					"requester_name": "eve", "service_name": "Passports", "url_ask_to_join_page": "https://admin.example/services/" + service + "/join/ask",
					"service_admin_names": []string{"ann – ann@example.com", "bob – bob@example.com"},
				}
				if diff := cmp.Diff(receipt, sent[1].Personalisation); diff != "" || sent[1].To != "eve@example.com" {
					t.Errorf("to %s: %s", sent[1].To, diff)
				}
			})
		}
	})
}

func TestJoinRequestIsRefusedAsItsSchemaSays(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann, bob, eve := s.person("ann@example.com"), s.person("bob@example.com"), s.person("eve@example.com")
		service, other := s.service(t, "Passports", ann), s.service(t, "Other", ann)
		path := "/service/" + service + "/service-join-request"
		good := askBody(eve, "", ann.ID.String())
		with := func(old, replacement string) string { return strings.Replace(good, old, replacement, 1) }
		post := func(name, body string, status int, want string) step {
			return step{name, "POST", path, body, status, want}
		}
		malformed := "badly formed hexadecimal UUID string"
		s.steps(t, []step{
			post("null", `null`, 400, schemaFaults("None is not of type object")),
			post("empty", `{}`, 400, schemaFaults("requester_id is a required property", "contacted_user_ids is a required property", "invite_link_host is a required property")),
			post("requester no UUID", with(eve.ID.String(), "x"), 400, schemaFaults("requester_id "+malformed)),
			post("requester a number", with(`"`+eve.ID.String()+`"`, "1"), 400, schemaFaults("requester_id 1 is not of type string")),
			post("contact no UUID", with(ann.ID.String(), "x"), 400, schemaFaults("contacted_user_ids "+malformed)),
			post("nobody contacted", with(`["`+ann.ID.String()+`"]`, "[]"), 400, schemaFaults("contacted_user_ids [] should be non-empty")),
			post("host null", with(`"https://admin.example"`, `null`), 400, schemaFaults("invite_link_host None is not of type string")),
			post("reason a number", with(`{`, `{"reason":1,`), 400, schemaFaults("reason 1 is not of type string, null")),
			post("strict", with(`{`, `{"foo":1,`), 400, schemaFaults("Additional properties are not allowed (foo was unexpected)")),
			post("requester unknown", with(eve.ID.String(), nobody), 404, noResult),
			post("contact unknown", with(ann.ID.String(), nobody), 404, noResult),
			{"service unknown", "POST", "/service/" + nobody + "/service-join-request", good, 404, noResult},
			{"service no UUID", "POST", "/service/x/service-join-request", good, 404, rule(notFoundText)},
			post("in the service already", askBody(ann, "", ann.ID.String()), 400, rule("user-already-in-service")),
			post("nobody of the service contacted", askBody(eve, "", bob.ID.String()), 400, rule("no-valid-service-managers-ids")),
		})
		if sent := s.outbox.take(); len(sent) > 0 {
			t.Errorf("sent %d messages", len(sent))
		}
		id := s.ask(t, service, good)
		decision := func(status, more string) string {
			return fmt.Sprintf(`{"status":%q,"status_changed_by_id":%q%s}`, status, ann.ID, more)
		}
		one := path + "/" + id
		s.steps(t, []step{
			{"shown in another service", "GET", "/service/" + other + "/service-join-request/" + id, ``, 404, noResult},
			{"shown, unknown", "GET", path + "/" + nobody, ``, 404, noResult},
			{"shown, no UUID", "GET", path + "/x", ``, 404, rule(notFoundText)},
			{"decided, empty", "POST", one, `{}`, 400, schemaFaults("status is a required property", "status_changed_by_id is a required property", "{} does not have enough properties")},
			{"decided, status unknown", "POST", one, decision("lost", ""), 400, schemaFaults("status lost is not one of [pending, approved, rejected, cancelled]")},
			{"decided, permission unknown", "POST", one, decision("approved", `,"permissions":["fly"]`), 400, schemaFaults("permissions fly is not one of [manage_users, manage_templates, manage_settings, send_texts, send_emails, send_letters, manage_api_keys, view_activity]")},
			{"decided, authentication unknown", "POST", one, decision("approved", `,"auth_type":"webauthn_auth"`), 400, schemaFaults("auth_type webauthn_auth is not one of [email_auth, sms_auth]")},
			{"decided, strict", "POST", one, decision("approved", `,"foo":1`), 400, schemaFaults("Additional properties are not allowed (foo was unexpected)")},
			{"decided, decider no UUID", "POST", one, `{"status":"approved","status_changed_by_id":"x"}`, 400, schemaFaults("status_changed_by_id " + malformed)},
			{"decided, decider unknown", "POST", one, `{"status":"approved","status_changed_by_id":"` + nobody + `"}`, 404, noResult},
			{"decided, folder no id", "POST", one, decision("approved", `,"folder_permissions":["x"]`), 404, noResult},
			{"decided, unknown", "POST", path + "/" + nobody, decision("approved", ""), 404, noResult},
			{"decided in another service", "POST", "/service/" + other + "/service-join-request/" + id, decision("approved", ""), 404, noResult},
		})
		got := decode[map[string]any](t, s.do(request{method: "GET", path: one}), 200)
		want := map[string]any{
			"id": id, "service_id": service, "created_at": "2026-01-31T12:00:00.123456Z", "status": "pending", "status_changed_at": nil,
			"status_changed_by": nil, "reason": "", "contacted_service_users": []any{ann.ID.String()},
			"requester": map[string]any{"id": eve.ID.String(), "name": "eve", "email_address": "eve@example.com", "belongs_to_service": []any{}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestApprovedRequesterJoins(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann, eve := s.person("ann@example.com"), s.person("eve@example.com")
		service := s.service(t, "Passports", ann)
		path := "/service/" + service + "/service-join-request/"
		body := askBody(eve, "", ann.ID.String())
		first, second, third := s.ask(t, service, body), s.ask(t, service, body), s.ask(t, service, body)
		decide := func(id, status, more string) map[string]any {
			s.outbox.take()
			body := fmt.Sprintf(`{"status":%q,"status_changed_by_id":%q%s}`, status, ann.ID, more)
			return decode[map[string]any](t, s.do(request{method: "POST", path: path + id, body: body}), 200)
		}
		status := func(id string) any {
			return decode[map[string]any](t, s.do(request{method: "GET", path: path + id}), 200)["status"]
		}
		if got := decide(first, "rejected", `,"reason":"no"`); got["status"] != "rejected" || got["reason"] != "no" || len(s.outbox.take()) > 0 {
			t.Errorf("rejected: %v", got)
		}
		got := decide(second, "approved", `,"permissions":["view_activity","send_texts"],"auth_type":"sms_auth"`)
		by := map[string]any{"id": ann.ID.String(), "name": "ann"}
		if diff := cmp.Diff(by, got["status_changed_by"]); diff != "" || got["status_changed_at"] == nil {
			t.Errorf("approved: %v", got)
		}
		want := map[string]any{"requester_name": "eve", "approver_name": "ann", "service_name": "Passports", "dashboard_url": "http://localhost:6012/services/" + service}
		if sent := s.outbox.take(); len(sent) != 1 || cmp.Diff(want, sent[0].Personalisation) != "" {
			t.Errorf("sent %+v", sent)
		}
		if status(first) != "rejected" || status(third) != "cancelled" {
			t.Errorf("the others are %v and %v", status(first), status(third))
		}
		if diff := cmp.Diff([]string{"send_texts", "view_activity"}, s.permissionsIn(t, eve, service)); diff != "" {
			t.Error(diff)
		}
		decide(third, "approved", `,"permissions":["manage_templates","view_activity"],"auth_type":"email_auth"`)
		if diff := cmp.Diff([]string{"manage_templates", "send_texts", "view_activity"}, s.permissionsIn(t, eve, service)); diff != "" {
			t.Errorf("approved again: %s", diff)
		}
		s.do(request{method: "POST", path: "/service/" + service + "/service-join-request", body: body}).want(t, 400, rule("user-already-in-service"))
	})
}

func TestTeamChoosesHowOnlySomeSignIn(t *testing.T) {
	const number = "07900900123"
	cases := []struct {
		name     string
		features string
		user     directory.NewUser
		chosen   directory.AuthType
		want     directory.AuthType
	}{
		{"e-mail without the feature", `["email"]`, directory.NewUser{AuthType: directory.SMSAuth, MobileNumber: number}, directory.EmailAuth, directory.SMSAuth},
		{"e-mail with the feature", `["email_auth"]`, directory.NewUser{AuthType: directory.SMSAuth, MobileNumber: number}, directory.EmailAuth, directory.EmailAuth},
		{"text message without a number", `["email_auth"]`, directory.NewUser{AuthType: directory.EmailAuth}, directory.SMSAuth, directory.EmailAuth},
		{"text message with a number", `["email"]`, directory.NewUser{AuthType: directory.EmailAuth, MobileNumber: number}, directory.SMSAuth, directory.SMSAuth},
		{"a security key stays", `["email_auth"]`, directory.NewUser{AuthType: directory.WebAuthnAuth, MobileNumber: number}, directory.EmailAuth, directory.WebAuthnAuth},
		{"a platform administrator's stays", `["email_auth"]`, directory.NewUser{AuthType: directory.SMSAuth, MobileNumber: number, PlatformAdmin: true}, directory.EmailAuth, directory.SMSAuth},
	}
	eachServer(t, func(t *testing.T, s *server) {
		ann := s.person("ann@example.com")
		for i, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				service := s.service(t, c.name, ann)
				s.do(request{method: "POST", path: "/service/" + service, body: `{"permissions":` + c.features + `}`})
				c.user.Name, c.user.EmailAddress, c.user.State = "Eve", fmt.Sprintf("eve%d@example.com", i), directory.Active
				eve, err := s.registry.CreateUser(t.Context(), c.user, directory.Actor{}, nil)
				if err != nil {
					t.Fatal(err)
				}
				id := s.ask(t, service, askBody(eve, "", ann.ID.String()))
				body := fmt.Sprintf(`{"status":"approved","status_changed_by_id":%q,"auth_type":%q}`, ann.ID, c.chosen)
				decode[map[string]any](t, s.do(request{method: "POST", path: "/service/" + service + "/service-join-request/" + id, body: body}), 200)
				after, err := s.registry.Store.User(t.Context(), eve.ID)
				if err != nil || after.AuthType != c.want {
					t.Errorf("signs in with %s (%v), want %s", after.AuthType, err, c.want)
				}
			})
		}
	})
}

func TestOneRequestIsApprovedOnce(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann, eve := s.person("ann@example.com"), s.person("eve@example.com")
		service := s.service(t, "Passports", ann)
		ids := []string{s.ask(t, service, askBody(eve, "", ann.ID.String())), s.ask(t, service, askBody(eve, "", ann.ID.String()))}
		body := fmt.Sprintf(`{"status":"approved","status_changed_by_id":%q,"permissions":["view_activity"]}`, ann.ID)
		for _, r := range s.atOnce(4, func(i int) response {
			return s.do(request{method: "POST", path: "/service/" + service + "/service-join-request/" + ids[i%2], body: body})
		}) {
			decode[map[string]any](t, r, 200)
		}
		if diff := cmp.Diff([]string{"view_activity"}, s.permissionsIn(t, eve, service)); diff != "" {
			t.Error(diff)
		}
	})
}
