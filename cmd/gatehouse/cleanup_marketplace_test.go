package main

import (
	"crypto/rand"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// TestCleanUpLooksAfterTheMarketplace: consents that are over by themselves end,
// and a rotation that was stopped goes on, until the old key goes too.
func TestCleanUpLooksAfterTheMarketplace(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		clock := func() time.Time { return now }
		root, err := storage.ParseKeyring(strings.Repeat("A", 43) + "=")
		if err != nil {
			t.Fatal(err)
		}
		profiles := storage.Profiles{DB: s.DB, Keys: &storage.FieldKeys{DB: s.DB, Sealer: root, Clock: clock}}
		if err := profiles.Keys.Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
		clients := &oauth.Clients{Store: storage.OAuthClients{DB: s.DB}, Audit: storage.Directory{DB: s.DB}, Clock: clock, Rand: rand.Reader}
		for id, kind := range map[string]directory.CompanyKind{"acme": directory.Partner, "isp": directory.Provider} {
			_, _, err := clients.Create(t.Context(), operator, oauth.Client{
				ID: id, Name: id, Kind: string(kind), Scopes: []string{"marketplace:" + string(kind)}, GrantTypes: []string{oauth.GrantClientCredentials},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		m := &directory.Marketplace{Store: profiles, Clock: clock, NewID: uuid.New}
		acme, passport := directory.Company{ID: "acme", Kind: directory.Partner}, "123456789"
		p, err := m.Create(t.Context(), acme, directory.Profile{ProfileData: directory.ProfileData{
			ProfileDetails: directory.ProfileDetails{FirstName: "Ada", Surname: "Lovelace"}, Email: "ada@example.com", Meta: []byte("{}"),
			ProfileSecrets: directory.ProfileSecrets{PassportNumber: &passport},
		}})
		if err != nil {
			t.Fatal(err)
		}
		given, err := m.GiveConsent(t.Context(), acme, p.ID, "isp", now.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if err := profiles.Keys.Rotate(t.Context(), operator); err != nil {
			t.Fatal(err)
		}
		c := newCleaner(s.DB, uuid.New(), clock, slog.New(slog.DiscardHandler))
		c.profiles = &profiles
		for range 2 {
			now = now.Add(2 * time.Hour)
			if did, err := c.once(t.Context()); !did || err != nil {
				t.Fatal(did, err)
			}
		}
		ended, _, err := profiles.ConsentByPseudonym(t.Context(), given.Pseudonym)
		if err != nil || !ended.EndedAt.Equal(given.ExpiresAt) {
			t.Errorf("consent %+v, %v", ended, err)
		}
		if keys, err := profiles.Keys.List(t.Context()); err != nil || len(keys) != 1 || keys[0].Users != 1 {
			t.Errorf("keys %+v, %v", keys, err)
		}
		if seen, err := m.Profile(t.Context(), acme, p.ID); err != nil || *seen.PassportNumber != passport {
			t.Errorf("%+v, %v", seen, err)
		}
	})
}
