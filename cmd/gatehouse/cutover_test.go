package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/authn/cutover"
)

// oldDelius answers as the old system does, with one user and one password, and
// not at all while it is told to hang.
func oldDelius(t *testing.T, password string) string {
	t.Helper()
	done := make(chan struct{})
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.Header.Get("Authorization") != "Bearer of the old":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.Contains(string(body), `"hang"`):
			<-done
		case !strings.Contains(string(body), password):
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, "Authentication failed for 'somebody'")
		}
	}))
	t.Cleanup(func() { close(done); old.Close() })
	return old.URL
}

// TestCallersMoveFromTheOldSystem is the whole way: a caller relies on the old
// system, both are compared, a password is taken over, the caller is switched,
// and the report tells what happened, after the server that counted has stopped.
func TestCallersMoveFromTheOldSystem(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		d.vars["GATEHOUSE_SHADOW_UPSTREAM"], d.vars["GATEHOUSE_SHADOW_TOKEN"] = oldDelius(t, testPassword), "of the old"
		d.vars["GATEHOUSE_SHADOW_TIMEOUT"] = "1s"
		file := filepath.Join(t.TempDir(), "deprecations.json")
		if err := os.WriteFile(file, []byte(`{"POST /authenticate": {"deprecation": "2026-01-01T00:00:00Z", "sunset": "2027-06-30T23:59:59Z", "link": "https://example.gov.uk/leave"}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		d.vars["GATEHOUSE_DEPRECATIONS_FILE"] = file
		role := []string{"--grant", "client_credentials", "--role", "PROBATION_API__HMPPS_AUTH__AUTHENTICATE", "--role", "PROBATION_API__HMPPS_AUTH__USER_DETAILS"}
		follower := d.client(append([]string{"--id", "follower"}, role...)...)
		leader := d.client(append([]string{"--id", "leader", "--shadow", "local-first"}, role...)...)
		d.user("--username", "Lee.Example", "--name", "Lee Example", "--email", "lee@example.gov.uk")
		var fresh userOutput
		d.command("", &fresh, "user", "create", "--json", "--username", "New.Example", "--name", "New Example", "--email", "new@example.gov.uk")
		s := d.start()
		f, l := s.token(follower, ""), s.token(leader, "")
		authenticate := func(token, username, password string, want int) response {
			t.Helper()
			res := s.call(token, http.MethodPost, "/authenticate", fmt.Sprintf(`{"username":%q,"password":%q}`, username, password))
			if res.status != want {
				t.Errorf("%s: %d %s, want %d", username, res.status, res.body, want)
			}
			return res
		}
		res := authenticate(f, "lee.example", testPassword, http.StatusOK)
		if got := res.header; got.Get("Deprecation") != "@1767225600" || got.Get("Sunset") != "Wed, 30 Jun 2027 23:59:59 GMT" ||
			!strings.Contains(strings.Join(got.Values("Link"), ","), `<https://example.gov.uk/leave>; rel="deprecation"`) {
			t.Errorf("headers of a route that callers should leave: %v", got)
		}
		authenticate(f, "lee.example", "wrong password", http.StatusUnauthorized)
		authenticate(f, "nobody.here", testPassword, http.StatusOK)
		begin := time.Now()
		if res := authenticate(f, "hang", testPassword, http.StatusServiceUnavailable); res.header.Get("Retry-After") == "" || time.Since(begin) > 3*time.Second {
			t.Errorf("no answer: %v after %s", res.header, time.Since(begin))
		}
		authenticate(l, "new.example", testPassword, http.StatusUnauthorized)
		eventually(t, "the password is taken over", func() bool {
			return s.call(l, http.MethodPost, "/authenticate", `{"username":"new.example","password":"`+testPassword+`"}`).status == http.StatusOK
		})
		if res := s.call(f, http.MethodGet, "/user/lee.example", nil); res.status != http.StatusOK || res.header.Get("Deprecation") != "" {
			t.Errorf("another route: %d %v", res.status, res.header)
		}
		var changed clientOutput
		d.command("", &changed, "client", "update", "follower", "--shadow", "off", "--json")
		eventually(t, "the caller is switched", func() bool {
			return s.call(f, http.MethodPost, "/authenticate", `{"username":"nobody.here","password":"`+testPassword+`"}`).status == http.StatusUnauthorized
		})
		if code := s.exit(); code != exitOK {
			t.Fatalf("exit %d", code)
		}
		d.checkReport(t)
	})
}

