package transfer_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/directory/transfer"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// companies makes a partner and two providers.
func (r *rig) companies() *rig {
	r.t.Helper()
	clients := &oauth.Clients{Store: storage.OAuthClients{DB: r.store.DB}, Audit: r.store, Clock: r.registry.Clock, Rand: rand.Reader}
	for id, kind := range map[string]string{"acme": "partner", "isp": "provider", "gym": "provider"} {
		_, _, err := clients.Create(r.t.Context(), directory.Actor{Kind: "operator"}, oauth.Client{
			ID: id, Name: id, Kind: kind, Scopes: []string{"marketplace:" + kind}, GrantTypes: []string{oauth.GrantClientCredentials},
		})
		if err != nil {
			r.t.Fatal(err)
		}
	}
	return r
}

func (r *rig) market() *directory.Marketplace {
	return &directory.Marketplace{Store: r.profiles, Clock: r.registry.Clock, NewID: uuid.New}
}

// sees is the page that a company gets, and how many there are in all.
func (r *rig) sees(id string, kind directory.CompanyKind) ([]directory.SeenProfile, int64) {
	r.t.Helper()
	page, total, err := r.market().Profiles(r.t.Context(), directory.ProfileQuery{Company: directory.Company{ID: id, Kind: kind}, Limit: 50})
	if err != nil {
		r.t.Fatal(err)
	}
	return page, total
}

const shoppers = `{"type":"marketplace_user","external_id":"1","partner_id":"acme","anon_user_id":"cookie-1","first_name":"Ada","surname":"Lovelace","email":"ada@example.com","postcode":"SW1A 1AA","number_of_units_per_week":3,"terms_conditions":false,"meta":{"a":1},"national_insurance_number":"CANARY-NI","dob":"1985-06-07T17:32:28Z","visits":4,"associated_cp_user":"customer 12","last_visited":"2026-03-01T10:00:00Z","created_at":"2025-01-01T00:00:00Z","consents":[{"cp_id":"isp","cp_user_id":"5b0e1f4c-3f3f-4a4b-8a57-0c1f7c7d9a11","created":"2026-01-01T00:00:00Z","expires_at":"2027-01-01T00:00:00Z"},{"cp_id":"gym","created":"2026-01-01T00:00:00Z","expires_at":"2026-02-01T00:00:00Z"}]}
{"type":"marketplace_user","external_id":"2","partner_id":"acme","first_name":"Bob","surname":"Byron","email":"bob@example.com","passport_number":"CANARY-PASSPORT","partner_dob":"1990-01-01T00:00:00+02:00"}
`

// TestMarketplaceUsersMoveIn: with pseudonyms, consents and totals, and once.
func TestMarketplaceUsersMoveIn(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s).companies()
		if got, reasons := r.run(r.importer("shop"), "d", shoppers, jsonLines); got != "created 2, updated 0, unchanged 0, rejected 0 of 2" {
			t.Fatal(got, reasons)
		}
		page, total := r.sees("acme", directory.Partner)
		if total != 2 || len(page) != 2 || page[0].FirstName != "Bob" || *page[1].NationalInsuranceNumber != "CANARY-NI" || page[1].Visits != 4 || *page[1].PartnerReference != "customer 12" {
			t.Errorf("the partner sees %d: %+v", total, page)
		}
		page, total = r.sees("isp", directory.Provider)
		if total != 1 || len(page) != 1 || page[0].Pseudonym.String() != "5b0e1f4c-3f3f-4a4b-8a57-0c1f7c7d9a11" || !page[0].DateOfBirth.Equal(time.Date(1985, 6, 7, 17, 32, 28, 0, time.UTC)) {
			t.Errorf("the provider sees %d: %+v", total, page)
		}
		if page, total := r.sees("gym", directory.Provider); total != 0 || len(page) != 0 {
			t.Errorf("an expired consent shows %d: %+v", total, page)
		}
		if n := r.events("import_marketplace_user"); n != 2 {
			t.Errorf("%d events", n)
		}
		if got, _ := r.run(r.importer("shop"), "d", shoppers, jsonLines); got != "created 0, updated 0, unchanged 2, rejected 0 of 2" {
			t.Error(got)
		}
		// The root key was rotated: what the older one made is known again.
		rotated := r.importer("shop")
		rotated.DigestKeys = append([][]byte{[]byte("newest key")}, rotated.DigestKeys...)
		if got, _ := r.run(rotated, "d", shoppers, jsonLines); got != "created 0, updated 0, unchanged 2, rejected 0 of 2" {
			t.Error(got)
		}
	})
}

