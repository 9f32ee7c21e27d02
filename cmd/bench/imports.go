package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// importTarget is how long a million users may take on two cores.
const importTarget = 5 * time.Minute

// importCase is a file that is imported, of records as alike as the formats let them be.
type importCase struct {
	name, file string
	share      int // of the records asked for, one in so many
	head       string
	record     func(w io.Writer, n int)
}

// importHash is an SSHA hash: no import looks at more than its form.
const importHash = "{SSHA}MkiT9VJwrHKOcy1IJq6TFfEeuHBzYWx0"

var importCases = []importCase{
	{"users, JSON lines, a tenth", "tenth.jsonl", 10, "", jsonUser},
	{"users, CSV", "users.csv", 10, "external_id,username,user_id,name,email_address,roles,password_hash\n", func(w io.Writer, n int) {
		fmt.Fprintf(w, "%d,person%d,%d,Person %d,person%d@example.gov.uk,ABC001|ABC002,%s\n", n, n, n+1, n, n, importHash)
	}},
	{"users, LDIF with a role below each", "users.ldif", 10, "", func(w io.Writer, n int) {
		fmt.Fprintf(w, "dn: cn=person%d,ou=Users,dc=moj\nobjectClass: NDUser\ngivenName: Person\nsn: Number%d\nmail: person%d@example.gov.uk\nemployeeNumber: %d\nuserPassword: %s\n\n"+
			"dn: cn=ABC001,cn=person%d,ou=Users,dc=moj\nobjectClass: NDRoleAssociation\ncn: ABC001\n\n", n, n, n, n+1, importHash, n)
	}},
	{"marketplace users, JSON lines, with a consent", "shoppers.jsonl", 10, "", func(w io.Writer, n int) {
		fmt.Fprintf(w, `{"type":"marketplace_user","external_id":"%d","partner_id":"acme","first_name":"Person","surname":"Number%d","email":"person%d@example.com",`+
			`"national_insurance_number":"QQ%06dC","dob":"1985-06-07T00:00:00Z","consents":[{"cp_id":"isp"}]}`+"\n", n, n, n, n%1_000_000)
	}},
	{"users, JSON lines", "users.jsonl", 1, "", jsonUser},
}

func jsonUser(w io.Writer, n int) {
	fmt.Fprintf(w, `{"external_id":"%d","username":"person%d","user_id":%d,"name":"Person %d","email_address":"person%d@example.gov.uk",`+
		`"roles":["ABC001","ABC002"],"password_hash":"%s"}`+"\n", n, n, n+1, n, n, importHash)
}

// importResult is what an import cost.
type importResult struct {
	name     string
	records  int
	size     int64 // of the file, in bytes
	took     time.Duration
	program  time.Duration // processor time
	database time.Duration // processor time; 0 when it is on another machine
	peak     int64         // memory of the program, in KiB
	again    time.Duration // the same file once more, where nothing has changed
}

// measureImports imports each file into an empty database.
func (b *bench) measureImports(ctx context.Context, databaseURL, redisURL string, records int) ([]importResult, error) {
	if databaseURL == "" || redisURL == "" {
		return nil, errors.New("imports need GATEHOUSE_TEST_DATABASE_URL and GATEHOUSE_TEST_REDIS_URL")
	}
	var results []importResult
	for _, c := range importCases {
		if b.only != "" && c.name != b.only {
			continue
		}
		r, err := b.measureImport(ctx, engine{"PostgreSQL", databaseURL, redisURL}, c, records/c.share)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		fmt.Fprintf(os.Stderr, "  %-46s %8d in %s, again %s; processor %s here, %s in the database; %d MiB\n",
			r.name, r.records, seconds(r.took), seconds(r.again), seconds(r.program), seconds(r.database), r.peak/1024)
		results = append(results, r)
	}
	return results, nil
}

