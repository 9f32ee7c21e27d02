package authn_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/storage"
)

// TestActivityIsPagedWithoutLossOrRepeat: refused attempts and events are one
// list, and what happened at one moment is on one page.
func TestActivityIsPagedWithoutLossOrRepeat(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice, store := k.alice(), storage.Authn{DB: k.stores.DB}
		want := map[string]int{"create_user": 1, "change_password": 1}
		for i := range 12 {
			k.advance(time.Minute)
			for range 1 + i%3 {
				want["happened"]++
				err := k.Directory.AppendEvent(t.Context(), directory.Event{ID: uuid.New(), Type: "happened", Actor: directory.Actor{Kind: "system"}, Subject: alice.ID.String(), At: k.clock.Now()})
				if err != nil {
					t.Fatal(err)
				}
			}
			want[authn.AttemptRefused]++
			trace := &authn.Trace{ID: uuid.New(), At: k.clock.Now(), UserID: uuid.NullUUID{UUID: alice.ID, Valid: true}, Verdict: "refused"}
			if err := store.RecordTrace(t.Context(), trace); err != nil {
				t.Fatal(err)
			}
		}
		got, pages, last := map[string]int{}, 0, k.clock.Now().Add(time.Hour)
		for before, more := (time.Time{}), true; more && pages < 50; pages++ {
			page, next, err := k.Activity(t.Context(), alice.ID, before, 5)
			if err != nil || len(page) > 5 {
				t.Fatalf("%d on a page, error %v", len(page), err)
			}
			if len(page) > 0 && !page[0].At.Before(last) {
				t.Errorf("a page begins at %v, after the end of the one before at %v", page[0].At, last)
			}
			for _, a := range page {
				got[a.Kind]++
				last = a.At
			}
			before, more = next, !next.IsZero()
		}
		for kind, n := range want {
			if got[kind] != n {
				t.Errorf("%s: %d of %d on %d pages", kind, got[kind], n, pages)
			}
		}
	})
}
