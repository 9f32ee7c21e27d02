package authn_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// wrongOrigins are all that a browser elsewhere could say it is on.
var wrongOrigins = []string{
	"https://evil.example", "http://id.example.com", "https://id.example.com:8443", "https://id.example.com:443", "https://a.id.example.com",
	"https://example.com", "null", "", "https://id.example.com/", "https://ID.example.com", "HTTPS://id.example.com",
	"android:apk-key-hash:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
}

// TestPasskeyIsEnoughToSignIn shows what a passkey proves, and that a synced one
// claims no hardware.
func TestPasskeyIsEnoughToSignIn(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		bound, synced := k.passkey(alice), newDevice()
		synced.Auth.Options.BackupEligible, synced.Auth.Options.BackupState = true, true
		k.addKey(alice, synced, true)
		for _, c := range []struct {
			device *device
			amr    []string
		}{{bound, []string{"hwk", "user", "mfa"}}, {synced, []string{"swk", "user", "mfa"}}} {
			o, err := k.usePasskey(c.device)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.amr, o.AMR); diff != "" || o.ACR != authn.ACRMulti || o.User.ID != alice.ID || !o.Complete() {
				t.Errorf("%+v %s", o, diff)
			}
			if _, _, err := k.StartSession(t.Context(), o, authn.SessionInfo{}); err != nil {
				t.Error(err)
			}
		}
		if keys := k.keys(alice); keys[0].SignCount != 2 || !keys[0].UsedAt.Equal(k.Clock()) {
			t.Errorf("count %d, used at %s", keys[0].SignCount, keys[0].UsedAt)
		}
		if n := k.sent.count("passkey_added"); n != 2 {
			t.Errorf("the owner was told %d times", n)
		}
	})
}

// TestPasskeyOfAnotherOriginIsRefused is W01, for a sign-in and for a new key.
func TestPasskeyOfAnotherOriginIsRefused(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		d := k.passkey(alice)
		for _, origin := range wrongOrigins {
			elsewhere := d.copied()
			elsewhere.RP.Origin = origin
			_, err := k.usePasskey(elsewhere)
			wantRefused(t, err)
			fresh := newDevice()
			fresh.RP.Origin = origin
			wantRefused(t, k.tryNew(alice, fresh, true))
		}
		if n := len(k.keys(alice)); n != 1 {
			t.Errorf("%d keys", n)
		}
		k.wantFailures(alice, 0) // else a stranger could lock her out
	})
}

// tryNew adds a key and returns how that ends.
func (k *kit) tryNew(u *directory.User, d *device, passwordless bool) error {
	k.t.Helper()
	n := authn.NewPasskey{User: u, Session: uuid.UUID{1}, Passwordless: passwordless}
	options, err := k.BeginNewPasskey(k.t.Context(), n)
	if err != nil {
		return err
	}
	n.Response = d.Made(k.t, options)
	_, err = k.AddPasskey(k.t.Context(), n)
	return err
}

// TestPasskeyOfAnotherRelyingPartyIsRefused is W02.
func TestPasskeyOfAnotherRelyingPartyIsRefused(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		d := k.passkey(alice)
		for _, id := range []string{"example.com", "other.example.com", "evil.example", "a.id.example.com", ""} {
			elsewhere := d.copied()
			elsewhere.RP.ID = id
			_, err := k.usePasskey(elsewhere)
			wantRefused(t, err)
			fresh := newDevice()
			fresh.RP.ID = id
			wantRefused(t, k.tryNew(alice, fresh, true))
		}
	})
}

// TestAssertionIsUsedOnce is W03, one after another and 64 at once; and a copy
// of a key that answers another challenge with the same count at the same time.
func TestAssertionIsUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		d := k.passkey(alice)
		response := d.Signed(t, k.challenge("laptop"))
		if _, err := k.tryPasskey("laptop", response); err != nil {
			t.Fatal(err)
		}
		_, err := k.tryPasskey("laptop", response)
		wantRefused(t, err)

		response = d.Signed(t, k.challenge("laptop"))
		errs := parallel(64, func(int) error {
			_, err := k.tryPasskey("laptop", response)
			return err
		})
		if n := allRefused(t, errs); n != 1 {
			t.Errorf("accepted %d times", n)
		}

		var copies []string
		for range 16 {
			copies = append(copies, d.copied().Signed(t, k.challenge("laptop")))
		}
		errs = parallel(len(copies), func(i int) error {
			_, err := k.tryPasskey("laptop", copies[i])
			return err
		})
		if n := allRefused(t, errs); n != 1 {
			t.Errorf("one count was accepted %d times", n)
		}
		k.wantFailures(alice, 0)
	})
}

