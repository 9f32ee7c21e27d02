package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/directory"
)

// invite invites somebody to a service over HTTP and returns the invitation's id
// and the token of its link.
func (s *server) invite(t *testing.T, service string, from *directory.User) (id, token string) {
	t.Helper()
	s.outbox.take()
	body := fmt.Sprintf(`{"service":%q,"email_address":"new@example.com","from_user":%q,"permissions":"view_activity"}`, service, from.ID)
	r := s.do(request{method: "POST", path: "/service/" + service + "/invite", body: body})
	id = decode[struct{ Data struct{ ID string } }](t, r, 201).Data.ID
	sent := s.outbox.take()
	if len(sent) != 1 {
		t.Fatalf("%d messages", len(sent))
	}
	_, token, _ = strings.Cut(sent[0].Personalisation["url"].(string), "/invitation/")
	return id, token
}

func TestInvitationToAServiceIsSent(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann := s.person("ann@example.com")
		id := s.service(t, "Passports", ann)
		for _, c := range []struct {
			more, permissions, authType, host string
			folders                           []any
		}{
			{`"permissions":""`, "", "sms_auth", "http://localhost:6012", []any{}},
			{`"permissions":"view_activity,manage_users"`, "manage_users,view_activity", "sms_auth", "http://localhost:6012", []any{}},
			{`"permissions":"send_messages,manage_service"`, "manage_users,manage_settings,send_texts,send_emails,send_letters", "sms_auth", "http://localhost:6012", []any{}},
			{`"permissions":"view_activity","auth_type":"email_auth","folder_permissions":["` + nobody + `"],"invite_link_host":"https://admin.example/","created_by":"x","id":"` + nobody + `"`, "view_activity", "email_auth", "https://admin.example", []any{nobody}},
		} {
			t.Run(c.more, func(t *testing.T) {
				s.outbox.take()
				body := fmt.Sprintf(`{"service":%q,"email_address":"new@example.com","from_user":%q,%s}`, id, ann.ID, c.more)
				got := decode[struct{ Data map[string]any }](t, s.do(request{method: "POST", path: "/service/" + id + "/invite", body: body}), 201).Data
				want := map[string]any{
					"id": got["id"], "service": id, "email_address": "new@example.com", "from_user": ann.ID.String(), "status": "pending",
					"created_at": "2026-01-31T12:00:00.123456Z", "permissions": c.permissions, "auth_type": c.authType, "folder_permissions": c.folders,
				}
				if diff := cmp.Diff(want, got); diff != "" || got["id"] == nobody {
					t.Error(diff)
				}
				sent := s.outbox.take()
				if len(sent) != 1 || sent[0].To != "new@example.com" || sent[0].ReplyTo != "ann@example.com" ||
					sent[0].Personalisation["user_name"] != "ann" || sent[0].Personalisation["service_name"] != "Passports" {
					t.Fatalf("sent %+v", sent)
				}
				base, token, _ := strings.Cut(sent[0].Personalisation["url"].(string), "/invitation/")
				payload, err := s.links.Open(token, time.Hour)
				if err != nil || base != c.host || string(payload) != got["id"] {
					t.Errorf("link from %s to %s: %v", base, payload, err)
				}
			})
		}
	})
}

func TestInvitationToAServiceIsRefusedAsItsFormSays(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann := s.person("ann@example.com")
		id := s.service(t, "Passports", ann)
		good := fmt.Sprintf(`{"service":%q,"email_address":"new@example.com","from_user":%q,"permissions":"view_activity"}`, id, ann.ID)
		with := func(old, replacement string) string { return strings.Replace(good, old, replacement, 1) }
		fields := func(pairs ...string) string { return `{"message":{` + strings.Join(pairs, ",") + `},"result":"error"}` }
		missing := `["Missing data for required field."]`
		post := func(name, body string, status int, want string) step {
			return step{name, "POST", "/service/" + id + "/invite", body, status, want}
		}
		s.steps(t, []step{
			post("null", `null`, 400, fields(`"_schema":["Invalid input type."]`)),
			post("array", `[]`, 400, fields(`"_schema":["Invalid input type."]`)),
			post("empty", `{}`, 400, fields(`"email_address":`+missing, `"from_user":`+missing, `"permissions":`+missing, `"service":`+missing)),
			post("no address", with(`new@example.com`, `new`), 400, fields(`"email_address":["Not a valid email address"]`)),
			post("address null", with(`"new@example.com"`, `null`), 400, fields(`"email_address":["Field may not be null."]`)),
			post("address a number", with(`"new@example.com"`, `5`), 400, fields(`"email_address":["Not a valid string."]`)),
			post("permissions a list", with(`"view_activity"`, `["view_activity"]`), 400, fields(`"permissions":["Not a valid string."]`)),
			post("permissions null", with(`"view_activity"`, `null`), 400, fields(`"permissions":["Field may not be null."]`)),
			post("permission unknown", with(`view_activity`, `view_activity,fly`), 404, noResult),
			post("sender no UUID", with(ann.ID.String(), `x`), 400, fields(`"from_user":["Not a valid UUID."]`)),
			post("sender unknown", with(ann.ID.String(), nobody), 404, noResult),
			post("another service", with(id, nobody), 400, fields(`"service":["Not the service of the path."]`)),
			post("service no UUID", with(id, `x`), 400, fields(`"service":["Not a valid UUID."]`)),
			post("authentication unknown", with(`{`, `{"auth_type":"smoke",`), 400, fields(`"auth_type":["Must be one of: sms_auth, email_auth, webauthn_auth."]`)),
			post("authentication null", with(`{`, `{"auth_type":null,`), 400, fields(`"auth_type":["Field may not be null."]`)),
			post("status unknown", with(`{`, `{"status":"lost",`), 400, fields(`"status":["Must be one of: pending, accepted, cancelled."]`)),
			post("folders no list", with(`{`, `{"folder_permissions":"x",`), 400, fields(`"folder_permissions":["Not a valid list."]`)),
			post("folder a number", with(`{`, `{"folder_permissions":[1],`), 400, fields(`"folder_permissions":["Not a valid string."]`)),
			post("host a number", with(`{`, `{"invite_link_host":1,`), 400, fields(`"invite_link_host":["Not a valid string."]`)),
			post("unparsable", `{`, 400, rule(notUnderstoodText)),
			{"unknown service", "POST", "/service/" + nobody + "/invite", good, 404, noResult},
			{"service is garbage", "POST", "/service/garbage/invite", good, 404, noResult},
			{"list of garbage", "GET", "/service/garbage/invite", ``, 404, noResult},
			{"list of an unknown service", "GET", "/service/" + nobody + "/invite", ``, 200, `{"data":[]}`},
			{"nothing was kept", "GET", "/service/" + id + "/invite", ``, 200, `{"data":[]}`},
		})
		if sent := s.outbox.take(); len(sent) > 0 {
			t.Errorf("sent %d messages", len(sent))
		}
	})
}

