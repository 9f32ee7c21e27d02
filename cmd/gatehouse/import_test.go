package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// importOf writes a file of n people, one of whom nobody takes.
func importOf(t *testing.T, n int) string {
	t.Helper()
	var b strings.Builder
	for i := range n {
		username := fmt.Sprintf("person%d", i)
		if i == 1500 {
			username = "not a username"
		}
		fmt.Fprintf(&b, `{"external_id":"%d","id":"00000000-0000-4000-8000-%012d","username":"%s","name":"Person %d","roles":["ABC001"],`+
			`"password_hash":"{SSHA}MkiT9VJwrHKOcy1IJq6TFfEeuHBzYWx0","created_at":"2020-01-01T00:00:00Z"}`+"\n", i, i, username, i)
	}
	path := filepath.Join(t.TempDir(), "people.jsonl")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// exported is what an export of a deployment holds, hashes as well.
func exported(t *testing.T, d *deployment, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), append([]string{"user", "export", "--with-password-hashes"}, args...), d.lookup, strings.NewReader(""), &stdout, &stderr); code != exitOK {
		t.Fatalf("export: exit %d\n%s", code, stderr.String())
	}
	return stdout.String()
}

// TestKilledImportGoesOn kills an import as kill -9 does, and the same command ends
// with the same rows as one that was left alone.
func TestKilledImportGoesOn(t *testing.T) {
	t.Parallel()
	const people = 12_000
	file := importOf(t, people)
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) {
		d := newDeployment(t, c)
		rejects := filepath.Join(t.TempDir(), "rejects.jsonl")
		args := []string{"user", "import", file, "--source", "legacy", "--rejects", rejects, "--json"}
		killed := exec.Command(os.Args[0], args...)
		killed.Env = append(os.Environ(), asProgram+"=1")
		for name, value := range d.vars {
			killed.Env = append(killed.Env, name+"="+value)
		}
		if err := killed.Start(); err != nil {
			t.Fatal(err)
		}
		// The one who is refused stands in the second batch of twelve.
		for range 20_000 {
			if info, err := os.Stat(rejects); err == nil && info.Size() > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		_ = killed.Process.Kill()
		_ = killed.Wait() // it was killed: its status says nothing

		var stdout, stderr bytes.Buffer
		code := run(t.Context(), args, d.lookup, strings.NewReader(""), &stdout, &stderr)
		var summary importSummary
		if err := json.Unmarshal(stdout.Bytes(), &summary); err != nil {
			t.Fatalf("%v: %s%s", err, stdout.String(), stderr.String())
		}
		if code != exitRejected || !strings.HasPrefix(stderr.String(), "going on after ") {
			t.Errorf("exit %d, %s", code, stderr.String())
		}
		if want := (importSummary{Source: "legacy", Records: people, Created: people - 1, Rejected: 1}); summary != want {
			t.Errorf("%+v, want %+v", summary, want)
		}
		told, err := os.ReadFile(rejects)
		if err != nil || !strings.Contains(string(told), `{"line":1501,"type":"user","external_id":"1500","reason":"username: Not a valid username"}`) {
			t.Errorf("rejects %q, %v", told, err)
		}
		whole := newDeployment(t, storagetest.SQLite(t))
		if code := run(t.Context(), args, whole.lookup, strings.NewReader(""), &stdout, &stderr); code != exitRejected {
			t.Fatalf("exit %d: %s", code, stderr.String())
		}
		one, other := exported(t, d), exported(t, whole)
		if strings.Count(one, "\n") != people-1 || one != other {
			t.Errorf("%d and %d people, or they differ", strings.Count(one, "\n"), strings.Count(other, "\n"))
		}
	})
}

// TestImportSaysWhatIsWrongWithTheCommand: a file of no known format or with a column that
// does not exist is refused before anything is written.
func TestImportSaysWhatIsWrongWithTheCommand(t *testing.T) {
	d := newDeployment(t, storagetest.SQLite(t))
	dir := t.TempDir()
	for name, content := range map[string]string{"people.txt": "", "people.csv": "external_id,name,shoe_size\n1,Ann,44\n"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), []string{"user", "import", path, "--source", "x"}, d.lookup, strings.NewReader(""), &stdout, &stderr)
		if code == exitOK || !strings.Contains(stderr.String(), "format") && !strings.Contains(stderr.String(), "shoe_size") {
			t.Errorf("%s: exit %d, %s", name, code, stderr.String())
		}
	}
	var stdout, stderr bytes.Buffer
	csv := "external_id,name,email_address\n1,Ann,ann@example.gov.uk\n2,Bea,not-an-address\n"
	code := run(t.Context(), []string{"user", "import", "-", "--format", "csv", "--source", "x"}, d.lookup, strings.NewReader(csv), &stdout, &stderr)
	if want := "2 records: 1 created, 0 updated, 0 unchanged, 1 rejected\n"; code != exitRejected || stdout.String() != want {
		t.Errorf("exit %d, %q, %s", code, stdout.String(), stderr.String())
	}
	if want := `{"line":3,"type":"user","external_id":"2","reason":"email_address: Not a valid email address"}`; strings.TrimSpace(stderr.String()) != want {
		t.Errorf("%s", stderr.String())
	}
}

// TestMarketplaceUsersAreExportedOnlyWhenAskedFor: and what is sensitive of them only
// when that is asked for as well; who has taken it out is in the audit trail.
func TestMarketplaceUsersAreExportedOnlyWhenAskedFor(t *testing.T) {
	d := newDeployment(t, storagetest.SQLite(t))
	d.client("--id", "acme", "--grant", "client_credentials", "--kind", "partner", "--scope", directory.ScopePartner)
	shopper := `{"type":"marketplace_user","external_id":"1","partner_id":"acme","first_name":"Ada","surname":"L","email":"ada@example.com","passport_number":"CANARY"}`
	var summary importSummary
	d.command(shopper, &summary, "user", "import", "-", "--format", "jsonl", "--source", "shop", "--json")
	if summary.Created != 1 {
		t.Fatalf("%+v", summary)
	}
	for _, c := range []struct {
		args          []string
		ada, passport bool
	}{
		{nil, false, false},
		{[]string{"--with-sensitive"}, false, false},
		{[]string{"--type", "marketplace_user"}, true, false},
		{[]string{"--type", "marketplace_user", "--with-sensitive"}, true, true},
	} {
		if text := exported(t, d, c.args...); strings.Contains(text, "ada@") != c.ada || strings.Contains(text, "CANARY") != c.passport {
			t.Errorf("%q: %s", c.args, text)
		}
	}
	d.inProcess(func(a *app) {
		all, err := storage.Directory{DB: a.stores.DB}.Events(t.Context(), directory.EventQuery{Type: "export_users"}, 10)
		if err != nil || len(all) != 4 || !strings.Contains(string(all[0].Data), `"sensitive":true`) || all[0].Actor.Kind != operator.Kind {
			t.Errorf("%d exports in the audit trail, %+v, %v", len(all), all, err)
		}
	})
}
