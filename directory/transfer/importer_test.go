package transfer_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/directory/transfer"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

var noon = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

// rig imports into stores.
type rig struct {
	t        *testing.T
	store    storage.Imports
	registry *directory.Registry
	authn    *authn.Service
	profiles storage.Profiles
	rejected []transfer.Rejection
}

func newRig(t *testing.T, s *storage.Stores) *rig {
	clock := func() time.Time { return noon }
	store := storage.Imports{Directory: storage.Directory{DB: s.DB}}
	keyring, err := storage.ParseKeyring(strings.Repeat("A", 43) + "=")
	if err != nil {
		t.Fatal(err)
	}
	keys := &storage.FieldKeys{DB: s.DB, Sealer: keyring, Clock: clock}
	if err := keys.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &rig{
		profiles: storage.Profiles{DB: s.DB, Keys: keys},
		t:        t, store: store, registry: &directory.Registry{Store: store.Directory, Clock: clock, NewID: uuid.New},
		authn: &authn.Service{
			Directory: store.Directory, Store: storage.Authn{DB: s.DB}, Cache: storage.AuthnCache{Redis: s.Redis}, Clock: clock,
			Hasher: &authn.Hasher{Rand: rand.Reader, Memory: 64}, Rand: rand.Reader, CodeKey: []byte("a key of thirty-two random bytes"), RefusalTime: time.Nanosecond,
		},
	}
}

func (r *rig) importer(source string) *transfer.Importer {
	return &transfer.Importer{
		Store: r.store, Registry: r.registry, Passwords: r.authn, Profiles: r.profiles, DigestKeys: [][]byte{[]byte("new key"), []byte("old key")}, Actor: directory.Actor{Kind: "operator"}, Source: source,
		Reject: func(rejection transfer.Rejection) error { r.rejected = append(r.rejected, rejection); return nil },
	}
}

// run imports a text with an importer and returns what became of it, and why
// records were refused.
func (r *rig) run(i *transfer.Importer, digest, text string, o transfer.Options) (string, []string) {
	r.t.Helper()
	r.rejected = nil
	if _, err := i.Start(r.t.Context(), digest); err != nil {
		r.t.Fatal(err)
	}
	p, err := i.Run(r.t.Context(), strings.NewReader(text), o)
	if err != nil {
		r.t.Fatal(err)
	}
	var reasons []string
	for _, rejection := range r.rejected {
		reasons = append(reasons, fmt.Sprintf("%d %s: %s", rejection.Line, rejection.ExternalID, rejection.Reason))
	}
	return fmt.Sprintf("created %d, updated %d, unchanged %d, rejected %d of %d", p.Created, p.Updated, p.Unchanged, p.Rejected, p.Records), reasons
}

func (r *rig) user(username string) *directory.User {
	r.t.Helper()
	u, err := r.store.UserByUsername(r.t.Context(), username)
	if err != nil {
		r.t.Fatalf("user %s: %v", username, err)
	}
	return u
}

var jsonLines = transfer.Options{Format: transfer.JSONLines}

const legacy = `
{"type":"organisation","external_id":"o1","name":"Ministry of Things","organisation_type":"central","domains":["things.gov.uk"],"notes":"old"}
{"type":"service","external_id":"s1","name":"Send things","organisation":"o1","live":true}
{"external_id":"1","username":"Ann","user_id":77,"name":"Ann Person","email_address":"ann@things.gov.uk","roles":["ABC001","ABC002"],"password_hash":"{SSHA}MkiT9VJwrHKOcy1IJq6TFfEeuHBzYWx0"}
{"external_id":"2","name":"Bea Person","email_address":"bea@things.gov.uk","mobile_number":"07700 900123","organisations":[{"of":"o1","permissions":["manage_services"]}],"services":[{"of":"Send things","permissions":["manage_service"]}]}
{"external_id":"3","username":"cyd","first_name":"Cyd","surname":"Person","enabled":false}
`

// TestImportBringsPeopleWithAllThatIsTheirs: users, hashes, roles, numbers and memberships.
func TestImportBringsPeopleWithAllThatIsTheirs(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s)
		got, reasons := r.run(r.importer("legacy"), "d1", legacy, jsonLines)
		if want := "created 5, updated 0, unchanged 0, rejected 0 of 5"; got != want {
			t.Fatalf("%s %q, want %s", got, reasons, want)
		}
		ann, cyd := r.user("ANN"), r.user("cyd")
		if ann.Number != 77 || !slices.Equal(ann.Roles, []string{"ABC001", "ABC002"}) || ann.State != directory.Active || cyd.Enabled() || cyd.Number <= 1_000_000 {
			t.Errorf("ann %+v, cyd %+v", ann, cyd)
		}
		hash, err := storage.Authn{DB: s.DB}.Password(t.Context(), ann.ID)
		if err != nil || !strings.HasPrefix(hash, "{SSHA}") {
			t.Errorf("hash %q, %v", hash, err)
		}
		all, err := r.store.UsersByEmail(t.Context(), "bea@things.gov.uk")
		if err != nil || len(all) != 1 || all[0].AuthType != directory.SMSAuth || !all[0].EmailAccessValidatedAt.IsZero() {
			t.Fatalf("bea %+v, %v", all, err)
		}
		m, err := r.store.MembershipsOf(t.Context(), all[0].ID)
		if err != nil || len(m.Services) != 1 || !slices.Equal(m.ServicePermissions[m.Services[0]], []string{"manage_users", "manage_settings"}) ||
			len(m.Organisations) != 1 || !slices.Equal(m.OrganisationPermissions[m.Organisations[0]], []string{"manage_services"}) {
			t.Errorf("memberships %+v, %v", m, err)
		}
		service, err := r.store.Service(t.Context(), m.Services[0])
		if err != nil || service.Restricted || service.OrganisationID.UUID != m.Organisations[0] || service.OrganisationType != directory.Central {
			t.Errorf("service %+v, %v", service, err)
		}
		events, err := r.store.Events(t.Context(), directory.EventQuery{Type: "import_user"}, 10)
		if err != nil || len(events) != 3 {
			t.Errorf("%d events, %v", len(events), err)
		}
	})
}

