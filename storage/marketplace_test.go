package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

var owner = directory.Company{ID: "owner", Kind: directory.Partner}

// eachMarket runs a test on every engine, with a partner and a clock to move.
func eachMarket(t *testing.T, test func(t *testing.T, s *storage.Stores, m *directory.Marketplace, now *time.Time)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		now := noon
		_, err := s.DB.Exec(t.Context(), `
			insert into clients (id, name, public, auth_method, grant_types, scopes, roles, redirect_uris, post_logout_redirect_uris, first_party, kind,
				id_token_alg, access_token_alg, token_format, pkce_optional, require_par, dpop_bound, created_at)
			values ('owner', 'O', $1, 'none', '[]', '[]', '[]', '[]', '[]', $1, 'partner', 'ES256', 'ES256', 'jwt', $1, $1, $1, 1)`, false)
		if err != nil {
			t.Fatal(err)
		}
		m := &directory.Marketplace{Store: profilesOn(t, s, &now), Clock: func() time.Time { return now }, NewID: uuid.New}
		test(t, s, m, &now)
	})
}

// profilesOn are the profiles as one replica has them.
func profilesOn(t *testing.T, s *storage.Stores, now *time.Time) storage.Profiles {
	t.Helper()
	clock := func() time.Time { return *now }
	p := storage.Profiles{DB: s.DB, Keys: &storage.FieldKeys{DB: s.DB, Sealer: keyring(t, rootKey(1)), Clock: clock}}
	if err := p.Keys.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// secretProfile has a canary in every value that is encrypted.
func secretProfile(i int) directory.Profile {
	insurance, passport := fmt.Sprintf("CANARY-NI-%d", i), fmt.Sprintf("CANARY-PASSPORT-%d", i)
	birth, partner := time.Date(1961, 2, 3, 4, 5, 6, 0, time.UTC), time.Date(1962, 3, 4, 5, 6, 7, 0, time.UTC)
	return directory.Profile{ProfileData: directory.ProfileData{
		ProfileDetails: directory.ProfileDetails{FirstName: "A", Surname: "B"}, Email: fmt.Sprintf("u%d@example.com", i), Meta: []byte("{}"),
		ProfileSecrets: directory.ProfileSecrets{NationalInsuranceNumber: &insurance, PassportNumber: &passport, DateOfBirth: &birth, PartnerDateOfBirth: &partner},
	}}
}

func createProfiles(t *testing.T, m *directory.Marketplace, n int) []uuid.UUID {
	t.Helper()
	ids := make([]uuid.UUID, n)
	for i := range ids {
		p, err := m.Create(t.Context(), owner, secretProfile(i))
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = p.ID
	}
	return ids
}

// TestSensitiveValuesAreUnreadableInDumps looks for them in every row of every
// table, in the files of SQLite, and in everything that Redis holds.
func TestSensitiveValuesAreUnreadableInDumps(t *testing.T) {
	eachMarket(t, func(t *testing.T, s *storage.Stores, m *directory.Marketplace, _ *time.Time) {
		ids := createProfiles(t, m, 3)
		for _, id := range ids {
			if _, err := m.Profile(t.Context(), owner, id); err != nil {
				t.Fatal(err)
			}
		}
		moved := secretProfile(9)
		moved.ID, moved.PartnerID, moved.CreatedAt, moved.UpdatedAt = uuid.New(), owner.ID, noon, noon
		imported := directory.ImportedProfile{
			Profile: &moved, Imported: directory.Imported{Kind: "marketplace_user", ExternalID: "9", ID: moved.ID, Digest: []byte{1}},
			Event: directory.Event{ID: uuid.New(), Type: "import_marketplace_user", At: noon},
		}
		if err := m.Store.(storage.Profiles).InsertImportedProfiles(t.Context(), "shop", []directory.ImportedProfile{imported}, noon); err != nil {
			t.Fatal(err)
		}
		if p, err := m.Profile(t.Context(), owner, moved.ID); err != nil || *p.PassportNumber != "CANARY-PASSPORT-9" {
			t.Fatalf("%+v, %v", p, err)
		}
		dump := databaseDump(t, s) + redisDump(t, s)
		if !strings.Contains(dump, "u1@example.com") || !strings.Contains(dump, "u9@example.com") {
			t.Fatal("the dump does not hold what is not encrypted: does this test look at the right place?")
		}
		for _, canary := range []string{"CANARY", "1961-02-03", "1962-03-04"} {
			// PostgreSQL shows bytes in hexadecimal.
			if strings.Contains(dump, canary) || strings.Contains(dump, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s can be read", canary)
			}
		}
	})
}

func databaseDump(t *testing.T, s *storage.Stores) string {
	t.Helper()
	var dump strings.Builder
	if s.DB.Engine == storage.SQLite {
		var name, file string
		if err := s.DB.Row(t.Context(), `select name, file from pragma_database_list`, nil, &name, &file); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{file, file + "-wal"} {
			content, err := os.ReadFile(path)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			dump.Write(content)
		}
		return dump.String()
	}
	for _, table := range lines(t, s.DB, `select tablename from pg_tables where schemaname = 'public'`) {
		for _, row := range lines(t, s.DB, `select cast(t as text) from `+table+` t`) {
			dump.WriteString(row)
		}
	}
	return dump.String()
}

func redisDump(t *testing.T, s *storage.Stores) string {
	t.Helper()
	var dump strings.Builder
	keys, err := s.Redis.Client().Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		value, _ := s.Redis.Client().Get(t.Context(), key).Result()
		dump.WriteString(key + value)
	}
	return dump.String()
}

