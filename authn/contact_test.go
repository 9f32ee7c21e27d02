package authn_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// newContact tries a code for what a session waits for.
func (k *kit) newContact(s *authn.Session, u *directory.User, c authn.Contact, code string) error {
	registry := &directory.Registry{Store: k.Directory, Clock: k.Clock, NewID: uuid.New}
	return k.ChangeContact(k.t.Context(), s, u, c, code, func(ctx context.Context, to string) error {
		change := directory.UserChange{MobileNumber: &to}
		if c == authn.EmailContact {
			change = directory.UserChange{EmailAddress: &to}
		}
		_, err := registry.UpdateUser(ctx, u.ID, change, directory.Actor{Kind: "user", ID: u.ID.String()}, nil)
		return err
	})
}

func (k *kit) beginContact(s *authn.Session, u *directory.User, c authn.Contact, to string) (code string) {
	k.t.Helper()
	if err := k.BeginContactChange(k.t.Context(), s, u, c, to); err != nil {
		k.t.Fatal(err)
	}
	return k.sent.lastCode(k.t)
}

// TestNewNumberIsUsedOnceItIsProved (S11): the others of the user's sessions end,
// and so do links that were sent before.
func TestNewNumberIsUsedOnceItIsProved(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		other, _ := k.session("alice", authn.SessionInfo{})
		token, session := k.session("alice", authn.SessionInfo{})
		link, err := k.NewLink(t.Context(), authn.ResetLink, alice.ID, map[string]string{}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		code := k.beginContact(session, alice, authn.MobileContact, "07700 900456")
		if got := k.reload(alice).MobileNumber; got != alice.MobileNumber {
			t.Errorf("changed before it was proved: %q", got)
		}
		wantRefused(t, k.newContact(session, alice, authn.MobileContact, otherThan(code)))
		if err := k.newContact(session, alice, authn.MobileContact, code); err != nil {
			t.Fatal(err)
		}
		if got := k.reload(alice).MobileNumber; got != "07700 900456" {
			t.Errorf("number %q", got)
		}
		k.wantSession(other, false)
		k.wantSession(token, true)
		if _, err := k.OpenLink(t.Context(), authn.ResetLink, link, &map[string]string{}); !errors.Is(err, authn.ErrLinkClosed) {
			t.Errorf("a link from before: %v", err)
		}
		if k.sent.count("mobile_changed") != 1 || k.sent.count("change_mobile_code") != 1 {
			t.Error("the owner was not told")
		}
		if err := k.newContact(session, alice, authn.MobileContact, code); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("the same code again: %v", err)
		}
	})
}

// TestNumberIsRemovedWithWhatFollowsFromIt and not from an account that codes are
// sent to, of which nothing ends then.
func TestNumberIsRemovedWithWhatFollowsFromIt(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice, bob := k.alice(), k.bob()
		remove := func(s *authn.Session, u *directory.User) error {
			return k.RemoveMobile(t.Context(), s, u, func(ctx context.Context) error {
				none := ""
				_, err := k.registry().UpdateUser(ctx, u.ID, directory.UserChange{MobileNumber: &none}, directory.Actor{Kind: "user", ID: u.ID.String()}, nil)
				return err
			})
		}
		for _, c := range []struct {
			user *directory.User
			name string
			kept bool
		}{{alice, "alice", true}, {bob, "bob@example.com", false}} {
			other, _ := k.session(c.name, authn.SessionInfo{})
			token, session := k.session(c.name, authn.SessionInfo{})
			told := k.sent.count("mobile_changed")
			if err := remove(session, c.user); (err != nil) != c.kept {
				t.Errorf("%s: %v", c.name, err)
			}
			k.wantSession(other, c.kept)
			k.wantSession(token, true)
			if (k.sent.count("mobile_changed") == told) != c.kept || (k.reload(c.user).MobileNumber != "") != c.kept {
				t.Errorf("%s: told %d times, number kept: %v", c.name, k.sent.count("mobile_changed"), k.reload(c.user).MobileNumber != "")
			}
		}
	})
}

