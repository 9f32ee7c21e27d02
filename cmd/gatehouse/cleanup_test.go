package main

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// TestOneReplicaCleansUp runs the job on two replicas: the one that has the
// lease works until it stops or falls silent, and then the other does.
func TestOneReplicaCleansUp(t *testing.T) {
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) {
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		clock := func() time.Time { return now }
		replica := func() *cleaner {
			return newCleaner(storagetest.OpenConfig(t, c).DB, uuid.New(), clock, slog.New(slog.DiscardHandler))
		}
		one, two := replica(), replica()
		want := func(what string, c *cleaner, works bool) {
			t.Helper()
			if did, err := c.once(t.Context()); did != works || err != nil {
				t.Errorf("%s: %v, %v", what, did, err)
			}
		}
		want("the first", one, true)
		want("another", two, false)
		now = now.Add(cleanUpEvery)
		want("the first again", one, true)
		now = now.Add(cleanUpLease - time.Second)
		want("another before the lease ends", two, false)
		now = now.Add(time.Second)
		want("another once the first is silent", two, true)
		want("the first, come back", one, false)
		two.release(t.Context())
		want("the first, once the other has stopped", one, true)
		if one.succeeded.Load() != now.Unix() {
			t.Error("the success is not noted")
		}
	})
}
