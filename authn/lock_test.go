package authn_test

import (
	"fmt"
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

// TestFailuresAtEveryDoorLockTogether (L04): four at the pages and with a code, three at
// /authenticate, three with the old password in the account.
func TestFailuresAtEveryDoorLockTogether(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		o := k.begin("alice")
		for range 2 {
			_, err := k.code(o, otherThan(k.sent.lastCode(t)))
			wantRefused(t, err)
		}
		for range 3 {
			wantRefused(t, k.ProvePassword(t.Context(), alice.ID, wrongPassword, office))
		}
		for _, front := range []authn.Front{authn.Browser, authn.Legacy, authn.Machine, authn.Browser, authn.Legacy} {
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

// TestParallelWrongPasswordsAreComparedTenTimesAtMost (L02).
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
