package authn_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/storage"
)

// TestCodeIsAcceptedOnce (O04) by 50 at once.
func TestCodeIsAcceptedOnce(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		o := k.begin("alice")
		errs := parallel(50, func(int) error {
			_, err := k.code(o, k.sent.lastCode(t))
			return err
		})
		if n := countNil(t, errs); n != 1 {
			t.Errorf("%d attempts with the right code were accepted", n)
		}
		k.wantFailures(alice, 0)
		if _, err := k.code(o, k.sent.lastCode(t)); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("once more: %v", err)
		}
	})
}

func TestParallelGuessesAreComparedWithinTheTries(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		compared := &comparisons{Cache: k.Cache}
		k.Cache = compared
		k.alice()
		o := k.begin("alice")
		right := k.sent.lastCode(t)
		lucky := rand.IntN(200)
		errs := parallel(200, func(i int) error {
			code := fmt.Sprintf("%06d", (i*4999+17)%1_000_000)
			switch {
			case i == lucky:
				code = right
			case code == right:
				code = otherThan(right)
			}
			_, err := k.code(o, code)
			return err
		})
		if n := countNil(t, errs); n > 1 {
			t.Errorf("%d guesses were accepted", n)
		}
		if n := compared.count(); n > 5 {
			t.Errorf("%d guesses were compared", n)
		}
	})
}

// TestFiveWrongCodesEndTheSignIn (O01), and a new one is another count of five.
func TestFiveWrongCodesEndTheSignIn(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		o := k.begin("alice")
		right := k.sent.lastCode(t)
		for range 5 {
			_, err := k.code(o, otherThan(right))
			wantRefused(t, err)
		}
		if _, err := k.code(o, right); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("the right code after five wrong ones: %v", err)
		}
		if _, err := k.ResendCode(t.Context(), o.SignIn, office); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("another code: %v", err)
		}
		k.wantFailures(alice, 5)
		if _, err := k.code(k.begin("alice"), k.sent.lastCode(t)); err != nil {
			t.Errorf("beginning again: %v", err)
		}
	})
}

// TestAnotherCodeForgivesNoFailure (O02), neither of the sign-in nor of the account.
func TestAnotherCodeForgivesNoFailure(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		o := k.begin("alice")
		for i := range 2 {
			for range 2 {
				_, err := k.code(o, otherThan(k.sent.lastCode(t)))
				wantRefused(t, err)
			}
			if _, err := k.ResendCode(t.Context(), o.SignIn, office); err != nil {
				t.Fatal(err)
			}
			k.wantFailures(alice, 2*(i+1))
		}
		_, err := k.code(o, otherThan(k.sent.lastCode(t)))
		wantRefused(t, err)
		if _, err := k.code(o, k.sent.lastCode(t)); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("after five wrong codes with others in between: %v", err)
		}
	})
}

func TestCodesSentBeforeStayGood(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		o := k.begin("alice")
		first := k.sent.lastCode(t)
		again, err := k.ResendCode(t.Context(), o.SignIn, office)
		if err != nil || again.Hint != o.Hint || again.Next != authn.SMSCode {
			t.Fatalf("outcome = %+v, %v", again, err)
		}
		if _, err := k.code(o, first); err != nil {
			t.Error(err)
		}
	})
}

func TestSixthLiveCodeIsNotSent(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.CodeDigits = 8 // two live codes that are alike would count as one
		k.alice()
		o := k.begin("alice")
		for range 6 {
			if _, err := k.ResendCode(t.Context(), o.SignIn, office); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(k.sent.codes()); n != 5 {
			t.Errorf("%d codes were sent, want 5", n)
		}
		other := k.begin("alice")
		if n := len(k.sent.codes()); n != 5 || other.Next != authn.SMSCode {
			t.Errorf("%d codes were sent for another sign-in too", n)
		}
		k.advance(61 * time.Minute)
		if _, err := k.ResendCode(t.Context(), o.SignIn, office); err != nil {
			t.Fatal(err)
		}
		if n := len(k.sent.codes()); n != 6 {
			t.Errorf("%d codes were sent after the others expired, want 6", n)
		}
	})
}

func TestUnusedCodesAreLimited(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		k.user(directory.NewUser{Username: "carol", MobileNumber: "+44 7700 900123", AuthType: directory.SMSAuth})
		k.Limits.CodesPerNumber = authn.Limit{Burst: 3, Per: time.Hour}
		for _, identifier := range []string{"alice", "carol", "alice"} {
			k.begin(identifier)
		}
		_, err := k.password(authn.Browser, "carol", rightPassword)
		wantThrottled(t, err)
	})
}

