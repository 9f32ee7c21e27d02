package authn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
)

// luck is how often a right guess is accepted that stands at a random place among
// guesses made at once, of which no more than limit are compared.
type luck struct{ rounds, guesses, limit int }

// most is what chance exceeds less than once in ten million times, when the limit
// holds: the number is binomially distributed then.
func (l luck) most() int {
	p := float64(l.limit) / float64(l.guesses)
	chance := math.Pow(1-p, float64(l.rounds)) // of none
	more := 1 - chance
	most := 0
	for ; more > 1e-7; most++ {
		chance *= float64(l.rounds-most) / float64(most+1) * p / (1 - p)
		more -= chance
	}
	return most
}

// TestMostIsSeldomExceeded compares with the exact sums of the two cases below.
func TestMostIsSeldomExceeded(t *testing.T) {
	if passwords, codes := (luck{8, 200, 10}).most(), (luck{8, 200, 5}).most(); passwords != 6 || codes != 5 {
		t.Errorf("%d of passwords and %d of codes", passwords, codes)
	}
}

// try plays the rounds; guess is told whether its guess is the right one.
func (l luck) try(t *testing.T, guess func(round int) func(i int, right bool) error) {
	t.Helper()
	accepted := 0
	for round := range l.rounds {
		one, lucky := guess(round), rand.IntN(l.guesses)
		accepted += countNil(t, parallel(l.guesses, func(i int) error { return one(i, i == lucky) }))
	}
	if accepted > l.most() {
		t.Errorf("accepted in %d of %d rounds, want at most %d", accepted, l.rounds, l.most())
	}
}

// TestLuckIsNoBetterThanTheLimit (L03, O03): 200 guesses at once, at a password and at
// a code, are as good as the ten and the five that one after another would be.
func TestLuckIsNoBetterThanTheLimit(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.Limits.NetworkFailures = authn.Limit{Burst: 1 << 20, Per: time.Minute}
		k.Limits.CallerFailures, k.Limits.PasswordFailures = k.Limits.NetworkFailures, k.Limits.NetworkFailures
		alice := k.alice()
		unlock := func() {
			if err := k.Unlock(t.Context(), alice.ID, directory.Actor{Kind: "operator"}); err != nil {
				t.Fatal(err)
			}
			k.advance(2 * time.Hour) // past the codes of the round before
		}
		luck{rounds: 8, guesses: 200, limit: directory.MaxFailedLogins}.try(t, func(int) func(int, bool) error {
			unlock()
			return func(i int, right bool) error {
				password := fmt.Sprintf("%s %d", wrongPassword, i)
				if right {
					password = rightPassword
				}
				_, err := k.password(authn.Legacy, "alice", password)
				return err
			}
		})
		luck{rounds: 8, guesses: 200, limit: 5}.try(t, func(int) func(int, bool) error {
			unlock()
			o := k.begin("alice")
			sent := k.sent.lastCode(t)
			return func(i int, right bool) error {
				code := sent
				if !right {
					code = fmt.Sprintf("%06d", (i*4999+17)%1_000_000)
				}
				if !right && code == sent {
					code = otherThan(sent)
				}
				_, err := k.code(o, code)
				return err
			}
		})
	})
}
