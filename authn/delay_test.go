package authn_test

import (
	"testing"
	"time"

	"gatehouse/authn"
)

// TestFailuresWithANameSlowItsRefusals, whether the name is somebody's, nobody's or
// that of a locked account, and no right password.
func TestFailuresWithANameSlowItsRefusals(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		bob := k.bob()
		k.lockOut(bob.EmailAddress)
		k.advance(15 * time.Minute)
		k.RefusalTime = 10 * time.Millisecond
		for _, name := range []string{"alice", "nobody", bob.EmailAddress} {
			for i, least := range []int{1, 1, 2, 3, 4, 4} {
				began := time.Now()
				_, err := k.password(authn.Browser, name, wrongPassword)
				wantRefused(t, err)
				if took := time.Since(began); took < time.Duration(least)*k.RefusalTime {
					t.Errorf("%s: failure %d took %v", name, i+1, took)
				}
			}
		}
		k.RefusalTime = time.Minute
		for _, front := range []authn.Front{authn.Browser, authn.Legacy} {
			if _, err := k.password(front, "Alice", rightPassword); err != nil { // or the test runs into its limit
				t.Errorf("%s: %v", front, err)
			}
		}
	})
}

// TestRefusalsHeldBackAreBounded: beyond the bound an answer is to wait, and a guess
// is counted all the same.
func TestRefusalsHeldBackAreBounded(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		k.HeldBack = -1
		for range 2 {
			_, err := k.password(authn.Browser, "alice", wrongPassword)
			wantRefused(t, err)
		}
		before := k.Hasher.Comparisons()
		_, err := k.password(authn.Browser, "ALICE", wrongPassword)
		wantThrottled(t, err)
		_, err = k.password(authn.Browser, "nobody", wrongPassword)
		wantRefused(t, err)
		_, err = k.password(authn.Legacy, "alice", wrongPassword) // no page is held back
		wantRefused(t, err)
		if k.wantFailures(alice, 4); k.Hasher.Comparisons()-before != 2 {
			t.Errorf("%d passwords were compared", k.Hasher.Comparisons()-before)
		}
		k.advance(15 * time.Minute)
		_, err = k.password(authn.Browser, "alice", wrongPassword)
		wantRefused(t, err)
	})
}
