package authn_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// TestSecurityKeyFollowsThePassword: it need not verify its user, and claims two
// factors together with the password only.
func TestSecurityKeyFollowsThePassword(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		d := k.securityKey(k.carol())
		o := k.begin("carol@example.com")
		if o.Next != authn.SecurityKey {
			t.Fatalf("next is %q", o.Next)
		}
		done, err := k.tryKey(o, d.Signed(t, k.keyChallenge(o)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"pwd", "hwk", "user", "mfa"}, done.AMR); diff != "" || done.ACR != authn.ACRMulti || !done.Complete() {
			t.Errorf("%+v %s", done, diff)
		}
		if _, err := k.BeginSecurityKey(t.Context(), o.SignIn, office); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("the sign-in goes on: %v", err)
		}
	})
}

// TestSecurityKeyAnswersOnce is W03 for a second factor: 64 at once, of which
// nobody is locked out.
func TestSecurityKeyAnswersOnce(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		carol := k.carol()
		d := k.securityKey(carol)
		o := k.begin("carol@example.com")
		response := d.Signed(t, k.keyChallenge(o))
		errs := parallel(64, func(int) error {
			_, err := k.tryKey(o, response)
			return err
		})
		if n := countNil(t, errs); n != 1 {
			t.Errorf("accepted %d times", n)
		}
		k.wantFailures(carol, 0)
	})
}

// TestWrongKeysLockTheAccount: after a right password they count like codes do.
func TestWrongKeysLockTheAccount(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		carol := k.carol()
		d := k.securityKey(carol)
		o := k.begin("carol@example.com")
		forged := d.copied()
		forged.Cred.Key = newDevice().Cred.Key
		for range directory.MaxFailedLogins {
			_, err := k.tryKey(o, forged.Signed(t, k.keyChallenge(o)))
			wantRefused(t, err)
		}
		if !k.reload(carol).Locked() || k.sent.count("account_locked") != 1 {
			t.Error("the account is open")
		}
		_, err := k.tryKey(o, d.Signed(t, k.keyChallenge(o)))
		wantRefused(t, err)
	})
}

// TestStrangerCannotLockSomebodyOutOfAPasskey: wrong passwords lock the password
// and what follows it, and a passkey still opens the account.
func TestStrangerCannotLockSomebodyOutOfAPasskey(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		d := k.passkey(alice)
		for range directory.MaxFailedLogins {
			_, err := k.password(authn.Browser, "alice", wrongPassword)
			wantRefused(t, err)
		}
		_, err := k.password(authn.Browser, "alice", rightPassword)
		wantRefused(t, err)
		o, err := k.usePasskey(d)
		if err != nil {
			t.Fatal(err)
		}
		token, _, err := k.StartSession(t.Context(), o, authn.SessionInfo{})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := k.Session(t.Context(), token); err != nil {
			t.Errorf("the session is dead: %v", err)
		}
		k.wantFailures(alice, 0)
	})
}

// TestPasskeyOfNobodyActiveIsRefused: archived, pending, and of a key removed.
func TestPasskeyOfNobodyActiveIsRefused(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice, bob := k.alice(), k.bob()
		gone, kept := k.passkey(alice), k.passkey(bob)
		response := gone.Signed(t, k.challenge("laptop"))
		if err := k.RemovePasskey(t.Context(), alice.ID, uuid.Nil, gone.key.ID); err != nil {
			t.Fatal(err)
		}
		_, err := k.tryPasskey("laptop", response)
		wantRefused(t, err)
		for _, state := range []directory.State{directory.Inactive, directory.Pending} {
			bob.State = state
			if err := k.Directory.UpdateUser(t.Context(), bob); err != nil {
				t.Fatal(err)
			}
			_, err = k.usePasskey(kept)
			wantRefused(t, err)
		}
		if err := k.Disable(t.Context(), bob.ID); err != nil || len(k.keys(bob)) != 0 {
			t.Errorf("%v; %d keys are left", err, len(k.keys(bob)))
		}
	})
}

// TestPasskeyStillHasTheAddressProvedAnew after ninety days; what the passkey
// proved is not forgotten over it.
func TestPasskeyStillHasTheAddressProvedAnew(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		d := k.passkey(k.alice())
		k.EmailRevalidation = 90 * 24 * time.Hour
		k.advance(91 * 24 * time.Hour)
		o, err := k.usePasskey(d)
		if err != nil {
			t.Fatal(err)
		}
		if o.Next != authn.EmailCode || !o.Revalidation {
			t.Fatalf("%+v", o)
		}
		done, err := k.code(o, k.sent.lastCode(t))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"hwk", "user", "mfa"}, done.AMR); diff != "" || done.ACR != authn.ACRMulti {
			t.Errorf("%+v %s", done, diff)
		}
	})
}

// TestKeyIsOneUsers: an id that anybody has is refused, also 16 times at once.
func TestKeyIsOneUsers(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice, bob := k.alice(), k.bob()
		d := k.passkey(alice)
		for _, u := range []*directory.User{alice, bob} {
			if err := k.tryNew(u, d.copied(), true); !errors.Is(err, authn.ErrPasskeyTaken) {
				t.Errorf("%s: %v", u.Name, err)
			}
		}
		fresh := newDevice()
		errs := parallel(16, func(i int) error { return k.tryNew([]*directory.User{alice, bob}[i%2], fresh.copied(), true) })
		if n := allRefused(t, errs); n != 1 {
			t.Errorf("added %d times", n)
		}
	})
}

