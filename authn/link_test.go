package authn_test

import (
	"errors"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
)

// lastLink returns the last link of a template that was sent, and its token.
func (o *outbox) lastLink(t *testing.T, template string) (*url.URL, string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range slices.Backward(o.messages) {
		if m.Template == template {
			link, _ := m.Personalisation["url"].(string)
			u, err := url.Parse(link)
			if err != nil {
				t.Fatal(err)
			}
			return u, path.Base(u.Path)
		}
	}
	t.Fatalf("no %s was sent", template)
	return nil, ""
}

// countLinks returns how many succeeded, and fails for anything but closed links.
func countLinks(t *testing.T, errs []error) int {
	t.Helper()
	n := 0
	for _, err := range errs {
		if err == nil {
			n++
		} else if !errors.Is(err, authn.ErrLinkClosed) {
			t.Errorf("error = %v", err)
		}
	}
	return n
}

func (k *kit) newLink(p authn.LinkPurpose, u *directory.User, about any) string {
	k.t.Helper()
	token, err := k.NewLink(k.t.Context(), p, u.ID, about, time.Hour)
	if err != nil {
		k.t.Fatal(err)
	}
	return token
}

// TestLinkIsUsedOnce (M02, Y01) lets 64 use one link at once.
func TestLinkIsUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		token := k.newLink(authn.SignInLink, k.alice(), "what it is about")
		errs := parallel(64, func(int) error {
			var about string
			_, err := k.UseLink(t.Context(), authn.SignInLink, token, &about)
			if err == nil && about != "what it is about" {
				t.Errorf("it is about %q", about)
			}
			return err
		})
		if n := countLinks(t, errs); n != 1 {
			t.Errorf("%d used the link, want 1", n)
		}
	})
}

func TestLinkIsGoodForItsPurposeAndItsTime(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		token := k.newLink(authn.ResetLink, alice, nil)
		var about any
		open := func(p authn.LinkPurpose, token string) error {
			_, err := k.OpenLink(t.Context(), p, token, &about)
			return err
		}
		for range 6 { // M01: looking uses nothing up
			if err := open(authn.ResetLink, token); err != nil {
				t.Fatal(err)
			}
		}
		first := "A"
		if token[0] == 'A' {
			first = "B"
		}
		for _, other := range []string{"", token[1:], token + "A", first + token[1:]} {
			if err := open(authn.ResetLink, other); !errors.Is(err, authn.ErrLinkClosed) {
				t.Errorf("another token: %v", err)
			}
		}
		if err := open(authn.SignInLink, token); !errors.Is(err, authn.ErrLinkClosed) {
			t.Errorf("another purpose: %v", err)
		}
		k.advance(time.Hour)
		if err := open(authn.ResetLink, token); !errors.Is(err, authn.ErrLinkClosed) {
			t.Errorf("too late: %v", err)
		}
	})
}

func (k *kit) forget(identifier string) error {
	return k.AskPasswordReset(k.t.Context(), identifier, "", office)
}

// resetToken asks for a link to choose a new password.
func (k *kit) resetToken(identifier string) string {
	k.t.Helper()
	if err := k.forget(identifier); err != nil {
		k.t.Fatal(err)
	}
	_, token := k.sent.lastLink(k.t, "password_reset")
	return token
}

const newPassword = "an entirely different password"

