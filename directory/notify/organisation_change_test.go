package notify

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/directory"
)

const (
	unknownID      = "3f5e7c9a-1b2d-4e8f-9a3c-7d6e4b2f1a8c"
	noResultBody   = `{"message":"No result found","result":"error"}`
	noRouteBody    = `{"message":"` + notFoundText + `","result":"error"}`
	notUnderstood  = `{"message":"` + notUnderstoodText + `","result":"error"}`
	notAllowedBody = `{"message":"` + notAllowedText + `","result":"error"}`
)

// e1 is the body of a rule in one sentence.
func e1(text string) string { return `{"message":"` + text + `","result":"error"}` }

// e3 is the body of faults of a schema.
func e3(messages ...string) string {
	return `{"errors":[{"error":"ValidationError","message":"` + strings.Join(messages, `"},{"error":"ValidationError","message":"`) + `"}],"status_code":400}`
}

// anOrganisation creates one and returns its id.
func (s *server) anOrganisation(t *testing.T, name string, more string) string {
	t.Helper()
	body := `{"name":"` + name + `","crown":true,"organisation_type":"central"` + more + `}`
	return decode[map[string]any](t, s.do(request{method: "POST", path: "/organisation", body: body}), 201)["id"].(string)
}

// aMember creates an active user.
func (s *server) aMember(t *testing.T, address string) *directory.User {
	t.Helper()
	u, err := s.registry.CreateUser(t.Context(), directory.NewUser{
		Name: "User " + address, EmailAddress: address, MobileNumber: "07700900123", State: directory.Active,
	}, directory.Actor{Kind: "system"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// aService writes a service as it comes out of the store.
func (s *server) aService(t *testing.T, service directory.Service) string {
	t.Helper()
	service.ID, service.CreatedAt = uuid.New(), testNow
	if err := s.registry.Store.CreateService(t.Context(), &service); err != nil {
		t.Fatal(err)
	}
	return service.ID.String()
}

func of(organisation string) uuid.NullUUID {
	return uuid.NullUUID{UUID: uuid.MustParse(organisation), Valid: true}
}

// organisationCase is a request and what it answers; ORG, OTHER, SERVICE, USER and so on stand for ids.
type organisationCase struct {
	name, method, path, body string
	status                   int
	want                     string // the exact body; "" for any; "-" for none
}

func (s *server) rows(t *testing.T, ids map[string]string, rows []organisationCase) {
	t.Helper()
	var pairs []string
	for name, id := range ids {
		pairs = append(pairs, name, id)
	}
	fill := strings.NewReplacer(pairs...)
	for _, c := range rows {
		t.Run(c.name, func(t *testing.T) {
			got := s.do(request{method: c.method, path: fill.Replace(c.path), body: fill.Replace(c.body)})
			want := fill.Replace(c.want)
			switch {
			case got.StatusCode != c.status:
				t.Errorf("got %d %s, want %d %s", got.StatusCode, got.body, c.status, want)
			case want == "-" && got.body != "":
				t.Errorf("got a body: %s", got.body)
			case want != "" && want != "-" && got.body != want+"\n":
				t.Errorf("got  %swant %s", got.body, want)
			}
		})
	}
}

func TestOrganisationFieldsAreChangedOneByOne(t *testing.T) {
	cases := []struct{ field, value, want string }{
		{"name", `"Justice"`, `"Justice"`},
		{"name", `null`, `"Justice"`},
		{"active", `false`, `false`},
		{"active", `null`, `false`},
		{"active", `true`, `true`},
		{"crown", `false`, `false`},
		{"crown", `null`, `null`},
		{"organisation_type", `"local"`, `"local"`},
		{"permissions", `[]`, `[]`},
		{"permissions", `["can_ask_to_join_service","can_ask_to_join_a_service"]`, `["can_ask_to_join_a_service"]`},
		{"domains", `["Example.GOV.uk","a.example.gov.uk"]`, `["a.example.gov.uk","example.gov.uk"]`},
		{"domains", `null`, `["a.example.gov.uk","example.gov.uk"]`},
		{"domains", `"x"`, `["a.example.gov.uk","example.gov.uk"]`},
		{"domains", `[]`, `[]`},
		{"agreement_signed", `false`, `false`},
		{"agreement_signed", `null`, `null`},
		{"agreement_signed_at", `"2020-01-01 10:00:00.5"`, `"2020-01-01T10:00:00.500000Z"`},
		{"agreement_signed_at", `"2020-01-01T10:00:00+01:00"`, `"2020-01-01T09:00:00.000000Z"`},
		{"agreement_signed_at", `null`, `null`},
		{"agreement_signed_version", `2.5`, `2.5`},
		{"agreement_signed_version", `null`, `null`},
		{"agreement_signed_on_behalf_of_name", `"Jo"`, `"Jo"`},
		{"agreement_signed_on_behalf_of_email_address", `"jo@example.gov.uk"`, `"jo@example.gov.uk"`},
		{"request_to_go_live_notes", `"a\nb"`, `"a\nb"`},
		{"notes", `"n"`, `"n"`},
		{"notes", `null`, `null`},
		{"purchase_order_number", `"PO"`, `"PO"`},
		{"billing_contact_names", `"Jo"`, `"Jo"`},
		{"billing_contact_email_addresses", `"jo@example.gov.uk"`, `"jo@example.gov.uk"`},
		{"billing_reference", `"R"`, `"R"`},
		{"can_approve_own_go_live_requests", `true`, `true`},
		{"email_branding_id", `"` + directory.NHSEmailBrandingID.String() + `"`, `"` + directory.NHSEmailBrandingID.String() + `"`},
		{"email_branding_id", `null`, `null`},
		{"letter_branding_id", `"` + directory.NHSLetterBrandingID.String() + `"`, `"` + directory.NHSLetterBrandingID.String() + `"`},
		{"colour", `"red"`, ``},
		{"id", `"` + unknownID + `"`, ``},
		{"created_at", `"2001-01-01"`, ``},
	}
	eachServer(t, func(t *testing.T, s *server) {
		id := s.anOrganisation(t, "Ministry", "")
		for i, c := range cases {
			base := []string{"/organisation/", "/organisations/"}[i%2]
			s.rows(t, nil, []organisationCase{{c.field + " " + c.value, "POST", base + id, `{"` + c.field + `":` + c.value + `}`, 204, "-"}})
			shown := s.do(request{method: "GET", path: base + id})
			if !strings.Contains(shown.body, `"`+c.field+`":`+c.want) && c.want != "" {
				t.Errorf("%s is not %s in %s", c.field, c.want, shown.body)
			}
			if !strings.Contains(shown.body, id) || !strings.Contains(shown.body, `"created_at":"2026-01-31T12:00:00.123456Z"`) || strings.Contains(shown.body, "colour") {
				t.Errorf("what nobody may change was changed: %s", shown.body)
			}
		}
	})
}

func TestOrganisationChangeIsRefused(t *testing.T) {
	rows := []organisationCase{
		{"nothing", "POST", "/organisation/ORG", `{}`, 204, "-"},
		{"unknown", "POST", "/organisation/UNKNOWN", `{}`, 404, noResultBody},
		{"schema before organisation", "POST", "/organisation/UNKNOWN", `{"name":1}`, 400, e3("name 1 is not of type string, null")},
		{"unknown before malformed branding", "POST", "/organisation/UNKNOWN", `{"email_branding_id":"7"}`, 404, noResultBody},
		{"no uuid", "POST", "/organisation/7", `{}`, 404, noRouteBody},
		{"empty", "POST", "/organisation/ORG", ` `, 400, notUnderstood},
		{"broken", "POST", "/organisation/ORG", `{`, 400, notUnderstood},
		{"twice the same key", "POST", "/organisation/ORG", `{"name":"a","name":"b"}`, 400, notUnderstood},
		{"null", "POST", "/organisation/ORG", `null`, 400, e3("None is not of type object")},
		{"array", "POST", "/organisation/ORG", `[]`, 400, e3("[] is not of type object")},
		{"wrong types", "POST", "/organisation/ORG", `{"name":1,"active":"x","crown":0,"organisation_type":null,"permissions":null}`, 400, e3(
			"name 1 is not of type string, null", "active x is not of type boolean, null", "crown 0 is not of type boolean, null",
			"organisation_type None is not one of [central, local, nhs_central, nhs_local, nhs_gp, nhs_notify, emergency_service, school_or_college, other]",
			"permissions None is not of type array",
		)},
		{"unknown permission", "POST", "/organisation/ORG", `{"permissions":["x"]}`, 400, e3("permissions x is not one of [can_ask_to_join_a_service]")},
		{"permission object", "POST", "/organisation/ORG", `{"permissions":[{"a":1}]}`, 400, e3("permissions {a: 1} is not one of [can_ask_to_join_a_service]")},
		{"empty name", "POST", "/organisation/ORG", `{"name":""}`, 400, e3("name  should be non-empty")},
		{"control character", "POST", "/organisation/ORG", `{"name":"a\nb"}`, 400, e3("name Not a valid string.")},
		{"name of another", "POST", "/organisation/ORG", `{"name":"Other"}`, 400, e1("Organisation name already exists")},
		{"own name", "POST", "/organisation/ORG", `{"name":"Mine"}`, 204, "-"},
		{"other case", "POST", "/organisation/ORG", `{"name":"OTHER"}`, 204, "-"},
		{"domain of another", "POST", "/organisation/ORG", `{"domains":["new.gov.uk","other.gov.uk"]}`, 400, e1("Domain already exists")},
		{"domain of another, other case", "POST", "/organisation/ORG", `{"domains":["OTHER.gov.uk"]}`, 400, e1("Domain already exists")},
		{"domain twice", "POST", "/organisation/ORG", `{"domains":["a.gov.uk","A.gov.uk"]}`, 400, e1("Domain already exists")},
		{"no domain", "POST", "/organisation/ORG", `{"domains":["a b"]}`, 400, e3("domains Not a valid domain")},
		{"address for a domain", "POST", "/organisation/ORG", `{"domains":["a@b.gov.uk"]}`, 400, e3("domains Not a valid domain")},
		{"number for a domain", "POST", "/organisation/ORG", `{"domains":[1]}`, 400, e3("domains 1 is not of type string")},
		{"malformed branding", "POST", "/organisation/ORG", `{"email_branding_id":"7"}`, 404, noResultBody},
		{"unknown branding", "POST", "/organisation/ORG", `{"email_branding_id":"UNKNOWN"}`, 404, noResultBody},
		{"unknown letter branding", "POST", "/organisation/ORG", `{"letter_branding_id":"UNKNOWN"}`, 404, noResultBody},
		{"unknown signer", "POST", "/organisation/ORG", `{"agreement_signed":true,"agreement_signed_by_id":"UNKNOWN"}`, 404, noResultBody},
		{"no time", "POST", "/organisation/ORG", `{"agreement_signed_at":"yesterday"}`, 404, noResultBody},
		{"number beyond any float", "POST", "/organisation/ORG", `{"agreement_signed_version":1e999}`, 400, notUnderstood},
		{"notes of a number", "POST", "/organisation/ORG", `{"notes":1}`, 400, e3("notes 1 is not of type string, null")},
		{"PUT", "PUT", "/organisation/ORG", `{}`, 405, notAllowedBody},
		{"trailing slash", "POST", "/organisation/ORG/", `{}`, 404, noRouteBody},
	}
	eachServer(t, func(t *testing.T, s *server) {
		ids := map[string]string{"ORG": s.anOrganisation(t, "Mine", ""), "UNKNOWN": unknownID, "OTHERS": s.anOrganisation(t, "Other", "")}
		s.do(request{method: "POST", path: "/organisation/" + ids["OTHERS"], body: `{"domains":["other.gov.uk"]}`})
		delete(ids, "OTHERS")
		s.rows(t, ids, rows)
		shown := decode[organisationFacts](t, s.do(request{method: "GET", path: "/organisation/" + ids["ORG"]}), 200)
		if shown.Name != "OTHER" || len(shown.Domains) > 0 || shown.EmailBrandingID != nil {
			t.Errorf("a refused change left something behind: %+v", shown)
		}
	})
}

type organisationFacts struct {
	Name             string   `json:"name"`
	Active           bool     `json:"active"`
	Domains          []string `json:"domains"`
	EmailBrandingID  *string  `json:"email_branding_id"`
	LetterBrandingID *string  `json:"letter_branding_id"`
}

func TestServicesFollowTheirOrganisation(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		id := s.anOrganisation(t, "Trust", "")
		own := uuid.NullUUID{UUID: directory.NHSEmailBrandingID, Valid: true}
		service := s.aService(t, directory.Service{Name: "A", Active: true, OrganisationID: of(id), OrganisationType: directory.Central})
		branded := s.aService(t, directory.Service{Name: "B", Active: true, OrganisationID: of(id), EmailBrandingID: own})
		other := s.aService(t, directory.Service{Name: "C", Active: true})
		brand := decode[map[string]any](t, s.do(request{method: "POST", path: "/letter-branding", body: `{"name":"Trust","filename":"trust"}`}), 201)["id"].(string)
		s.do(request{method: "POST", path: "/organisation/" + id, body: `{"organisation_type":"nhs_gp","crown":false,"letter_branding_id":"` + brand + `"}`}).
			want204(t)
		get := func(id string) *directory.Service {
			got, err := s.registry.Store.Service(t.Context(), uuid.MustParse(id))
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		for _, id := range []string{service, branded} {
			if got := get(id); got.OrganisationType != directory.NHSGP || got.Crown == nil || *got.Crown || got.LetterBrandingID.UUID.String() != brand {
				t.Errorf("the service is not as its organisation: %+v", got)
			}
		}
		if got := get(other); got.OrganisationType != "" || got.Crown != nil {
			t.Errorf("a service of nobody was changed: %+v", got)
		}
		if got := get(branded); got.EmailBrandingID != own {
			t.Errorf("a service lost its branding: %+v", got)
		}
		shown := decode[organisationFacts](t, s.do(request{method: "GET", path: "/organisation/" + id}), 200)
		if shown.EmailBrandingID == nil || *shown.EmailBrandingID != directory.NHSEmailBrandingID.String() || *shown.LetterBrandingID != brand {
			t.Errorf("defaults are %+v", shown)
		}
		for _, pool := range []string{"email", "letter"} {
			got := s.do(request{method: "GET", path: "/organisations/" + id + "/" + pool + "-branding-pool"})
			if !strings.Contains(got.body, `"name":"NHS"`) {
				t.Errorf("the %s pool lacks the NHS: %s", pool, got.body)
			}
		}
		usage := s.do(request{method: "GET", path: "/organisation/" + id + "/services-with-usage?year=2025"})
		if strings.Count(usage.body, `"free_sms_limit":0`) != 2 {
			t.Errorf("the allowances are not those of a GP: %s", usage.body)
		}
	})
}

func (r response) want204(t *testing.T) {
	t.Helper()
	if r.StatusCode != http.StatusNoContent || r.body != "" {
		t.Errorf("got %d %s, want 204", r.StatusCode, r.body)
	}
}

func TestAgreementIsConfirmedToThoseConcerned(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		signer := s.aMember(t, "signer@example.gov.uk")
		cases := []struct {
			name, more, behalf string
			want               []string // template and recipient
			document           string
		}{
			{"for oneself", `"agreement_signed":true,"agreement_signed_by_id":"SIGNER"`, "", []string{"agreement_signed signer@example.gov.uk"}, "crown"},
			{"no signer", `"agreement_signed":true`, "", nil, ""},
			{"signer is null", `"agreement_signed":true,"agreement_signed_by_id":null`, "", nil, ""},
			{"not signed", `"agreement_signed":false,"agreement_signed_by_id":"SIGNER"`, "", nil, ""},
			{"for another", `"crown":false,"agreement_signed":true,"agreement_signed_by_id":"SIGNER","agreement_signed_on_behalf_of_name":"Jo","agreement_signed_on_behalf_of_email_address":"jo@example.gov.uk"`, "Jo",
				[]string{"agreement_signed_for_you jo@example.gov.uk", "agreement_signed_on_behalf signer@example.gov.uk"}, "non-crown"},
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				id := s.anOrganisation(t, "Org "+c.name, "")
				s.do(request{method: "POST", path: "/organisations/" + id, body: strings.ReplaceAll("{"+c.more+"}", "SIGNER", signer.ID.String())}).want204(t)
				var got []string
				for _, m := range s.outbox.take() {
					got = append(got, m.Template+" "+m.To)
					want := map[string]any{
						"mou_link": "http://localhost:6012/agreement/" + c.document + ".pdf", "org_name": "Org " + c.name,
						"org_dashboard_link": "http://localhost:6012/organisations/" + id, "signed_by_name": signer.Name, "on_behalf_of_name": c.behalf,
					}
					if diff := cmp.Diff(want, m.Personalisation); diff != "" {
						t.Error(diff)
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

func TestOneOfTwoRenamesWins(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		a, b := s.anOrganisation(t, "A", ""), s.anOrganisation(t, "B", "")
		won, lost := s.race(t, e1("Organisation name already exists"),
			request{method: "POST", path: "/organisation/" + a, body: `{"name":"C"}`}, request{method: "POST", path: "/organisation/" + b, body: `{"name":"C"}`})
		if won != 1 || lost != 1 {
			t.Errorf("%d won, %d lost", won, lost)
		}
		a, b = s.anOrganisation(t, "D", ""), s.anOrganisation(t, "E", "")
		won, lost = s.race(t, e1("Domain already exists"),
			request{method: "POST", path: "/organisation/" + a, body: `{"domains":["d.gov.uk"]}`}, request{method: "POST", path: "/organisation/" + b, body: `{"domains":["d.gov.uk"]}`})
		if won != 1 || lost != 1 {
			t.Errorf("domains: %d won, %d lost", won, lost)
		}
	})
}

// race sends requests at once and counts those that were done and those that
// were refused in these words; any other answer is an error.
func (s *server) race(t *testing.T, refusal string, requests ...request) (won, lost int) {
	t.Helper()
	answers := make([]response, len(requests))
	var group sync.WaitGroup
	for i, q := range requests {
		group.Go(func() { answers[i] = s.do(q) })
	}
	group.Wait()
	for _, a := range answers {
		switch {
		case a.StatusCode < 300:
			won++
		case a.StatusCode < 500 && a.body == refusal+"\n":
			lost++
		default:
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	}
	return won, lost
}

func TestEveryChangeIsAudited(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		events := &eventLog{Store: s.registry.Store}
		s.registry.Store = events
		id := s.anOrganisation(t, "A", "")
		s.do(request{method: "POST", path: "/organisation/" + id, body: `{"name":"B","billing_contact_email_addresses":"jo@example.gov.uk"}`}).want204(t)
		s.do(request{method: "POST", path: "/organisation/" + id + "/archive"}).want204(t)
		if len(events.all) != 3 || events.all[1].Type != "update_organisation" || events.all[2].Type != "archive_organisation" {
			t.Fatalf("events: %+v", events.all)
		}
		before, after := events.all[1].Data["before"].(map[string]any), events.all[1].Data["after"].(map[string]any)
		if before["name"] != "A" || after["name"] != "B" || after["billing_contact_email_addresses"] != nil {
			t.Errorf("before %v, after %v", before, after)
		}
	})
}

// eventLog notes the events that a store is given.
type eventLog struct {
	directory.Store
	all []directory.Event
}

func (l *eventLog) AppendEvent(ctx context.Context, e directory.Event) error {
	l.all = append(l.all, e)
	return l.Store.AppendEvent(ctx, e)
}
