package authn_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/storage"
)

func TestPasswordAndCodeAuthenticate(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice, bob := k.alice(), k.bob()
		cases := []struct {
			user *directory.User
			next authn.Factor
			hint string
			to   string
			amr  []string
			acr  string
		}{
			{alice, authn.SMSCode, "•••••••0123", "07700 900123", []string{"pwd", "sms", "mfa"}, authn.ACRMulti},
			{bob, authn.EmailCode, "b•••••••@example.com", "bob@example.com", []string{"pwd", "otp"}, authn.ACRSingle},
		}
		for _, c := range cases {
			o := k.begin(c.user.EmailAddress)
			if o.Complete() || o.Next != c.next || o.Hint != c.hint {
				t.Errorf("after the password: next %q, hint %q; want %q, %q", o.Next, o.Hint, c.next, c.hint)
			}
			if m := k.sent.messages[len(k.sent.messages)-1]; m.To != c.to || m.Template != string(c.next) || !m.ExpiresAt.Equal(k.Clock().Add(time.Hour)) {
				t.Errorf("message = %+v", m)
			}
			done, err := k.code(o, k.sent.lastCode(t))
			if err != nil {
				t.Fatal(err)
			}
			if !done.Complete() || done.User.ID != c.user.ID || done.ACR != c.acr || !slices.Equal(done.AMR, c.amr) {
				t.Errorf("outcome = %+v", done)
			}
			if got := k.reload(c.user).LoggedInAt; !got.Equal(k.Clock()) {
				t.Errorf("logged_in_at = %v, want %v", got, k.Clock())
			}
		}
	})
}

func TestEverySpellingIsOneUser(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		spellings := []string{
			"alice", "ALICE", " Alice ", "ａｌｉｃｅ", "alice@example.com", "Alice@Example.COM", "alice@example.com.", "ａlice＠example.com",
			"07700 900123", "+447700900123", "0044 7700 900123",
		}
		for i, s := range spellings[:9] {
			_, err := k.password(authn.Legacy, s, wrongPassword)
			wantRefused(t, err)
			k.wantFailures(alice, i+1)
		}
		for _, s := range spellings {
			if _, err := k.password(authn.Legacy, s, rightPassword); err != nil {
				t.Errorf("%q: %v", s, err)
			}
		}
		for _, s := range []string{"alice+tag@example.com", "alice@example.org", "alic", "", "alice\x00", "\xff", strings.Repeat("a", 9999)} {
			_, err := k.password(authn.Legacy, s, rightPassword)
			wantRefused(t, err)
		}
	})
}

func TestSharedAddressMeansTheUserWithoutUsername(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		const shared, alone = "team@example.com", "desk@example.com"
		k.user(directory.NewUser{Username: "first", EmailAddress: shared})
		if _, err := k.password(authn.Legacy, shared, rightPassword); err != nil {
			t.Errorf("the only user of the address: %v", err)
		}
		k.user(directory.NewUser{Username: "second", EmailAddress: shared})
		_, err := k.password(authn.Legacy, shared, rightPassword)
		wantRefused(t, err)
		own := k.user(directory.NewUser{EmailAddress: alone})
		k.user(directory.NewUser{Username: "third", EmailAddress: alone})
		o, err := k.password(authn.Legacy, alone, rightPassword)
		if err != nil || o.User.ID != own.ID {
			t.Errorf("outcome = %+v, %v; want the user without a username", o, err)
		}
	})
}

func TestEveryRefusalIsTheSame(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		k.userWithoutPassword(directory.NewUser{EmailAddress: "nopw@example.com"})
		archived := k.user(directory.NewUser{EmailAddress: "archived@example.com"})
		archived.State = directory.Inactive
		locked := k.user(directory.NewUser{EmailAddress: "locked@example.com"})
		if err := k.Directory.UpdateUser(t.Context(), archived); err != nil {
			t.Fatal(err)
		}
		for range directory.MaxFailedLogins {
			_, err := k.password(authn.Legacy, "locked@example.com", wrongPassword)
			wantRefused(t, err)
		}
		if got := k.reload(locked); !got.Locked() || !got.LockedAt.Equal(k.Clock()) {
			t.Errorf("after ten failures: locked %v at %v", got.Locked(), got.LockedAt)
		}
		for _, front := range []authn.Front{authn.Browser, authn.Legacy, authn.Machine} {
			for _, identifier := range []string{"ghost@example.com", "nopw@example.com", "archived@example.com", "locked@example.com"} {
				for _, password := range []string{rightPassword, wrongPassword} {
					o, err := k.password(front, identifier, password)
					if err != authn.ErrRefused || o != nil {
						t.Errorf("%s as %s: %+v, %v", identifier, front, o, err)
					}
				}
			}
		}
		k.wantFailures(locked, directory.MaxFailedLogins)
		k.wantFailures(archived, 0)
	})
}

