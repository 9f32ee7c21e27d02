package notify

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

const (
	wrongPassword = `{"message":{"password":["Incorrect password"]},"result":"error"}`
	rightPassword = `{"password":"SecurePassword123!"}`
)

var (
	codeNotFound = bodyE1("Code not found")
	codeExpired  = bodyE1("Code has expired")
)

// code asks for a code by text message and returns it as verify/code takes it.
func (s *server) code(path string) string {
	s.t.Helper()
	s.do(request{method: "POST", path: path + "/sms-code", body: `{}`})
	for _, m := range s.outbox.take() {
		if code, ok := m.Personalisation["verify_code"].(string); ok {
			return `{"code":"` + code + `","code_type":"sms"}`
		}
	}
	s.t.Fatal("no code was sent")
	return ""
}

// link asks for a link to sign in and returns its code as verify/code takes it.
func (s *server) link(path, body string) (code string, url string) {
	s.t.Helper()
	s.do(request{method: "POST", path: path + "/email-code", body: body})
	for _, m := range s.outbox.take() {
		url, _ = m.Personalisation["url"].(string)
	}
	_, token, _ := strings.Cut(url, "/email-auth/")
	token, _, _ = strings.Cut(token, "?")
	plain, err := s.links.Open(token, time.Hour)
	var payload map[string]string
	if err != nil || json.Unmarshal(plain, &payload) != nil || "/user/"+payload["user_id"] != path {
		s.t.Fatalf("%s holds %s (%v)", url, plain, err)
	}
	return `{"code":"` + payload["secret_code"] + `","code_type":"email"}`, url
}

func (s *server) wantFailures(t *testing.T, id uuid.UUID, want int) {
	t.Helper()
	if got := s.user(id).FailedLoginCount; got != want {
		t.Errorf("failed_login_count is %d, want %d", got, want)
	}
}

func TestPasswordIsVerified(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, id := s.john()
		at := path + "/verify/password"
		s.run(t, "POST", []exchange{
			{"right", at, rightPassword, 204, ""},
			{"wrong", at, `{"password":"SecurePassword123"}`, 400, wrongPassword},
			{"empty", at, `{"password":""}`, 400, wrongPassword},
			{"long", at, `{"password":"` + strings.Repeat("a", 2000) + `"}`, 400, wrongPassword},
			{"missing", at, `{}`, 400, bodyE2(`"password":["Required field missing data"]`)},
			{"null", at, `{"password":null}`, 400, bodyE2(`"password":["Field may not be null."]`)},
			{"number", at, `{"password":1}`, 400, bodyE2(`"password":["Not a valid string."]`)},
			{"null body", at, `null`, 400, bodyE2(`"_schema":["Invalid input type."]`)},
			{"no body", at, ``, 415, bodyE1("The request body must be application/json")},
			{"malformed", at, `{"password":}`, 400, notUnderstoodE1},
			{"nobody", "/user/" + nobodyID + "/verify/password", rightPassword, 404, noResultE1},
			{"no id", "/user/x/verify/password", rightPassword, 404, noSuchURLE1},
		})
		s.wantFailures(t, id, 2)
		if u := s.user(id); !u.LoggedInAt.IsZero() || u.CurrentSessionID.Valid {
			t.Errorf("a password alone signed in: %+v", u)
		}
		s.run(t, "POST", []exchange{{"right", at, rightPassword, 204, ""}})
		s.wantFailures(t, id, 0)
	})
}

func TestTenFailuresLockEveryDoor(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, id := s.john()
		code := s.code(path)
		for range 10 {
			s.do(request{method: "POST", path: path + "/verify/password", body: `{"password":"wrong"}`})
		}
		s.run(t, "POST", []exchange{
			{"right password", path + "/verify/password", rightPassword, 400, wrongPassword},
			{"right code", path + "/verify/code", code, 404, codeNotFound},
			{"key", path + "/complete/webauthn-login", `{"successful":true}`, 403, bodyE1("Maximum login count exceeded")},
			{"failed key", path + "/complete/webauthn-login", `{"successful":false}`, 403, bodyE1("Maximum login count exceeded")},
			{"a code is still sent", path + "/sms-code", `{}`, 204, ""},
			{"nobody to unlock", "/user/" + nobodyID + "/reset-failed-login-count", "", 404, noResultE1},
		})
		s.wantFailures(t, id, 10)
		got := decode[userData](t, s.do(request{method: "POST", path: path + "/reset-failed-login-count"}), 200).Data
		if got["failed_login_count"] != 0.0 {
			t.Errorf("%v", got["failed_login_count"])
		}
		s.run(t, "POST", []exchange{
			{"right password", path + "/verify/password", rightPassword, 204, ""},
			{"the code stayed unused", path + "/verify/code", code, 204, ""},
		})
	})
}