func (r *rig) events(kind string) int {
	r.t.Helper()
	all, err := r.store.Events(r.t.Context(), directory.EventQuery{Type: kind}, 100)
	if err != nil {
		r.t.Fatal(err)
	}
	return len(all)
}

// TestImportTakesUpNothingThatWasEndedHere: a consent that a person withdrew stays
// withdrawn, and one who was erased stays erased, whatever a newer file says.
func TestImportTakesUpNothingThatWasEndedHere(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s).companies()
		r.run(r.importer("shop"), "d", shoppers, jsonLines)
		acme := directory.Company{ID: "acme", Kind: directory.Partner}
		page, _ := r.sees("acme", directory.Partner)
		bob, ada := page[0].ID, page[1].ID
		if err := errors.Join(r.market().EndConsent(t.Context(), acme, ada, "isp"), r.market().Erase(t.Context(), acme, bob)); err != nil {
			t.Fatal(err)
		}
		newer := strings.NewReplacer("SW1A 1AA", "SW1A 2AA", `"number_of_units_per_week":3,`, "", "Byron", "Newname").Replace(shoppers)
		got, reasons := r.run(r.importer("shop"), "d2", newer, jsonLines)
		if want := []string{"2 2: refers to something that is not here"}; got != "created 0, updated 1, unchanged 0, rejected 1 of 2" || !cmp.Equal(reasons, want) {
			t.Error(got, reasons)
		}
		page, total := r.sees("acme", directory.Partner)
		if total != 1 || *page[0].Postcode != "SW1A 2AA" || *page[0].UnitsOfAlcoholPerWeek != 3 || string(page[0].Meta) != `{"a":1}` {
			t.Errorf("%d: %+v", total, page)
		}
		if _, total := r.sees("isp", directory.Provider); total != 0 {
			t.Error("a withdrawn consent was taken up again")
		}
		// A consent that the file has ended is ended here, and a new one is given.
		ended := strings.Replace(newer, `"cp_id":"gym","created":"2026-01-01T00:00:00Z"`, `"cp_id":"gym","cp_user_id":"6b0e1f4c-3f3f-4a4b-8a57-0c1f7c7d9a11"`, 1)
		third := `{"type":"marketplace_user","external_id":"3","partner_id":"acme","first_name":"Cyd","surname":"C","email":"cyd@example.com","consents":[{"cp_id":"isp"}]}` + "\n"
		r.run(r.importer("shop"), "d3", ended+third, jsonLines)
		if _, total := r.sees("isp", directory.Provider); total != 1 {
			t.Errorf("%d users of the provider", total)
		}
		r.run(r.importer("shop"), "d4", strings.Replace(third, `"cp_id":"isp"`, `"cp_id":"isp","ended_at":"2026-03-31T00:00:00Z"},{"cp_id":"gym"`, 1), jsonLines)
		if _, total := r.sees("isp", directory.Provider); total != 0 {
			t.Error("a consent that the file has ended goes on")
		}
		if page, total := r.sees("gym", directory.Provider); total != 1 || page[0].FirstName != "Cyd" {
			t.Errorf("%d users of the other provider: %+v", total, page)
		}
	})
}

