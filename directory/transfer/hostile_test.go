package transfer_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/directory/transfer"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// archive closes an account here.
func (r *rig) archive(ctx context.Context, id uuid.UUID) error {
	return r.registry.ArchiveUser(ctx, id, "example.com", directory.Actor{Kind: "operator"}, func(ctx context.Context) error {
		return r.authn.Disable(ctx, id)
	})
}

// TestImportBringsNobodyBackWhoWasArchivedHere: neither their name and address, nor
// their password and roles, whatever a newer file says of them.
func TestImportBringsNobodyBackWhoWasArchivedHere(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s)
		r.run(r.importer("delius"), "d1", couple, asLDIF)
		ann := r.user("ann")
		if err := r.archive(t.Context(), ann.ID); err != nil {
			t.Fatal(err)
		}
		archived := r.user("ann")
		newer := strings.Replace(couple, "givenName: Ann", "givenName: Anna", 1) + "\ndn: cn=ABC009,cn=Ann,ou=Users\nobjectClass: NDRole\ncn: ABC009\n"
		for _, dry := range []bool{true, false} {
			i := r.importer("delius")
			i.DryRun = dry
			got, reasons := r.run(i, "d2", newer, asLDIF)
			want := []string{"2 ann: external_id: Was archived here.", "17 ann: roles: Of a user who was archived here."}
			if !cmp.Equal(reasons, want) {
				t.Errorf("dry run %v: %s\n%s", dry, got, cmp.Diff(want, reasons))
			}
		}
		if diff := cmp.Diff(archived, r.user("ann")); diff != "" {
			t.Error(diff)
		}
		if hash, err := r.authn.Store.Password(t.Context(), ann.ID); err == nil {
			t.Errorf("a password %.4s… is here", hash)
		}
	})
}

const couple = `version: 1
dn: cn=Ann,ou=Users
objectClass: NDUser
cn: Ann
givenName: Ann
sn: Person
mail: ann@example.gov.uk
userPassword: {SSHA}MkiT9VJwrHKOcy1IJq6TFfEeuHBzYWx0

dn: cn=bob,ou=Users
objectClass: NDUser
givenName: Bob
sn: Person

# what follows is nobody's
`

var asLDIF = transfer.Options{Format: transfer.LDIF}

// TestNewAddressOfAFileIsNotProved: that the old one was says nothing of it. It is
// kept in the form of every other address.
func TestNewAddressOfAFileIsNotProved(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s)
		record := `{"external_id":"1","username":"ann","name":"Ann","email_address":"%s"%s}`
		proved := `,"email_access_validated_at":"2026-03-01T00:00:00Z"`
		for n, step := range []struct {
			address, said, want string
			proved              bool
		}{
			{"ann@example.gov.uk", proved, "ann@example.gov.uk", true},
			{"Ann@Example.gov.uk", "", "Ann@Example.gov.uk", true}, // the same one
			{" mallory@bücher.example", "", "mallory@xn--bcher-kva.example", false},
			{"ann@example.gov.uk", proved, "ann@example.gov.uk", true},
		} {
			_, reasons := r.run(r.importer("legacy"), fmt.Sprint(n), fmt.Sprintf(record, step.address, step.said), jsonLines)
			ann := r.user("ann")
			if ann.EmailAddress != step.want || ann.EmailAccessValidatedAt.IsZero() == step.proved || reasons != nil {
				t.Errorf("%s: %q, proved %s, %v", step.address, ann.EmailAddress, ann.EmailAccessValidatedAt, reasons)
			}
		}
	})
}

// meanwhile is a store in which something happens right after a user was read.
type meanwhile struct {
	storage.Imports
	once sync.Once
	then func()
}

func (m *meanwhile) User(ctx context.Context, id uuid.UUID) (*directory.User, error) {
	u, err := m.Imports.User(ctx, id)
	m.once.Do(m.then)
	return u, err
}

