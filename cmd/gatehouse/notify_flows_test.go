package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// adminApp plays Notify's own administration: it signs its requests with the
// shared secret, follows the links of messages to itself, and reads their tokens
// with the shared key.
type adminApp struct {
	t        *testing.T
	d        *deployment
	s        *server
	tokenKey []byte
}

const (
	adminSecret = "a secret of the tests, long enough"
	adminURL    = "https://admin.example.gov.uk"
	adminMobile = "07700900123"
)

func newAdminApp(t *testing.T, d *deployment) *adminApp {
	t.Helper()
	key := []byte("0123456789abcdef0123456789abcdef")
	d.vars["GATEHOUSE_NOTIFY_INTERNAL_CLIENTS"] = `{"notify-admin":["` + adminSecret + `"]}`
	d.vars["GATEHOUSE_NOTIFY_TOKEN_KEY"] = base64.URLEncoding.EncodeToString(key)
	d.vars["GATEHOUSE_NOTIFY_ADMIN_URL"] = adminURL
	return &adminApp{t: t, d: d, s: d.start(), tokenKey: key}
}

// call sends a request as the application's client library does and decodes a
// successful answer into v, when v is not nil.
func (a *adminApp) call(method, path string, body any, want int, v any) response {
	a.t.Helper()
	var payload any
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		payload = string(encoded)
	}
	res := do(a.t, http.DefaultClient, request(a.t, method, a.s.url+path, payload, "Authorization", "Bearer "+a.jwt(), "Content-Type", "application/json"))
	if res.status != want {
		a.t.Fatalf("%s %s: %d, want %d: %s", method, path, res.status, want, res.body)
	}
	if v != nil {
		res.json(a.t, v)
	}
	return res
}

func (a *adminApp) post(path string, body any, want int) response {
	a.t.Helper()
	return a.call(http.MethodPost, path, body, want, nil)
}