// TestChallengeIsBoundToWhoeverAsked is W04: browsers, sign-ins, sessions and
// purposes are not exchanged.
func TestChallengeIsBoundToWhoeverAsked(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice, carol := k.alice(), k.carol()
		d, hers := k.passkey(alice), k.passkey(carol)
		for _, browser := range []string{"phone", "laptop2", ""} {
			_, err := k.tryPasskey(browser, d.Signed(t, k.challenge("laptop")))
			wantRefused(t, err)
		}
		one, two := k.begin("carol@example.com"), k.begin("carol@example.com")
		_, err := k.tryKey(two, hers.Signed(t, k.keyChallenge(one)))
		wantRefused(t, err)
		_, err = k.tryKey(one, hers.Signed(t, k.challenge("laptop")))
		wantRefused(t, err)
		_, err = k.tryPasskey("laptop", hers.Signed(t, k.keyChallenge(one)))
		wantRefused(t, err)
		k.wantFailures(carol, 0)

		n := authn.NewPasskey{User: alice, Session: uuid.UUID{1}, Passwordless: true}
		for _, other := range []authn.NewPasskey{
			{User: alice, Session: uuid.UUID{2}, Passwordless: true}, {User: alice, Session: uuid.UUID{1}},
			{User: carol, Session: uuid.UUID{1}, Passwordless: true},
		} {
			options, err := k.BeginNewPasskey(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			other.Response = newDevice().Made(t, options)
			_, err = k.AddPasskey(t.Context(), other)
			wantRefused(t, err)
		}
	})
}

// TestUserIsVerifiedWhateverTheClientSays is W08: options that the client has
// edited change nothing, since what is asked for is kept here.
func TestUserIsVerifiedWhateverTheClientSays(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		d := k.passkey(alice)
		for _, weaken := range []func(d *device){
			func(d *device) { d.Auth.Options.UserNotVerified = true },
			func(d *device) { d.Auth.Options.UserNotPresent = true },
		} {
			weak := d.copied()
			weaken(weak)
			_, err := k.usePasskey(weak)
			wantRefused(t, err)
			fresh := newDevice()
			weaken(fresh)
			wantRefused(t, k.tryNew(alice, fresh, true))
		}
		// A security key is no passkey, even if it verifies its user this time.
		key := k.securityKey(alice)
		key.Auth.Options.UserNotVerified, key.Auth.Options.UserHandle = false, alice.ID[:]
		_, err := k.usePasskey(key)
		wantRefused(t, err)
	})
}

// TestCopiedPasskeyIsRefused is W11: the count must grow, its owner and the audit
// trail are told, and the stored count stays.
func TestCopiedPasskeyIsRefused(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		d := k.passkey(alice)
		d.Cred.Counter = 1<<32 - 2 // signed adds one
		if _, err := k.usePasskey(d); err != nil {
			t.Fatal(err)
		}
		stored := k.keys(alice)[0].SignCount
		for i, count := range []uint32{1<<32 - 1, 1<<32 - 2, 7, 1, 0} { // equal, lower, wrapped around
			d.Cred.Counter = count - 1
			_, err := k.usePasskey(d)
			wantRefused(t, err)
			if got := k.keys(alice)[0].SignCount; got != stored {
				t.Errorf("%d: the stored count is %d, was %d", count, got, stored)
			}
			if n := k.sent.count("passkey_copied"); n != i+1 {
				t.Errorf("%d: the owner was told %d times", count, n)
			}
			if n := k.events(alice, "passkey_copied"); n != i+1 {
				t.Errorf("%d: %d audit rows", count, n)
			}
		}
	})
}

// events counts the audit rows of a type about a user.
func (k *kit) events(u *directory.User, kind string) int {
	k.t.Helper()
	all, err := k.Directory.Events(k.t.Context(), directory.EventQuery{Type: kind, Subject: u.ID.String()}, 1000)
	if err != nil {
		k.t.Fatal(err)
	}
	return len(all)
}

