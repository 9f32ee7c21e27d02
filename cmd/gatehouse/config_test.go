package main

import (
	"bytes"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

func sqliteConfig(t *testing.T) storage.Config { return storagetest.SQLite(t) }

// runCommand runs a command line and returns its exit code and what it printed.
func runCommand(t *testing.T, vars map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	lookup := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	code = run(t.Context(), args, lookup, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestConfigCheckReportsEveryFaultAtOnce(t *testing.T) {
	code, _, stderr := runCommand(t, map[string]string{
		"GATEHOUSE_ADDR": "nowhere", "GATEHOUSE_ISSUER": "ftp://id.example.com", "GATEHOUSE_CODE_DIGITS": "3",
		"GATEHOUSE_ENCRYPTION_KEYS": "short", "GATEHOUSE_NOTIFY_INTERNAL_CLIENTS": "{", "GATEHOUSE_MESSAGES": "pigeon://loft",
		"GATEHOUSE_DATABASE_URL": "mysql://db", "GATEHOUSE_REDIS_URL": "memcached://cache", "GATEHOUSE_TRUSTED_PROXIES": "everybody",
		"GATEHOUSE_GEOIP_FILE": "/nowhere/places.mmdb", "GATEHOUSE_REQUEST_TIMEOUT": "1m",
	}, "config", "check")
	if code != exitUsage {
		t.Errorf("exit %d, want %d", code, exitUsage)
	}
	for _, name := range []string{"ADDR", "ISSUER", "CODE_DIGITS", "ENCRYPTION_KEYS", "NOTIFY_INTERNAL_CLIENTS", "MESSAGES", "DATABASE_URL", "REDIS_URL", "TRUSTED_PROXIES", "GEOIP_FILE", "REQUEST_TIMEOUT"} {
		if !strings.Contains(stderr, "GATEHOUSE_"+name) {
			t.Errorf("says nothing of GATEHOUSE_%s:\n%s", name, stderr)
		}
	}
	if strings.Contains(stderr, "short") {
		t.Errorf("shows a secret:\n%s", stderr)
	}
}

func TestServeRefusesDevelopmentDefaultsOnAPublicIssuer(t *testing.T) {
	base := map[string]string{"GATEHOUSE_DATA": t.TempDir(), "GATEHOUSE_ADDR": "127.0.0.1:0"}
	for name, c := range map[string]struct {
		vars map[string]string
		says string
	}{
		"without TLS":       {map[string]string{"GATEHOUSE_ISSUER": "http://id.example.com", "GATEHOUSE_MESSAGES": "log:"}, "GATEHOUSE_ISSUER"},
		"without messages":  {map[string]string{"GATEHOUSE_ISSUER": "https://id.example.com"}, "GATEHOUSE_MESSAGES"},
		"without a key":     {map[string]string{"GATEHOUSE_ISSUER": "https://id.example.com", "GATEHOUSE_MESSAGES": "log:", "GATEHOUSE_DATABASE_URL": "postgres://db"}, "GATEHOUSE_ENCRYPTION_KEYS"},
		"without Redis":     {map[string]string{"GATEHOUSE_ISSUER": "https://id.example.com", "GATEHOUSE_MESSAGES": "log:", "GATEHOUSE_DATABASE_URL": "postgres://db"}, "GATEHOUSE_REDIS_URL"},
		"with a dev secret": {map[string]string{"GATEHOUSE_ISSUER": "https://id.example.com", "GATEHOUSE_MESSAGES": "log:", "GATEHOUSE_NOTIFY_INTERNAL_CLIENTS": `{"notify-admin":["dev-notify-secret-key"]}`}, "notify-admin"},
	} {
		t.Run(name, func(t *testing.T) {
			vars := map[string]string{}
			for _, m := range []map[string]string{base, c.vars} {
				maps.Copy(vars, m)
			}
			code, stdout, stderr := runCommand(t, vars, "serve")
			if code != exitUsage || !strings.Contains(stderr, c.says) {
				t.Errorf("exit %d: %s", code, stderr)
			}
			if strings.Contains(stdout, "listening") {
				t.Error("it listened")
			}
		})
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("not a key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := runCommand(t, map[string]string{"GATEHOUSE_ENCRYPTION_KEYS_FILE": path}, "config", "check")
	if code != exitUsage || !strings.Contains(stderr, "GATEHOUSE_ENCRYPTION_KEYS") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	code, _, stderr = runCommand(t, map[string]string{"GATEHOUSE_ENCRYPTION_KEYS_FILE": path, "GATEHOUSE_ENCRYPTION_KEYS": "x"}, "config", "check")
	if code != exitUsage || !strings.Contains(stderr, "both set") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestNoFlagTakesASecret(t *testing.T) {
	_, help, _ := runCommand(t, nil, "serve", "--help")
	for _, flag := range []string{"--database-url", "--redis-url", "--messages", "--encryption-keys", "--password"} {
		if strings.Contains(help, flag) {
			t.Errorf("%s would be seen in the list of processes", flag)
		}
	}
	if !strings.Contains(help, "GATEHOUSE_ISSUER") {
		t.Errorf("help does not name the variables:\n%s", help)
	}
}

func TestDevelopmentAidsExistUnderDevOnly(t *testing.T) {
	for command, want := range map[string]int{"serve": http.StatusNotFound, "dev": http.StatusOK} {
		t.Run(command, func(t *testing.T) {
			d := newDeployment(t, sqliteConfig(t))
			s := d.start(command)
			get := do(t, http.DefaultClient, request(t, http.MethodGet, s.url+"/dev/outbox", nil, "Accept", "application/json"))
			post := do(t, http.DefaultClient, request(t, http.MethodPost, s.url+"/dev/clock", `{"advance":"1m"}`))
			demo := do(t, http.DefaultClient, request(t, http.MethodGet, s.url+"/demo", nil))
			if get.status != want || post.status != want || demo.status != want {
				t.Errorf("outbox %d, clock %d, demo %d, want %d", get.status, post.status, demo.status, want)
			}
		})
	}
}

func TestStopDrainsAndExitsZero(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	d.vars["GATEHOUSE_ADDR"] = storagetest.ReserveAddr(t) // or somebody else may answer there
	s := d.start()
	if res := do(t, http.DefaultClient, request(t, http.MethodGet, s.url+"/readyz", nil)); res.status != http.StatusOK {
		t.Errorf("ready: %d %s", res.status, res.body)
	}
	if code := s.exit(); code != exitOK {
		t.Errorf("exit %d", code)
	}
	if _, err := http.Get(s.url + "/livez"); err == nil {
		t.Error("it still answers")
	}
}

func TestVirtualClockMovesEveryExpiry(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	s := d.start("dev")
	rp, person := d.relyingService(), d.person()
	j := d.journey(s)
	j.authorize(rp, "openid")
	flow := j.flow()
	j.submit("/signin?flow="+flow, map[string][]string{"flow": {flow}, "identifier": {person.Email}, "password": {testPassword}})
	code := d.code(person.Mobile, 1)
	if res := do(t, http.DefaultClient, request(t, http.MethodPost, s.url+"/dev/clock", `{"advance":"61m"}`)); res.status != http.StatusOK {
		t.Fatalf("clock: %d %s", res.status, res.body)
	}
	j.submit("/signin/code?flow="+flow, map[string][]string{"flow": {flow}, "code": {code}})
	if strings.HasPrefix(j.at, callback) || j.last.status == http.StatusOK && strings.Contains(j.at, "/consent") {
		t.Errorf("an expired code was accepted: %s %d", j.at, j.last.status)
	}
}
