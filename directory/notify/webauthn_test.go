package notify

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const securityKey = `{"name":"Blue key","credential_data":"ZGF0YQ==","registration_response":"cmVzcG9uc2U="}`

// register gives a user a security key and returns its path.
func (s *server) register(path string) (key, id string) {
	s.t.Helper()
	id = decode[userData](s.t, s.do(request{method: "POST", path: path + "/webauthn", body: securityKey}), 201).Data["id"].(string)
	return path + "/webauthn/" + id, id
}

func TestSecurityKeyIsKeptAndShown(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, id := s.john()
		s.do(request{method: "GET", path: path + "/webauthn"}).want(t, 200, `{"data":[]}`)
		key, keyID := s.register(path)
		want := map[string]any{
			"id": keyID, "user_id": id.String(), "name": "Blue key", "credential_data": "ZGF0YQ==",
			"created_at": "2026-01-31T12:00:00.123456Z", "updated_at": nil, "logged_in_at": nil,
		}
		list := decode[struct{ Data []map[string]any }](t, s.do(request{method: "GET", path: path + "/webauthn"}), 200)
		if diff := cmp.Diff([]map[string]any{want}, list.Data); diff != "" {
			t.Error(diff)
		}
		s.advance(time.Second)
		want["name"], want["updated_at"] = "Red", "2026-01-31T12:00:01.123456Z"
		renamed := decode[userData](t, s.do(request{method: "POST", path: key, body: `{"name":"Red"}`}), 200)
		if diff := cmp.Diff(want, renamed.Data); diff != "" {
			t.Error(diff)
		}
		s.advance(time.Second)
		second, _ := s.register(path)
		list = decode[struct{ Data []map[string]any }](t, s.do(request{method: "GET", path: path + "/webauthn"}), 200)
		if len(list.Data) != 2 || list.Data[0]["id"] != keyID {
			t.Errorf("not the oldest first: %v", list.Data)
		}
		if u := s.user(id); u.AuthType != "sms_auth" {
			t.Errorf("the authentication type became %s", u.AuthType)
		}
		s.run(t, "DELETE", []exchange{
			{"first", key, "", 204, ""},
			{"again", key, "", 404, noResultE1},
			{"last", second, "", 400, bodyE1("Cannot delete last remaining webauthn credential for user")},
		})
	})
}

func TestSecurityKeyIsRefused(t *testing.T) {
	without := func(member string) string {
		return strings.NewReplacer(`"`+member+`":`, `"x_`+member+`":`).Replace(securityKey)
	}
	eachServer(t, func(t *testing.T, s *server) {
		path, _ := s.john()
		key, keyID := s.register(path)
		s.register(path)
		stranger := "/user/" + s.other("Ann", "ann@example.gov.uk").String() + "/webauthn/" + keyID
		all := path + "/webauthn"
		s.run(t, "POST", []exchange{
			{"nobody", "/user/" + nobodyID + "/webauthn", securityKey, 404, noResultE1},
			{"no user id", "/user/x/webauthn", securityKey, 404, noSuchURLE1},
			{"empty", all, `{}`, 400, bodyE3("name is a required property", "credential_data is a required property", "registration_response is a required property")},
			{"null", all, `null`, 400, bodyE3("None is not of type object")},
			{"array", all, `[]`, 400, bodyE3("[] is not of type object")},
			{"string", all, `"x"`, 400, bodyE3("x is not of type object")},
			{"malformed", all, `{"name"`, 400, notUnderstoodE1},
			{"another key", all, without("name"), 400, bodyE3("name is a required property", "Additional properties are not allowed (x_name was unexpected)")},
			{"empty name", all, strings.Replace(securityKey, "Blue key", "", 1), 400, bodyE3("name  should be non-empty")},
			{"empty data", all, strings.Replace(securityKey, "ZGF0YQ==", "", 1), 400, bodyE3("credential_data  should be non-empty")},
			{"null data", all, strings.Replace(securityKey, `"ZGF0YQ=="`, "null", 1), 400, bodyE3("credential_data None is not of type string")},
			{"number", all, strings.Replace(securityKey, `"cmVzcG9uc2U="`, "1", 1), 400, bodyE3("registration_response 1 is not of type string")},
			{"long name", all, strings.Replace(securityKey, "Blue key", strings.Repeat("a", 256), 1), 400, bodyE3("name Longer than maximum length 255.")},
			{"rename empty", key, `{}`, 400, bodyE3("name is a required property")},
			{"rename to nothing", key, `{"name":""}`, 400, bodyE3("name  should be non-empty")},
			{"rename to null", key, `{"name":null}`, 400, bodyE3("name None is not of type string")},
			{"rename more", key, `{"name":"a","credential_data":"b","alpha":1}`, 400, bodyE3("Additional properties are not allowed (alpha, credential_data were unexpected)")},
			{"rename another's", stranger, `{"name":"a"}`, 404, noResultE1},
			{"rename none", all + "/" + nobodyID, `{"name":"a"}`, 404, noResultE1},
			{"rename no id", all + "/x", `{"name":"a"}`, 404, noSuchURLE1},
		})
		s.run(t, "DELETE", []exchange{
			{"another's", stranger, "", 404, noResultE1},
			{"none", all + "/" + nobodyID, "", 404, noResultE1},
			{"no id", all + "/x", "", 404, noSuchURLE1},
			{"nobody's", "/user/" + nobodyID + "/webauthn/" + keyID, "", 404, noResultE1},
		})
		s.do(request{method: "GET", path: "/user/" + nobodyID + "/webauthn"}).want(t, 404, noResultE1)
	})
}

func TestUserKeepsTheLastSecurityKey(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, _ := s.john()
		var keys []string
		for range 6 {
			key, _ := s.register(path)
			keys = append(keys, key)
		}
		var all sync.WaitGroup
		for _, key := range keys {
			all.Go(func() { s.do(request{method: "DELETE", path: key}) })
		}
		all.Wait()
		list := decode[struct{ Data []map[string]any }](t, s.do(request{method: "GET", path: path + "/webauthn"}), 200)
		if len(list.Data) != 1 {
			t.Errorf("%d keys are left", len(list.Data))
		}
	})
}
