package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/storage/storagetest"
)

// TestNoSecretIsLeftBehind drives a whole sign-in, with failures, at the log's
// lowest level, and then looks for everything secret or personal in the log, in
// the metrics and in the files of the database.
func TestNoSecretIsLeftBehind(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	d.vars["GATEHOUSE_LOG_LEVEL"] = "debug"
	d.vars["GATEHOUSE_METRICS_ADDR"] = storagetest.ReserveAddr(t)
	rp, person := d.relyingService(), d.person()
	legacy := d.client("--id", "legacy", "--grant", "client_credentials", "--role", "PROBATION_API__HMPPS_AUTH__AUTHENTICATE")
	s := d.start()
	j := d.journey(s)
	j.authorize(rp, "openid offline_access")
	j.signIn(person, 1)
	j.consent("accept")
	authorizationCode := j.code()
	_, got := s.exchange(rp, authorizationCode)
	_, again := s.refresh(rp, got.RefreshToken)
	legacyToken := s.token(legacy, "")
	s.call(legacyToken, http.MethodPost, "/authenticate", `{"username":"canary-nobody","password":"canary-wrong-password"}`)
	s.call(legacyToken, http.MethodGet, "/user/canary-nobody?email=canary@example.gov.uk", nil)
	s.call("canary-no-token", http.MethodGet, "/organisation/00000000-0000-4000-8000-000000000000", nil)
	secrets := map[string]string{
		"password": testPassword, "wrong password": "canary-wrong-password", "unknown username": "canary-nobody", "forged token": "canary-no-token",
		"client secret": rp.ClientSecret, "authorization code": authorizationCode, "access token": got.AccessToken, "ID token": got.IDToken,
		"refresh token": got.RefreshToken, "next refresh token": again.RefreshToken, "machine's token": legacyToken,
	}
	for _, cookie := range j.browser.Jar.Cookies(request(t, http.MethodGet, s.url, nil).URL) {
		secrets["cookie "+cookie.Name] = cookie.Value
	}
	personal := map[string]string{"address": person.Email, "number": person.Mobile, "address in a query": "canary@example.gov.uk"}
	code := d.code(person.Mobile, 1)
	scraped, err := http.Get("http://" + d.vars["GATEHOUSE_METRICS_ADDR"] + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	metrics := readAll(t, scraped)
	s.exit()

	log := s.log.String()
	if !strings.Contains(log, "request_id") {
		t.Fatal("nothing was logged")
	}
	for what, value := range secrets {
		wantAbsent(t, "the log", log, what, value)
		wantAbsent(t, "the metrics", metrics, what, value)
	}
	for what, value := range personal {
		wantAbsent(t, "the log", log, what, value)
		wantAbsent(t, "the metrics", metrics, what, value)
	}
	wantAbsent(t, "the log", log, "one-time code", `"`+code+`"`)
	files, err := filepath.Glob(filepath.Join(d.vars["GATEHOUSE_DATA"], "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for what, value := range secrets {
			wantAbsent(t, filepath.Base(file), string(content), what, value)
		}
		wantAbsent(t, filepath.Base(file), string(content), "one-time code in words", "Your code is "+code)
	}
}

func wantAbsent(t *testing.T, where, text, what, value string) {
	t.Helper()
	if value != "" && strings.Contains(text, value) {
		t.Errorf("%s holds the %s", where, what)
	}
}
