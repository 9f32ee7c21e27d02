package notify

import (
	"strings"
	"testing"

	"gatehouse/directory"
)

func TestBrandingsAreKeptAndChanged(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		u := s.aMember(t, "user@example.gov.uk")
		email := decode[map[string]map[string]any](t, s.do(request{method: "POST", path: "/email-branding", body: `{"name":"Cabinet Office","colour":"#005ea5","logo":"co.png","alt_text":"Cabinet Office","created_by":"` + u.ID.String() + `"}`}), 201)["data"]["id"].(string)
		letter := decode[map[string]any](t, s.do(request{method: "POST", path: "/letter-branding", body: `{"name":"Cabinet Office","filename":"co"}`}), 201)["id"].(string)
		ids := map[string]string{"EMAIL": email, "LETTER": letter, "NONE": unknownID, "USER": u.ID.String(), "NHSE": directory.NHSEmailBrandingID.String(), "NHSL": directory.NHSLetterBrandingID.String()}
		const taken = `{"message":{"name":["An email branding with that name already exists."]},"result":"error"}`
		const first = `{"alt_text":"Cabinet Office","brand_type":"org","colour":"#005ea5","created_at":"2026-01-31T12:00:00.123456Z","created_by":"USER","id":"EMAIL","logo":"co.png","name":"Cabinet Office","text":null,"updated_at":null}`
		const second = `{"alt_text":null,"brand_type":"both","colour":"#005ea5","created_at":"2026-01-31T12:00:00.123456Z","created_by":"USER","id":"EMAIL","logo":"co.png","name":"CO","text":"CO","updated_at":"2026-01-31T12:00:00.123456Z"}`
		const nhs = `{"alt_text":"NHS","brand_type":"org","colour":null,"created_at":"2017-01-01T00:00:00.000000Z","created_by":null,"id":"NHSE","logo":null,"name":"NHS","text":null,"updated_at":null}`
		const nhsLetter = `{"created_at":"2017-01-01T00:00:00.000000Z","created_by":null,"filename":"nhs","id":"NHSL","name":"NHS","updated_at":null}`
		const letters = `{"created_at":"2026-01-31T12:00:00.123456Z","created_by":null,"filename":"co","id":"LETTER","name":"Cabinet Office","updated_at":null}`
		s.rows(t, ids, []organisationCase{
			{"emails", "GET", "/email-branding", "", 200, `{"email_branding":[` + first + `,` + nhs + `]}`},
			{"email", "GET", "/email-branding/EMAIL", "", 200, `{"email_branding":` + first + `}`},
			{"unknown email", "GET", "/email-branding/NONE", "", 404, noResultBody},
			{"malformed email", "GET", "/email-branding/7", "", 404, noRouteBody},
			{"no name", "POST", "/email-branding", `{}`, 400, e3("name is a required property")},
			{"null name", "POST", "/email-branding", `{"name":null}`, 400, e3("name None is not of type string")},
			{"empty name", "POST", "/email-branding", `{"name":""}`, 400, e3("name  should be non-empty")},
			{"control character", "POST", "/email-branding", `{"name":"a\tb"}`, 400, e3("name Not a valid string.")},
			{"unknown type", "POST", "/email-branding", `{"name":"A","brand_type":"x"}`, 400, e3("brand_type x is not one of [org, both, org_banner, no_branding]")},
			{"colour of a number", "POST", "/email-branding", `{"name":"A","colour":1}`, 400, e3("colour 1 is not of type string, null")},
			{"unknown creator", "POST", "/email-branding", `{"name":"A","created_by":"NONE"}`, 404, noResultBody},
			{"name of another", "POST", "/email-branding", `{"name":"NHS"}`, 400, taken},
			{"array", "POST", "/email-branding", `[]`, 400, e3("[] is not of type object")},
			{"empty body", "POST", "/email-branding", " ", 400, notUnderstood},
			{"PUT", "PUT", "/email-branding", `{}`, 405, notAllowedBody},
			{"nothing changed", "POST", "/email-branding/EMAIL", `{"name":null}`, 200, ""},
			{"changed", "POST", "/email-branding/EMAIL", `{"name":"CO","text":"CO","alt_text":null,"brand_type":"both","id":"NONE"}`, 200, `{"data":` + second + `}`},
			{"shown", "GET", "/email-branding/EMAIL", "", 200, `{"email_branding":` + second + `}`},
			{"changed to the name of another", "POST", "/email-branding/EMAIL", `{"name":"NHS"}`, 400, taken},
			{"unknown changed", "POST", "/email-branding/NONE", `{}`, 404, noResultBody},
			{"changed to no type", "POST", "/email-branding/EMAIL", `{"brand_type":null}`, 400, e3("brand_type None is not one of [org, both, org_banner, no_branding]")},

			{"letters", "GET", "/letter-branding", "", 200, `[` + letters + `,` + nhsLetter + `]`},
			{"letter", "GET", "/letter-branding/LETTER", "", 200, letters},
			{"unknown letter", "GET", "/letter-branding/NONE", "", 404, noResultBody},
			{"letter without anything", "POST", "/letter-branding", `{}`, 400, e3("name is a required property", "filename is a required property")},
			{"letter name of another", "POST", "/letter-branding", `{"name":"NHS","filename":"x"}`, 400, `{"message":{"name":["Name already in use"]},"result":"error"}`},
			{"letter file of another", "POST", "/letter-branding", `{"name":"X","filename":"nhs"}`, 400, `{"message":{"filename":["Filename already in use"]},"result":"error"}`},
			{"letter changed to the file of another", "POST", "/letter-branding/LETTER", `{"name":"X","filename":"nhs"}`, 400, `{"message":{"filename":["Filename already in use"]},"result":"error"}`},
			{"letter changed", "POST", "/letter-branding/LETTER", `{"name":"CO","filename":"co2"}`, 201, `{"created_at":"2026-01-31T12:00:00.123456Z","created_by":null,"filename":"co2","id":"LETTER","name":"CO","updated_at":"2026-01-31T12:00:00.123456Z"}`},
			{"unknown letter changed", "POST", "/letter-branding/NONE", `{"name":"Y","filename":"y"}`, 404, noResultBody},
			{"letter changed without a file", "POST", "/letter-branding/LETTER", `{"name":"Y"}`, 400, e3("filename is a required property")},
		})
	})
}

