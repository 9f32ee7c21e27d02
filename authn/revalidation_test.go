package authn_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
)

const ninetyDays = 90 * 24 * time.Hour

func TestAddressProvedLongAgoIsProvedAgain(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.EmailRevalidation = ninetyDays
		alice := k.alice()
		k.advance(ninetyDays - time.Second)
		if o := k.signIn("alice"); !o.Complete() {
			t.Fatalf("within 90 days: %s is needed", o.Next)
		}
		k.advance(time.Second)
		first := k.begin("alice")
		o := mustCode(t, k, first, k.sent.lastCode(t))
		if o.Complete() || o.Next != authn.EmailCode || !o.Revalidation || o.Hint != "a•••••••@example.com" || o.SignIn == first.SignIn {
			t.Fatalf("after the text message: %+v", o)
		}
		if _, _, err := k.StartSession(t.Context(), o, authn.SessionInfo{}); err == nil {
			t.Error("a session before the address was proved")
		}
		if _, err := k.SignInUnderWay(t.Context(), first.SignIn); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("the sign-in before: %v", err)
		}
		if got := k.reload(alice).EmailAccessValidatedAt; !got.Equal(alice.EmailAccessValidatedAt) {
			t.Errorf("proved already at %s", got)
		}
		code := k.sent.lastCode(t)
		_, err := k.code(o, otherThan(code))
		wantRefused(t, err)
		k.wantFailures(alice, 1)
		done := mustCode(t, k, o, code)
		if !done.Complete() || done.ACR != authn.ACRMulti || !slices.Equal(done.AMR, authn.SMSCode.AMR()) {
			t.Errorf("after both codes: %+v", done)
		}
		k.wantFailures(alice, 0)
		if got := k.reload(alice).EmailAccessValidatedAt; !got.Equal(k.clock.Now()) {
			t.Errorf("proved at %s", got)
		}
		if o := k.signIn("alice"); !o.Complete() {
			t.Errorf("the next time: %s is needed", o.Next)
		}
	})
}

func TestSignInByEmailProvesTheAddress(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.EmailRevalidation = ninetyDays
		bob := k.bob()
		k.advance(2 * ninetyDays)
		if o := k.signIn("bob@example.com"); !o.Complete() || o.ACR != authn.ACRSingle {
			t.Errorf("after one code: %+v", o)
		}
		if got := k.reload(bob).EmailAccessValidatedAt; !got.Equal(k.clock.Now()) {
			t.Errorf("proved at %s", got)
		}
	})
}

func TestWhoHasNoAddressIsNotAskedForIt(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.EmailRevalidation = ninetyDays
		k.user(directory.NewUser{Username: "carol", MobileNumber: "07700 900124", AuthType: directory.SMSAuth})
		k.advance(2 * ninetyDays)
		if o := k.signIn("carol"); !o.Complete() {
			t.Errorf("%s is needed", o.Next)
		}
	})
}

// TestRevalidationFollowsTheSameRules: it is no way round a lock, an archive or
// a new password, and the second code is used once.
func TestRevalidationFollowsTheSameRules(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.EmailRevalidation = ninetyDays
		alice := k.alice()
		k.advance(2 * ninetyDays)
		o := mustCode(t, k, k.begin("alice"), k.sent.lastCode(t))
		code := k.sent.lastCode(t)
		errs := parallel(20, func(int) error {
			_, err := k.code(o, code)
			return err
		})
		if n := countNil(t, errs); n != 1 {
			t.Errorf("%d sign-ins with one code", n)
		}
		k.advance(2 * ninetyDays)
		o = mustCode(t, k, k.begin("alice"), k.sent.lastCode(t))
		k.advance(time.Second)
		if err := k.SetPassword(t.Context(), alice.ID, rightPassword+"!", directory.Actor{Kind: "operator"}); err != nil {
			t.Fatal(err)
		}
		if _, err := k.code(o, k.sent.lastCode(t)); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("after a new password: %v", err)
		}
	})
}

func mustCode(t *testing.T, k *kit, o *authn.Outcome, code string) *authn.Outcome {
	t.Helper()
	next, err := k.code(o, code)
	if err != nil {
		t.Fatalf("code: %v", err)
	}
	return next
}