func (b *bench) measureImport(ctx context.Context, e engine, c importCase, records int) (importResult, error) {
	r := importResult{name: c.name, records: records}
	d, err := b.deploy(ctx, e)
	if err != nil {
		return r, err
	}
	defer d.remove()
	for id, kind := range map[string]string{"acme": "partner", "isp": "provider"} {
		var made client
		if err := d.command(ctx, "", &made, "client", "create", "--id", id, "--name", id, "--grant", "client_credentials", "--kind", kind, "--scope", "marketplace:"+kind); err != nil {
			return r, err
		}
	}
	path := filepath.Join(d.dir, c.file)
	if r.size, err = c.write(path, records); err != nil {
		return r, err
	}
	if err := d.importFile(ctx, path, &r); err != nil {
		return r, err
	}
	began := time.Now()
	var same importCounts
	if err := d.command(ctx, "", &same, "user", "import", path, "--source", "bench"); err != nil {
		return r, err
	}
	r.again = time.Since(began)
	if same.Unchanged != records {
		return r, fmt.Errorf("imported again: %+v", same)
	}
	return r, os.Remove(path)
}

// importCounts are what the command says became of a file.
type importCounts struct{ Created, Unchanged int }

// importFile measures the import of a file that is new.
func (d *deployment) importFile(ctx context.Context, path string, r *importResult) error {
	command := exec.CommandContext(ctx, d.program, "user", "import", path, "--source", "bench", "--json")
	command.Env, command.Stderr = d.env, os.Stderr
	databaseBefore, began := d.databaseCPU(ctx), time.Now()
	out, err := command.Output()
	if err != nil {
		return err
	}
	r.took, r.database = time.Since(began), d.databaseCPU(ctx)-databaseBefore
	r.program = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	if usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.peak = usage.Maxrss
	}
	var counts importCounts
	if err := json.Unmarshal(out, &counts); err != nil || counts.Created != r.records {
		return fmt.Errorf("imported %s: %w", out, err)
	}
	return nil
}

func (c importCase) write(path string, records int) (size int64, err error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(file, 1<<20)
	_, _ = w.WriteString(c.head) // a fault stays with the buffer, and Flush tells it
	for n := range records {
		c.record(w, n)
	}
	if err := w.Flush(); err != nil {
		return 0, errors.Join(err, file.Close())
	}
	info, err := file.Stat()
	if err != nil {
		return 0, errors.Join(err, file.Close())
	}
	return info.Size(), file.Close()
}

func importMarkdown(results []importResult, machine, busy string, taken time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Imports into PostgreSQL\n\n")
	fmt.Fprintf(&b, "Written by `make bench-import` on %s: `gatehouse user import` of a file into an empty database, and again, when nothing has\n"+
		"changed. Users have a username, a number, an address, roles and a hash. Target: a million users in %s or less, in\n"+
		"memory that does not grow with the file.\n\n", taken.Format("2 January 2006"), seconds(importTarget))
	fmt.Fprintf(&b, "Machine: %s. Load averages of %s before the run.\n\n", machine, busy)
	b.WriteString("| | records | file | took | records/s | again | processor, gatehouse | processor, PostgreSQL | peak memory |\n|--|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %d | %d MiB | %s | %.0f | %s | %s | %s | %d MiB |\n", r.name, r.records, r.size>>20, seconds(r.took),
			float64(r.records)/r.took.Seconds(), seconds(r.again), seconds(r.program), seconds(r.database), r.peak/1024)
	}
	return b.String()
}

// importFailures lists the imports that would miss the target with a million records.
func importFailures(results []importResult) error {
	var all []error
	for _, r := range results {
		if perMillion := time.Duration(float64(r.took) * 1_000_000 / float64(r.records)); strings.HasPrefix(r.name, "users") && perMillion > importTarget {
			all = append(all, fmt.Errorf("%s: a million would take %s", r.name, seconds(perMillion)))
		}
	}
	return errors.Join(all...)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