func TestBrandingPoolsTakeAndGiveBack(t *testing.T) {
	rows := []organisationCase{
		{"empty", "GET", "/POOL", "", 200, `{"data":[]}`},
		{"added", "POST", "/POOL", `{"branding_ids":["NHS"]}`, 204, "-"},
		{"added again", "POST", "/POOL", `{"branding_ids":["NHS","NHS"]}`, 204, "-"},
		{"none", "POST", "/POOL", `{"branding_ids":[]}`, 204, "-"},
		{"one unknown", "POST", "/POOL", `{"branding_ids":["BRAND","NONE"]}`, 404, noResultBody},
		{"then none is added", "DELETE", "/POOL/BRAND", "", 404, e1("TITLE branding BRAND not in Org KIND's pool")},
		{"no key", "POST", "/POOL", `{}`, 400, e3("branding_ids is a required property")},
		{"no list", "POST", "/POOL", `{"branding_ids":"NHS"}`, 400, e3("branding_ids NHS is not of type array")},
		{"malformed", "POST", "/POOL", `{"branding_ids":["7"]}`, 400, e3("branding_ids is not a valid UUID")},
		{"null", "POST", "/POOL", `{"branding_ids":[null]}`, 400, e3("branding_ids is not a valid UUID")},
		{"the default", "POST", "", `{"KIND_branding_id":"BRAND"}`, 204, "-"},
		{"the default stays", "DELETE", "/POOL/BRAND", "", 400, e1("You cannot remove an organisation's default KIND branding")},
		{"another goes", "DELETE", "/POOL/NHS", "", 204, "-"},
		{"once", "DELETE", "/POOL/NHS", "", 404, e1("TITLE branding NHS not in Org KIND's pool")},
		{"unknown", "DELETE", "/POOL/NONE", "", 404, e1("TITLE branding NONE not in Org KIND's pool")},
		{"malformed branding", "DELETE", "/POOL/7", "", 404, noRouteBody},
		{"no default any more", "POST", "", `{"KIND_branding_id":null}`, 204, "-"},
		{"then it goes", "DELETE", "/POOL/BRAND", "", 204, "-"},
		{"PUT", "PUT", "/POOL", `{}`, 405, notAllowedBody},
	}
	eachServer(t, func(t *testing.T, s *server) {
		email := decode[map[string]map[string]any](t, s.do(request{method: "POST", path: "/email-branding", body: `{"name":"B"}`}), 201)["data"]["id"].(string)
		letter := decode[map[string]any](t, s.do(request{method: "POST", path: "/letter-branding", body: `{"name":"B","filename":"b"}`}), 201)["id"].(string)
		for kind, ids := range map[string]map[string]string{
			"email":  {"POOL": "email-branding-pool", "TITLE": "Email", "KIND": "email", "BRAND": email, "NHS": directory.NHSEmailBrandingID.String(), "NONE": unknownID},
			"letter": {"POOL": "letter-branding-pool", "TITLE": "Letter", "KIND": "letter", "BRAND": letter, "NHS": directory.NHSLetterBrandingID.String(), "NONE": unknownID},
		} {
			base := []string{"/organisation/", "/organisations/"}[len(kind)%2]
			id := s.anOrganisation(t, "Org "+kind, "")
			for _, c := range rows {
				c.path = base + id + c.path
				s.rows(t, ids, []organisationCase{c})
			}
			unknown := s.do(request{method: "GET", path: base + unknownID + "/" + kind + "-branding-pool"})
			if kind == "email" {
				unknown.want(t, 200, `{"data":[]}`)
			} else {
				unknown.want(t, 404, noResultBody)
			}
			s.do(request{method: "POST", path: base + unknownID + "/" + kind + "-branding-pool", body: `{"branding_ids":[]}`}).want(t, 404, noResultBody)
			s.do(request{method: "DELETE", path: base + unknownID + "/" + kind + "-branding-pool/" + ids["NHS"]}).want(t, 404, noResultBody)
			s.do(request{method: "POST", path: base + id + "/" + kind + "-branding-pool", body: `{"branding_ids":["` + strings.ToUpper(ids["BRAND"]) + `"]}`}).want204(t)
			if got := s.do(request{method: "GET", path: base + id + "/" + kind + "-branding-pool"}); !strings.Contains(got.body, `"name":"B"`) {
				t.Errorf("%s pool: %s", kind, got.body)
			}
		}
	})
}
