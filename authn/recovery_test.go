package authn_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// recoveryCodes are new ones of a user.
func (k *kit) recoveryCodes(u *directory.User) []string {
	k.t.Helper()
	codes, err := k.NewRecoveryCodes(k.t.Context(), u, uuid.Nil)
	if err != nil {
		k.t.Fatal(err)
	}
	return codes
}

// recover begins a sign-in that waits for a recovery code.
func (k *kit) recover(identifier string) *authn.Outcome {
	k.t.Helper()
	o, err := k.ChooseFactor(k.t.Context(), k.begin(identifier).SignIn, authn.RecoveryCode, office)
	if err != nil {
		k.t.Fatal(err)
	}
	return o
}

func TestRecoveryCodeStandsInForTheSecondFactor(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		codes := k.recoveryCodes(alice)
		if len(codes) != 10 || len(slices.Compact(slices.Sorted(slices.Values(codes)))) != 10 || len(codes[0]) != 19 {
			t.Fatalf("codes %q", codes)
		}
		o := mustCode(t, k, k.recover("alice"), codes[0])
		if !o.Complete() || o.ACR != authn.ACRMulti || !slices.Equal(o.AMR, []string{"pwd", "otp", "mfa"}) {
			t.Errorf("%+v", o)
		}
		mustCode(t, k, k.recover("alice"), strings.ToUpper(strings.ReplaceAll(codes[1], "-", " ")))
		if k.sent.count("recovery_codes_made") != 1 || k.sent.count("recovery_code_used") != 2 || k.sent.count("recovery_codes_few") != 0 {
			t.Error("the owner was not told")
		}
		for _, code := range codes[2:] {
			mustCode(t, k, k.recover("alice"), code)
		}
		if k.sent.count("recovery_codes_few") != 4 {
			t.Errorf("told %d times that few are left", k.sent.count("recovery_codes_few"))
		}
		if o := k.begin("alice"); !slices.Equal(o.Choices, []authn.Factor{authn.SMSCode}) {
			t.Errorf("when none is left: %v", o.Choices)
		}
	})
}

// TestRecoveryCodeIsGoodOnce (O04): of 64 that use it at once, one gets in.
func TestRecoveryCodeIsGoodOnce(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		codes := k.recoveryCodes(alice)
		var underWay [20]*authn.Outcome
		for i := range underWay {
			underWay[i] = k.recover("alice")
			k.advance(5 * time.Minute) // messages are limited
		}
		errs := parallel(64, func(i int) error {
			_, err := k.code(underWay[i%len(underWay)], codes[0])
			return err
		})
		if n := countNil(t, errs); n != 1 {
			t.Errorf("%d sign-ins with one code", n)
		}
		if err := k.Unlock(t.Context(), alice.ID, directory.Actor{Kind: "operator"}); err != nil {
			t.Fatal(err)
		}
		_, err := k.code(k.recover("alice"), codes[0])
		wantRefused(t, err)
	})
}

// TestRecoveryCodesAreOnePersonsAndOneSet (O05): those of another and those of
// before open nothing, however many sets are made at once.
func TestRecoveryCodesAreOnePersonsAndOneSet(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		carol := k.user(directory.NewUser{Username: "carol", EmailAddress: "carol@example.com", MobileNumber: "07700 900124", AuthType: directory.SMSAuth})
		before, others := k.recoveryCodes(alice), k.recoveryCodes(carol)
		made := make([][]string, 16)
		errs := parallel(len(made), func(i int) error {
			var err error
			made[i], err = k.NewRecoveryCodes(t.Context(), alice, uuid.Nil)
			return err
		})
		if n := countNil(t, errs); n != len(made) {
			t.Errorf("made %d times", n)
		}
		if has, err := k.Enrolled(t.Context(), alice.ID); err != nil || has.RecoveryCodes != 10 {
			t.Errorf("%d codes are good, %v", has.RecoveryCodes, err)
		}
		o := k.recover("alice")
		for _, code := range []string{before[0], others[0], k.sent.lastCode(t), ""} {
			_, err := k.code(o, code)
			wantRefused(t, err)
		}
		k.wantFailures(alice, 4)
		mustCode(t, k, k.recover("carol"), others[0])
	})
}

