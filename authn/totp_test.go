package authn_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/storage"
)

// app is somebody's authenticator app.
type app struct {
	k      *kit
	secret string
}

// addApp sets up an app for a user, half a minute before now.
func (k *kit) addApp(u *directory.User) *app {
	k.t.Helper()
	setup, err := k.SetUpTOTP(k.t.Context(), u)
	if err != nil {
		k.t.Fatal(err)
	}
	a := &app{k, setup.Secret}
	if err := k.ConfirmTOTP(k.t.Context(), u, a.code(), uuid.Nil); err != nil {
		k.t.Fatal(err)
	}
	k.advance(30 * time.Second)
	return a
}

// code is what the app shows.
func (a *app) code() string {
	a.k.t.Helper()
	code, err := totp.GenerateCode(a.secret, a.k.clock.Now())
	if err != nil {
		a.k.t.Fatal(err)
	}
	return code
}

func TestAppFollowsThePassword(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		bob := k.bob()
		a := k.addApp(bob)
		sent := len(k.sent.codes())
		o := k.begin("bob@example.com")
		if o.Next != authn.TOTP || !slices.Equal(o.Choices, []authn.Factor{authn.TOTP}) || o.Hint != "" || len(k.sent.codes()) != sent {
			t.Errorf("after the password: %+v, %d codes sent", o, len(k.sent.codes())-sent)
		}
		done := mustCode(t, k, o, a.code())
		if !done.Complete() || done.ACR != authn.ACRMulti || !slices.Equal(done.AMR, []string{"pwd", "otp", "mfa"}) {
			t.Errorf("after the code: %+v", done)
		}
		if k.sent.count("totp_added") != 1 {
			t.Error("the owner was not told")
		}
	})
}

// TestCodeOfAnAppIsGoodOnce (O04): by one sign-in or by many, at once or one
// after the other, and the code that confirmed the app is one of them.
func TestCodeOfAnAppIsGoodOnce(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		bob := k.bob()
		setup, err := k.SetUpTOTP(t.Context(), bob)
		if err != nil {
			t.Fatal(err)
		}
		a := &app{k, setup.Secret}
		if err := k.ConfirmTOTP(t.Context(), bob, a.code(), uuid.Nil); err != nil {
			t.Fatal(err)
		}
		_, err = k.code(k.begin("bob@example.com"), a.code())
		wantRefused(t, err)
		for name, begin := range map[string]func() func(int) *authn.Outcome{
			"one sign-in": func() func(int) *authn.Outcome {
				o := k.begin("bob@example.com")
				return func(int) *authn.Outcome { return o }
			},
			"many sign-ins": func() func(int) *authn.Outcome {
				var all [64]*authn.Outcome
				for i := range all {
					all[i] = k.begin("bob@example.com")
				}
				return func(i int) *authn.Outcome { return all[i] }
			},
		} {
			k.advance(time.Minute)
			of, code := begin(), a.code()
			errs := parallel(64, func(i int) error {
				_, err := k.code(of(i), code)
				return err
			})
			if n := countNil(t, errs); n != 1 {
				t.Errorf("%s: %d sign-ins with one code", name, n)
			}
			if err := k.Unlock(t.Context(), bob.ID, directory.Actor{Kind: "operator"}); err != nil {
				t.Fatal(err)
			}
			_, err := k.code(k.begin("bob@example.com"), code)
			wantRefused(t, err)
		}
	})
}

// TestFiveGuessesAtAnAppEndTheSignIn (O01, O02): and the count of the account is
// the same for every factor and every sign-in (L04).
func TestFiveGuessesAtAnAppEndTheSignIn(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		a := k.addApp(alice)
		o := k.begin("alice")
		for range 5 {
			_, err := k.code(o, otherThan(a.code()))
			wantRefused(t, err)
		}
		k.wantFailures(alice, 5)
		_, err := k.code(o, a.code())
		wantRefused(t, err)
		if _, err := k.SignInUnderWay(t.Context(), o.SignIn); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("the sign-in goes on: %v", err)
		}
		k.wantFailures(alice, 5)
		o = k.begin("alice")
		k.wantFailures(alice, 5) // a right password forgives no code
		again, err := k.ChooseFactor(t.Context(), o.SignIn, authn.SMSCode, office)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			_, err := k.code(again, otherThan(k.sent.lastCode(t)))
			wantRefused(t, err)
		}
		for range 2 {
			_, err := k.password(authn.Legacy, "alice", wrongPassword)
			wantRefused(t, err)
		}
		back, err := k.ChooseFactor(t.Context(), o.SignIn, authn.TOTP, office)
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.code(back, otherThan(a.code()))
		wantRefused(t, err)
		k.wantFailures(alice, directory.MaxFailedLogins)
		_, err = k.code(back, a.code())
		wantRefused(t, err)
		if k.sent.count("account_locked") != 1 {
			t.Errorf("told %d times of the lock", k.sent.count("account_locked"))
		}
	})
}

