package authn_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gatehouse/authn"
	"gatehouse/directory"
)

func TestRightPasswordTakesBackOnlyItsOwnReservation(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		for range 4 {
			_, err := k.password(authn.Browser, "alice", wrongPassword)
			wantRefused(t, err)
		}
		o := k.begin("alice")
		k.wantFailures(alice, 4)
		if _, err := k.code(o, k.sent.lastCode(t)); err != nil {
			t.Fatal(err)
		}
		k.wantFailures(alice, 0)
	})
}

// Otherwise whoever has the password could guess codes for ever, a few at a
// time, with a success at a door that asks for no code in between.
func TestPasswordAloneDoesNotForgiveWrongCodes(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		for range 3 {
			_, err := k.password(authn.Legacy, "alice", wrongPassword)
			wantRefused(t, err)
		}
		o := k.begin("alice")
		for range 2 {
			_, err := k.code(o, otherThan(k.sent.lastCode(t)))
			wantRefused(t, err)
		}
		k.wantFailures(alice, 5)
		for range 2 {
			if _, err := k.password(authn.Legacy, "alice", rightPassword); err != nil {
				t.Fatal(err)
			}
			k.wantFailures(alice, 2)
		}
		if _, err := k.code(o, k.sent.lastCode(t)); err != nil {
			t.Fatal(err)
		}
		k.wantFailures(alice, 0)
	})
}

func TestFailuresAtEveryDoorLockTogether(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		o := k.begin("alice")
		for range 3 {
			_, err := k.code(o, otherThan(k.sent.lastCode(t)))
			wantRefused(t, err)
		}
		for _, front := range []authn.Front{authn.Browser, authn.Legacy, authn.Machine, authn.Browser, authn.Legacy, authn.Machine, authn.Machine} {
			_, err := k.password(front, "alice", wrongPassword)
			wantRefused(t, err)
		}
		if !k.reload(alice).Locked() || k.sent.count("account_locked") != 1 {
			t.Errorf("locked %v, owner told %d times", k.reload(alice).Locked(), k.sent.count("account_locked"))
		}
		_, err := k.code(o, k.sent.lastCode(t))
		wantRefused(t, err)
		if err := k.SetPassword(t.Context(), alice.ID, "another long password", directory.Actor{Kind: "operator"}); err != nil {
			t.Fatal(err)
		}
		if !k.reload(alice).Locked() {
			t.Error("a new password unlocked the account")
		}
		if err := k.Unlock(t.Context(), alice.ID, directory.Actor{Kind: "operator"}); err != nil {
			t.Fatal(err)
		}
		if _, err := k.password(authn.Legacy, "alice", "another long password"); err != nil {
			t.Errorf("after unlocking: %v", err)
		}
	})
}

func TestParallelWrongPasswordsAreComparedTenTimesAtMost(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		before := k.Hasher.Comparisons()
		errs := parallel(200, func(i int) error {
			_, err := k.password(authn.Legacy, "alice", fmt.Sprintf("%s %d", wrongPassword, i))
			return err
		})
		if n := countNil(t, errs); n != 0 {
			t.Errorf("%d wrong passwords were accepted", n)
		}
		k.wantFailures(alice, directory.MaxFailedLogins)
		if n := k.Hasher.Comparisons() - before; n > directory.MaxFailedLogins {
			t.Errorf("%d passwords were compared", n)
		}
		if n := k.sent.count("account_locked"); n != 1 {
			t.Errorf("the owner was told %d times", n)
		}
		_, err := k.password(authn.Legacy, "alice", rightPassword)
		wantRefused(t, err)
	})
}

func TestLuckyGuessAmongParallelOnesIsComparedWithinTheLimit(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		before := k.Hasher.Comparisons()
		lucky := rand.IntN(100)
		errs := parallel(100, func(i int) error {
			password := wrongPassword
			if i == lucky {
				password = rightPassword
			}
			_, err := k.password(authn.Browser, "alice", password)
			return err
		})
		if n := countNil(t, errs); n > 1 {
			t.Errorf("%d attempts were accepted", n)
		}
		// A right password gives its own reservation back, for one more.
		if n := k.Hasher.Comparisons() - before; n > directory.MaxFailedLogins+1 {
			t.Errorf("%d passwords were compared", n)
		}
	})
}

// TestFullQueueTellsNobodyApart (E02, L13): a locked account, whose password is not
// compared, has no way past the queue, nor has nobody.
func TestFullQueueTellsNobodyApart(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		k.userWithoutPassword(directory.NewUser{Username: "nopw"})
		k.user(directory.NewUser{Username: "archived", State: directory.Inactive})
		k.user(directory.NewUser{Username: "locked"})
		for range directory.MaxFailedLogins {
			_, err := k.password(authn.Legacy, "locked", wrongPassword)
			wantRefused(t, err)
		}
		k.Hasher.Fill()
		for _, identifier := range []string{"alice", "nopw", "archived", "locked", "ghost"} {
			for _, front := range []authn.Front{authn.Browser, authn.Legacy, authn.Machine} {
				_, err := k.password(front, identifier, wrongPassword)
				wantThrottled(t, err)
			}
		}
	})
}
