package oauth_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/storage"
)

// close archives alice as both doors do that archive.
func (m market) close() error {
	registry := &directory.Registry{Store: storage.Directory{DB: m.stores.DB}, Clock: m.clock.Now, NewID: uuid.New}
	return registry.ArchiveUser(m.t.Context(), m.alice.ID, "example.com", operator, func(ctx context.Context) error {
		return m.authn.Disable(ctx, m.alice.ID)
	})
}

// TestEndOfAnAccountEndsWhatItShared: a provider sees no more what the person let
// it see. What a partner recorded is the partner's to end.
func TestEndOfAnAccountEndsWhatItShared(t *testing.T) {
	eachMarket(t, func(t *testing.T, m market) {
		shared := m.profile("acme", "alice@example.com")
		tokens := m.signedIn().share(shared)
		sub, recorded := m.subOf(tokens), m.recorded("bolt", m.profile("bolt", "alice@example.com"))
		for _, id := range []string{sub, recorded} {
			if _, err := m.seen(id); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.close(); err != nil {
			t.Fatal(err)
		}
		if _, err := m.seen(sub); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("what the person shared: %v", err)
		}
		if _, err := m.seen(recorded); err != nil {
			t.Errorf("what a partner recorded: %v", err)
		}
		if _, total, err := m.market.Profiles(t.Context(), directory.ProfileQuery{Company: isp, Limit: 10}); err != nil || total != 1 {
			t.Errorf("sees %d, %v", total, err)
		}
		if m.active("isp", tokens.text("access_token")) {
			t.Error("the token lives")
		}
		if n := m.events("end_marketplace_consent", shared); n != 1 {
			t.Errorf("%d times in the trail", n)
		}
	})
}

// TestNothingIsSharedByAnAccountThatEnds: of a consent and an end at one moment, the
// consent is ended or was never given.
func TestNothingIsSharedByAnAccountThatEnds(t *testing.T) {
	eachMarket(t, func(t *testing.T, m market) {
		profile := m.profile("acme", "alice@example.com")
		begin, done := make(chan struct{}), sync.WaitGroup{}
		for i := range 64 {
			done.Go(func() {
				<-begin
				if i == 20 {
					if err := m.close(); err != nil {
						t.Errorf("close: %v", err)
					}
				} else if err := m.market.Share(t.Context(), m.alice.ID, profile, "isp"); err != nil && !errors.Is(err, directory.ErrNotFound) {
					t.Errorf("share: %v", err)
				}
			})
		}
		close(begin)
		done.Wait()
		if left, total, err := m.market.Profiles(t.Context(), directory.ProfileQuery{Company: isp, Limit: 10}); err != nil || total != 0 || len(left) != 0 {
			t.Errorf("sees %d of %d, %v", len(left), total, err)
		}
	})
}