// TestImportAgainLeavesAloneWhatIsTheSame: only what changed in the file is written over what is here.
func TestImportAgainLeavesAloneWhatIsTheSame(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s)
		r.run(r.importer("legacy"), "d1", legacy, jsonLines)
		here := "Changed Here"
		if _, err := r.registry.UpdateUser(t.Context(), r.user("ann").ID, directory.UserChange{Name: &here}, directory.Actor{Kind: "operator"}, nil); err != nil {
			t.Fatal(err)
		}
		if got, _ := r.run(r.importer("legacy"), "d1", legacy, jsonLines); got != "created 0, updated 0, unchanged 5, rejected 0 of 5" {
			t.Error(got)
		}
		if name := r.user("ann").Name; name != here {
			t.Errorf("name %q", name)
		}
		newer := strings.NewReplacer(`"enabled":false`, `"enabled":true`, `"notes":"old"`, `"notes":"new"`, `Ann Person`, `Ann Newname`).Replace(legacy)
		if got, reasons := r.run(r.importer("legacy"), "d2", newer, jsonLines); got != "created 0, updated 3, unchanged 2, rejected 0 of 5" {
			t.Error(got, reasons)
		}
		if ann := r.user("ann"); ann.Name != "Ann Newname" || !slices.Equal(ann.Roles, []string{"ABC001", "ABC002"}) || !r.user("cyd").Enabled() {
			t.Errorf("%+v", ann)
		}
		// The same ids of another system are other people.
		if got, _ := r.run(r.importer("other"), "d1", `{"external_id":"1","username":"other","name":"O"}`, jsonLines); got != "created 1, updated 0, unchanged 0, rejected 0 of 1" {
			t.Error(got)
		}
	})
}

// TestRefusedRecordsLeaveNothingBehind: each is told with its line and reason, never
// with what stood there, and its neighbours are taken.
func TestRefusedRecordsLeaveNothingBehind(t *testing.T) {
	const secret = "hunter2hunter2"
	text := strings.Join([]string{
		`{"external_id":"1","username":"ann","name":"Ann","email_address":"a@example.gov.uk"}`,
		`{"external_id":"2","username":"ANN","name":"Ann"}`,
		`{"external_id":"3","username":"6c0e1f4c-3f3f-4a4b-8a57-0c1f7c7d9a11","name":"Ann"}`,
		`{"external_id":"4","name":"Bea","email_address":"A@EXAMPLE.gov.uk"}`,
		`{"external_id":"5","username":"five","name":"Five","password_hash":"{MD5}` + secret + `"}`,
		`{"external_id":"6","username":"six","name":"Six","password_hash":"` + secret + `"}`,
		`{"external_id":"7","username":"seven","name":"Seven","mobile_number":"12"}`,
		`{"external_id":"8","username":"eight","name":"Eight","services":[{"of":"nowhere"}]}`,
		`{"external_id":"9","username":"nine","name":"Nine","shoe_size":"` + secret + `"}`,
		`{"external_id":"10","username":` + secret + `}`,
		`{"username":"eleven","name":"Eleven"}`,
		`{"external_id":"12","username":"twelve","name":"Twelve","user_id":"` + secret + `"}`,
		`{"external_id":"13","username":"thirteen","name":"Thirteen"}`,
	}, "\n")
	want := []string{
		"2 2: username already exists",
		"3 3: username: Not a valid username",
		"4 4: email_address already exists",
		"5 5: password_hash: unknown or too expensive password hash (MD5 is not taken)",
		"6 6: password_hash: unknown or too expensive password hash (of no known scheme)",
		"7 7: mobile_number: Invalid phone number: Not enough digits",
		"8 8: services: Of a service that is not here.",
		"9 9: no such field: /shoe_size",
		"10 : malformed JSON",
		"11 : external_id: Missing data for required field.",
		"12 12: not of the right type: /user_id",
	}
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s)
		dry := r.importer("legacy")
		dry.DryRun = true
		summary := "created 2, updated 0, unchanged 0, rejected 11 of 13"
		if got, reasons := r.run(dry, "d", text, jsonLines); got != summary || !cmp.Equal(reasons, want) {
			t.Errorf("dry run: %s\n%s", got, cmp.Diff(want, reasons))
		}
		if _, err := r.store.UserByUsername(t.Context(), "ann"); !errors.Is(err, directory.ErrNotFound) {
			t.Fatalf("a dry run wrote a user: %v", err)
		}
		if got, reasons := r.run(r.importer("legacy"), "d", text, jsonLines); got != summary || !cmp.Equal(reasons, want) {
			t.Errorf("%s\n%s", got, cmp.Diff(want, reasons))
		}
		r.user("thirteen")
		for _, name := range []string{"five", "six", "seven", "eight", "nine", "eleven", "twelve"} {
			if _, err := r.store.UserByUsername(t.Context(), name); !errors.Is(err, directory.ErrNotFound) {
				t.Errorf("%s is here: %v", name, err)
			}
		}
	})
}
