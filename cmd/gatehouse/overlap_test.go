package main

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// TestTwoDialectsShareTheirPaths asks every shared path with the right, the
// wrong and no credential: the path alone decides whose voice answers.
func TestTwoDialectsShareTheirPaths(t *testing.T) {
	const notifyVoice, deliusVoice = `"result":"error"`, `"status":`
	eachDeployment(t, func(t *testing.T, d *deployment) {
		notify := d.client("--grant", "client_credentials", "--scope", "notify.admin")
		delius := d.client("--grant", "client_credentials", "--role", "PROBATION_API__HMPPS_AUTH__USER_DETAILS", "--role", "PROBATION_API__HMPPS_AUTH__PASSWORD__RW")
		u := d.user("--name", "John Smith", "--username", "John.Smith", "--email", "john@example.gov.uk", "--state", "active")
		s := d.start()
		tokens := map[string]string{"notify": s.token(notify, "notify.admin"), "delius": s.token(delius, "")}
		id, number := u.ID.String(), strconv.FormatInt(u.Number, 10)
		cases := []struct {
			method, path, body, as string
			status                 int
			says                   string
		}{
			{"GET", "/user/" + id, "", "notify", 200, `"email_address":"john@example.gov.uk"`},
			{"GET", "/user/" + strings.ToUpper(id), "", "notify", 200, `"email_address":"john@example.gov.uk"`},
			{"GET", "/user/" + id, "", "delius", 403, notifyVoice},
			{"GET", "/user/" + id, "", "", 401, notifyVoice},
			{"GET", "/user/00000000-0000-4000-8000-000000000000", "", "notify", 404, "No result found"},
			{"GET", "/user/john.smith", "", "delius", 200, `"username":"John.Smith"`},
			{"GET", "/user/john.smith", "", "notify", 403, deliusVoice},
			{"GET", "/user/john.smith", "", "", 401, deliusVoice},
			{"GET", "/user/" + strings.ReplaceAll(id, "-", ""), "", "delius", 404, deliusVoice},
			{"GET", "/user/details/" + number, "", "delius", 200, `"userId":` + number},
			{"GET", "/user/details/" + number, "", "notify", 403, deliusVoice},
			{"GET", "/user/details/" + id, "", "delius", 400, deliusVoice},
			{"GET", "/user/" + id + "/nothing", "", "notify", 404, notifyVoice},
			{"GET", "/user?email=JOHN@example.gov.uk", "", "delius", 200, `"username":"John.Smith"`},
			{"GET", "/user?email=john@example.gov.uk", "", "notify", 403, deliusVoice},
			{"POST", "/user", "{}", "notify", 400, notifyVoice},
			{"POST", "/user", "{}", "delius", 403, notifyVoice},
			{"PUT", "/user", "{}", "notify", 405, notifyVoice},
			{"POST", "/user/john.smith/password", `{"password":"AnotherPassword456!"}`, "notify", 403, deliusVoice},
			{"POST", "/user/john.smith/password", `{"password":"AnotherPassword456!"}`, "delius", 200, ""},
			{"GET", "/user/john.smith/password", "", "delius", 405, deliusVoice},
			{"POST", "/organisations", `{"name":"A","crown":true,"organisation_type":"central"}`, "notify", 201, `"name":"A"`},
			{"POST", "/organisation", `{"name":"A","crown":true,"organisation_type":"central"}`, "notify", 400, "Organisation name already exists"},
			{"GET", "/organisations/nonsense", "", "", 404, "The requested URL was not found on the server."},
		}
		for _, c := range cases {
			r := request(t, c.method, s.url+c.path, nil)
			if c.body != "" {
				r = request(t, c.method, s.url+c.path, c.body)
			}
			if c.as != "" {
				r.Header.Set("Authorization", "Bearer "+tokens[c.as])
			}
			res := do(t, http.DefaultClient, r)
			if res.status != c.status || !strings.Contains(res.body, c.says) {
				t.Errorf("%s %s as %q: %d, want %d with %q:\n%s", c.method, c.path, c.as, res.status, c.status, c.says, res.body)
			}
			if challenge := res.header.Get("WWW-Authenticate"); c.status == 403 && !strings.HasPrefix(challenge, "Bearer ") {
				t.Errorf("%s %s as %q: the challenge is %q", c.method, c.path, c.as, challenge)
			}
		}
	})
}
