package transfer

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// readWhole reads and checks a file, as an import does before it writes.
func readWhole(t *testing.T, text string, o Options) {
	clock := func() time.Time { return time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC) }
	r, err := o.open(strings.NewReader(text), clock)
	if err != nil {
		return
	}
	c := &checker{registry: &directory.Registry{Clock: clock, NewID: uuid.New}}
	for line := 0; ; {
		record, err := r.next()
		if err != nil {
			return
		}
		if record.line <= line && o.Format != CSV {
			t.Fatalf("line %d after line %d", record.line, line)
		}
		line = record.line
		it := c.check(record)
		if it.refused == nil && (it.externalID == "" || it.kind == "" || it.kind == KindUser && it.user == nil) {
			t.Fatalf("line %d: taken without an external id, a kind or a user", record.line)
		}
		if it.refused != nil && reasonOf(it.refused) == "" {
			t.Fatalf("line %d: refused without a reason", record.line)
		}
	}
}

func FuzzLDIF(f *testing.F) {
	f.Add("version: 1\ndn: cn=ann,ou=Users\nobjectClass: NDUser\nsn:: UMOpcnNvbg==\nuserPassword: {SSHA}AAAA\n\ndn: cn=A,cn=ann,ou=Users\nobjectClass: NDRole\n")
	f.Add("# comment\n folded\n\ndn:: Y249YQ==\nobjectclass: person\nmail:< file:///etc/passwd\nendDate: 2020\n")
	f.Add("dn: cn=\\2c\\,x+y=z,cn=b\nobjectclass: ndrole\n\n\ndn: =\nchangetype: delete\n")
	f.Fuzz(func(t *testing.T, text string) { readWhole(t, text, Options{Format: LDIF}) })
}

func FuzzCSV(f *testing.F) {
	f.Add("external_id,name,roles,enabled,created_at\n1,Ann,A|B,true,2026-04-01T09:30:00Z\n\"2\n\",\"B\"\"ea\",,no,\n3\n")
	f.Add("\ufeffexternal_id,username,services,user_id\n1,ann,\"[{\"\"of\"\":\"\"x\"\"}]\",7\n\"")
	f.Fuzz(func(t *testing.T, text string) { readWhole(t, text, Options{Format: CSV, Kind: KindUser}) })
}

func FuzzJSONLines(f *testing.F) {
	f.Add(`{"external_id":"1","username":"ann","name":"Ann"}` + "\n\n" + `{"type":"service","external_id":"s","name":"S"}`)
	f.Add(`{"type":"organisation","external_id":"o","name":"O","domains":["a.uk"]}` + "\n{")
	f.Fuzz(func(t *testing.T, text string) { readWhole(t, text, Options{Format: JSONLines}) })
}
