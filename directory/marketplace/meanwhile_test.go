package marketplace

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// withdrawing is a store in which a consent ends right before its profile is held:
// whoever looked before has looked too early.
type withdrawing struct {
	directory.ProfileStore
	provider string
}

func (w withdrawing) HoldProfile(ctx context.Context, id uuid.UUID) error {
	if err := w.EndConsent(ctx, id, w.provider, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)); err != nil {
		return err
	}
	return w.ProfileStore.HoldProfile(ctx, id)
}

// TestEntryIsWrittenWhileTheConsentStands, also where it is withdrawn at the moment
// of the request.
func TestEntryIsWrittenWhileTheConsentStands(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		first, second := s.create("ada@example.com"), s.create("ben@example.com")
		known, fresh := s.consent(first, "consented", ""), s.consent(second, "consented", "")
		s.want(200, "consented", "POST", "/users/broadband", `{"cp_user_id":"`+known+`","broadbandProvider":"Acme"}`)
		store := s.market.Store
		s.market.Store = withdrawing{store, "consented"}
		s.want(404, "consented", "POST", "/users/broadband", `{"cp_user_id":"`+fresh+`"}`)
		s.want(404, "consented", "POST", "/users/broadband/"+known, `{"broadbandProvider":"Bolt"}`)
		s.market.Store = store
		s.want(404, "owner", "GET", "/users/broadband/"+fresh, "")
		if e := s.want(200, "owner", "GET", "/users/broadband/"+known, ""); encode(t, e["meta"]) != `{"broadbandProvider":"Acme"}` {
			t.Errorf("written after the end: %v", e)
		}
	})
}
