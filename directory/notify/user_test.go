package notify

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/directory"
)

const john = `{"name":"John Smith","email_address":"john.smith@example.gov.uk","mobile_number":"+447700900123","password":"SecurePassword123!","auth_type":"sms_auth"}`

type userData struct {
	Data map[string]any `json:"data"`
}

func TestCreatedUserIsTheFullUser(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		created := s.do(request{method: "POST", path: "/user", body: john})
		got := decode[userData](t, created, 201).Data
		want := map[string]any{
			"id": got["id"], "name": "John Smith", "email_address": "john.smith@example.gov.uk", "mobile_number": "+447700900123",
			"auth_type": "sms_auth", "state": "pending", "platform_admin": false, "failed_login_count": 0.0, "current_session_id": nil,
			"created_at": "2026-01-31T12:00:00.123456Z", "logged_in_at": nil, "email_access_validated_at": "2026-01-31T12:00:00.123456Z",
			"password_changed_at": "2026-01-31 12:00:00.123456", "services": []any{}, "organisations": []any{}, "permissions": map[string]any{},
			"organisation_permissions": map[string]any{}, "can_use_webauthn": false, "take_part_in_research": true, "receives_new_features_email": true,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		shown := s.do(request{method: "GET", path: "/user/" + strings.ToUpper(got["id"].(string))})
		if shown.StatusCode != http.StatusOK || shown.body != created.body {
			t.Errorf("got %d %s, want what was created: %s", shown.StatusCode, shown.body, created.body)
		}
	})
}

func TestUserIsRefusedFieldByField(t *testing.T) {
	fields := func(faults string) string { return `{"message":{` + faults + `},"result":"error"}` }
	with := func(member string) string { return strings.TrimSuffix(john, "}") + "," + member + "}" }
	without := func(member string) string { return strings.Replace(john, member, "", 1) }
	cases := []struct {
		name, body string
		status     int
		want       string
	}{
		{"everything missing", `{}`, 400, fields(`"email_address":["Missing data for required field."],"name":["Missing data for required field."],"password":["Missing data for required field."]`)},
		{"null", `null`, 400, fields(`"_schema":["Invalid input type."]`)},
		{"array", `[]`, 400, fields(`"_schema":["Invalid input type."]`)},
		{"malformed", `{"name":`, 400, `{"message":"The browser (or proxy) sent a request that this server could not understand.","result":"error"}`},
		{"two values", `{}{}`, 400, `{"message":"The browser (or proxy) sent a request that this server could not understand.","result":"error"}`},
		{"duplicate key", with(`"name":"Other"`), 400, `{"message":"The browser (or proxy) sent a request that this server could not understand.","result":"error"}`},
		{"NUL", with(`"extra":"a\u0000"`), 400, `{"message":"The request body holds a NUL character, which no field can","result":"error"}`},
		{"wrong types", `{"name":1,"email_address":null,"password":["x"],"take_part_in_research":"maybe"}`, 400, fields(`"email_address":["Field may not be null."],"name":["Not a valid string."],"password":["Not a valid string."],"take_part_in_research":["Not a valid boolean."]`)},
		{"empty name", strings.Replace(john, "John Smith", "", 1), 400, fields(`"name":["Invalid name"]`)},
		{"bad address", strings.Replace(john, "john.smith@", "Victim <a@b.gov.uk>", 1), 400, fields(`"email_address":["Not a valid email address"]`)},
		{"bad number", strings.Replace(john, "+447700900123", "07700", 1), 400, fields(`"mobile_number":["Invalid phone number: Not enough digits"]`)},
		{"empty number", strings.Replace(john, "+447700900123", "", 1), 400, fields(`"mobile_number":["Invalid phone number: Not enough digits"]`)},
		{"letters", strings.Replace(john, "+447700900123", "0770O900123", 1), 400, fields(`"mobile_number":["Invalid phone number: Must not contain letters or symbols"]`)},
		{"unknown auth type", strings.Replace(john, "sms_auth", "smoke", 1), 400, fields(`"auth_type":["Must be one of: sms_auth, email_auth, webauthn_auth."]`)},
		{"unknown state", with(`"state":"pendingg"`), 400, fields(`"state":["Must be one of: pending, active, inactive."]`)},
		{"administrator", with(`"platform_admin":true`), 400, fields(`"platform_admin":["Cannot set platform_admin to True"]`)},
		{"empty password", strings.Replace(john, "SecurePassword123!", "", 1), 400, fields(`"password":["Password must be 12 characters or more"]`)},
		{"well-known password", strings.Replace(john, "SecurePassword123!", "passwordpassword", 1), 400, fields(`"password":["Choose a password that\u2019s harder to guess"]`)},
		{"control character", strings.Replace(john, "John Smith", `John\u0007Smith`, 1), 400, fields(`"name":["Not a valid string."]`)},
		{"long name", strings.Replace(john, "John Smith", strings.Repeat("é", 256), 1), 400, fields(`"name":["Longer than maximum length 255."]`)},
		{"codes by SMS without a number", without(`"mobile_number":"+447700900123",`), 400, `{"message":"Mobile number must be set if auth_type is set to sms_auth","result":"error"}`},
	}
	eachServer(t, func(t *testing.T, s *server) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				s.do(request{method: "POST", path: "/user", body: c.body}).want(t, c.status, c.want)
			})
		}
		if users, err := s.registry.Store.UsersByEmail(t.Context(), "john.smith@example.gov.uk"); err != nil || len(users) != 0 {
			t.Errorf("%d users were made (%v)", len(users), err)
		}
	})
}