func TestPendingUserIsRefusedOnTheHostedPagesAlone(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		u := k.user(directory.NewUser{EmailAddress: "new@example.com", State: directory.Pending})
		_, err := k.password(authn.Browser, u.EmailAddress, rightPassword)
		wantRefused(t, err)
		if _, err := k.password(authn.Legacy, u.EmailAddress, rightPassword); err != nil {
			t.Error(err)
		}
	})
}

func TestSecurityKeyIsAskedForAndNothingElseWillDo(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		u := k.user(directory.NewUser{EmailAddress: "key@example.com", MobileNumber: "07700900124", AuthType: directory.WebAuthnAuth})
		o := k.begin(u.EmailAddress)
		if o.Next != authn.SecurityKey || len(k.sent.codes()) != 0 {
			t.Errorf("next = %q with codes %v, want a security key and no code", o.Next, k.sent.codes())
		}
		for _, f := range []authn.Factor{authn.SecurityKey, authn.SMSCode, authn.EmailCode, ""} {
			_, err := k.Authenticate(t.Context(), authn.Attempt{Front: authn.Browser, Factor: f, SignIn: o.SignIn, Secret: "000000"})
			wantRefused(t, err)
		}
		if _, _, err := k.StartSession(t.Context(), o, authn.SessionInfo{}); err == nil {
			t.Error("a session began without the security key")
		}
	})
}

func TestUserIDReplacesTheIdentifierOfATrustedCaller(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		attempt := authn.Attempt{Front: authn.Machine, Factor: authn.Password, UserID: alice.ID, Secret: rightPassword, Caller: "admin"}
		o, err := k.Authenticate(t.Context(), attempt)
		if err != nil || !o.Complete() || o.ACR != authn.ACRSingle {
			t.Errorf("outcome = %+v, %v", o, err)
		}
		attempt.UserID = uuid.New()
		_, err = k.Authenticate(t.Context(), attempt)
		wantRefused(t, err)
	})
}

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

func TestLongPasswordIsRefusedWithoutHashing(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		begun := time.Now()
		_, err := k.password(authn.Legacy, "alice", strings.Repeat("x", 1<<20))
		wantRefused(t, err)
		k.wantFailures(alice, 0)
		if took := time.Since(begun); took > 500*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestWithoutRedisPasswordsAloneGoOn(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		k.Cache = storage.AuthnCache{Redis: unreachableRedis(t)}
		if _, err := k.password(authn.Legacy, "alice", rightPassword); err != nil {
			t.Errorf("at the legacy door: %v", err)
		}
		_, err := k.password(authn.Machine, "alice", wrongPassword)
		wantRefused(t, err)
		k.wantFailures(alice, 1)
		_, err = k.password(authn.Browser, "alice", rightPassword)
		if !errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("on the hosted pages: %v, want unavailable", err)
		}
		k.wantFailures(alice, 1)
		k.Limits.CallerFailures = authn.Limit{Burst: 3, Per: time.Minute}
		for range 3 {
			_, _ = k.password(authn.Legacy, "nobody", wrongPassword)
		}
		_, err = k.password(authn.Legacy, "nobody", wrongPassword)
		wantThrottled(t, err)
	})
}

func unreachableRedis(t *testing.T) *storage.Redis {
	t.Helper()
	redis, err := storage.OpenRedis("redis://127.0.0.1:1/0", "test:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Close() })
	return redis
}

func TestFailureOfAStoreCountsForNobody(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		k.sent.fail = directory.ErrUnavailable
		_, err := k.password(authn.Browser, "alice", rightPassword)
		if !errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("error = %v, want unavailable", err)
		}
		k.wantFailures(alice, 0)
		k.sent.fail = nil
		o := k.begin("alice")
		working := k.Cache
		k.Cache = brokenCodes{working}
		if _, err := k.code(o, k.sent.lastCode(t)); !errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("error = %v, want unavailable", err)
		}
		k.wantFailures(alice, 0)
		k.Cache = working
		if _, err := k.code(o, k.sent.lastCode(t)); err != nil {
			t.Error(err)
		}
	})
}