// checkReport looks for what the test above did.
func (d *deployment) checkReport(t *testing.T) {
	t.Helper()
	var report cutover.Report
	d.command("", &report, "migrate-report", "--agreed", "1", "--json")
	if len(report.Callers) != 2 || report.Callers[0].Caller != "follower" || report.Callers[1].Caller != "leader" {
		t.Fatalf("callers: %+v", report.Callers)
	}
	follower, leader := report.Callers[0], report.Callers[1]
	for result, want := range map[cutover.Result]int64{cutover.AgreeYes: 1, cutover.AgreeNo: 1, cutover.UpstreamYesLocalNo: 1, cutover.UpstreamError: 1} {
		// Before the switch was known, nobody.here may have been let in once more.
		if got := follower.Results[result].Count; got < want || got > want && result != cutover.UpstreamYesLocalNo {
			t.Errorf("follower: %s %d times, want %d", result, got, want)
		}
	}
	if follower.Mode != cutover.Off || follower.Ready || leader.Mode != cutover.LocalFirst || !leader.Ready {
		t.Errorf("follower %s %v, leader %s %v %s", follower.Mode, follower.Ready, leader.Mode, leader.Ready, leader.Reason)
	}
	if n := leader.Results[cutover.Adopted].Count; n != 1 {
		t.Errorf("adopted %d times", n)
	}
	if len(follower.Calls) != 2 || follower.Calls[0].Endpoint != "GET /user/{ref}" || follower.Calls[0].Count != 1 || follower.Calls[1].Count < 5 || follower.Calls[1].Last.IsZero() {
		t.Errorf("calls: %+v", follower.Calls)
	}
	if len(report.Differences) != 1 || report.Differences[0].Username != "nobody.here" || report.Differences[0].Kind != "unknown_here" {
		t.Errorf("differences: %+v", report.Differences)
	}
	code, stdout, stderr := runCommand(t, d.vars, "migrate-report")
	if code != exitOK || !strings.Contains(stdout, "follower") || !strings.Contains(stdout, "POST /authenticate") || strings.Contains(stdout, testPassword) {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

func TestOldSystemIsConfiguredWholeOrNotAtAll(t *testing.T) {
	code, _, stderr := runCommand(t, map[string]string{
		"GATEHOUSE_SHADOW_UPSTREAM": "http://delius.example", "GATEHOUSE_SHADOW_TIMEOUT": "10s", "GATEHOUSE_SHADOW_TOKEN_URL": "http://auth.example",
	}, "config", "check")
	for _, name := range []string{"UPSTREAM", "TIMEOUT", "TOKEN_URL", "CLIENT_SECRET"} {
		if code != exitUsage || !strings.Contains(stderr, "GATEHOUSE_SHADOW_"+name) {
			t.Errorf("exit %d: says nothing of GATEHOUSE_SHADOW_%s:\n%s", code, name, stderr)
		}
	}
}

func TestDeprecationsNameRoutesThatThereAre(t *testing.T) {
	for content, says := range map[string]string{
		`{"GET /nowhere": {"deprecation": "2026-01-01T00:00:00Z"}}`:                                            "no route",
		`{"POST /authenticate": {}}`:                                                                           "deprecation is missing",
		`{"POST /authenticate": {"deprecation": "2026-01-01T00:00:00Z", "sunset": "2025-01-01T00:00:00Z"}}`:    "before",
		`{"POST /authenticate": {"deprecation": "2026-01-01T00:00:00Z", "link": "https://a.example/>;rel=x"}}`: "link",
		`{"POST /authenticate": {"deprecated": "2026-01-01T00:00:00Z"}}`:                                       "deprecated",
	} {
		file := filepath.Join(t.TempDir(), "deprecations.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := runCommand(t, map[string]string{"GATEHOUSE_DATA": t.TempDir(), "GATEHOUSE_DEPRECATIONS_FILE": file}, "migrate-report")
		if code != exitUsage || !strings.Contains(stderr, says) {
			t.Errorf("%s: exit %d %s", content, code, stderr)
		}
	}
}