// TestOneOfManyRightCodesChangesTheAddress (O04).
func TestOneOfManyRightCodesChangesTheAddress(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		bob := k.bob()
		_, session := k.session("bob@example.com", authn.SessionInfo{})
		code := k.beginContact(session, bob, authn.EmailContact, "robert@example.com")
		errs := parallel(64, func(int) error { return k.newContact(session, bob, authn.EmailContact, code) })
		if n := countNil(t, errs); n != 1 {
			t.Errorf("%d of 64 succeeded", n)
		}
		k.wantFailures(bob, 0)
		if got := k.reload(bob).EmailAddress; got != "robert@example.com" || k.sent.count("email_changed") != 1 {
			t.Errorf("address %q, told %d times", got, k.sent.count("email_changed"))
		}
	})
}

// TestCodeOfAChangeIsGoodForNothingElse (O05): not for another session, another
// address, another purpose or another user.
func TestCodeOfAChangeIsGoodForNothingElse(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice, bob := k.alice(), k.bob()
		_, session := k.session("alice", authn.SessionInfo{})
		_, elsewhere := k.session("alice", authn.SessionInfo{})
		_, bobs := k.session("bob@example.com", authn.SessionInfo{})
		code := k.beginContact(session, alice, authn.MobileContact, "07700 900456")
		if err := k.newContact(elsewhere, alice, authn.MobileContact, code); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("in another session: %v", err)
		}
		if err := k.newContact(session, alice, authn.EmailContact, code); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("for the address: %v", err)
		}
		k.beginContact(bobs, bob, authn.MobileContact, "07700 900456")
		if k.sent.lastCode(t) != code {
			wantRefused(t, k.newContact(bobs, bob, authn.MobileContact, code))
		}
		signIn := k.begin("alice")
		if k.sent.lastCode(t) != code {
			_, err := k.code(signIn, code)
			wantRefused(t, err)
		}
		newer := k.beginContact(session, alice, authn.MobileContact, "07700 900789")
		if newer != code {
			wantRefused(t, k.newContact(session, alice, authn.MobileContact, code))
		}
		k.advance(time.Hour)
		if err := k.newContact(session, alice, authn.MobileContact, newer); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("after an hour: %v", err)
		}
		if got := k.reload(alice).MobileNumber; got != alice.MobileNumber {
			t.Errorf("number %q", got)
		}
	})
}

// TestCodesOfAChangeCannotBeGuessed (O01): the fifth wrong one is the last.
func TestCodesOfAChangeCannotBeGuessed(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		_, session := k.session("alice", authn.SessionInfo{})
		code := k.beginContact(session, alice, authn.MobileContact, "07700 900456")
		for range 5 {
			wantRefused(t, k.newContact(session, alice, authn.MobileContact, otherThan(code)))
		}
		wantRefused(t, k.newContact(session, alice, authn.MobileContact, code))
		k.wantFailures(alice, 5)
	})
}

// TestGuessesAtAnAddressEndAtTen: whoever wants an address that is not theirs asks for
// one code after the other, and is locked out like whoever guesses at an account.
func TestGuessesAtAnAddressEndAtTen(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		mallory := k.user(directory.NewUser{Name: "Mallory", EmailAddress: "mallory@example.com", AuthType: directory.EmailAuth})
		token, session := k.session("mallory@example.com", authn.SessionInfo{})
		for range 2 {
			code := k.beginContact(session, mallory, authn.EmailContact, "victim@example.com")
			for range 5 {
				wantRefused(t, k.newContact(session, mallory, authn.EmailContact, otherThan(code)))
			}
		}
		k.wantFailures(mallory, directory.MaxFailedLogins)
		k.wantSession(token, false)
		code := k.beginContact(session, mallory, authn.EmailContact, "victim@example.com")
		wantRefused(t, k.newContact(session, mallory, authn.EmailContact, code))
		if k.sent.count("account_locked") != 1 {
			t.Error("the owner was not told")
		}
	})
}

func TestAddressOfSomebodyElseIsNotTaken(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		bob := k.bob()
		k.user(directory.NewUser{Name: "Carol", EmailAddress: "carol@example.com", AuthType: directory.EmailAuth})
		_, session := k.session("bob@example.com", authn.SessionInfo{})
		code := k.beginContact(session, bob, authn.EmailContact, "carol@example.com")
		if err := k.newContact(session, bob, authn.EmailContact, code); !errors.Is(err, directory.ErrConflict) {
			t.Errorf("%v", err)
		}
		if k.sent.count("email_changed") != 0 {
			t.Error("told of a change that was not")
		}
	})
}