// TestRecoveryCodesAreCountedWithTheRest (O01, L04): four tries of a password,
// three of an app and three of recovery codes are ten.
func TestRecoveryCodesAreCountedWithTheRest(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		a := k.addApp(alice)
		codes := k.recoveryCodes(alice)
		o := k.begin("alice")
		for range 4 {
			_, err := k.password(authn.Legacy, "alice", wrongPassword)
			wantRefused(t, err)
		}
		for range 3 {
			_, err := k.code(o, otherThan(a.code()))
			wantRefused(t, err)
		}
		other := k.insteadOf(o)
		for range 2 {
			_, err := k.code(other, "aaaa-aaaa-aaaa-aaaa")
			wantRefused(t, err)
		}
		// Five tries of either kind are all that one sign-in has.
		_, err := k.code(other, codes[0])
		wantRefused(t, err)
		k.wantFailures(alice, 9)
	})
}

// insteadOf lets a sign-in under way wait for a recovery code.
func (k *kit) insteadOf(o *authn.Outcome) *authn.Outcome {
	k.t.Helper()
	other, err := k.ChooseFactor(k.t.Context(), o.SignIn, authn.RecoveryCode, office)
	if err != nil {
		k.t.Fatal(err)
	}
	return other
}

// TestRecoveryCodesNeverWeakenAnAccount: where they would be the only second
// factor, or stand in for a security key that the account demands, there are none.
func TestRecoveryCodesNeverWeakenAnAccount(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		bob := k.bob()
		keys := k.user(directory.NewUser{Username: "keys", EmailAddress: "keys@example.com", MobileNumber: "07700 900125", AuthType: directory.WebAuthnAuth})
		for _, u := range []*directory.User{bob, keys} {
			if _, err := k.NewRecoveryCodes(t.Context(), u, uuid.Nil); !errors.Is(err, authn.ErrNoUse) {
				t.Errorf("%s: %v", u.AuthType, err)
			}
			if has, err := k.Enrolled(t.Context(), u.ID); err != nil || has.RecoveryCodes != 0 {
				t.Errorf("%s has %d codes, %v", u.AuthType, has.RecoveryCodes, err)
			}
		}
		k.addApp(bob)
		k.recoveryCodes(bob)
		if o := k.begin("bob@example.com"); !slices.Equal(o.Choices, []authn.Factor{authn.TOTP, authn.RecoveryCode}) {
			t.Errorf("choices %v", o.Choices)
		}
	})
}

// TestFactorsChangeForEverybodyElse (S11): other sessions end with a change, the
// last factor stays, and an operator can begin anew.
func TestFactorsChangeForEverybodyElse(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		other, _ := k.session("alice", authn.SessionInfo{})
		here, session := k.session("alice", authn.SessionInfo{})
		setup, err := k.SetUpTOTP(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.ConfirmTOTP(t.Context(), alice, (&app{k, setup.Secret}).code(), session.ID); err != nil {
			t.Fatal(err)
		}
		k.wantSession(other, false)
		k.wantSession(here, true)
		k.recoveryCodes(alice)
		k.wantSession(here, false)
		if err := k.ResetFactors(t.Context(), alice.ID, directory.Actor{Kind: "operator"}); err != nil {
			t.Fatal(err)
		}
		if o := k.begin("alice"); !slices.Equal(o.Choices, []authn.Factor{authn.SMSCode}) || k.sent.count("factors_reset") != 1 {
			t.Errorf("after the reset: %v", o.Choices)
		}
		dave := k.user(directory.NewUser{Username: "dave", AuthType: directory.EmailAuth})
		k.addApp(dave)
		if err := k.RemoveTOTP(t.Context(), dave, uuid.Nil); !errors.Is(err, authn.ErrLastFactor) {
			t.Errorf("the last factor: %v", err)
		}
		if o := k.begin("dave"); o.Next != authn.TOTP {
			t.Errorf("then: %s", o.Next)
		}
	})
}