// counted counts how often a secret is opened, which is once for each comparison.
type counted struct {
	authn.Sealer
	opened atomic.Int64
}

func (c *counted) Open(sealed []byte, place string) ([]byte, error) {
	c.opened.Add(1)
	return c.Sealer.Open(sealed, place)
}

// TestParallelGuessesAtAnAppAreNoMore (O03): of 200 at once, the right one at a
// random place among them, five are looked at.
func TestParallelGuessesAtAnAppAreNoMore(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		a := k.addApp(alice)
		k.Limits.NetworkFailures = authn.Limit{Burst: 1000, Per: time.Minute}
		for range 3 {
			if err := k.Unlock(t.Context(), alice.ID, directory.Actor{Kind: "operator"}); err != nil {
				t.Fatal(err)
			}
			k.advance(time.Minute)
			o, right := k.begin("alice"), rand.IntN(200)
			counting := &counted{Sealer: keyring(t)}
			k.Sealer = counting
			errs := parallel(200, func(i int) error {
				guess := a.code()
				if i != right {
					guess = fmt.Sprintf("%06d", (i*4999+1)%1000000)
				}
				_, err := k.code(o, guess)
				return err
			})
			if n := counting.opened.Load(); countNil(t, errs) > 1 || n > 5 {
				t.Errorf("%d comparisons", n)
			}
		}
	})
}

// TestCodeOfAnotherAppIsWrong (O05): somebody else's, one that was sent, one that
// waits to be confirmed, and one that was removed.
func TestCodeOfAnotherAppIsWrong(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice, bob := k.alice(), k.bob()
		setup, err := k.SetUpTOTP(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		if o := k.begin("alice"); o.Next != authn.SMSCode || len(o.Choices) != 1 {
			t.Errorf("an app that waits to be confirmed is asked for: %v", o.Choices)
		}
		again, err := k.SetUpTOTP(t.Context(), alice)
		if err != nil || again.Secret != setup.Secret {
			t.Errorf("another secret on the second look, %v", err)
		}
		if err := k.ConfirmTOTP(t.Context(), bob, (&app{k, setup.Secret}).code(), uuid.Nil); !errors.Is(err, authn.ErrRefused) {
			t.Errorf("confirmed by another: %v", err)
		}
		ours, theirs := k.addApp(alice), k.addApp(bob)
		o := k.begin("alice")
		for _, code := range []string{theirs.code(), k.sent.lastCode(t)} {
			_, err := k.code(o, code)
			wantRefused(t, err)
		}
		if err := k.RemoveTOTP(t.Context(), alice, uuid.Nil); err != nil {
			t.Fatal(err)
		}
		if _, err := k.code(o, ours.code()); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("an app that was removed: %v", err)
		}
		if k.sent.count("totp_removed") != 1 {
			t.Error("the owner was not told")
		}
	})
}

// TestAppDependsOnNoCopyOfRedis (O13): a sign-in that was lost begins anew, one
// that comes back from a copy opens nothing, and without Redis nothing is decided.
func TestAppDependsOnNoCopyOfRedis(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		bob := k.bob()
		a := k.addApp(bob)
		o := k.begin("bob@example.com")
		working := k.Cache
		k.Cache = storage.AuthnCache{Redis: unreachableRedis(t)}
		if _, err := k.code(o, a.code()); !errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("without Redis: %v", err)
		}
		k.Cache = restored{working}
		k.wantFailures(bob, 0)
		mustCode(t, k, o, a.code())
		k.advance(time.Minute)
		_, err := k.code(o, a.code()) // the sign-in is there again, and the code is a new one
		wantRefused(t, err)
	})
}

// restored is a Redis that forgets to forget.
type restored struct{ authn.Cache }

func (restored) DeleteSignIn(context.Context, string) error { return nil }

// TestAppIsSetUpInHalfAnHour: and a code that confirms nothing changes nothing.
func TestAppIsSetUpInHalfAnHour(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		bob := k.bob()
		setup, err := k.SetUpTOTP(t.Context(), bob)
		if err != nil {
			t.Fatal(err)
		}
		a := &app{k, setup.Secret}
		wantRefused(t, k.ConfirmTOTP(t.Context(), bob, otherThan(a.code()), uuid.Nil))
		k.advance(30 * time.Minute)
		wantRefused(t, k.ConfirmTOTP(t.Context(), bob, a.code(), uuid.Nil))
		if again, err := k.SetUpTOTP(t.Context(), bob); err != nil || again.Secret == setup.Secret {
			t.Errorf("the same secret half an hour later, %v", err)
		}
		k.addApp(bob)
		if _, err := k.SetUpTOTP(t.Context(), bob); !errors.Is(err, directory.ErrConflict) {
			t.Errorf("a second app: %v", err)
		}
	})
}
