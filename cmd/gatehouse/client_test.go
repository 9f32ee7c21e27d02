package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/oauth"
)

// golden holds what a command printed to a file in testdata/clients.
func golden(t *testing.T, name, got string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", "clients", name))
	if err != nil {
		t.Fatal(err)
	}
	got = regexp.MustCompile(`[A-Za-z0-9_-]{43}`).ReplaceAllString(got, "SECRET")
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what was printed:\n%s\nprinted:\n%s", name, diff, got)
	}
}

// clientCommand runs `gatehouse client …` and returns its exit code and output.
func (d *deployment) clientCommand(stdin string, args ...string) (code int, stdout, stderr string) {
	d.t.Helper()
	var out, errs bytes.Buffer
	code = run(d.t.Context(), append([]string{"client"}, args...), d.lookup, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

// wantExit runs a command that must end with a code, and returns what it printed.
func (d *deployment) wantExit(want int, args ...string) string {
	d.t.Helper()
	code, stdout, stderr := d.clientCommand("", args...)
	if code != want {
		d.t.Fatalf("gatehouse client %s: exit %d, want %d\n%s%s", strings.Join(args, " "), code, want, stdout, stderr)
	}
	return stdout
}

func clientFileAt(name string) string { return filepath.Join("testdata", "clients", name) }

func TestAClientFileIsPlannedAndApplied(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	first, second := clientFileAt("first.json"), clientFileAt("second.json")
	golden(t, "plan-create.golden", d.wantExit(exitDifferences, "plan", first))
	if d.wantExit(exitOK, "list") != "" {
		t.Fatal("a plan created something")
	}
	golden(t, "apply-create.golden", d.wantExit(exitOK, "apply", first))
	golden(t, "plan-nothing.golden", d.wantExit(exitOK, "plan", first))
	golden(t, "plan-nothing.golden", d.wantExit(exitOK, "apply", first))

	d.client("--id", "by-hand", "--name", "Made by hand", "--grant", "client_credentials")
	if code, _, stderr := d.clientCommand(`{"client_name":"Somebody's shop"}`, "update", "shop"); code != exitOK {
		t.Fatal(stderr)
	}
	golden(t, "plan-drift.golden", d.wantExit(exitDifferences, "plan", second))
	golden(t, "plan-prune.golden", d.wantExit(exitDifferences, "plan", "--prune", second))
	var plan oauth.Plan
	if err := json.Unmarshal([]byte(d.wantExit(exitDifferences, "plan", "--json", second)), &plan); err != nil || len(plan.Changes) != 4 || !plan.Changes[3].Drift {
		t.Errorf("%+v, error %v", plan, err)
	}
	golden(t, "plan-prune.golden", d.wantExit(exitOK, "apply", "--prune", second))
	golden(t, "plan-nothing.golden", d.wantExit(exitOK, "plan", "--prune", second))
	if list := d.wantExit(exitOK, "list"); list != "by-hand\tMade by hand\nreports\tMonthly reports\nshop\tThe new shop\n" {
		t.Errorf("left are\n%s", list)
	}
}

func TestAClientFileIsAppliedWholeOrNotAtAll(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	for name, c := range map[string]struct{ file, says string }{
		"an invalid client": {`[{"client_id":"a","client_name":"A","grant_types":["client_credentials"]},{"client_id":"b","client_name":"B","redirect_uris":["http://b.example/"]}]`, "client b: redirect_uris: "},
		"a wrong name":      {`[{"client_id":"a","client_name":"A","grant_type":["client_credentials"]}]`, "grant_type"},
		"a chosen secret":   {`[{"client_id":"a","client_name":"A","client_secret":"x"}]`, "client_secret: "},
		"no JSON":           {`[`, "client file: "},
	} {
		for _, command := range []string{"plan", "apply", "import"} {
			code, _, stderr := d.clientCommand(c.file, command, "-")
			if code != exitError || !strings.Contains(stderr, c.says) {
				t.Errorf("%s: %s: exit %d, %s", name, command, code, stderr)
			}
		}
	}
	if list := d.wantExit(exitOK, "list"); list != "" {
		t.Errorf("created\n%s", list)
	}
}

func TestClientsMoveWithTheirSecrets(t *testing.T) {
	from, to := newDeployment(t, sqliteConfig(t)), newDeployment(t, sqliteConfig(t))
	service := from.client("--id", "svc", "--name", "Service", "--grant", "client_credentials", "--scope", "notify.admin", "--audience", "https://api.example/")
	file := filepath.Join(t.TempDir(), "clients.json")
	from.wantExit(exitOK, "export", "--with-secret-hashes", "--file", file)
	if strings.Contains(from.wantExit(exitOK, "export"), "client_secret_sha256") {
		t.Error("an export without hashes has secrets")
	}
	to.wantExit(exitOK, "import", file)
	if s := to.start(); s.token(service, "notify.admin") == "" {
		t.Error("the secret does not work where it was imported")
	}
	if code, _, stderr := to.clientCommand("", "import", file); code != exitError || !strings.Contains(stderr, "already exists") {
		t.Errorf("a second import: exit %d, %s", code, stderr)
	}
	if got, want := to.wantExit(exitOK, "show", "--json", "svc"), from.wantExit(exitOK, "show", "--json", "svc"); withoutDate(got) != withoutDate(want) {
		t.Errorf("imported as\n%s\nwant\n%s", got, want)
	}
}

func withoutDate(document string) string {
	return regexp.MustCompile(`"client_id_issued_at": \d+`).ReplaceAllString(document, "")
}

func TestAClientRegistersWithTheOperatorsToken(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	var made struct {
		Token    string `json:"initial_access_token"`
		Endpoint string `json:"registration_endpoint"`
	}
	d.command("", &made, "client", "initial-access-token", "--uses", "2", "--note", "the partners", "--json")
	if !strings.HasPrefix(made.Token, "gh_it_") || !strings.HasSuffix(made.Endpoint, "/register") {
		t.Fatalf("%+v", made)
	}
	s := d.start()
	r := request(t, "POST", s.url+"/register", `{"redirect_uris":["https://app.example.com/cb"]}`, "Authorization", "Bearer "+made.Token)
	if res := do(t, http.DefaultClient, r); res.status != 201 || strings.Contains(fmt.Sprint(s.log), made.Token) {
		t.Errorf("%d %s", res.status, res.body)
	}
}
