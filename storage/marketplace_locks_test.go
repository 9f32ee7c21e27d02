package storage_test

import (
	"context"
	"testing"
	"time"

	"gatehouse/directory"
	"gatehouse/storage"
)

// TestErasureTakesConsentsBeforeTotals, like whoever ends consents: of two
// transactions that each hold what the other needs, PostgreSQL gives one up.
func TestErasureTakesConsentsBeforeTotals(t *testing.T) {
	eachMarket(t, func(t *testing.T, s *storage.Stores, m *directory.Marketplace, _ *time.Time) {
		_, err := s.DB.Exec(t.Context(), `
			insert into clients (id, name, public, auth_method, grant_types, scopes, roles, redirect_uris, post_logout_redirect_uris, first_party, kind,
				id_token_alg, access_token_alg, token_format, pkce_optional, require_par, dpop_bound, created_at)
			select 'isp', name, public, auth_method, grant_types, scopes, roles, redirect_uris, post_logout_redirect_uris, first_party, 'provider',
				id_token_alg, access_token_alg, token_format, pkce_optional, require_par, dpop_bound, created_at from clients where id = 'owner'`)
		if err != nil {
			t.Fatal(err)
		}
		id := createProfiles(t, m, 1)[0]
		if _, err := m.GiveConsent(t.Context(), owner, id, "isp", time.Time{}); err != nil {
			t.Fatal(err)
		}
		erased := make(chan error, 1)
		err = s.DB.InTx(t.Context(), func(ctx context.Context) error {
			// The first half of ending a consent, and then the second.
			if _, err := s.DB.Exec(ctx, `update marketplace_consents set ended_at = $1 where user_id = $2`, noon, id); err != nil {
				return err
			}
			go func() { erased <- m.Erase(t.Context(), owner, id) }()
			time.Sleep(100 * time.Millisecond) // until it waits
			_, err := s.DB.Exec(ctx, `update marketplace_totals set total = total - 1 where company_id = 'isp'`)
			return err
		})
		if err != nil {
			t.Errorf("end the consent: %v", err)
		}
		if err := <-erased; err != nil {
			t.Errorf("erase: %v", err)
		}
		for _, c := range []directory.Company{owner, {ID: "isp", Kind: directory.Provider}} {
			if _, total, err := m.Profiles(t.Context(), directory.ProfileQuery{Company: c, Limit: 10}); total != 0 || err != nil {
				t.Errorf("%s sees %d, %v", c.ID, total, err)
			}
		}
	})
}
