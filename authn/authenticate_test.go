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
					if !errors.Is(err, authn.ErrRefused) || o != nil {
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

func TestLongPasswordIsRefusedWithoutHashing(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		k.Hasher.Fill() // whoever asked for a turn would be told to wait
		_, err := k.password(authn.Legacy, "alice", strings.Repeat("x", 1<<20))
		wantRefused(t, err)
		k.wantFailures(alice, 0)
	})
}