func TestCodeSignsInOnce(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, id := s.john()
		at := path + "/verify/code"
		first, second := s.code(path), s.code(path)
		s.advance(time.Minute)
		s.run(t, "POST", []exchange{
			{"second", at, second, 204, ""},
			{"second again", at, second, 400, codeExpired},
			{"wrong", at, `{"code":"x","code_type":"sms"}`, 404, codeNotFound},
			{"of the other type", at, strings.Replace(first, "sms", "email", 1), 404, codeNotFound},
		})
		s.wantFailures(t, id, 3)
		before := s.user(id)
		if !before.CurrentSessionID.Valid || !before.LoggedInAt.Equal(testNow.Add(time.Minute)) || before.State != directory.Pending ||
			!before.EmailAccessValidatedAt.Equal(testNow) {
			t.Errorf("%+v", before)
		}
		s.run(t, "POST", []exchange{{"first", at, first, 204, ""}})
		s.wantFailures(t, id, 0)
		if s.user(id).CurrentSessionID == before.CurrentSessionID {
			t.Error("the session is the one before")
		}
		late := s.code(path)
		s.advance(time.Hour)
		s.run(t, "POST", []exchange{{"late", at, late, 400, codeExpired}})
		s.wantFailures(t, id, 1)
		link, url := s.link(path, `{"email_auth_link_host":"https://notify.example","next":"/services?a=b"}`)
		if !strings.HasPrefix(url, "https://notify.example/email-auth/gAAAA") || !strings.HasSuffix(url, "?next=%2Fservices%3Fa%3Db") {
			t.Error(url)
		}
		s.run(t, "POST", []exchange{{"link", at, link, 204, ""}, {"link again", at, link, 400, codeExpired}})
		if u := s.user(id); !u.EmailAccessValidatedAt.Equal(testNow.Add(time.Hour + time.Minute)) {
			t.Errorf("the address was validated %s", u.EmailAccessValidatedAt)
		}
		stranger := s.other("Ann", "ann@example.gov.uk")
		own := s.code(path)
		s.run(t, "POST", []exchange{
			{"another user's", "/user/" + stranger.String() + "/verify/code", own, 404, codeNotFound},
			{"nobody", "/user/" + nobodyID + "/verify/code", own, 404, noResultE1},
			{"no id", "/user/x/verify/code", own, 404, noSuchURLE1},
			{"another type", at, `{"code":"1","code_type":"post"}`, 404, noResultE1},
			{"empty", at, `{}`, 400, bodyE3("code is a required property", "code_type is a required property")},
			{"schema before user", "/user/" + nobodyID + "/verify/code", `{}`, 400, bodyE3("code is a required property", "code_type is a required property")},
			{"numbers", at, `{"code":123456,"code_type":1.5}`, 400, bodyE3("code 123456 is not of type string", "code_type 1.5 is not of type string")},
			{"more", at, `{"code":"1","code_type":"sms","to":"x"}`, 400, bodyE3("Additional properties are not allowed (to was unexpected)")},
			{"null", at, `null`, 400, bodyE3("None is not of type object")},
		})
	})
}

func TestOfManyTriesOneUsesTheCode(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, _ := s.john()
		code := s.code(path)
		statuses := make([]int, 8)
		var all sync.WaitGroup
		for i := range statuses {
			all.Go(func() {
				statuses[i] = s.do(request{method: "POST", path: path + "/verify/code", body: code}).StatusCode
			})
		}
		all.Wait()
		right := 0
		for _, status := range statuses {
			if status == http.StatusNoContent {
				right++
			}
		}
		if right != 1 {
			t.Errorf("the code was used %d times: %v", right, statuses)
		}
	})
}

func TestFiveCodesAreLive(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, _ := s.john()
		var codes []string
		for range 4 {
			codes = append(codes, s.code(path))
		}
		link, _ := s.link(path, `{}`)
		s.run(t, "POST", []exchange{{"sixth", path + "/sms-code", `{}`, 204, ""}, {"seventh", path + "/email-code", `{"to":null}`, 204, ""}})
		if sent := s.outbox.take(); len(sent) != 0 {
			t.Errorf("%d more were sent", len(sent))
		}
		for _, code := range append(codes, link) {
			s.run(t, "POST", []exchange{{"live", path + "/verify/code", code, 204, ""}})
		}
		s.code(path)
	})
}

