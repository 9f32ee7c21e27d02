package authn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"

// from tries a factor in a browser that has a cookie.
func (k *kit) from(known string, a authn.Attempt) (*authn.Outcome, error) {
	a.Front, a.Network, a.Known, a.UserAgent = authn.Browser, office, known, firefox
	return k.Authenticate(k.t.Context(), a)
}

// passwordFrom tries a password in a browser.
func (k *kit) passwordFrom(known, identifier, password string) (*authn.Outcome, error) {
	return k.from(known, authn.Attempt{Factor: authn.Password, Identifier: identifier, Secret: password})
}

// signInFrom completes a sign-in in a browser, whose cookie Outcome.Known then is.
func (k *kit) signInFrom(known, identifier string) *authn.Outcome {
	k.t.Helper()
	o, err := k.passwordFrom(known, identifier, rightPassword)
	if err == nil {
		o, err = k.from(known, authn.Attempt{Factor: o.Next, SignIn: o.SignIn, Secret: k.sent.lastCode(k.t)})
	}
	if err != nil {
		k.t.Fatalf("sign-in of %s: %v", identifier, err)
	}
	return o
}

// lockOut lets strangers guess until the account is locked.
func (k *kit) lockOut(identifier string) {
	k.t.Helper()
	for range directory.MaxFailedLogins {
		_, err := k.password(authn.Browser, identifier, wrongPassword)
		wantRefused(k.t, err)
	}
	_, err := k.password(authn.Browser, identifier, rightPassword)
	wantRefused(k.t, err)
}

func TestStrangersDoNotLockOwnersOutOfTheirBrowser(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		known := k.signInFrom("", "alice").Known
		k.lockOut("alice")
		if _, err := k.passwordFrom(known, "alice", wrongPassword); err == nil {
			t.Fatal("a wrong password is enough in a known browser")
		}
		o, err := k.passwordFrom(known, "alice", rightPassword)
		if err != nil || o.Complete() {
			t.Fatalf("the owner gets %+v, %v; want another factor to be asked for", o, err)
		}
		if o, err = k.ResendCode(t.Context(), o.SignIn, office); err != nil {
			t.Fatal(err)
		}
		again := k.sent.lastCode(t)
		if _, err := k.from(known, authn.Attempt{Factor: o.Next, SignIn: o.SignIn, Secret: otherThan(again)}); err == nil {
			t.Fatal("a wrong code is enough in a known browser")
		}
		o, err = k.from(known, authn.Attempt{Factor: o.Next, SignIn: o.SignIn, Secret: again})
		if err != nil || !o.Complete() {
			t.Fatalf("with the code %+v, %v", o, err)
		}
		if k.reload(alice).Locked() || k.sent.count("account_locked") != 1 {
			t.Error("a complete sign-in did not unlock, or the owner was told twice")
		}
	})
}

// The bound of what a stolen cookie is worth (L02, L04): ten guesses more.
func TestKnownBrowserHasTenTriesOfItsOwn(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		known := k.signInFrom("", "alice").Known
		k.lockOut("alice")
		before := k.Hasher.Comparisons()
		errs := parallel(64, func(i int) error {
			_, err := k.passwordFrom(known, "alice", fmt.Sprintf("%s %d", wrongPassword, i))
			return err
		})
		if n := countNil(t, errs); n != 0 {
			t.Errorf("%d wrong passwords were accepted", n)
		}
		if n := k.Hasher.Comparisons() - before; n != directory.MaxFailedLogins {
			t.Errorf("%d passwords were compared", n)
		}
		_, err := k.passwordFrom(known, "alice", rightPassword)
		wantRefused(t, err)
		_, err = k.passwordFrom(strings.Repeat("A", 43)+"."+known, "alice", rightPassword)
		wantRefused(t, err)
	})
}

func TestKnownBrowserIsOfItsUserAlone(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		k.bob()
		bobs := k.signInFrom("", "bob@example.com").Known
		k.lockOut("alice")
		_, err := k.passwordFrom(bobs, "alice", rightPassword)
		wantRefused(t, err)
	})
}

func TestKnownBrowserGetsAnotherTokenAtEverySignIn(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		first := k.signInFrom("", "alice")
		second := k.signInFrom(first.Known, "alice")
		if second.Known == first.Known || second.Browser != first.Browser || k.sent.count("new_browser") != 0 {
			t.Errorf("browser %s is %s at the second sign-in, and its owner was told %d times", first.Browser, second.Browser, k.sent.count("new_browser"))
		}
		k.lockOut("alice")
		_, err := k.passwordFrom(first.Known, "alice", rightPassword)
		wantRefused(t, err)
		k.signInFrom(second.Known, "alice")
	})
}