// TestKeyWithoutACounterSignsInAgainAndAgain: synced passkeys always say 0.
func TestKeyWithoutACounterSignsInAgainAndAgain(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		d := newDevice()
		d.Cred.Counter = 0
		k.addKey(k.alice(), d, true)
		for range 3 {
			d.Cred.Counter = 1<<32 - 1 // signed makes it 0
			if _, err := k.usePasskey(d); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestPasskeyOfAnotherUserIsRefused is W13.
func TestPasskeyOfAnotherUserIsRefused(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice, bob := k.alice(), k.bob()
		hers, his := k.passkey(alice), k.passkey(bob)
		crossed := his.copied()
		crossed.Auth.Options.UserHandle = alice.ID[:]
		missing := hers.copied()
		missing.Auth.Options.UserHandle = nil
		forged := hers.copied() // her id and handle, signed by his key
		forged.Cred.Key = his.Cred.Key
		unknown := newDevice()
		unknown.Auth.Options.UserHandle = alice.ID[:]
		for _, d := range []*device{crossed, missing, forged, unknown} {
			_, err := k.usePasskey(d)
			wantRefused(t, err)
		}
		o := k.carolAfterPassword()
		_, err := k.tryKey(o, his.Signed(t, k.keyChallenge(o)))
		wantRefused(t, err)
	})
}

// carolAfterPassword has a key and gave the right password.
func (k *kit) carolAfterPassword() *authn.Outcome {
	k.t.Helper()
	k.securityKey(k.carol())
	return k.begin("carol@example.com")
}

// TestNonsenseIsNoPasskey sends what no authenticator would.
func TestNonsenseIsNoPasskey(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		d := k.passkey(alice)
		right := d.Signed(t, k.challenge("laptop"))
		for _, response := range []string{
			"", "{}", "null", "[]", `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`, strings.Repeat("a", 40_000), "\x00",
			right[:len(right)-2], edited(t, right, map[string]string{"authenticatorData": "short"}),
			edited(t, right, map[string]string{"signature": "none"}), edited(t, right, map[string]string{"clientDataJSON": "{"}),
			edited(t, right, map[string]string{"signature": ""}),
		} {
			_, err := k.tryPasskey("laptop", response)
			wantRefused(t, err)
			_, err = k.AddPasskey(t.Context(), authn.NewPasskey{User: alice, Session: uuid.UUID{1}, Passwordless: true, Response: response})
			wantRefused(t, err)
		}
	})
}

// TestChallengeExpires after ten minutes.
func TestChallengeExpires(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		d := k.passkey(k.alice())
		response := d.Signed(t, k.challenge("laptop"))
		k.advance(10*time.Minute - time.Second)
		if _, err := k.tryPasskey("laptop", response); err != nil {
			t.Fatal(err)
		}
		response = d.Signed(t, k.challenge("laptop"))
		k.advance(10 * time.Minute)
		_, err := k.tryPasskey("laptop", response)
		wantRefused(t, err)
	})
}

// TestPasskeysNeedAHostName: browsers make none for an address.
func TestPasskeysNeedAHostName(t *testing.T) {
	for origin, want := range map[string]bool{
		"https://id.example.com": true, "http://localhost:8080": true, "http://127.0.0.1:8080": false, "http://[::1]:8080": false, "": false,
	} {
		rp := authn.RelyingParty{Origin: origin, Name: "Gatehouse"}
		if rp.Usable() != want {
			t.Errorf("%q: usable %v", origin, !want)
		}
		if want {
			continue
		}
		_, err := (&authn.Service{RelyingParty: rp}).BeginNewPasskey(t.Context(), authn.NewPasskey{User: &directory.User{ID: uuid.New()}})
		if !errors.Is(err, authn.ErrNoRelyingParty) {
			t.Errorf("%q: %v", origin, err)
		}
		_, err = (&authn.Service{RelyingParty: rp}).BeginPasskey(t.Context(), "laptop", netip.Addr{})
		if !errors.Is(err, authn.ErrNoRelyingParty) {
			t.Errorf("%q: %v", origin, err)
		}
	}
}

// TestOptionsSayNothingOfAnybody: whoever opens the sign-in page learns of no key.
func TestOptionsSayNothingOfAnybody(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.passkey(k.alice())
		options := string(k.challenge("laptop"))
		if strings.Contains(options, "allowCredentials") || !strings.Contains(options, `"userVerification":"required"`) {
			t.Error(options)
		}
		first, second := string(k.challenge("laptop")), string(k.challenge("laptop"))
		if first == second || slices.Contains([]string{first, second}, options) {
			t.Error("one challenge was given twice")
		}
	})
}
