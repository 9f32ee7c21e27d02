package notify

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/directory"
)

func TestOrganisationsAreListedAndFound(t *testing.T) {
	listed := func(id, name, active, domains, kind string) string {
		return `{"active":` + active + `,"count_of_live_services":0,"domains":[` + domains + `],"id":"` + id + `","name":"` + name + `","organisation_type":"` + kind + `"}`
	}
	eachServer(t, func(t *testing.T, s *server) {
		a, b := s.anOrganisation(t, "beta_100%", ""), s.anOrganisation(t, "Alpha", "")
		c := s.anOrganisation(t, `Éire`, `,"active":false`)
		s.do(request{method: "POST", path: "/organisation/" + a, body: `{"domains":["foo.gov.uk"]}`}).want204(t)
		s.do(request{method: "POST", path: "/organisation/" + b, body: `{"domains":["bar.foo.gov.uk","alpha.gov.uk"]}`}).want204(t)
		beta, alpha := listed(a, "beta_100%", "true", `"foo.gov.uk"`, "central"), listed(b, "Alpha", "true", `"alpha.gov.uk","bar.foo.gov.uk"`, "central")
		eire := listed(c, `\u00c9ire`, "false", "", "central")
		rows := []organisationCase{
			{"all", "GET", "", "", 200, "[" + alpha + "," + beta + "," + eire + "]"},
			{"search", "GET", "/search?name=ALP", "", 200, `{"data":[` + alpha + `]}`},
			{"search beyond ASCII", "GET", "/search?name=%C3%A9IRE", "", 200, `{"data":[` + eire + `]}`},
			{"search for two", "GET", "/search?name=a", "", 200, `{"data":[` + alpha + "," + beta + `]}`},
			{"search for a percent sign", "GET", "/search?name=%25", "", 200, `{"data":[` + beta + `]}`},
			{"search for an underscore", "GET", "/search?name=_", "", 200, `{"data":[` + beta + `]}`},
			{"search for a backslash", "GET", "/search?name=%5C", "", 200, `{"data":[]}`},
			{"search for a quote", "GET", "/search?name=%27", "", 200, `{"data":[]}`},
			{"search for a NUL", "GET", "/search?name=%00", "", 200, `{"data":[]}`},
			{"search for broken text", "GET", "/search?name=%ff", "", 200, `{"data":[]}`},
			{"search for nothing", "GET", "/search?name=", "", 400, `{"message":{"name":["Missing data for required field."]},"result":"error"}`},
			{"search without a text", "GET", "/search", "", 400, `{"message":{"name":["Missing data for required field."]},"result":"error"}`},
			{"no domain", "GET", "/by-domain", "", 400, notUnderstood},
			{"empty domain", "GET", "/by-domain?domain=", "", 400, notUnderstood},
			{"address for a domain", "GET", "/by-domain?domain=a@foo.gov.uk", "", 400, notUnderstood},
			{"unknown domain", "GET", "/by-domain?domain=example.gov.uk", "", 404, noRouteBody},
			{"domain that only ends alike", "GET", "/by-domain?domain=notfoo.gov.uk", "", 404, noRouteBody},
			{"parent", "GET", "/by-domain?domain=gov.uk", "", 404, noRouteBody},
			{"POST to search", "POST", "/search", `{}`, 405, notAllowedBody},
			{"DELETE", "DELETE", "", "", 405, notAllowedBody},
		}
		for _, base := range []string{"/organisation", "/organisations"} {
			for _, c := range rows {
				c.path = base + c.path
				s.rows(t, nil, []organisationCase{c})
			}
			for domain, want := range map[string]string{
				"foo.gov.uk": a, "FOO.gov.uk": a, "x.foo.gov.uk": a, "bar.foo.gov.uk": b, "y.bar.foo.gov.uk": b, "alpha.gov.uk": b, "foo.gsi.gov.uk": a,
			} {
				got := s.do(request{method: "GET", path: base + "/by-domain?domain=" + domain})
				if got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"id":"`+want+`"`) || !strings.Contains(got.body, `"permissions":`) {
					t.Errorf("%s: %d %s, want %s", domain, got.StatusCode, got.body, want)
				}
			}
		}
	})
}

func TestOrganisationIsArchivedOnlyWhenEmpty(t *testing.T) {
	const services, team = "Cannot archive an organisation with active services", "Cannot archive an organisation with team members or invited team members"
	eachServer(t, func(t *testing.T, s *server) {
		u := s.aMember(t, "user@example.gov.uk")
		ids := map[string]string{
			"BUSY": s.anOrganisation(t, "Busy", ""), "TEAM": s.anOrganisation(t, "Team", ""), "INVITED": s.anOrganisation(t, "Invited", ""),
			"EMPTY": s.anOrganisation(t, "Empty", `,"email_branding_id":"`+directory.NHSEmailBrandingID.String()+`"`),
			"NONE":  unknownID, "USER": u.ID.String(),
		}
		ids["TRIAL"] = s.aService(t, directory.Service{Name: "Trial", Active: true, Restricted: true, OrganisationID: of(ids["BUSY"])})
		s.aService(t, directory.Service{Name: "Gone", OrganisationID: of(ids["EMPTY"])})
		ids["FREE"] = s.aService(t, directory.Service{Name: "Free", Active: true})
		invitation := decode[map[string]map[string]any](t, s.do(request{method: "POST", path: "/organisation/" + ids["INVITED"] + "/invite", body: `{"email_address":"a@b.gov.uk","invited_by":"` + u.ID.String() + `"}`}), 201)["data"]["id"].(string)
		ids["INVITATION"] = invitation
		s.rows(t, ids, []organisationCase{
			{"member", "POST", "/organisation/TEAM/users/USER", `{"permissions":[]}`, 200, ""},
			{"domain", "POST", "/organisation/EMPTY", `{"domains":["empty.gov.uk"]}`, 204, "-"},
			{"unknown", "POST", "/organisation/NONE/archive", "", 404, noResultBody},
			{"no uuid", "POST", "/organisation/7/archive", "", 404, noRouteBody},
			{"GET", "GET", "/organisation/BUSY/archive", "", 405, notAllowedBody},
			{"service on trial", "POST", "/organisation/BUSY/archive", "", 400, e1(services)},
			{"services before members", "POST", "/organisation/BUSY/users/USER", `{"permissions":[]}`, 200, ""},
			{"services still", "POST", "/organisations/BUSY/archive", "", 400, e1(services)},
			{"members", "POST", "/organisations/TEAM/archive", "", 400, e1(team)},
			{"invitation", "POST", "/organisation/INVITED/archive", "", 400, e1(team)},
			{"invitation withdrawn", "POST", "/organisation/INVITED/invite/INVITATION", `{"status":"cancelled"}`, 200, ""},
			{"archived", "POST", "/organisation/INVITED/archive", "", 204, "-"},
			{"again", "POST", "/organisation/INVITED/archive", "{}", 204, "-"},
			{"invitation after all", "POST", "/organisation/INVITED/invite/INVITATION", `{"status":"pending"}`, 400, e1("Cannot invite a user to an archived organisation")},
			{"empty", "POST", "/organisation/EMPTY/archive", "", 204, "-"},
			{"its domain", "GET", "/organisation/by-domain?domain=empty.gov.uk", "", 404, noRouteBody},
			{"its domain elsewhere", "POST", "/organisation/TEAM", `{"domains":["empty.gov.uk"]}`, 204, "-"},
			{"its name elsewhere", "POST", "/organisation/TEAM", `{"name":"Empty"}`, 204, "-"},
			{"nobody joins it", "POST", "/organisation/EMPTY/users/USER", `{"permissions":[]}`, 400, e1("Cannot add a user to an archived organisation")},
			{"nothing joins it", "POST", "/organisation/EMPTY/service", `{"service_id":"FREE"}`, 400, e1("Cannot add a service to an archived organisation")},
			{"it invites nobody", "POST", "/organisation/EMPTY/invite", `{"email_address":"a@b.gov.uk","invited_by":"USER"}`, 400, e1("Cannot invite a user to an archived organisation")},
		})
		got := decode[organisationFacts](t, s.do(request{method: "GET", path: "/organisation/" + ids["EMPTY"]}), 200)
		if diff := cmp.Diff(organisationFacts{Name: "_archived_2026-01-31-12:00:00_Empty", Domains: []string{}}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestArchivingAndJoiningExcludeEachOther(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		u := s.aMember(t, "user@example.gov.uk")
		for i := range 6 {
			id := s.anOrganisation(t, "Org "+string(rune('A'+i)), "")
			join := request{method: "POST", path: "/organisation/" + id + "/users/" + u.ID.String(), body: `{"permissions":[]}`}
			archive := request{method: "POST", path: "/organisation/" + id + "/archive"}
			answers := make(chan response, 2)
			go func() { answers <- s.do(join) }()
			go func() { answers <- s.do(archive) }()
			a, b := <-answers, <-answers
			if (a.StatusCode < 300) == (b.StatusCode < 300) || a.StatusCode+b.StatusCode >= 700 {
				t.Errorf("both: %d %s, %d %s", a.StatusCode, a.body, b.StatusCode, b.body)
			}
			shown := decode[organisationFacts](t, s.do(request{method: "GET", path: "/organisation/" + id}), 200)
			members := s.do(request{method: "GET", path: "/organisation/" + id + "/users"})
			if shown.Active == (members.body == `{"data":[]}`+"\n") {
				t.Errorf("active %t with members %s", shown.Active, members.body)
			}
		}
	})
}

func TestServiceBelongsToOneOrganisation(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		ids := map[string]string{"ORGA": s.anOrganisation(t, "A", ""), "ORGB": s.anOrganisation(t, "B", ""), "NONE": unknownID}
		ids["SERVICE"] = s.aService(t, directory.Service{Name: "zeta", Active: true, EmailMessageLimit: 50})
		ids["SECOND"] = s.aService(t, directory.Service{Name: "Beta", Active: true, Restricted: true})
		ids["THIRD"] = s.aService(t, directory.Service{Name: "Alpha"})
		item := func(id, name, active, restricted, limit string) string {
			return `{"active":` + active + `,"id":"` + id + `","message_limit":` + limit + `,"name":"` + name + `","organisation_id":"ORGB","restricted":` + restricted + `}`
		}
		s.rows(t, ids, []organisationCase{
			{"moved", "POST", "/organisation/ORGA/service", `{"service_id":"SERVICE"}`, 204, "-"},
			{"moved on", "POST", "/organisations/ORGB/service", `{"service_id":"SERVICE"}`, 204, "-"},
			{"again", "POST", "/organisations/ORGB/service", `{"service_id":"SERVICE"}`, 204, "-"},
			{"second", "POST", "/organisations/ORGB/service", `{"service_id":"SECOND"}`, 204, "-"},
			{"third", "POST", "/organisations/ORGB/service", `{"service_id":"THIRD"}`, 204, "-"},
			{"left behind", "GET", "/organisation/ORGA/services", "", 200, "[]"},
			{"in order", "GET", "/organisation/ORGB/services", "", 200, "[" + item("SECOND", "Beta", "true", "true", "0") + "," + item("SERVICE", "zeta", "true", "false", "50") + "," + item("THIRD", "Alpha", "false", "false", "0") + "]"},
			{"unknown organisation", "GET", "/organisation/NONE/services", "", 404, noResultBody},
			{"to an unknown organisation", "POST", "/organisation/NONE/service", `{"service_id":"SERVICE"}`, 404, noResultBody},
			{"of an unknown service", "POST", "/organisation/ORGA/service", `{"service_id":"NONE"}`, 404, noResultBody},
			{"no service", "POST", "/organisation/ORGA/service", `{}`, 400, e3("service_id is a required property")},
			{"malformed service", "POST", "/organisation/ORGA/service", `{"service_id":"7"}`, 400, e3("service_id is not a valid UUID")},
			{"number for a service", "POST", "/organisation/ORGA/service", `{"service_id":7}`, 400, e3("service_id is not a valid UUID")},
			{"null for a service", "POST", "/organisation/ORGA/service", `{"service_id":null}`, 400, e3("service_id is not a valid UUID")},
			{"null", "POST", "/organisation/ORGA/service", `null`, 400, e3("None is not of type object")},
			{"nothing", "POST", "/organisation/ORGA/service", " ", 400, notUnderstood},
			{"counted", "GET", "/organisation/search?name=B", "", 200, `{"data":[{"active":true,"count_of_live_services":1,"domains":[],"id":"ORGB","name":"B","organisation_type":"central"}]}`},
			{"bodiless method", "GET", "/organisation/ORGA/service", "", 405, notAllowedBody},
		})
		won, _ := s.race(t, "",
			request{method: "POST", path: "/organisation/" + ids["ORGA"] + "/service", body: `{"service_id":"` + ids["SERVICE"] + `"}`},
			request{method: "POST", path: "/organisation/" + ids["ORGB"] + "/service", body: `{"service_id":"` + ids["SERVICE"] + `"}`})
		a, b := s.do(request{method: "GET", path: "/organisation/" + ids["ORGA"] + "/services"}), s.do(request{method: "GET", path: "/organisation/" + ids["ORGB"] + "/services"})
		if won != 2 || strings.Contains(a.body, ids["SERVICE"]) == strings.Contains(b.body, ids["SERVICE"]) {
			t.Errorf("the service is not in one organisation:\n%s%s", a.body, b.body)
		}
	})
}

func TestOrganisationMembersComeAndGo(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		u, pending := s.aMember(t, "user@example.gov.uk"), s.aMember(t, "second@example.gov.uk")
		ids := map[string]string{"ORG": s.anOrganisation(t, "A", ""), "NONE": unknownID, "USER": u.ID.String(), "SECOND": pending.ID.String()}
		ids["MEMBERSHIP"] = uuid.NewSHA1(uuid.MustParse(ids["ORG"]), u.ID[:]).String()
		s.rows(t, ids, []organisationCase{
			{"nobody yet", "GET", "/organisation/ORG/users", "", 200, `{"data":[]}`},
			{"nobody in an unknown organisation", "GET", "/organisations/NONE/users", "", 200, `{"data":[]}`},
			{"unknown user", "POST", "/organisation/ORG/users/NONE", `{"permissions":[]}`, 404, noResultBody},
			{"unknown organisation", "POST", "/organisation/NONE/users/USER", `{"permissions":[]}`, 404, noResultBody},
			{"malformed user", "POST", "/organisation/ORG/users/7", `{"permissions":[]}`, 404, noRouteBody},
			{"no permissions", "POST", "/organisation/ORG/users/USER", `{}`, 400, e3("permissions is a required property")},
			{"null permissions", "POST", "/organisation/ORG/users/USER", `{"permissions":null}`, 400, e3("permissions None is not of type array")},
			{"names alone", "POST", "/organisation/ORG/users/USER", `{"permissions":["can_make_services_live"]}`, 400, e3("permissions can_make_services_live is not of type object")},
			{"item without a name", "POST", "/organisation/ORG/users/USER", `{"permissions":[{}]}`, 400, e3("permissions permission is a required property")},
			{"number for a name", "POST", "/organisation/ORG/users/USER", `{"permissions":[{"permission":1}]}`, 400, e3("permissions 1 is not of type string")},
			{"unknown permission", "POST", "/organisation/ORG/users/USER", `{"permissions":[{"permission":"fly"}]}`, 404, noResultBody},
			{"permission of a service", "POST", "/organisation/ORG/users/USER", `{"permissions":[{"permission":"manage_users"}]}`, 404, noResultBody},
			{"nobody after all that", "GET", "/organisation/ORG/users", "", 200, `{"data":[]}`},
			{"joins", "POST", "/organisation/ORG/users/USER", `{"permissions":[{"permission":"can_make_services_live"},{"permission":"can_make_services_live"},{"permission":"manage_services"}]}`, 200,
				`{"data":{"id":"MEMBERSHIP","organisation_id":"ORG","permissions":["can_make_services_live","manage_services"],"user_id":"USER"}}`},
			{"joins twice", "POST", "/organisation/ORG/users/USER", `{"permissions":[]}`, 400, e1("User id: USER already part of organisation id: ORG")},
			{"joins twice, plural", "POST", "/organisations/ORG/users/USER", `{"permissions":[]}`, 400, e1("User id: USER already part of organisation id: ORG")},
			{"second joins", "POST", "/organisations/ORG/users/SECOND", `{"permissions":[]}`, 200, ""},
			{"second leaves", "DELETE", "/organisations/ORG/users/SECOND", "", 204, "-"},
			{"second left", "DELETE", "/organisation/ORG/users/SECOND", "", 404, e1("User not found")},
			{"unknown user leaves", "DELETE", "/organisation/ORG/users/NONE", "", 404, noResultBody},
			{"unknown organisation is left", "DELETE", "/organisation/NONE/users/USER", "", 404, noResultBody},
		})
		singular := decode[struct{ Data []map[string]any }](t, s.do(request{method: "GET", path: "/organisation/" + ids["ORG"] + "/users"}), 200).Data
		plural := decode[struct{ Data []map[string]any }](t, s.do(request{method: "GET", path: "/organisations/" + ids["ORG"] + "/users"}), 200).Data
		if len(singular) != 1 || len(plural) != 1 {
			t.Fatalf("%d and %d members", len(singular), len(plural))
		}
		rights := []any{"can_make_services_live", "manage_services"}
		if diff := cmp.Diff([]any{rights, map[string]any{}, map[string]any{ids["ORG"]: rights}}, []any{singular[0]["permissions"], plural[0]["permissions"], plural[0]["organisation_permissions"]}); diff != "" {
			t.Error(diff)
		}
		shown := decode[struct{ Data map[string]any }](t, s.do(request{method: "GET", path: "/user/" + ids["USER"]}), 200).Data
		if diff := cmp.Diff(shown, plural[0]); diff != "" {
			t.Errorf("the member is not the user: %s", diff)
		}
	})
}