// brokenCodes is a Redis that goes away between the limits and the code.
type brokenCodes struct{ authn.Cache }

func (brokenCodes) TryCode(context.Context, authn.LiveCode, time.Time, int) (authn.CodeVerdict, error) {
	return authn.CodeGone, directory.ErrUnavailable
}

func TestOneNetworkBearsABusyOffice(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		mustSignIn := func() {
			if o, err := k.password(authn.Browser, "alice", rightPassword); err != nil {
				t.Fatal(err)
			} else if _, err := k.code(o, k.sent.lastCode(t)); err != nil {
				t.Fatal(err)
			}
		}
		k.Limits.NetworkFailures = authn.Limit{Burst: 5, Per: time.Minute}
		k.Limits.PasswordFailures = authn.Limit{Burst: 5, Per: time.Minute}
		k.Limits.CodesPerUser = authn.Limit{Burst: 5, Per: time.Minute}
		for range 12 {
			mustSignIn()
		}
	})
}

func TestSprayingIsThrottled(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		k.Limits.NetworkFailures = authn.Limit{Burst: 3, Per: 3 * time.Minute}
		k.Limits.PasswordFailures = authn.Limit{Burst: 5, Per: 5 * time.Minute}
		spray := func(from, password string) error {
			_, err := k.Authenticate(t.Context(), authn.Attempt{
				Front: authn.Browser, Factor: authn.Password, Identifier: uuid.NewString() + "@example.com", Secret: password,
				Network: netip.MustParseAddr(from),
			})
			return err
		}
		for range 3 {
			wantRefused(t, spray("2001:db8::1", "Summer2026!!"))
		}
		wantThrottled(t, spray("2001:db8::ffff", "another password"))
		wantRefused(t, spray("2001:db8:0:1::1", "Summer2026!!"))
		wantRefused(t, spray("192.0.2.1", "Summer2026!!"))
		wantThrottled(t, spray("192.0.2.2", "Summer2026!!"))
		k.advance(time.Minute)
		wantRefused(t, spray("192.0.2.2", "Summer2026!!"))
	})
}

func TestEveryAttemptIsTraced(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		kept := &traces{Store: k.Store}
		alice := k.alice()
		k.Store = kept
		_, err := k.password(authn.Browser, "alice", wrongPassword)
		wantRefused(t, err)
		o := k.begin("alice")
		if _, err := k.code(o, k.sent.lastCode(t)); err != nil {
			t.Fatal(err)
		}
		_, err = k.password(authn.Legacy, "ghost", wrongPassword)
		wantRefused(t, err)
		var verdicts []string
		for _, trace := range kept.all {
			verdicts = append(verdicts, trace.Verdict)
			if text := fmt.Sprintf("%+v", trace); strings.Contains(text, wrongPassword) || strings.Contains(text, k.sent.lastCode(t)) ||
				strings.Contains(text, "example.com") || strings.Contains(text, "900123") {
				t.Errorf("a trace holds what it must not: %s", text)
			}
		}
		if diff := cmp.Diff([]string{"refused", "more", "authenticated", "refused"}, verdicts); diff != "" {
			t.Error(diff)
		}
		want := []authn.Step{
			{Rule: "policy", Input: "sms_auth", Verdict: "need sms_code"},
			{Rule: "lock", Input: "1 of 10", Verdict: "pass"},
			{Rule: "password", Verdict: "refuse"},
		}
		if diff := cmp.Diff(want, kept.all[0].Steps); diff != "" {
			t.Error(diff)
		}
		if kept.all[0].UserID.UUID != alice.ID || kept.all[3].UserID.Valid {
			t.Errorf("users = %v, %v", kept.all[0].UserID, kept.all[3].UserID)
		}
		kept.fail = directory.ErrUnavailable
		if _, err := k.password(authn.Legacy, "alice", rightPassword); !errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("without its record the sign-in went on: %v", err)
		}
	})
}

// traces looks at what is recorded on its way into the store.
type traces struct {
	authn.Store
	all  []*authn.Trace
	fail error
}

func (s *traces) RecordTrace(ctx context.Context, t *authn.Trace) error {
	s.all = append(s.all, t)
	if s.fail != nil {
		return s.fail
	}
	return s.Store.RecordTrace(ctx, t)
}
