package transfer_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/directory/transfer"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// awkward are people with everything that a format could lose.
const awkward = `{"type":"organisation","external_id":"o1","name":"Ministry, of \"Things\"","organisation_type":"central","crown":true,"domains":["things.gov.uk"],"notes":"old\nand long"}
{"type":"organisation","external_id":"o2","name":"Gone","inactive":true}
{"type":"service","external_id":"s1","name":"Send; things","organisation":"o1","live":true,"permissions":["sms"],"email_message_limit":5,"sms_message_limit":0,"letter_message_limit":7}
{"external_id":"1","username":"Ann,X","user_id":77,"first_name":"Ánn","surname":"Person ","name":"Ann \"the\" Person","email_address":"ann@things.gov.uk","roles":["ABC001","A, B"],"password_hash":"{SSHA}MkiT9VJwrHKOcy1IJq6TFfEeuHBzYWx0","state":"pending","language":"cy"}
{"external_id":"2","name":"Bea","email_address":"bea@things.gov.uk","mobile_number":"07700 900123","organisations":[{"of":"o1","permissions":["manage_services"]},{"of":"o2"}],"services":[{"of":"s1","permissions":["manage_service"]}],"platform_admin":true,"no_new_features_email":true,"password_changed_at":"2026-01-02T03:04:05.000006Z","email_access_validated_at":"2026-01-02T03:04:05Z"}
{"external_id":"3","username":"cyd","first_name":" Cyd","surname":"Person","enabled":false,"locked":true,"created_at":"2020-01-02T03:04:05.678Z","auth_type":"webauthn_auth"}
`

func (r *rig) export(format transfer.Format, kinds ...string) string {
	r.t.Helper()
	var b bytes.Buffer
	w, err := transfer.NewWriter(&b, format, kinds[0], "ou=Users,dc=moj")
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := (&transfer.Exporter{Store: r.store, Profiles: r.profiles, WithPasswordHashes: true, WithSensitive: true}).Export(r.t.Context(), w, kinds...); err != nil {
		r.t.Fatal(err)
	}
	return b.String()
}

// TestWhatIsExportedCanBeImported: an export of an import of an export is that export, in each format.
func TestWhatIsExportedCanBeImported(t *testing.T) {
	all := []string{transfer.KindOrganisation, transfer.KindService, transfer.KindUser}
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) {
		from := newRig(t, storagetest.OpenConfig(t, c))
		if got, reasons := from.run(from.importer("legacy"), "d", awkward, jsonLines); got != "created 6, updated 0, unchanged 0, rejected 0 of 6" {
			t.Fatal(got, reasons)
		}
		fresh := func() *rig {
			if c.DatabaseURL != "" {
				return newRig(t, storagetest.OpenConfig(t, storagetest.Postgres(t)))
			}
			return newRig(t, storagetest.Open(t))
		}
		to := fresh()
		exported := from.export(transfer.JSONLines, all...)
		if got, reasons := to.run(to.importer("x"), "d", exported, jsonLines); !strings.HasPrefix(got, "created 6,") {
			t.Fatal(got, reasons)
		}
		if again := to.export(transfer.JSONLines, all...); again != exported {
			t.Errorf("JSON lines:\n%s", cmp.Diff(exported, again))
		}
		to = fresh()
		for _, kind := range all {
			exported := from.export(transfer.CSV, kind)
			if got, reasons := to.run(to.importer("x"), kind, exported, transfer.Options{Format: transfer.CSV, Kind: kind}); !strings.HasSuffix(got, "rejected 0 of "+got[len(got)-1:]) {
				t.Fatal(got, reasons)
			}
			if again := to.export(transfer.CSV, kind); again != exported {
				t.Errorf("CSV:\n%s", cmp.Diff(exported, again))
			}
		}
		to = fresh()
		exported = from.export(transfer.LDIF, transfer.KindUser)
		if got, reasons := to.run(to.importer("x"), "d", exported, transfer.Options{Format: transfer.LDIF}); got != "created 2, updated 0, unchanged 0, rejected 0 of 2" {
			t.Fatal(got, reasons)
		}
		if again := to.export(transfer.LDIF, transfer.KindUser); again != exported {
			t.Errorf("LDIF:\n%s", cmp.Diff(exported, again))
		}
	})
}

// TestHashesAreExportedOnlyWhenAskedFor: an export without them holds none.
func TestHashesAreExportedOnlyWhenAskedFor(t *testing.T) {
	r := newRig(t, storagetest.Open(t))
	r.run(r.importer("legacy"), "d", awkward, jsonLines)
	for _, format := range []transfer.Format{transfer.JSONLines, transfer.CSV, transfer.LDIF} {
		var b bytes.Buffer
		w, err := transfer.NewWriter(&b, format, transfer.KindUser, "ou=Users")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := (&transfer.Exporter{Store: r.store}).Export(t.Context(), w, transfer.KindUser); err != nil || n != 3 {
			t.Fatalf("%d, %v", n, err)
		}
		if strings.Contains(b.String(), "SSHA") || !strings.Contains(b.String(), "cyd") {
			t.Errorf("%s: %s", format, b.String())
		}
	}
}