// TestRefusedMarketplaceUsersLeaveNothingBehind: held to the rules of POST /users,
// told without what stood there.
func TestRefusedMarketplaceUsersLeaveNothingBehind(t *testing.T) {
	record := func(id, more string) string {
		return `{"type":"marketplace_user","external_id":"` + id + `","first_name":"A","surname":"B",` + more + `}`
	}
	text := strings.Join([]string{
		record("1", `"partner_id":"acme","email":"a@example.com"`),
		record("2", `"partner_id":"acme","email":"A@EXAMPLE.com"`),
		record("3", `"partner_id":"isp","email":"c@example.com"`),
		record("4", `"partner_id":"nobody","email":"d@example.com"`),
		record("5", `"partner_id":"acme","email":"e@example.com","consents":[{"cp_id":"acme"}]`),
		record("6", `"partner_id":"acme","email":"hunter2","passport_number":"hunter2\n"`),
		record("7", `"partner_id":"acme","email":"g@example.com","meta":["hunter2"]`),
		record("8", `"partner_id":"acme","email":"h@example.com","dob":"hunter2"`),
		record("9", `"partner_id":"acme","email":"i@example.com","consents":[{"cp_id":"isp"},{"cp_id":"isp"}]`),
		record("10", `"partner_id":"acme","email":"j@example.com","number_of_units_per_week":-1`),
		record("11", `"partner_id":"acme","email":"k@example.com","consents":[{"cp_id":"isp"}]`),
	}, "\n")
	want := []string{
		"2 2: email already exists",
		"3 3: partner_id: Is not a partner.",
		"4 4: partner_id: Is not a partner.",
		"5 5: consents: Of a company that is not a provider.",
		"6 6: email: must be an e-mail address; passport_number: must not hold control characters",
		"7 7: meta: must be an object",
		"8 8: not of the right type: /dob",
		"9 9: consents: The same company or cp_user_id twice.",
		"10 10: number_of_units_per_week: must be from 0 to 10000",
	}
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s).companies()
		dry := r.importer("shop")
		dry.DryRun = true
		for _, i := range []*transfer.Importer{dry, r.importer("shop")} {
			if got, reasons := r.run(i, "d", text, jsonLines); got != "created 2, updated 0, unchanged 0, rejected 9 of 11" || !cmp.Equal(reasons, want) {
				t.Errorf("dry run %t: %s\n%s", i.DryRun, got, cmp.Diff(want, reasons))
			}
		}
		if _, total := r.sees("acme", directory.Partner); total != 2 {
			t.Errorf("%d users", total)
		}
		if _, total := r.sees("isp", directory.Provider); total != 1 {
			t.Errorf("%d consents", total)
		}
	})
}

// TestMarketplaceUsersMoveOut: an export of an import of an export is that export,
// and what is sensitive is in it only when asked for.
func TestMarketplaceUsersMoveOut(t *testing.T) {
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) {
		from := newRig(t, storagetest.OpenConfig(t, c)).companies()
		from.run(from.importer("shop"), "d", shoppers, jsonLines)
		for _, format := range []transfer.Format{transfer.JSONLines, transfer.CSV} {
			to := newRig(t, storagetest.Open(t)).companies()
			exported := from.export(format, transfer.KindProfile)
			if got, reasons := to.run(to.importer("x"), "d", exported, transfer.Options{Format: format, Kind: transfer.KindProfile}); got != "created 2, updated 0, unchanged 0, rejected 0 of 2" {
				t.Fatal(got, reasons)
			}
			if again := to.export(format, transfer.KindProfile); again != exported || !strings.Contains(again, "CANARY-NI") || !strings.Contains(again, "1985") {
				t.Errorf("%s:\n%s", format, cmp.Diff(exported, again))
			}
			var b bytes.Buffer
			w, err := transfer.NewWriter(&b, format, transfer.KindProfile, "")
			if err != nil {
				t.Fatal(err)
			}
			if n, err := (&transfer.Exporter{Store: from.store, Profiles: from.profiles}).Export(t.Context(), w, transfer.KindProfile); err != nil || n != 2 {
				t.Fatalf("%d, %v", n, err)
			}
			for _, secret := range []string{"CANARY", "1985", "1990", "1989"} {
				if strings.Contains(b.String(), secret) || !strings.Contains(b.String(), "ada@example.com") {
					t.Errorf("%s holds %s: %s", format, secret, b.String())
				}
			}
		}
	})
}
