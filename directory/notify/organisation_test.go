package notify

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/directory"
)

const justice = `{"name":"Ministry of Justice","crown":true,"organisation_type":"central"}`

func TestCreatedOrganisationIsTheFullOrganisation(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		created := s.do(request{method: "POST", path: "/organisation", body: justice})
		got := decode[map[string]any](t, created, 201)
		want := map[string]any{
			"id": got["id"], "name": "Ministry of Justice", "active": true, "crown": true, "organisation_type": "central",
			"email_branding_id": nil, "letter_branding_id": nil, "agreement_signed": nil, "agreement_signed_at": nil,
			"agreement_signed_by_id": nil, "agreement_signed_on_behalf_of_name": nil, "agreement_signed_on_behalf_of_email_address": nil,
			"agreement_signed_version": nil, "domains": []any{}, "request_to_go_live_notes": nil, "count_of_live_services": 0.0,
			"notes": nil, "purchase_order_number": nil, "billing_contact_names": nil, "billing_contact_email_addresses": nil,
			"billing_reference": nil, "can_approve_own_go_live_requests": false, "permissions": []any{"can_ask_to_join_a_service"},
			"created_at": "2026-01-31T12:00:00.123456Z", "updated_at": nil,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		shown := s.do(request{method: "GET", path: "/organisation/" + got["id"].(string)})
		if shown.StatusCode != http.StatusOK || shown.body != created.body {
			t.Errorf("got %d %s, want what was created: %s", shown.StatusCode, shown.body, created.body)
		}
	})
}

func TestOrganisationKeepsWhatItWasGiven(t *testing.T) {
	given := `{"name":"NHS – Leeds","crown":false,"organisation_type":"nhs_local","active":false,"agreement_signed":true,"agreement_signed_version":2.5,
		"agreement_signed_on_behalf_of_name":"Jo","agreement_signed_on_behalf_of_email_address":"jo@example.gov.uk","notes":"two\nlines",
		"purchase_order_number":"PO-1","billing_reference":null,"can_approve_own_go_live_requests":true,"colour":"unknown keys are ignored"}`
	eachServer(t, func(t *testing.T, s *server) {
		created := s.do(request{method: "POST", path: "/organisation", body: given})
		got := decode[map[string]any](t, created, 201)
		want := map[string]any{
			"name": "NHS – Leeds", "crown": false, "active": false, "agreement_signed": true, "agreement_signed_version": 2.5,
			"agreement_signed_at": "2026-01-31T12:00:00.123456Z", "agreement_signed_on_behalf_of_name": "Jo",
			"agreement_signed_on_behalf_of_email_address": "jo@example.gov.uk", "notes": "two\nlines", "purchase_order_number": "PO-1",
			"billing_reference": nil, "can_approve_own_go_live_requests": true,
			"email_branding_id": directory.NHSEmailBrandingID.String(), "letter_branding_id": directory.NHSLetterBrandingID.String(),
		}
		for key, value := range want {
			if diff := cmp.Diff(value, got[key]); diff != "" {
				t.Errorf("%s: %s", key, diff)
			}
		}
		if !strings.Contains(created.body, `NHS \u2013 Leeds`) {
			t.Errorf("not escaped to ASCII: %s", created.body)
		}
	})
}

func TestOrganisationIsRefusedAsItsSchemaSays(t *testing.T) {
	faults := func(messages ...string) string {
		return `{"errors":[{"error":"ValidationError","message":"` + strings.Join(messages, `"},{"error":"ValidationError","message":"`) + `"}],"status_code":400}`
	}
	cases := []struct {
		name, body string
		status     int
		want       string
	}{
		{"everything missing", `{}`, 400, faults("name is a required property", "crown is a required property", "organisation_type is a required property")},
		{"null", `null`, 400, faults("None is not of type object")},
		{"array", `[]`, 400, faults("[] is not of type object")},
		{"string", `"x"`, 400, faults("x is not of type object")},
		{"wrong types in the schema's order", `{"organisation_type":"x","crown":null,"active":"yes","name":1.50}`, 400, faults(
			"name 1.5 is not of type string", "active yes is not of type boolean, null", "crown None is not of type boolean",
			"organisation_type x is not one of [central, local, nhs_central, nhs_local, nhs_gp, nhs_notify, emergency_service, school_or_college, other]",
		)},
		{"a fault and what is missing", `{"name":true}`, 400, faults("name True is not of type string", "crown is a required property", "organisation_type is a required property")},
		{"empty name", strings.Replace(justice, "Ministry of Justice", "", 1), 400, faults("name  should be non-empty")},
		{"bad branding", strings.Replace(justice, `"crown"`, `"email_branding_id":"7","crown"`, 1), 400, faults("email_branding_id is not a valid UUID")},
		{"control character", strings.Replace(justice, "Ministry", `Mini\nstry`, 1), 400, faults("name Not a valid string.")},
		{"unknown branding", strings.Replace(justice, `"crown"`, `"email_branding_id":"3f5e7c9a-1b2d-4e8f-9a3c-7d6e4b2f1a8c","crown"`, 1), 404, `{"message":"No result found","result":"error"}`},
		{"unknown signer", strings.Replace(justice, `"crown"`, `"agreement_signed_by_id":"3f5e7c9a-1b2d-4e8f-9a3c-7d6e4b2f1a8c","crown"`, 1), 404, `{"message":"No result found","result":"error"}`},
		{"number beyond any float", strings.Replace(justice, `"crown"`, `"agreement_signed_version":1e999,"crown"`, 1), 400, `{"message":"The browser (or proxy) sent a request that this server could not understand.","result":"error"}`},
		{"keys in another case", `{"NAME":"x","Crown":true,"ORGANISATION_TYPE":"local"}`, 400, faults("name is a required property", "crown is a required property", "organisation_type is a required property")},
	}
	eachServer(t, func(t *testing.T, s *server) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				s.do(request{method: "POST", path: "/organisation", body: c.body}).want(t, c.status, c.want)
			})
		}
	})
}

func TestOrganisationNameIsUnique(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		decode[map[string]any](t, s.do(request{method: "POST", path: "/organisation", body: justice}), 201)
		s.do(request{method: "POST", path: "/organisation", body: justice}).want(t, 400, `{"message":"Organisation name already exists","result":"error"}`)
	})
}