func TestCodeExpires(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		o := k.begin("alice")
		code := k.sent.lastCode(t)
		k.advance(59 * time.Minute)
		if _, err := k.SignInUnderWay(t.Context(), o.SignIn); err != nil {
			t.Fatal(err)
		}
		k.advance(2 * time.Minute)
		_, err := k.code(o, code)
		wantRefused(t, err)
		k.wantFailures(alice, 0)
		if _, err := k.ResendCode(t.Context(), o.SignIn, office); err != nil {
			t.Fatal(err)
		}
		if _, err := k.code(o, k.sent.lastCode(t)); err != nil {
			t.Errorf("the next code: %v", err)
		}
		o = k.begin("alice")
		k.advance(2 * time.Hour)
		if _, err := k.SignInUnderWay(t.Context(), o.SignIn); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("two hours later: %v", err)
		}
	})
}

// TestCodeIsBoundToUserAndSignIn (O05).
func TestCodeIsBoundToUserAndSignIn(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		bob := k.bob()
		first := k.begin("alice")
		firstCode := k.sent.lastCode(t)
		second := k.begin("alice")
		secondCode := k.sent.lastCode(t)
		other := k.begin(bob.EmailAddress)
		if firstCode != secondCode { // one in a million
			_, err := k.code(second, firstCode)
			wantRefused(t, err)
		}
		_, err := k.code(other, firstCode)
		wantRefused(t, err)
		other.Next = authn.SMSCode
		_, err = k.code(other, k.sent.lastCode(t))
		wantRefused(t, err)
		if _, err := k.code(first, " "+firstCode+" "); err != nil {
			t.Error(err)
		}
		for _, token := range []string{"", "x", first.SignIn, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
			first.SignIn = token
			if _, err := k.code(first, firstCode); !errors.Is(err, authn.ErrNoSignIn) {
				t.Errorf("sign-in %q: %v", token, err)
			}
		}
	})
}

func TestSignInEndsWhenTheUserChanges(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		changes := map[string]func(u *directory.User){
			"archived":       func(u *directory.User) { u.State = directory.Inactive },
			"another factor": func(u *directory.User) { u.AuthType = directory.EmailAuth },
			// Whoever found the old telephone must not come in with what it was sent.
			"another number": func(u *directory.User) { u.MobileNumber = "07700 900456" },
			"another password": func(u *directory.User) {
				k.advance(time.Second)
				if err := k.SetPassword(t.Context(), u.ID, rightPassword, directory.Actor{}); err != nil {
					t.Fatal(err)
				}
			},
		}
		for name, change := range changes {
			o := k.begin("alice")
			u := k.reload(alice)
			change(u)
			if err := k.Directory.UpdateUser(t.Context(), u); err != nil {
				t.Fatal(err)
			}
			if _, err := k.code(o, k.sent.lastCode(t)); !errors.Is(err, authn.ErrNoSignIn) {
				t.Errorf("%s: %v", name, err)
			}
			if err := k.Directory.UpdateUser(t.Context(), alice); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestUsedCodeDoesNotComeBackWithAnOldRedis (O13): one that was restored from a copy
// knows codes that were used since.
func TestUsedCodeDoesNotComeBackWithAnOldRedis(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		restored := &rollback{Cache: k.Cache}
		k.Cache = restored
		o := k.begin("alice")
		code := k.sent.lastCode(t)
		if _, err := k.code(o, code); err != nil {
			t.Fatal(err)
		}
		if err := restored.restore(t); err != nil {
			t.Fatal(err)
		}
		_, err := k.code(o, code)
		wantRefused(t, err)
	})
}

// TestEmptyRedisLosesOnlyTheSignInUnderWay (O13): the count of failures is elsewhere.
func TestEmptyRedisLosesOnlyTheSignInUnderWay(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		_, err := k.password(authn.Browser, "alice", wrongPassword)
		wantRefused(t, err)
		o := k.begin("alice")
		k.Cache = storage.AuthnCache{Redis: emptyRedis(t)}
		if _, err := k.code(o, k.sent.lastCode(t)); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("error = %v", err)
		}
		k.wantFailures(alice, 1)
		k.signIn("alice")
	})
}

func emptyRedis(t *testing.T) *storage.Redis {
	t.Helper()
	redis, err := storage.OpenRedis("", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Close() })
	return redis
}

func TestDigitsAreAsManyAsConfigured(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.CodeDigits = 8
		k.alice()
		seen := map[string]bool{}
		for range 3 {
			k.signIn("alice")
			seen[k.sent.lastCode(t)] = true
		}
		if len(seen) != 3 || slices.ContainsFunc(k.sent.codes(), func(c string) bool { return len(c) != 8 }) {
			t.Errorf("codes = %v", k.sent.codes())
		}
	})
}