func (a *adminApp) jwt() string {
	claims, err := json.Marshal(map[string]any{"iss": "notify-admin", "iat": time.Now().Unix()})
	if err != nil {
		a.t.Fatal(err)
	}
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte(adminSecret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// notifyUser is what the application reads of a user.
type notifyUser struct {
	ID               string              `json:"id"`
	EmailAddress     string              `json:"email_address"`
	MobileNumber     string              `json:"mobile_number"`
	State            string              `json:"state"`
	AuthType         string              `json:"auth_type"`
	FailedLoginCount int                 `json:"failed_login_count"`
	CurrentSessionID *string             `json:"current_session_id"`
	Services         []string            `json:"services"`
	Permissions      map[string][]string `json:"permissions"`
}

// user reads a user, as the application does on every request.
func (a *adminApp) user(id string) notifyUser {
	a.t.Helper()
	var u struct{ Data notifyUser }
	a.call(http.MethodGet, "/user/"+id, nil, http.StatusOK, &u)
	return u.Data
}

// told waits for the n-th message to somebody that has a key, and returns its value.
func (a *adminApp) told(to, key string, n int) string {
	a.t.Helper()
	value, seen := "", 0
	eventually(a.t, key+" for "+to, func() bool {
		seen = 0
		for _, m := range a.d.messages(to) {
			if text, ok := m.Personalisation[key].(string); ok {
				if seen++; seen == n {
					value = text
					return true
				}
			}
		}
		return false
	})
	return value
}

// open follows a link of a message to its page and reads the token in it, by the
// Fernet specification and not with our own code.
func (a *adminApp) open(link, page string) (payload []byte, token string) {
	a.t.Helper()
	u, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(link, adminURL+page) {
		a.t.Fatalf("link %q, want one to %s", link, page)
	}
	token = strings.TrimPrefix(u.Path, page)
	raw, err := base64.URLEncoding.DecodeString(token)
	if err != nil || len(raw) < 1+8+16+16+32 || raw[0] != 0x80 {
		a.t.Fatalf("token %q: %v", token, err)
	}
	signed, sum := raw[:len(raw)-32], raw[len(raw)-32:]
	mac := hmac.New(sha256.New, a.tokenKey[:16])
	mac.Write(signed)
	if !hmac.Equal(mac.Sum(nil), sum) {
		a.t.Fatal("the token was not made with the shared key")
	}
	block, err := aes.NewCipher(a.tokenKey[16:])
	if err != nil {
		a.t.Fatal(err)
	}
	plain := bytes.Clone(signed[25:])
	cipher.NewCBCDecrypter(block, signed[9:25]).CryptBlocks(plain, plain)
	return plain[:len(plain)-int(plain[len(plain)-1])], token
}

// payload reads the JSON of a link's token.
func (a *adminApp) payload(link, page string) map[string]string {
	a.t.Helper()
	content, _ := a.open(link, page)
	var v map[string]string
	if err := json.Unmarshal(content, &v); err != nil {
		a.t.Fatalf("payload %s: %v", content, err)
	}
	return v
}

// register makes an account as somebody new does (spec 10.10).
func (a *adminApp) register(name, email, mobile string) string {
	a.t.Helper()
	a.post("/user/email", map[string]any{"email": email}, http.StatusNotFound)
	var created struct{ Data notifyUser }
	a.call(http.MethodPost, "/user", map[string]any{
		"name": name, "email_address": email, "mobile_number": mobile, "password": testPassword, "auth_type": "sms_auth",
	}, http.StatusCreated, &created)
	id := created.Data.ID
	a.post("/user/"+id+"/email-verification", map[string]any{"admin_base_url": adminURL, "to": email}, http.StatusNoContent)
	if got := a.payload(a.told(email, "url", 1), "/verify-email/"); got["user_id"] != id || got["email"] != email {
		a.t.Errorf("verification link says %v", got)
	}
	a.proveMobile(id, mobile, 1)
	a.post("/user/"+id+"/activate", nil, http.StatusOK)
	a.post("/user/email-already-registered-is-not-a-user/activate", nil, http.StatusNotFound)
	if u := a.user(id); u.State != "active" {
		a.t.Errorf("state %q", u.State)
	}
	return id
}

// proveMobile has a code sent and types it; n counts the codes sent to the number.
func (a *adminApp) proveMobile(id, mobile string, n int) {
	a.t.Helper()
	a.post("/user/"+id+"/sms-code", map[string]any{"to": mobile}, http.StatusNoContent)
	a.post("/user/"+id+"/verify/code", map[string]any{"code": a.told(mobile, "verify_code", n), "code_type": "sms"}, http.StatusNoContent)
}

// newService makes a trial service whose first member is a user.
func (a *adminApp) newService(name, user string) string {
	a.t.Helper()
	var created struct{ Data struct{ ID string } }
	a.call(http.MethodPost, "/service", map[string]any{
		"name": name, "user_id": user, "created_by": user, "email_message_limit": 50, "sms_message_limit": 50, "letter_message_limit": 50, "restricted": true,
	}, http.StatusCreated, &created)
	return created.Data.ID
}

func TestNotifyPersonRegistersAndSignsIn(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		a := newAdminApp(t, d)
		email := "pat@example.gov.uk"
		id := a.register("Pat Example", email, adminMobile)
		first := a.user(id).CurrentSessionID

		// By password and text message (10.1, 10.4, 10.5): the new session ends the old one.
		a.post("/user/email", map[string]any{"email": strings.ToUpper(email)}, http.StatusOK)
		a.post("/user/"+id+"/verify/password", map[string]any{"password": "not the password"}, http.StatusBadRequest)
		if n := a.user(id).FailedLoginCount; n != 1 {
			t.Errorf("failed_login_count %d", n)
		}
		a.post("/user/"+id+"/verify/password", map[string]any{"password": testPassword}, http.StatusNoContent)
		a.proveMobile(id, adminMobile, 2)
		if u := a.user(id); u.FailedLoginCount != 0 || u.CurrentSessionID == nil || first == nil || *u.CurrentSessionID == *first {
			t.Errorf("after signing in: %+v", u)
		}
		a.post("/events", map[string]any{"event_type": "sucessful_login", "data": map[string]any{"user_id": id}}, http.StatusCreated)

		// By magic link (10.6), once.
		a.post("/user/"+id, map[string]any{"auth_type": "email_auth"}, http.StatusOK)
		a.post("/user/"+id+"/email-code", map[string]any{"to": nil, "email_auth_link_host": adminURL, "next": "/services"}, http.StatusNoContent)
		link := a.told(email, "url", 2)
		if !strings.HasSuffix(link, "?next=%2Fservices") {
			t.Errorf("link %q", link)
		}
		code := map[string]any{"code": a.payload(link, "/email-auth/")["secret_code"], "code_type": "email"}
		a.post("/user/"+id+"/verify/code", code, http.StatusNoContent)
		a.post("/user/"+id+"/verify/code", code, http.StatusBadRequest)

		// By security key (10.7, 10.13): the application verifies, the API counts.
		var key struct{ Data struct{ ID string } }
		a.call(http.MethodPost, "/user/"+id+"/webauthn", map[string]any{"name": "Unnamed key", "credential_data": "data", "registration_response": "response"}, http.StatusCreated, &key)
		a.post("/user/"+id, map[string]any{"auth_type": "webauthn_auth"}, http.StatusOK)
		a.post("/user/"+id+"/complete/webauthn-login", map[string]any{"successful": false}, http.StatusNoContent)
		before := a.user(id)
		a.post("/user/"+id+"/complete/webauthn-login", map[string]any{"successful": true, "webauthn_credential_id": key.Data.ID}, http.StatusNoContent)
		if u := a.user(id); before.FailedLoginCount < 1 || u.FailedLoginCount != 0 || *u.CurrentSessionID == *before.CurrentSessionID {
			t.Errorf("security key: %+v, then %+v", before, u)
		}
		a.call(http.MethodDelete, "/user/"+id+"/webauthn/"+key.Data.ID, nil, http.StatusBadRequest, nil)

		// Signing out.
		a.post("/user/"+id, map[string]any{"current_session_id": nil}, http.StatusOK)
		if u := a.user(id); u.CurrentSessionID != nil {
			t.Errorf("still signed in: %+v", u)
		}
	})
}