func TestResetUnlocksAndEndsEverythingElse(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		session, _ := k.session("alice", authn.SessionInfo{})
		first, second := k.resetToken("alice@example.com"), k.resetToken(" ALICE ")
		if u, _ := k.sent.lastLink(t, "password_reset"); u.Host != "id.example.gov.uk" || u.Scheme != "https" { // H02
			t.Errorf("the link leads to %s", u.Host)
		}
		for range directory.MaxFailedLogins {
			_, err := k.password(authn.Browser, "alice", wrongPassword)
			wantRefused(t, err)
		}
		if err := k.ResetPassword(t.Context(), second, "short"); !errors.Is(err, authn.ErrWeakPassword) {
			t.Errorf("a weak password: %v", err)
		}
		if err := k.ResetPassword(t.Context(), second, newPassword); err != nil {
			t.Fatal(err)
		}
		k.wantSession(session, false)
		k.wantFailures(alice, 0)
		if k.sent.count("password_changed") != 1 || len(k.ended.users) == 0 || k.ended.users[len(k.ended.users)-1] != alice.ID {
			t.Errorf("told %d times, ended %v", k.sent.count("password_changed"), k.ended.users)
		}
		for _, token := range []string{first, second} {
			if err := k.ResetPassword(t.Context(), token, newPassword+"!"); !errors.Is(err, authn.ErrLinkClosed) {
				t.Errorf("a link from before: %v", err)
			}
		}
		o, err := k.password(authn.Browser, "alice", newPassword)
		if err != nil || o.Next != authn.SMSCode {
			t.Errorf("the new password: %+v, %v; want the second factor after it", o, err)
		}
	})
}

// TestResetHappensOnce (M02) lets 64 choose a password with one link at once.
func TestResetHappensOnce(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		token := k.resetToken("alice")
		errs := parallel(64, func(int) error { return k.ResetPassword(t.Context(), token, newPassword) })
		if n := countLinks(t, errs); n != 1 {
			t.Errorf("%d succeeded, want 1", n)
		}
		if n := k.sent.count("password_changed"); n != 1 {
			t.Errorf("%d messages of a change", n)
		}
	})
}

// TestForgottenPasswordTellsNobodyApart (E04): the answer is one, and mail goes
// only to who can use it.
func TestForgottenPasswordTellsNobodyApart(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		k.user(directory.NewUser{EmailAddress: "pending@example.com", State: directory.Pending})
		k.user(directory.NewUser{EmailAddress: "archived@example.com", State: directory.Inactive})
		k.user(directory.NewUser{Username: "mailless", MobileNumber: "07700 900456"})
		nopw := k.userWithoutPassword(directory.NewUser{EmailAddress: "nopw@example.com"})
		k.Limits.AskingPerNetwork = authn.Limit{Burst: 1000, Per: time.Hour}
		for identifier, mails := range map[string]int{
			"alice": 1, "ghost": 0, "ghost@example.com": 0, "pending@example.com": 0, "archived@example.com": 0, "mailless": 0, nopw.EmailAddress: 1,
			"x\x00y": 0,
		} {
			before := k.sent.count("password_reset")
			if err := k.forget(identifier); err != nil {
				t.Errorf("%q: %v", identifier, err)
			}
			if n := k.sent.count("password_reset") - before; n != mails {
				t.Errorf("%q: %d mails, want %d", identifier, n, mails)
			}
		}
	})
}

func TestMailForForgottenPasswordsHasABudget(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		for _, spelling := range []string{"alice", "ALICE", "alice@example.com", "Alice@Example.com ", "07700 900123", "+44 7700 900123", "alice"} {
			if err := k.forget(spelling); err != nil {
				t.Fatal(err)
			}
		}
		if n := k.sent.count("password_reset"); n != 5 {
			t.Errorf("%d mails, want 5", n)
		}
		var throttled *authn.ThrottledError
		for i := 0; i < 60 && throttled == nil; i++ {
			errors.As(k.forget("ghost"), &throttled)
		}
		if throttled == nil {
			t.Error("one network may ask for ever")
		}
		if err := k.AskPasswordReset(t.Context(), "ghost", "", netip.MustParseAddr("198.51.100.7")); err != nil {
			t.Errorf("another network: %v", err)
		}
	})
}

// TestResetLinkOfAnotherAddressIsClosed: who reads the old mail has nothing to
// say once the address has changed.
func TestResetLinkOfAnotherAddressIsClosed(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		token := k.resetToken("alice")
		changed := *k.reload(alice)
		changed.EmailAddress = "alice@new.example.com"
		if err := k.Directory.UpdateUser(t.Context(), &changed); err != nil {
			t.Fatal(err)
		}
		if err := k.ResetPassword(t.Context(), token, newPassword); !errors.Is(err, authn.ErrLinkClosed) {
			t.Errorf("error = %v", err)
		}
	})
}