func TestAddressIsTakenInAnySpelling(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		decode[userData](t, s.do(request{method: "POST", path: "/user", body: john}), 201)
		for _, spelling := range []string{"john.smith@example.gov.uk", "JOHN.SMITH@Example.GOV.UK", " john.smith@example.gov.uk "} {
			got := s.do(request{method: "POST", path: "/user", body: strings.Replace(john, "john.smith@example.gov.uk", spelling, 1)})
			got.want(t, 400, `{"message":{"email_address":["This value is already in use by another user"]},"result":"error"}`)
		}
	})
}

func TestCallerSetsNothingThatIsTheServers(t *testing.T) {
	forged := `,"id":"d6aa2c68-a2d9-4437-ab19-3ae8eb202553","failed_login_count":7,"current_session_id":"d6aa2c68-a2d9-4437-ab19-3ae8eb202553",
		"PLATFORM_ADMIN":true,"platform_admin":false,"created_at":"2000-01-01T00:00:00Z","roles":["ABC001"],"username":"root","locked_at":1}`
	eachServer(t, func(t *testing.T, s *server) {
		got := decode[userData](t, s.do(request{method: "POST", path: "/user", body: strings.TrimSuffix(john, "}") + forged}), 201).Data
		u, err := s.registry.Store.User(t.Context(), uuid.MustParse(got["id"].(string)))
		if err != nil {
			t.Fatal(err)
		}
		if u.ID.String() == "d6aa2c68-a2d9-4437-ab19-3ae8eb202553" || u.FailedLoginCount != 0 || u.CurrentSessionID.Valid || u.PlatformAdmin ||
			!u.CreatedAt.Equal(testNow) || len(u.Roles) != 0 || u.Username != "" || u.Locked() {
			t.Errorf("the caller chose what it may not: %+v", u)
		}
	})
}

func TestMembershipsAreShown(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		id := uuid.MustParse(decode[userData](t, s.do(request{method: "POST", path: "/user", body: john}), 201).Data["id"].(string))
		o, err := s.registry.CreateOrganisation(t.Context(), directory.NewOrganisation{Name: "Cabinet Office", Type: directory.Central}, directory.Actor{Kind: "system"})
		if err != nil {
			t.Fatal(err)
		}
		service := &directory.Service{ID: notifyService, Name: "Notify", Active: true, OrganisationID: uuid.NullUUID{UUID: o.ID, Valid: true}, CreatedAt: testNow}
		store := s.registry.Store
		for _, err := range []error{
			store.CreateService(t.Context(), service),
			store.AddServiceMember(t.Context(), directory.Membership{UserID: id, Of: service.ID, Permissions: []string{"manage_users"}, CreatedAt: testNow}),
			store.AddOrganisationMember(t.Context(), directory.Membership{UserID: id, Of: o.ID, CreatedAt: testNow}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		got := decode[userData](t, s.do(request{method: "GET", path: "/user/" + id.String()}), 200).Data
		want := map[string]any{
			"services": []any{service.ID.String()}, "organisations": []any{o.ID.String()},
			"permissions":              map[string]any{service.ID.String(): []any{"manage_users"}},
			"organisation_permissions": map[string]any{o.ID.String(): []any{}}, "can_use_webauthn": true,
		}
		for key, value := range want {
			if diff := cmp.Diff(value, got[key]); diff != "" {
				t.Errorf("%s: %s", key, diff)
			}
		}
	})
}

func TestEveryAnswerHasUpstreamsHeaders(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		trace := strings.Repeat("ab", 16)
		for _, q := range []request{
			{method: "POST", path: "/user", body: john, header: map[string]string{"X-B3-TraceId": trace}},
			{method: "GET", path: unknownUser, authorization: "-", header: map[string]string{"X-B3-TraceId": trace}},
			{method: "DELETE", path: "/user", header: map[string]string{"X-B3-TraceId": trace}},
		} {
			got := s.do(q)
			for name, value := range headers {
				if got.Header.Get(name) != value {
					t.Errorf("%s %s: %s is %q, want %q", q.method, q.path, name, got.Header.Get(name), value)
				}
			}
			if got.Header.Get("X-B3-TraceId") != trace || len(got.Header.Get("X-B3-SpanId")) != 16 {
				t.Errorf("trace %q, span %q", got.Header.Get("X-B3-TraceId"), got.Header.Get("X-B3-SpanId"))
			}
		}
		if got := s.do(request{method: "GET", path: unknownUser, header: map[string]string{"X-B3-TraceId": "not hex\tat all"}}).Header.Get("X-B3-TraceId"); len(got) != 32 || !isHex(got) {
			t.Errorf("trace %q", got)
		}
	})
}

func TestBodyMustBeSmallJSON(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.do(request{method: "POST", path: "/user", body: john, header: map[string]string{"Content-Type": "text/plain"}}).
			want(t, 415, `{"message":"The request body must be application/json","result":"error"}`)
		s.do(request{method: "POST", path: "/user", body: strings.Replace(john, "SecurePassword123!", strings.Repeat("x", 1<<20), 1)}).
			want(t, 413, `{"message":"The request body is too large","result":"error"}`)
	})
}

func TestOneOfManyTakesAnAddress(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		answers := make(chan int)
		for i := range 8 {
			body := strings.Replace(john, "john.smith", []string{"john.smith", "JOHN.SMITH"}[i%2], 1)
			go func() { answers <- s.do(request{method: "POST", path: "/user", body: body}).StatusCode }()
		}
		count := map[int]int{}
		for range 8 {
			count[<-answers]++
		}
		if diff := cmp.Diff(map[int]int{201: 1, 400: 7}, count); diff != "" {
			t.Error(diff)
		}
	})
}