func TestNotifyPersonForgetsAndChanges(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		a := newAdminApp(t, d)
		email, next := "pat@example.gov.uk", "pat.new@example.gov.uk"
		id := a.register("Pat Example", email, adminMobile)

		// Password reset (10.11), of an account that its owner has locked.
		for range 10 {
			a.post("/user/"+id+"/verify/password", map[string]any{"password": "not the password"}, http.StatusBadRequest)
		}
		a.post("/user/"+id+"/verify/password", map[string]any{"password": testPassword}, http.StatusBadRequest)
		a.post("/user/reset-password", map[string]any{"email": email, "admin_base_url": adminURL, "next": "/services"}, http.StatusNoContent)
		if got := a.payload(a.told(email, "url", 2), "/new-password/"); got["email"] != email || got["created_at"] == "" {
			t.Errorf("reset link says %v", got)
		}
		a.post("/user/"+id+"/reset-failed-login-count", nil, http.StatusOK)
		a.proveMobile(id, adminMobile, 2)
		a.post("/user/"+id+"/update-password", map[string]any{"_password": "NewSecurePassword123!"}, http.StatusOK)
		a.post("/user/"+id+"/verify/password", map[string]any{"password": testPassword}, http.StatusBadRequest)
		a.post("/user/"+id+"/verify/password", map[string]any{"password": "NewSecurePassword123!"}, http.StatusNoContent)

		// Another mobile number and another address (10.12).
		a.proveMobile(id, "07700900456", 1)
		a.post("/user/"+id, map[string]any{"mobile_number": "07700900456"}, http.StatusOK)
		a.post("/user/"+id+"/change-email-verification", map[string]any{"email": next}, http.StatusNoContent)
		got := a.payload(a.told(next, "url", 1), "/your-account/email/confirm/")
		if got["user_id"] != id || got["email"] != next || a.user(id).EmailAddress != email {
			t.Errorf("confirmation link says %v", got)
		}
		a.post("/user/"+id, map[string]any{"email_address": next}, http.StatusOK)
		if u := a.user(id); u.EmailAddress != next || u.MobileNumber != "07700900456" {
			t.Errorf("after the changes: %+v", u)
		}
		a.post("/user/email", map[string]any{"email": email}, http.StatusNotFound)
	})
}

