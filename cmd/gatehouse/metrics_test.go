package main

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"gatehouse/storage/storagetest"
)

// TestMetricsCountWhatHappened makes a request of each kind and looks for its count.
func TestMetricsCountWhatHappened(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		addr := storagetest.ReserveAddr(t)
		d.vars["GATEHOUSE_METRICS_ADDR"] = addr
		machine, person := d.client("--id", "machine", "--grant", "client_credentials", "--scope", "notify.admin"), d.person()
		s := d.start()
		s.token(machine, "")
		s.tokenAs("machine", "wrong", url.Values{"grant_type": {"client_credentials"}})
		do(t, newBrowser(t), request(t, http.MethodPost, s.url+"/signin",
			url.Values{"identifier": {person.Email}, "password": {"not the password"}}, "Sec-Fetch-Site", "same-origin"))
		if _, err := http.DefaultClient.Do(request(t, "BREW", s.url+"/user/"+person.ID.String(), nil)); err != nil {
			t.Fatal(err)
		}
		var text string
		eventually(t, "the clean-up has run", func() bool {
			res, err := http.Get("http://" + addr + "/metrics")
			if err != nil {
				return false
			}
			text = readAll(t, res)
			return !strings.Contains(text, "gatehouse_cleanup_last_success_timestamp_seconds 0\n")
		})
		for _, want := range []string{
			`gatehouse_http_requests_total{method="POST",route="/oauth/token",status="200"} 1`,
			`gatehouse_http_requests_total{method="POST",route="/oauth/token",status="401"} 1`,
			`gatehouse_http_requests_total{method="other",route="/user/{ref}",status="405"} 1`,
			`gatehouse_http_request_duration_seconds_count{route="/oauth/token"} 2`,
			`gatehouse_refusals_total{code="invalid_client",route="/oauth/token"} 1`,
			`gatehouse_sign_in_attempts_total{factor="password",front="browser",verdict="refused"} 1`,
			`gatehouse_signing_keys{alg="ES256",state="active"} 1`,
			`gatehouse_cleanup_rows_deleted_total{table="sessions"} 0`,
			`gatehouse_messages_total{result="sent"} 0`,
			"go_goroutines ", "process_open_fds ", `gatehouse_db_connections{`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("/metrics lacks %s", want)
			}
		}
		wantAbsent(t, "/metrics", text, "id of a person", person.ID.String())
		wantAbsent(t, "/metrics", text, "address", person.Email)
		if many := regexp.MustCompile(`(?m)^gatehouse_`).FindAllString(text, -1); len(many) > 300 {
			t.Errorf("%d lines after four requests: a label is not bounded", len(many))
		}
		if res := do(t, http.DefaultClient, request(t, http.MethodGet, s.url+"/metrics", nil)); res.status != http.StatusNotFound {
			t.Errorf("the public address serves metrics: %d", res.status)
		}
	})
}

func TestMetricsAddressIsChecked(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	d.vars["GATEHOUSE_METRICS_ADDR"] = "9090"
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"config", "check"}, d.lookup, strings.NewReader(""), &stdout, &stderr); code != exitUsage || !strings.Contains(stderr.String(), "GATEHOUSE_METRICS_ADDR") {
		t.Errorf("exit %d: %s%s", code, stderr.String(), stdout.String())
	}
}

func readAll(t *testing.T, res *http.Response) string {
	t.Helper()
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