// TestCredentialIDHasALength (W9 of section 2.6): 1 to 1023 bytes.
func TestCredentialIDHasALength(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		for length, want := range map[int]bool{0: false, 1: true, 1023: true, 1024: false, 65535: false} {
			d := newDevice()
			d.Cred.ID = []byte(strings.Repeat("i", length))
			if err := k.tryNew(alice, d, true); (err == nil) != want {
				t.Errorf("%d bytes: %v", length, err)
			}
		}
	})
}

// TestUserHasAtMostTwentyKeys, however many are added at once.
func TestUserHasAtMostTwentyKeys(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		for range 18 {
			k.passkey(alice)
		}
		n := 0
		for _, err := range parallel(8, func(int) error { return k.tryNew(alice, newDevice(), true) }) {
			switch {
			case err == nil:
				n++
			case !errors.Is(err, authn.ErrTooManyPasskeys):
				t.Error(err)
			}
		}
		if n != 2 || len(k.keys(alice)) != 20 {
			t.Errorf("%d were added, there are %d", n, len(k.keys(alice)))
		}
	})
}

// TestWebAuthnAccountKeepsItsLastKey, whichever of two goes first, and however
// many are removed at once; other accounts may lose their last.
func TestWebAuthnAccountKeepsItsLastKey(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		carol, alice := k.carol(), k.alice()
		keys := []*device{k.securityKey(carol), k.passkey(carol)}
		errs := parallel(16, func(i int) error {
			return ignoreMissing(k.RemovePasskey(t.Context(), carol.ID, uuid.Nil, keys[i%2].key.ID))
		})
		if left := k.keys(carol); len(left) != 1 {
			t.Errorf("%d keys are left", len(left))
		}
		allRefused(t, errs)
		if n := k.sent.count("passkey_removed"); n != 1 {
			t.Errorf("she was told %d times", n)
		}
		if err := k.RemovePasskey(t.Context(), carol.ID, uuid.Nil, k.keys(carol)[0].ID); !errors.Is(err, directory.ErrLastCredential) {
			t.Errorf("the last: %v", err)
		}
		if err := k.RemovePasskey(t.Context(), alice.ID, uuid.Nil, k.passkey(alice).key.ID); err != nil {
			t.Error(err)
		}
	})
}

// TestKeysChangeForEverybodyElse (S11): whoever is signed in elsewhere, perhaps not
// the owner, is not any more once a key was added or removed.
func TestKeysChangeForEverybodyElse(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		elsewhere, _ := k.session("alice", authn.SessionInfo{})
		here, session := k.session("alice", authn.SessionInfo{})
		n := authn.NewPasskey{User: alice, Session: session.ID, Passwordless: true}
		options, err := k.BeginNewPasskey(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		d := newDevice()
		n.Response = d.Made(t, options)
		if d.key, err = k.AddPasskey(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		k.wantSession(elsewhere, false)
		k.wantSession(here, true)
		d.Auth.Options.UserHandle = alice.ID[:]
		o, err := k.usePasskey(d)
		if err != nil {
			t.Fatal(err)
		}
		if elsewhere, _, err = k.StartSession(t.Context(), o, authn.SessionInfo{}); err != nil {
			t.Fatal(err)
		}
		if err := k.RemovePasskey(t.Context(), alice.ID, session.ID, d.key.ID); err != nil {
			t.Fatal(err)
		}
		k.wantSession(elsewhere, false)
		k.wantSession(here, true)
	})
}

// ignoreMissing lets a key be removed that somebody has removed meanwhile.
func ignoreMissing(err error) error {
	if errors.Is(err, directory.ErrNotFound) {
		return nil
	}
	return err
}

// TestKeysOfOthersCannotBeTouched by whoever knows their ids.
func TestKeysOfOthersCannotBeTouched(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice, bob := k.alice(), k.bob()
		d := k.passkey(alice)
		for _, id := range []uuid.UUID{d.key.ID, uuid.New()} {
			if err := k.RenamePasskey(t.Context(), bob.ID, id, "Mine"); !errors.Is(err, directory.ErrNotFound) {
				t.Errorf("rename: %v", err)
			}
			if err := k.RemovePasskey(t.Context(), bob.ID, uuid.Nil, id); !errors.Is(err, directory.ErrNotFound) {
				t.Errorf("remove: %v", err)
			}
		}
		if err := k.RenamePasskey(t.Context(), alice.ID, d.key.ID, "  Blue key "); err != nil || k.keys(alice)[0].Name != "Blue key" {
			t.Errorf("%v, %q", err, k.keys(alice)[0].Name)
		}
		for _, name := range []string{strings.Repeat("é", 101), "two\nlines", "\xff", "a\x00b"} {
			if err := k.RenamePasskey(t.Context(), alice.ID, d.key.ID, name); !errors.Is(err, directory.ErrInvalid) {
				t.Errorf("%q: %v", name, err)
			}
		}
		for kind, want := range map[string]int{"add_passkey": 1, "rename_passkey": 1, "remove_passkey": 0} {
			if n := k.events(alice, kind); n != want {
				t.Errorf("%d audit rows of %s, want %d", n, kind, want)
			}
		}
	})
}

// TestSyncedKeyStaysSynced (W16 of section 2.6): whether a key can be copied
// between devices never changes.
func TestSyncedKeyStaysSynced(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		d := k.passkey(k.alice())
		for _, options := range [][2]bool{{true, false}, {true, true}, {false, true}} {
			other := d.copied()
			other.Auth.Options.BackupEligible, other.Auth.Options.BackupState = options[0], options[1]
			_, err := k.usePasskey(other)
			wantRefused(t, err)
		}
	})
}