// TestImportUndoesNoChangeMadeMeanwhile: it holds whom it changes, so that somebody
// who is archived at the same moment stays archived.
func TestImportUndoesNoChangeMadeMeanwhile(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s)
		r.run(r.importer("legacy"), "d1", `{"external_id":"1","username":"ann","name":"Ann"}`, jsonLines)
		ann, done := r.user("ann"), make(chan error, 1)
		i := r.importer("legacy")
		i.Store = &meanwhile{Imports: r.store, then: func() {
			go func() { done <- r.archive(t.Context(), ann.ID) }()
			select {
			case err := <-done:
				done <- err
			case <-time.After(100 * time.Millisecond): // it waits, as it should
			}
		}}
		r.run(i, "d2", `{"external_id":"1","username":"ann","name":"Anna"}`, jsonLines)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := r.user("ann"); !got.Archived() {
			t.Errorf("brought back: %+v", got)
		}
	})
}

// TestHostileRecordsAreRefusedAlone: what no column takes, and what would leave no
// room for others, ends neither the import nor the numbering of users.
func TestHostileRecordsAreRefusedAlone(t *testing.T) {
	text := strings.Join([]string{
		`{"type":"organisation","external_id":"1","name":"One","notes":"a\u0000b"}`,
		`{"type":"organisation","external_id":"2","name":"Two","billing_reference":"a\u0000b"}`,
		`{"type":"organisation","external_id":"3","name":"Three","domains":["a\u0000.gov.uk"]}`,
		`{"external_id":"4","username":"four","name":"Four","user_id":9223372036854775807}`,
		`{"external_id":"5","username":"five","name":"Five","roles":["` + strings.Repeat("R", 256) + `"]}`,
		`{"type":"marketplace_user","external_id":"6","partner_id":"acme","first_name":"A","surname":"B","email":"a@example.com","visits":9223372036854775807}`,
		`{"type":"marketplace_user","external_id":"7","partner_id":"acme","first_name":"A","surname":"B","email":"a@example.com","last_visited":"2999-01-01T00:00:00Z"}`,
		`{"external_id":"8","username":"eight","name":"Eight","password_changed_at":"2999-01-01T00:00:00Z","email_access_validated_at":"2999-01-01T00:00:00Z","created_at":"2999-01-01T00:00:00Z"}`,
	}, "\n")
	want := []string{
		"1 1: notes: Not a valid string.", "2 2: billing_reference: Not a valid string.", "3 3: domains: Not a valid domain",
		"4 4: number: Not a valid integer.", "5 5: roles: Not a valid role name.",
		"6 6: visits: must be from 0 to 1000000000", "7 7: last_visited: must not be in the future",
	}
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s).companies()
		if _, reasons := r.run(r.importer("hostile"), "d", text, jsonLines); !cmp.Equal(reasons, want) {
			t.Error(cmp.Diff(want, reasons))
		}
		eight := r.user("eight")
		for _, at := range []time.Time{eight.PasswordChangedAt, eight.EmailAccessValidatedAt, eight.CreatedAt} {
			if !at.Equal(noon) {
				t.Errorf("something happens in the future: %s", at)
			}
		}
		if eight.Number > 2_000_000 {
			t.Errorf("numbers are used up: %d", eight.Number)
		}
	})
}

// TestLongRecordsAreTakenFewAtATime: a thousand of a megabyte each must not be in
// memory at once.
func TestLongRecordsAreTakenFewAtATime(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s)
		i := r.importer("long")
		batches := 0
		i.Progress = func(directory.ImportProgress) { batches++ }
		record := `{"external_id":"1","username":"ann","name":"` + strings.Repeat("a", 1<<20-100) + `"}` + "\n"
		got, _ := r.run(i, "d", strings.Repeat(record, 20), jsonLines)
		if got != "created 0, updated 0, unchanged 0, rejected 20 of 20" || batches < 3 {
			t.Errorf("%s in %d batches", got, batches)
		}
	})
}
