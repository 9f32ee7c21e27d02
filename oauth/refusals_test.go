package oauth_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/internal/web"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

func refusalsOn(store oauth.RefusalStore) *oauth.Refusals {
	return oauth.NewRefusals(store, newMoving().Now, rand.Reader, slog.New(slog.DiscardHandler))
}

func TestRefusalsAreFoundByTheirRequest(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		store := storage.OAuthRefusals{DB: s.DB}
		kept := refusalsOn(store)
		kept.Record(&web.Event{ID: "one", Method: "POST", Pattern: "/oauth/token", Code: "invalid_grant", Reason: "it was used"})
		kept.Record(&web.Event{ID: "two", Method: "GET", Pattern: "/oauth/authorize", Code: "invalid_request", Reason: strings.Repeat("x", 1000)})
		kept.Record(&web.Event{ID: "fine", Method: "GET", Pattern: "/oauth/jwks"})
		kept.Record(&web.Event{ID: "fine", Method: "POST", Pattern: "/oauth/token", Code: "authorization_pending", Reason: "nobody has answered yet"})
		kept.Flush(t.Context())
		got, err := store.RefusalsOf(t.Context(), "one")
		if err != nil || len(got) != 1 || got[0].Endpoint != "POST /oauth/token" || got[0].Reason != "it was used" || !got[0].At.Equal(newMoving().Now()) {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := store.RefusalsOf(t.Context(), "two"); err != nil || len(got) != 1 || len(got[0].Reason) != 300 {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := store.RefusalsOf(t.Context(), "fine"); err != nil || len(got) != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// stuckRefusals is a store that is down.
type stuckRefusals struct{ oauth.RefusalStore }

func (stuckRefusals) AddRefusals(context.Context, []uuid.UUID, []oauth.Refusal) error {
	return errors.New("down")
}

// TestRecordingARefusalNeverWaits records far more than is kept while nobody
// empties the buffer, and then into a store that is down.
func TestRecordingARefusalNeverWaits(t *testing.T) {
	kept := refusalsOn(stuckRefusals{})
	began := time.Now()
	for range 10_000 {
		kept.Record(&web.Event{ID: "one", Reason: "it was used"})
	}
	if took := time.Since(began); took > 8*time.Second { // not a millisecond for each
		t.Errorf("took %s", took)
	}
	if n := kept.Dropped.Load(); n != 10_000-128 {
		t.Errorf("%d dropped beside those that wait", n)
	}
	kept.Flush(t.Context())
	if n := kept.Dropped.Load(); n != 10_000 {
		t.Errorf("%d dropped in all", n)
	}
}
