package authn_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// TestEverySpellingOfAnIdentifierIsCountedOnce (L05): whatever a stranger types for
// somebody, ten failures are ten.
func TestEverySpellingOfAnIdentifierIsCountedOnce(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		for i, identifier := range []string{
			"alice", "ALICE", " Alice ", "ａｌｉｃｅ", "alice@example.com", "Alice@Example.COM", "alice＠example.com",
			"07700 900123", "+44 7700 900123", "(0)7700-900-123",
		} {
			_, err := k.password(authn.Browser, identifier, wrongPassword)
			wantRefused(t, err)
			if k.wantFailures(alice, i+1); t.Failed() {
				t.Fatalf("not counted: %q", identifier)
			}
		}
		// These are somebody else, or nobody.
		for _, identifier := range []string{"alice+tag@example.com", "alic", "alice@example.org"} {
			_, err := k.password(authn.Browser, identifier, rightPassword)
			wantRefused(t, err)
		}
		if !k.reload(alice).Locked() {
			t.Error("not locked")
		}
	})
}

// TestLockedAccountTellsNothing (L13): right or wrong, at every door, with no work
// done for either.
func TestLockedAccountTellsNothing(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		known := k.signInFrom("", "alice").Known
		k.lockOut("alice")
		for range directory.MaxFailedLogins {
			_, err := k.passwordFrom(known, "alice", wrongPassword)
			wantRefused(t, err)
		}
		before, mails := k.Hasher.Comparisons(), len(k.sent.messages)
		for _, front := range []authn.Front{authn.Browser, authn.Legacy, authn.Machine} {
			for _, password := range []string{rightPassword, wrongPassword} {
				if _, err := k.password(front, "alice", password); !errors.Is(err, authn.ErrRefused) {
					t.Errorf("%s: %v", front, err)
				}
			}
		}
		for _, password := range []string{rightPassword, wrongPassword} {
			_, err := k.passwordFrom(known, "alice", password)
			wantRefused(t, err)
			wantRefused(t, k.ProvePassword(t.Context(), alice.ID, password, office))
		}
		if n := k.Hasher.Comparisons() - before; n != 0 || len(k.sent.messages) != mails {
			t.Errorf("%d passwords were compared, %d messages sent", n, len(k.sent.messages)-mails)
		}
		k.wantFailures(alice, directory.MaxFailedLogins)
	})
}

// TestSprayingIsStopped (L15): one password, tried on 2,000 users from one address and
// then from two hundred. No victim is locked, the owners of nothing are kept out, and
// it is in the audit trail.
func TestSprayingIsStopped(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		const victims = 2000
		k.victims(victims)
		spray := func(from func(i int) netip.Addr) (tried, stopped int) {
			for i := range victims {
				_, err := k.Authenticate(t.Context(), authn.Attempt{
					Front: authn.Browser, Factor: authn.Password, Identifier: fmt.Sprintf("victim%d", i), Secret: "Password123456!", Network: from(i),
				})
				switch limit := (*authn.ThrottledError)(nil); {
				case errors.Is(err, authn.ErrRefused):
					tried++
				case errors.As(err, &limit) && limit.RetryAfter > 0:
					stopped++
				default:
					t.Fatalf("victim %d: %v", i, err)
				}
			}
			return tried, stopped
		}
		if tried, stopped := spray(func(int) netip.Addr { return office }); tried != 200 || stopped != 1800 {
			t.Errorf("from one address: %d tried, %d stopped", tried, stopped)
		}
		from200 := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(i % 200)}) }
		if tried, stopped := spray(from200); tried != 300 || stopped != 1700 {
			t.Errorf("from 200 addresses: %d tried, %d stopped", tried, stopped)
		}
		if n := k.most(); n > 2 {
			t.Errorf("a victim has %d failures", n)
		}
		for _, limit := range []string{"network", "password"} {
			events, err := k.Directory.Events(t.Context(), directory.EventQuery{Type: "limit_reached", Subject: limit}, 100)
			if err != nil || len(events) != 1 {
				t.Errorf("%s: %d times in the audit trail, %v; want once an hour", limit, len(events), err)
			}
		}
		alice := k.alice() // from the attacker's network, and yet she is somebody else
		if _, err := k.from("", authn.Attempt{Factor: authn.Password, UserID: alice.ID, Secret: rightPassword}); err == nil {
			t.Error("the network of the attack is let in")
		}
		k.advance(10 * time.Minute)
		k.signIn("alice")
	})
}

// victims are users without a password, which makes no difference to who guesses.
func (k *kit) victims(n int) {
	k.t.Helper()
	err := k.Directory.InTx(k.t.Context(), func(ctx context.Context) error {
		for i := range n {
			u := &directory.User{
				ID: uuid.New(), Username: fmt.Sprintf("victim%d", i), Name: "Victim", MobileNumber: "07700900123",
				AuthType: directory.SMSAuth, State: directory.Active, CreatedAt: k.clock.Now(),
			}
			if err := k.Directory.CreateUser(ctx, u); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

// most returns how many failures the user with the most has.
func (k *kit) most() int {
	k.t.Helper()
	most := 0
	for i := range 600 { // who was tried is among the first
		u, err := k.Directory.UserByUsername(k.t.Context(), fmt.Sprintf("victim%d", i))
		if err != nil {
			k.t.Fatal(err)
		}
		most = max(most, u.FailedLoginCount)
	}
	return most
}
