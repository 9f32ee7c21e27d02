package notify

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

func TestGoLiveNoticesReachThoseConcerned(t *testing.T) {
	const next = `{"to":"any@example.org","service_name":"Tax","body":"First\nthen"}`
	const no = `{"name":"N","service_name":"Tax","organisation_name":"HMRC","reason":"One\n\nTwo","organisation_team_member_name":"M","organisation_team_member_email":"m@example.gov.uk"}`
	eachServer(t, func(t *testing.T, s *server) {
		requester, approver, other := s.aMember(t, "requester@example.gov.uk"), s.aMember(t, "approver@example.gov.uk"), s.aMember(t, "other@example.gov.uk")
		asked := uuid.NullUUID{UUID: requester.ID, Valid: true}
		ids := map[string]string{"ORG": s.anOrganisation(t, "HMRC", ""), "EMPTY": s.anOrganisation(t, "Empty", ""), "NONE": unknownID}
		ids["OPEN"] = s.aService(t, directory.Service{Name: "Tax", Active: true, OrganisationID: of(ids["ORG"]), GoLiveUserID: asked, HasActiveGoLiveRequest: true})
		ids["CLOSED"] = s.aService(t, directory.Service{Name: "Closed", Active: true, OrganisationID: of(ids["EMPTY"]), GoLiveUserID: asked})
		ids["LOOSE"] = s.aService(t, directory.Service{Name: "Loose", Active: true, GoLiveUserID: asked, HasActiveGoLiveRequest: true})
		ids["QUIET"] = s.aService(t, directory.Service{Name: "Quiet", Active: true, OrganisationID: of(ids["ORG"])})
		for u, permissions := range map[*directory.User]string{approver: `[{"permission":"can_make_services_live"}]`, other: `[]`} {
			s.do(request{method: "POST", path: "/organisations/" + ids["ORG"] + "/users/" + u.ID.String(), body: `{"permissions":` + permissions + `}`})
		}
		const users, steps, rejected = "/notify-users-of-request-to-go-live/", "/notify-org-member-about-next-steps-of-go-live-request/", "/notify-service-member-of-rejected-go-live-request/"
		for _, base := range []string{"/organisation", "/organisations"} {
			s.rows(t, ids, []organisationCase{
				{"unknown service", "POST", base + users + "NONE", "", 404, noResultBody},
				{"malformed service", "POST", base + users + "7", "", 404, noRouteBody},
				{"no such notice", "POST", base + "/notify-nobody/NONE", "", 404, noRouteBody},
				{"no organisation", "POST", base + users + "LOOSE", "", 400, notUnderstood},
				{"nobody asked", "POST", base + users + "QUIET", "", 400, notUnderstood},
				{"nobody to ask", "POST", base + users + "CLOSED", "", 204, "-"},
				{"GET", "GET", base + users + "OPEN", "", 405, notAllowedBody},
				{"next steps without anything", "POST", base + steps + "NONE", `{}`, 400, e3("to is a required property", "service_name is a required property", "body is a required property")},
				{"next steps to no address", "POST", base + steps + "OPEN", `{"to":"x","service_name":"a","body":"b"}`, 400, e3("to Not a valid email address")},
				{"next steps to a number", "POST", base + steps + "OPEN", `{"to":1,"service_name":"a","body":null}`, 400, e3("to 1 is not of type string", "body None is not of type string")},
				{"next steps of an unknown service", "POST", base + steps + "NONE", next, 404, noResultBody},
				{"next steps of a closed request", "POST", base + steps + "CLOSED", next, 400, notUnderstood},
				{"next steps of no request", "POST", base + steps + "QUIET", next, 400, notUnderstood},
				{"rejection without anything", "POST", base + rejected + "OPEN", `{}`, 400, e3("name is a required property", "service_name is a required property", "organisation_name is a required property", "reason is a required property", "organisation_team_member_name is a required property", "organisation_team_member_email is a required property")},
				{"rejection of null", "POST", base + rejected + "OPEN", `null`, 400, e3("None is not of type object")},
				{"rejection of an unknown service", "POST", base + rejected + "NONE", no, 404, noResultBody},
				{"rejection of a closed request", "POST", base + rejected + "CLOSED", no, 400, notUnderstood},
			})
			if sent := s.outbox.take(); sent != nil {
				t.Errorf("sent %+v", sent)
			}
			s.rows(t, ids, []organisationCase{
				{"asked", "POST", base + users + "OPEN", "", 204, "-"},
				{"next steps", "POST", base + steps + "OPEN", next, 204, "-"},
				{"rejection", "POST", base + rejected + "OPEN", no, 204, "-"},
			})
			want := []authn.Message{
				{Channel: "email", To: approver.EmailAddress, Template: "go_live_request", ReplyTo: requester.EmailAddress, Personalisation: map[string]any{
					"service_name": "Tax", "requester_name": requester.Name, "requester_email_address": requester.EmailAddress, "organisation_name": "HMRC", "name": approver.Name,
					"make_service_live_link": "http://localhost:6012/services/" + ids["OPEN"] + "/make-service-live", "support_page_link": "http://localhost:6012/support",
				}},
				{Channel: "email", To: requester.EmailAddress, Template: "go_live_receipt", ReplyTo: "gov-uk-notify-support@digital.cabinet-office.gov.uk", Personalisation: map[string]any{
					"service_name": "Tax", "name": requester.Name, "organisation_name": "HMRC", "organisation_team_member_names": []string{approver.Name},
				}},
				{Channel: "email", To: "any@example.org", Template: "go_live_next_steps", Personalisation: map[string]any{"service_name": "Tax", "body": "First\nthen"}},
				{Channel: "email", To: requester.EmailAddress, Template: "go_live_rejected", Personalisation: map[string]any{
					"name": "N", "service_name": "Tax", "organisation_name": "HMRC", "reason": "^ One\n^ \n^ Two", "organisation_team_member_name": "M", "organisation_team_member_email": "m@example.gov.uk",
				}},
			}
			if diff := cmp.Diff(want, s.outbox.take()); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestInvitationsToOrganisations(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		inviter := s.aMember(t, "inviter@example.gov.uk")
		admin, err := s.registry.CreateUser(t.Context(), directory.NewUser{Name: "Admin", EmailAddress: "admin@example.gov.uk", PlatformAdmin: true, State: directory.Active}, directory.Actor{Kind: "system"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]string{"ORG": s.anOrganisation(t, "HMRC", ""), "OTHER": s.anOrganisation(t, "Other", ""), "NONE": unknownID, "INVITER": inviter.ID.String(), "ADMIN": admin.ID.String()}
		fill := strings.NewReplacer("INVITER", ids["INVITER"], "ADMIN", ids["ADMIN"])
		path := "/organisation/" + ids["ORG"] + "/invite"
		made := decode[map[string]map[string]any](t, s.do(request{method: "POST", path: path, body: fill.Replace(`{"email_address":"new@example.org","invited_by":"INVITER","permissions":["can_make_services_live"],"invite_link_host":"https://admin.example/","status":"accepted","id":"7"}`)}), 201)["data"]
		ids["FIRST"] = made["id"].(string)
		s.advance(time.Second)
		second := decode[map[string]map[string]any](t, s.do(request{method: "POST", path: "/organisations/" + ids["ORG"] + "/invite", body: fill.Replace(`{"email_address":"two@example.org","invited_by":"ADMIN"}`)}), 201)["data"]
		ids["SECOND"] = second["id"].(string)
		sent := s.outbox.take()
		if len(sent) != 2 || sent[0].ReplyTo != "inviter@example.gov.uk" || sent[0].To != "new@example.org" || sent[0].Personalisation["user_name"] != inviter.Name ||
			sent[0].Personalisation["organisation_name"] != "HMRC" || sent[1].Personalisation["user_name"] != "The GOV.UK Notify team" {
			t.Fatalf("sent %+v", sent)
		}
		token, ok := strings.CutPrefix(sent[0].Personalisation["url"].(string), "https://admin.example/organisation-invitation/")
		if !ok || !strings.HasPrefix(sent[1].Personalisation["url"].(string), "http://localhost:6012/organisation-invitation/gAAAA") {
			t.Fatalf("links %v and %v", sent[0].Personalisation["url"], sent[1].Personalisation["url"])
		}
		gone, err := s.links.Seal(unknownID)
		if err != nil {
			t.Fatal(err)
		}
		ids["TOKEN"], ids["GONE"] = token, gone
		const first = `{"created_at":"2026-01-31T12:00:00.123456Z","email_address":"new@example.org","id":"FIRST","invited_by":"INVITER","organisation":"ORG","permissions":["can_make_services_live"],"status":"pending"}`
		const later = `{"created_at":"2026-01-31T12:00:01.123456Z","email_address":"two@example.org","id":"SECOND","invited_by":"ADMIN","organisation":"ORG","permissions":[],"status":"pending"}`
		const broken = `{"message":{"invitation":"Something\u2019s wrong with this link. Make sure you\u2019ve copied the whole thing."},"result":"error"}`
		const expired = `{"message":{"invitation":"Your invitation to GOV.UK Notify has expired. Please ask the person that invited you to send you another one"},"result":"error"}`
		cancelled := strings.Replace(first, "pending", "cancelled", 1)
		s.rows(t, ids, []organisationCase{
			{"all", "GET", "/organisation/ORG/invite", "", 200, `{"data":[` + first + `,` + later + `]}`},
			{"none", "GET", "/organisations/OTHER/invite", "", 200, `{"data":[]}`},
			{"of an unknown organisation", "GET", "/organisation/NONE/invite", "", 200, `{"data":[]}`},
			{"malformed organisation", "GET", "/organisation/7/invite", "", 404, noRouteBody},
			{"one", "GET", "/organisation/ORG/invite/FIRST", "", 200, `{"data":` + first + `}`},
			{"one of another", "GET", "/organisation/OTHER/invite/FIRST", "", 404, noResultBody},
			{"unknown", "GET", "/organisation/ORG/invite/NONE", "", 404, noResultBody},
			{"free text", "GET", "/organisation/ORG/invite/7", "", 404, noResultBody},
			{"by id", "GET", "/invite/organisation/FIRST", "", 200, `{"data":` + first + `}`},
			{"by unknown id", "GET", "/invite/organisation/NONE", "", 404, noResultBody},
			{"by token", "GET", "/invite/organisation/TOKEN", "", 200, `{"data":` + first + `}`},
			{"check", "GET", "/invite/organisation/check/TOKEN", "", 200, `{"data":` + first + `}`},
			{"check a broken token", "GET", "/invite/organisation/check/xTOKEN", "", 400, broken},
			{"check an id", "GET", "/invite/organisation/check/FIRST", "", 400, broken},
			{"a broken token", "GET", "/invite/organisation/x", "", 400, broken},
			{"token of nothing", "GET", "/invite/organisation/check/GONE", "", 404, noResultBody},
			{"nothing", "POST", "/organisation/ORG/invite", `{}`, 400, e3("email_address is a required property", "invited_by is a required property")},
			{"no address", "POST", "/organisation/ORG/invite", `{"email_address":"x","invited_by":"7"}`, 400, e3("email_address Not a valid email address", "invited_by is not a valid UUID")},
			{"address of a number", "POST", "/organisation/ORG/invite", `{"email_address":1,"invited_by":"INVITER"}`, 400, e3("email_address 1 is not of type string")},
			{"unknown permission", "POST", "/organisation/ORG/invite", `{"email_address":"a@b.gov.uk","invited_by":"INVITER","permissions":["fly"]}`, 400, e3("permissions fly is not one of [can_make_services_live, manage_services, view_all_services, manage_organisation]")},
			{"permissions in words", "POST", "/organisation/ORG/invite", `{"email_address":"a@b.gov.uk","invited_by":"INVITER","permissions":"fly"}`, 400, e3("permissions fly is not of type array")},
			{"unknown inviter", "POST", "/organisation/ORG/invite", `{"email_address":"a@b.gov.uk","invited_by":"NONE"}`, 404, noResultBody},
			{"to an unknown organisation", "POST", "/organisation/NONE/invite", `{"email_address":"a@b.gov.uk","invited_by":"INVITER"}`, 404, noResultBody},
			{"invitation before body", "POST", "/organisation/ORG/invite/NONE", `{`, 404, noResultBody},
			{"broken body", "POST", "/organisation/ORG/invite/FIRST", `{`, 400, notUnderstood},
			{"no status", "POST", "/organisation/ORG/invite/FIRST", `{}`, 400, e3("status is a required property")},
			{"unknown status", "POST", "/organisation/ORG/invite/FIRST", `{"status":"garbage"}`, 400, e3("status garbage is not one of [pending, accepted, cancelled]")},
			{"status of another's", "POST", "/organisation/OTHER/invite/FIRST", `{"status":"cancelled"}`, 404, noResultBody},
			{"cancelled", "POST", "/organisation/ORG/invite/FIRST", `{"status":"cancelled"}`, 200, `{"data":` + cancelled + `}`},
			{"check a cancelled one", "GET", "/invite/organisation/check/TOKEN", "", 200, `{"data":` + cancelled + `}`},
			{"accepted", "POST", "/organisation/ORG/invite/SECOND", `{"status":"accepted"}`, 200, ""},
			{"DELETE", "DELETE", "/organisation/ORG/invite/SECOND", "", 405, notAllowedBody},
		})
		if sent := s.outbox.take(); sent != nil {
			t.Errorf("a refused invitation was sent: %+v", sent)
		}
		s.advance(directory.InvitationTTL)
		got := s.do(request{method: "GET", path: "/invite/organisation/check/" + token, authorization: "Bearer gh_at_admin"})
		got.want(t, 400, expired)
	})
}