func TestNotifyTeamGrows(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		a := newAdminApp(t, d)
		manager := a.register("Max Manager", "max@example.gov.uk", adminMobile)
		colleague := a.register("Cam Colleague", "cam@example.gov.uk", "07700900124")
		service := a.newService("Passports", manager)
		team := "/service/" + service

		// An invitation that somebody with an account accepts (10.14).
		invite := func(email string) (id, token string) {
			var invited struct{ Data struct{ ID string } }
			a.call(http.MethodPost, team+"/invite", map[string]any{
				"service": service, "email_address": email, "from_user": manager, "permissions": "send_texts,send_emails,send_letters", "auth_type": "sms_auth",
				"folder_permissions": []string{}, "invite_link_host": adminURL, "created_by": manager,
			}, http.StatusCreated, &invited)
			n := 1
			if email == "cam@example.gov.uk" {
				n = 2 // after the link of the registration
			}
			payload, token := a.open(a.told(email, "url", n), "/invitation/")
			if string(payload) != invited.Data.ID {
				t.Errorf("invitation link says %s", payload)
			}
			return invited.Data.ID, token
		}
		accept := func(invitation, user string) {
			a.post(team+"/invite/"+invitation, map[string]any{"status": "accepted"}, http.StatusOK)
			permissions := []map[string]string{{"permission": "send_texts"}, {"permission": "send_emails"}, {"permission": "send_letters"}}
			a.post(team+"/users/"+user, map[string]any{"permissions": permissions, "folder_permissions": []string{}}, http.StatusCreated)
			res := a.post(team+"/users/"+user, map[string]any{"permissions": permissions}, http.StatusBadRequest)
			if !strings.Contains(res.body, "already part of service") {
				t.Errorf("again: %s", res.body)
			}
		}
		invitation, token := invite("cam@example.gov.uk")
		a.call(http.MethodGet, "/invite/service/check/"+token, nil, http.StatusOK, nil)
		accept(invitation, colleague)
		if u := a.user(colleague); len(u.Services) != 1 || len(u.Permissions[service]) != 3 {
			t.Errorf("the colleague: %+v", u)
		}

		// One that somebody new accepts (10.10).
		invitation, _ = invite("new@example.gov.uk")
		var created struct{ Data notifyUser }
		a.call(http.MethodPost, "/user", map[string]any{
			"name": "Nic New", "email_address": "new@example.gov.uk", "mobile_number": "07700900125", "password": testPassword, "auth_type": "sms_auth",
		}, http.StatusCreated, &created)
		a.proveMobile(created.Data.ID, "07700900125", 1)
		a.post("/user/"+created.Data.ID+"/activate", nil, http.StatusOK)
		accept(invitation, created.Data.ID)

		// A request to join (6.6).
		joiner := a.register("Jo Joiner", "jo@example.gov.uk", "07700900126")
		var asked struct {
			ID string `json:"service_join_request_id"`
		}
		a.call(http.MethodPost, team+"/service-join-request", map[string]any{
			"requester_id": joiner, "contacted_user_ids": []string{manager}, "invite_link_host": adminURL, "reason": "We work together",
		}, http.StatusCreated, &asked)
		if link := a.told("max@example.gov.uk", "url", 2); link != adminURL+"/services/"+service+"/join-request/"+asked.ID+"/approve" {
			t.Errorf("the approver's link is %q", link)
		}
		a.post(team+"/service-join-request/"+asked.ID, map[string]any{
			"status": "approved", "status_changed_by_id": manager, "permissions": []string{"view_activity"}, "folder_permissions": []string{}, "auth_type": "sms_auth",
		}, http.StatusOK)
		a.told("jo@example.gov.uk", "dashboard_url", 1)
		var members struct{ Data []notifyUser }
		a.call(http.MethodGet, team+"/users", nil, http.StatusOK, &members)
		if len(members.Data) != 4 {
			t.Errorf("%d members, want 4", len(members.Data))
		}
	})
}

func TestNotifyServiceGoesLive(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		a := newAdminApp(t, d)
		requester := a.register("Rae Requester", "rae@example.gov.uk", adminMobile)
		approver := a.register("Ali Approver", "ali@example.gov.uk", "07700900124")
		service := a.newService("Licences", requester)
		var organisation struct{ ID string }
		a.call(http.MethodPost, "/organisations", map[string]any{
			"name": "Department of Licences", "crown": true, "organisation_type": "central", "agreement_signed": false,
		}, http.StatusCreated, &organisation)
		base := "/organisations/" + organisation.ID
		a.post(base, map[string]any{"can_approve_own_go_live_requests": true}, http.StatusNoContent)
		a.post(base+"/service", map[string]any{"service_id": service}, http.StatusNoContent)
		a.post(base+"/users/"+approver, map[string]any{"permissions": []map[string]string{{"permission": "can_make_services_live"}}}, http.StatusOK)

		a.post("/service/"+service, map[string]any{"go_live_user": requester, "has_active_go_live_request": true}, http.StatusOK)
		a.post("/organisations/notify-users-of-request-to-go-live/"+service, nil, http.StatusNoContent)
		if link := a.told("ali@example.gov.uk", "make_service_live_link", 1); link != adminURL+"/services/"+service+"/make-service-live" {
			t.Errorf("the approver's link is %q", link)
		}
		a.told("rae@example.gov.uk", "organisation_name", 1)

		a.post("/service/"+service, map[string]any{"restricted": false, "has_active_go_live_request": false}, http.StatusOK)
		a.told("rae@example.gov.uk", "service_name", 2)
		var shown struct {
			Data struct{ Restricted bool }
		}
		a.call(http.MethodGet, "/service/"+service, nil, http.StatusOK, &shown)
		var counted struct {
			CountOfLiveServices int `json:"count_of_live_services"`
		}
		a.call(http.MethodGet, base, nil, http.StatusOK, &counted)
		if shown.Data.Restricted || counted.CountOfLiveServices != 1 {
			t.Errorf("live: %+v, %+v", shown, counted)
		}
	})
}