func TestMovedValueDoesNotOpen(t *testing.T) {
	eachMarket(t, func(t *testing.T, s *storage.Stores, m *directory.Marketplace, _ *time.Time) {
		ids := createProfiles(t, m, 3)
		for _, move := range []string{
			`update marketplace_users set dob = (select dob from marketplace_users where id = $2) where id = $1`,
			`update marketplace_users set passport_number = national_insurance_number where id = $1 and $2 <> id`,
		} {
			if n, err := s.DB.Exec(t.Context(), move, ids[0], ids[1]); err != nil || n != 1 {
				t.Fatalf("moved %d, %v", n, err)
			}
			if _, err := m.Profile(t.Context(), owner, ids[0]); !errors.Is(err, directory.ErrUnreadable) {
				t.Errorf("%v after %s", err, move)
			}
		}
		if _, err := m.Profile(t.Context(), owner, ids[1]); err != nil {
			t.Errorf("another user: %v", err)
		}
		done, err := m.Store.(storage.Profiles).Reencrypt(t.Context(), nil)
		if err != nil || done != (storage.Reencrypted{}) {
			t.Errorf("%+v, %v", done, err)
		}
		// What cannot be read can be erased.
		if err := m.Erase(t.Context(), owner, ids[0]); err != nil {
			t.Error(err)
		}
	})
}

// TestRotationReencryptsWhileServing rotates the key on one replica while another,
// which has not heard of it, reads and writes.
func TestRotationReencryptsWhileServing(t *testing.T) {
	eachMarket(t, func(t *testing.T, s *storage.Stores, m *directory.Marketplace, now *time.Time) {
		ids := createProfiles(t, m, 30)
		here, elsewhere := m.Store.(storage.Profiles), profilesOn(t, s, now)
		if err := elsewhere.Keys.Rotate(t.Context(), directory.Actor{Kind: "operator"}); err != nil {
			t.Fatal(err)
		}
		var serving sync.WaitGroup
		for i := range 2 {
			serving.Go(func() {
				for _, id := range ids[i*5 : i*5+5] {
					_, err := m.Update(t.Context(), owner, id, func(p *directory.SeenProfile) ([]string, error) {
						p.Surname = "Changed"
						return []string{"surname"}, nil
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		if _, err := elsewhere.Reencrypt(t.Context(), nil); err != nil {
			t.Error(err)
		}
		serving.Wait()
		*now = now.Add(2 * time.Hour) // what the other replica wrote with the old key meanwhile is moved by the next run
		if done, err := elsewhere.Reencrypt(t.Context(), nil); err != nil || done.Retired != 1 || done.Unreadable != 0 {
			t.Errorf("%+v, %v; want the old key deleted", done, err)
		}
		keys, err := here.Keys.List(t.Context())
		if err != nil || len(keys) != 1 || !keys[0].Primary || keys[0].Users != 30 {
			t.Errorf("keys %+v, %v", keys, err)
		}
		for i, id := range ids {
			p, err := m.Profile(t.Context(), owner, id)
			if err != nil || *p.PassportNumber != *secretProfile(i).PassportNumber || p.Surname == "Changed" != (i < 10) {
				t.Fatalf("user %d: %v", i, err)
			}
		}
	})
}

// TestRotationGoesOnAfterAStop stops one after its first batch.
func TestRotationGoesOnAfterAStop(t *testing.T) {
	eachMarket(t, func(t *testing.T, s *storage.Stores, m *directory.Marketplace, _ *time.Time) {
		createProfiles(t, m, 250)
		p := m.Store.(storage.Profiles)
		if err := p.Keys.Rotate(t.Context(), directory.Actor{Kind: "operator"}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		first, err := p.Reencrypt(ctx, func(done storage.Reencrypted) {
			if done.Users > 0 {
				stop()
			}
		})
		if err == nil || first.Users == 0 || first.Users >= 250 {
			t.Fatalf("%+v, %v", first, err)
		}
		second, err := p.Reencrypt(t.Context(), nil)
		if err != nil || first.Users+second.Users != 250 || second.Retired != 0 {
			t.Errorf("%+v, then %+v, %v", first, second, err)
		}
		var stale int
		if err := s.DB.Row(t.Context(), `select count(distinct key_id) from marketplace_users`, nil, &stale); err != nil || stale != 1 {
			t.Errorf("%d keys in use, %v", stale, err)
		}
	})
}

func TestKeysAreSealedWithTheRootKey(t *testing.T) {
	eachMarket(t, func(t *testing.T, s *storage.Stores, _ *directory.Marketplace, now *time.Time) {
		var sealed []byte
		if err := s.DB.Row(t.Context(), `select sealed from keysets`, nil, &sealed); err != nil || len(sealed) < 50 {
			t.Fatalf("%d bytes, %v", len(sealed), err)
		}
		stranger := &storage.FieldKeys{DB: s.DB, Sealer: keyring(t, rootKey(2)), Clock: func() time.Time { return *now }}
		if err := stranger.Ensure(t.Context()); err == nil {
			t.Error("another root key opens them")
		}
		if k := keyring(t, rootKey(2)+","+rootKey(1)); slices.ContainsFunc(k.DeriveAll("seal"), func(b []byte) bool { return bytes.Contains(sealed, b) }) {
			t.Error("the key that seals is beside what it seals")
		}
	})
}
