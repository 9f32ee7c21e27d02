package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// badInput is one hostile request and the clear error it deserves.
type badInput struct {
	method, path string
	contentType  string
	body         string
	as           string // "machine", "legacy" or "" for nobody
	host         string
	status       int
	says         string // part of the answer's body
}

func badInputs() map[string]badInput {
	const form, json = "application/x-www-form-urlencoded", "application/json"
	large := strings.Repeat("x", 1<<20)
	user := `{"name":"Sam Example","email_address":"sam@example.gov.uk","mobile_number":"07700900124","password":"SecurePassword123!"`
	return map[string]badInput{
		"notify: malformed JSON":       {"POST", "/user", json, `{"name":`, "machine", "", 400, `"result":"error"`},
		"notify: wrong types":          {"POST", "/user", json, `{"name":1,"email_address":2,"password":[]}`, "machine", "", 400, "Not a valid string."},
		"notify: an array":             {"POST", "/user", json, `[]`, "machine", "", 400, "Invalid input type."},
		"notify: NUL bytes":            {"POST", "/user", json, strings.Replace(user, "Sam", `Sam\u0000`, 1) + `}`, "machine", "", 400, "NUL"},
		"notify: a megabyte":           {"POST", "/user", json, strings.Replace(user, "SecurePassword123!", large, 1) + `}`, "machine", "", 413, "error"},
		"notify: a key twice":          {"POST", "/user", json, user + `,"name":"Eve Example"}`, "machine", "", 400, "error"},
		"notify: no JSON":              {"POST", "/user", "text/plain", user + `}`, "machine", "", 415, "error"},
		"notify: bytes that are text":  {"POST", "/organisation", json, "{\"name\":\"\xff\",\"crown\":true,\"organisation_type\":\"central\"}", "machine", "", 400, "error"},
		"notify: unknown type":         {"POST", "/organisation", json, `{"name":"X","crown":true,"organisation_type":"royal"}`, "machine", "", 400, "organisation_type royal is not one of"},
		"notify: NUL in the path":      {"GET", "/user/a%00b", "", "", "machine", "", 400, ""},
		"notify: no such method":       {"PUT", "/user", "", "", "machine", "", 405, "The method is not allowed for the requested URL."},
		"notify: no such path":         {"GET", "/organisation/by/far", "", "", "machine", "", 404, "The requested URL was not found on the server."},
		"notify: nobody":               {"GET", "/organisation/00000000-0000-4000-8000-000000000000", "", "", "", "", 401, "authentication token must be provided"},
		"notify: unknown host":         {"GET", "/organisation/00000000-0000-4000-8000-000000000000", "", "", "machine", "evil.example", 421, "error"},
		"delius: malformed JSON":       {"POST", "/authenticate", json, `{`, "legacy", "", 400, `"status":400`},
		"delius: wrong types":          {"POST", "/authenticate", json, `{"username":1,"password":{}}`, "legacy", "", 400, `"status":400`},
		"delius: blank":                {"POST", "/authenticate", json, `{"username":" ","password":""}`, "legacy", "", 400, "Validation failure"},
		"delius: NUL bytes":            {"POST", "/authenticate", json, `{"username":"a\u0000b","password":"x"}`, "legacy", "", 400, `"status":400`},
		"delius: a megabyte":           {"POST", "/authenticate", json, `{"username":"a","password":"` + large + `"}`, "legacy", "", 413, `"status":413`},
		"delius: nobody":               {"POST", "/authenticate", json, `{"username":"a","password":"b"}`, "", "", 401, ""},
		"delius: without the role":     {"POST", "/authenticate", json, `{"username":"a","password":"b"}`, "machine", "", 403, ""},
		"delius: no number":            {"GET", "/user/details/one", "", "", "details", "", 400, `"status":400`},
		"delius: no email":             {"GET", "/user", "", "", "details", "", 400, `"status":400`},
		"oauth: repeated parameter":    {"POST", "/oauth/token", form, "grant_type=client_credentials&grant_type=client_credentials", "", "", 400, "invalid_request"},
		"oauth: JSON for a form":       {"POST", "/oauth/token", json, `{"grant_type":"client_credentials"}`, "", "", 400, "invalid_request"},
		"oauth: a megabyte":            {"POST", "/oauth/token", form, "grant_type=" + large, "", "", 413, ""},
		"oauth: unknown grant":         {"POST", "/oauth/token", form, "grant_type=password&client_id=machine", "", "", 401, "invalid_client"},
		"oauth: method":                {"GET", "/oauth/token", "", "", "", "", 405, ""},
		"oauth: unknown client":        {"GET", "/oauth/authorize?client_id=nobody&redirect_uri=https%3A%2F%2Fevil.example&response_type=code", "", "", "", "", 400, "<html"},
		"oauth: repeated on authorize": {"GET", "/oauth/authorize?client_id=a&client_id=b", "", "", "", "", 400, "<html"},
		"oauth: unknown host":          {"GET", "/.well-known/openid-configuration", "", "", "", "evil.example", 421, ""},
		"pages: repeated field":        {"POST", "/signin", form, "identifier=a&identifier=b&password=c", "", "", 400, "<html"},
		"pages: NUL bytes":             {"POST", "/signin", form, "identifier=a%00b&password=c", "", "", 400, "<html"},
		"pages: a megabyte":            {"POST", "/signin", form, "identifier=a&password=" + large, "", "", 413, "<html"},
		"pages: JSON for a form":       {"POST", "/signin", json, `{"identifier":"a"}`, "", "", 415, "<html"},
		"pages: a flow that is none":   {"GET", "/signin?flow=nonsense", "", "", "", "", 400, "<html"},
		"pages: unknown host":          {"GET", "/signin", "", "", "", "evil.example", 421, "<html"},
	}
}

func TestBadInputGetsTheClearErrorOfItsDialectAndChangesNothing(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		machine := d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin")
		legacy := d.client("--id", "legacy", "--grant", "client_credentials", "--role", "PROBATION_API__HMPPS_AUTH__AUTHENTICATE")
		details := d.client("--id", "details", "--grant", "client_credentials", "--role", "PROBATION_API__HMPPS_AUTH__USER_DETAILS")
		s := d.start()
		token := map[string]string{"machine": s.token(machine, "notify.admin"), "legacy": s.token(legacy, ""), "details": s.token(details, "")}
		for name, in := range badInputs() {
			t.Run(name, func(t *testing.T) {
				r := request(t, in.method, s.url+in.path, nil)
				if in.body != "" {
					r = request(t, in.method, s.url+in.path, in.body)
					r.Header.Set("Content-Type", in.contentType)
				}
				if in.as != "" {
					r.Header.Set("Authorization", "Bearer "+token[in.as])
				}
				if in.host != "" {
					r.Host = in.host
				}
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				if strings.Contains(in.says, "<html") {
					r.Header.Set("Accept", "text/html")
				}
				res := do(t, &http.Client{CheckRedirect: newBrowser(t).CheckRedirect}, r)
				if res.status != in.status || !strings.Contains(res.body, in.says) {
					t.Errorf("%d, want %d with %q:\n%.300s", res.status, in.status, in.says, res.body)
				}
				if location := res.header.Get("Location"); location != "" {
					t.Errorf("redirected to %s", location)
				}
			})
		}
		if res := s.call(token["details"], http.MethodGet, "/user?email="+url.QueryEscape("sam@example.gov.uk"), nil); res.status != http.StatusOK || strings.TrimSpace(res.body) != "[]" {
			t.Errorf("a refused request left something: %d %s", res.status, res.body)
		}
	})
}