func TestBrowserThatPeopleShareKnowsEach(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		k.bob()
		cookie := ""
		for range 3 {
			cookie = k.signInFrom(cookie, "alice").Known
			cookie = k.signInFrom(cookie, "bob@example.com").Known
		}
		if n := strings.Count(cookie, "."); n != 1 || k.sent.count("new_browser") != 0 {
			t.Errorf("the cookie holds %d tokens, and %d messages were sent", n+1, k.sent.count("new_browser"))
		}
	})
}

func TestOwnerIsToldOfANewBrowser(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		known := k.signInFrom("", "alice").Known // the first ever: nothing to tell it from
		k.signInFrom("", "alice")
		if k.sent.count("new_browser") != 1 {
			t.Fatalf("told %d times", k.sent.count("new_browser"))
		}
		m := k.sent.messages[len(k.sent.messages)-1]
		p := m.Personalisation
		if m.To != "alice@example.com" || p["browser"] != "Firefox" || p["system"] != "Windows" || p["place"] != office.String() || p["at"] != "1 March 2026 at 09:00 UTC" {
			t.Errorf("the message says %v", p)
		}
		k.clock.advance(authn.KnownFor)
		k.signInFrom(known, "alice") // not used for too long
		if k.sent.count("new_browser") != 2 {
			t.Error("the owner was not told of a browser that nobody knew any more")
		}
		for range 15 {
			k.signInFrom("", "alice")
		}
		if n := k.sent.count("new_browser"); n > 12 {
			t.Errorf("told %d times in a day", n)
		}
	})
}

func TestSignInDoesNotGoOnWithoutItsNotice(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		k.signInFrom("", "alice")
		o := k.begin("alice")
		code := k.sent.lastCode(t)
		k.sent.fail = directory.ErrUnavailable
		if o, err := k.code(o, code); err == nil {
			t.Errorf("signed in without the notice: %+v", o)
		}
	})
}

// What ends the sessions of a user also ends what their browsers are known by.
func TestBrowsersAreForgottenWithTheirSessions(t *testing.T) {
	ends := map[string]func(k *kit, u *directory.User, here, there *authn.Session) error{
		"sign out everywhere else": func(k *kit, u *directory.User, here, _ *authn.Session) error {
			return k.EndSessions(k.t.Context(), u.ID, here.ID, directory.Actor{})
		},
		"sign out there": func(k *kit, u *directory.User, _, there *authn.Session) error {
			return k.EndSessionOf(k.t.Context(), u.ID, there.ID)
		},
		"a new password": func(k *kit, _ *directory.User, here, _ *authn.Session) error {
			p, err := k.PreparePassword(k.t.Context(), rightPassword)
			if err == nil {
				_, err = k.ChangePassword(k.t.Context(), here, p, authn.SessionInfo{})
			}
			return err
		},
	}
	each(t, func(t *testing.T, k *kit) {
		for name, end := range ends {
			u := k.user(directory.NewUser{Name: name, EmailAddress: uuid.NewString() + "@example.com", MobileNumber: "07700 900123", AuthType: directory.SMSAuth})
			here, there := k.signInFrom("", u.EmailAddress), k.signInFrom("", u.EmailAddress)
			_, session, err := k.StartSession(t.Context(), here, authn.SessionInfo{})
			_, other, otherErr := k.StartSession(t.Context(), there, authn.SessionInfo{})
			if err != nil || otherErr != nil {
				t.Fatal(err, otherErr)
			}
			k.clock.advance(time.Second)
			if err := end(k, u, session, other); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			k.lockOut(u.EmailAddress)
			_, err = k.passwordFrom(there.Known, u.EmailAddress, rightPassword)
			wantRefused(t, err)
			k.signInFrom(here.Known, u.EmailAddress)
			if err := k.ResetFactors(t.Context(), u.ID, directory.Actor{Kind: "operator"}); err != nil {
				t.Fatal(err)
			}
			if _, err := k.Store.FindBrowser(t.Context(), u.ID, authn.BrowserTokens{}, time.Time{}); err == nil {
				t.Errorf("%s: browsers are known after everything was reset", name)
			}
		}
	})
}

func TestDevicesAreWordedForTheirOwners(t *testing.T) {
	for header, want := range map[string][2]string{
		firefox: {"Firefox", "Windows"},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1": {"Safari", "iPhone"},
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                   {"Safari", "Mac"},
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0":           {"Edge", "Windows"},
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36":                         {"Chrome", "Android"},
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":     {"Samsung Internet", "Android"},
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36":                                   {"Chrome", "Linux"},
		"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0.7204.53 Mobile/15E148 Safari/604.1":   {"Chrome", "iPad"},
		"Mozilla/5.0": {"", ""}, "Mozilla/5.0 (Linux) Chrome/1.0 Safari/1.0 Call-0800-EVIL/1.0": {"", ""}, "curl/8.5.0": {"", ""}, "": {"", ""}, "\x00\xff(((": {"", ""},
	} {
		if browser, system := authn.Device(header); [2]string{browser, system} != want {
			t.Errorf("%q is %q on %q, want %v", header, browser, system, want)
		}
	}
}