func TestInvitationToAServiceIsShownAndChanged(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ann := s.person("ann@example.com")
		service, other := s.service(t, "Passports", ann), s.service(t, "Other", ann)
		id, token := s.invite(t, service, ann)
		path := "/service/" + service + "/invite/" + id
		shown := s.do(request{method: "GET", path: path})
		for _, same := range []string{"/invite/service/" + id, "/invite/service/" + token, "/invite/service/check/" + token} {
			s.do(request{method: "GET", path: same}).want(t, 200, strings.TrimSuffix(shown.body, "\n"))
		}
		broken := `{"message":{"invitation":"Something\u2019s wrong with this link. Make sure you\u2019ve copied the whole thing."},"result":"error"}`
		foreign, err := s.links.Seal(nobody)
		if err != nil {
			t.Fatal(err)
		}
		noID, err := s.links.Seal("x")
		if err != nil {
			t.Fatal(err)
		}
		s.steps(t, []step{
			{"garbage", "GET", "/service/" + service + "/invite/garbage", ``, 404, noResult},
			{"unknown", "GET", "/service/" + service + "/invite/" + nobody, ``, 404, noResult},
			{"of another service", "GET", "/service/" + other + "/invite/" + id, ``, 404, noResult},
			{"changed in another service", "POST", "/service/" + other + "/invite/" + id, `{}`, 404, noResult},
			{"changed before the body", "POST", "/service/" + service + "/invite/" + nobody, `{`, 404, noResult},
			{"unknown by its id", "GET", "/invite/service/" + nobody, ``, 404, noResult},
			{"token broken", "GET", "/invite/service/check/x" + token, ``, 400, broken},
			{"token garbage", "GET", "/invite/service/check/garbage", ``, 400, broken},
			{"token garbage at the other path", "GET", "/invite/service/garbage", ``, 400, broken},
			{"token of nothing", "GET", "/invite/service/check/" + foreign, ``, 404, noResult},
			{"token without an id", "GET", "/invite/service/check/" + noID, ``, 400, broken},
			{"status unknown", "POST", path, `{"status":"garbage"}`, 400, `{"message":{"status":["Must be one of: pending, accepted, cancelled."]},"result":"error"}`},
			{"status null", "POST", path, `{"status":null}`, 400, `{"message":{"status":["Field may not be null."]},"result":"error"}`},
			{"permissions unknown", "POST", path, `{"permissions":"fly"}`, 404, noResult},
			{"not an object", "POST", path, `[]`, 400, `{"message":{"_schema":["Invalid input type."]},"result":"error"}`},
		})
		for _, c := range []struct{ body, key, want string }{
			{`{}`, "status", "pending"},
			{`{"status":"cancelled"}`, "status", "cancelled"},
			{`{"status":"accepted"}`, "status", "accepted"},
			{`{"status":"pending"}`, "status", "pending"},
			{`{"auth_type":"email_auth"}`, "auth_type", "email_auth"},
			{`{"permissions":"send_messages"}`, "permissions", "send_texts,send_emails,send_letters"},
			{`{"email_address":"evil@example.com"}`, "email_address", "new@example.com"},
			{`{"from_user":"` + nobody + `"}`, "from_user", ann.ID.String()},
			{`{"service":"` + other + `"}`, "service", service},
		} {
			t.Run(c.body, func(t *testing.T) {
				got := decode[struct{ Data map[string]any }](t, s.do(request{method: "POST", path: path, body: c.body}), 200).Data
				if got[c.key] != c.want {
					t.Errorf("got %v", got[c.key])
				}
			})
		}
		s.advance(directory.InvitationTTL)
		s.advance(2 * time.Second)
		expired := `{"message":{"invitation":"Your invitation to GOV.UK Notify has expired. Please ask the person that invited you to send you another one"},"result":"error"}`
		s.do(request{method: "GET", path: "/invite/service/check/" + token, authorization: "Bearer gh_at_admin"}).want(t, 400, expired)
		s.do(request{method: "GET", path: "/invite/service/" + id, authorization: "Bearer gh_at_admin"})
	})
}