func TestCodeIsNotSent(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, _ := s.john()
		ann := "/user/" + s.other("Ann", "ann@example.gov.uk").String()
		s.run(t, "POST", []exchange{
			{"nobody", "/user/" + nobodyID + "/sms-code", `{}`, 404, noResultE1},
			{"nobody's link", "/user/" + nobodyID + "/email-code", `{"x":1}`, 404, noResultE1},
			{"number", path + "/sms-code", `{"to":1}`, 400, bodyE3("to 1 is not of type string, null")},
			{"more", path + "/sms-code", `{"too":"x"}`, 400, bodyE3("Additional properties are not allowed (too was unexpected)")},
			{"short number", path + "/sms-code", `{"to":"07700"}`, 400, bodyE1("Mobile number is too short")},
			{"letters", path + "/sms-code", `{"to":"0770O900123"}`, 400, bodyE1("Mobile numbers can only include: 0 1 2 3 4 5 6 7 8 9 ( ) + -")},
			{"another country", path + "/sms-code", `{"to":"+1 876 210 1234"}`, 400,
				bodyE1("Text messages are not sent to this country - double check the mobile number you entered")},
			{"no number at all", ann + "/sms-code", `{}`, 400, bodyE1("Recipient can't be empty")},
			{"no number but null", ann + "/sms-code", `{"to":null}`, 400, bodyE1("Recipient can't be empty")},
			{"link to somebody", path + "/email-code", `{"to":"a@b.gov.uk"}`, 400, bodyE3("to a@b.gov.uk is not of type null")},
			{"link host", path + "/email-code", `{"email_auth_link_host":1}`, 400, bodyE3("email_auth_link_host 1 is not of type string, null")},
			{"link next", path + "/email-code", `{"next":[]}`, 400, bodyE3("next [] is not of type string, null")},
			{"link more", path + "/email-code", `{"b":1,"a":1}`, 400, bodyE3("Additional properties are not allowed (a, b were unexpected)")},
		})
		if sent := s.outbox.take(); len(sent) != 0 {
			t.Errorf("%d were sent", len(sent))
		}
		s.run(t, "POST", []exchange{{"elsewhere", path + "/sms-code", `{"to":"+447700900456"}`, 204, ""}})
		if sent := s.outbox.take(); len(sent) != 1 || sent[0].To != "+447700900456" || sent[0].Template != string(authn.SMSCode) {
			t.Errorf("%d sent", len(sent))
		}
	})
}

func TestSecurityKeySignsIn(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		path, id := s.john()
		at := path + "/complete/webauthn-login"
		_, key := s.register(path)
		s.advance(time.Minute)
		s.run(t, "POST", []exchange{
			{"failed", at, `{"successful":false}`, 204, ""},
			{"failed with a key", at, `{"successful":false,"webauthn_credential_id":"` + key + `"}`, 204, ""},
			{"unknown key", at, `{"successful":true,"webauthn_credential_id":"` + nobodyID + `"}`, 404, noResultE1},
			{"empty", at, `{}`, 400, bodyE3("successful is a required property")},
			{"in words", at, `{"successful":"true"}`, 400, bodyE3("successful true is not of type boolean")},
			{"no key", at, `{"successful":true,"webauthn_credential_id":"x"}`, 400, bodyE3("webauthn_credential_id is not a valid UUID")},
			{"more", at, `{"successful":true,"x":1}`, 400, bodyE3("Additional properties are not allowed (x was unexpected)")},
			{"nobody", "/user/" + nobodyID + "/complete/webauthn-login", `{"successful":true}`, 404, noResultE1},
		})
		s.wantFailures(t, id, 2)
		if u := s.user(id); u.CurrentSessionID.Valid || !u.LoggedInAt.IsZero() {
			t.Errorf("a failure signed in: %+v", u)
		}
		s.run(t, "POST", []exchange{{"right", at, `{"successful":true,"webauthn_credential_id":"` + key + `"}`, 204, ""}})
		s.wantFailures(t, id, 0)
		if u := s.user(id); !u.CurrentSessionID.Valid || !u.LoggedInAt.Equal(testNow.Add(time.Minute)) {
			t.Errorf("%+v", u)
		}
		used, err := s.registry.Store.Credential(t.Context(), id, uuid.MustParse(key))
		if err != nil || !used.LoggedInAt.Equal(testNow.Add(time.Minute)) {
			t.Errorf("%+v (%v)", used, err)
		}
		s.run(t, "POST", []exchange{{"null key", at, `{"successful":true,"webauthn_credential_id":null}`, 204, ""}})
	})
}
