package authn_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
)

// askMail asks to sign in by mail, and returns the browser's secret.
func (k *kit) askMail(identifier string, want authn.Want) string {
	k.t.Helper()
	browser, err := k.AskEmailSignIn(k.t.Context(), authn.EmailSignIn{Identifier: identifier, Want: want, Flow: "flow-1", Network: office})
	if err != nil {
		k.t.Fatal(err)
	}
	return browser
}

// mail tries the link or the code of a mail.
func (k *kit) mail(browser, secret string) (*authn.Outcome, error) {
	return k.Authenticate(k.t.Context(), authn.Attempt{
		Front: authn.Browser, Factor: authn.MagicLink, SignIn: browser, Secret: secret, Network: office,
	})
}

func TestMailSignsInAtItsOwnLevel(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		bob := k.bob()
		browser := k.askMail("bob@example.com", authn.Want{})
		u, token := k.sent.lastLink(t, "sign_in_link_or_code")
		if u.Host != "id.example.gov.uk" { // H02
			t.Errorf("the link leads to %s", u.Host)
		}
		for range 6 { // M01: looking uses nothing up
			if flow, same, err := k.OpenEmailSignIn(t.Context(), token, browser); flow != "flow-1" || !same || err != nil {
				t.Fatalf("%q, %v, %v", flow, same, err)
			}
		}
		k.advance(time.Minute)
		o, err := k.mail(browser, token)
		if err != nil || !o.Complete() || o.User.ID != bob.ID || o.ACR != authn.ACREmail || !slices.Equal(o.AMR, []string{"otp"}) {
			t.Fatalf("%+v, %v", o, err)
		}
		if !k.reload(bob).EmailAccessValidatedAt.Equal(k.Clock()) {
			t.Error("the address counts as not proved")
		}
		for _, secret := range []string{token, k.sent.lastCode(t)} {
			_, err := k.mail(browser, secret)
			wantRefused(t, err)
		}
	})
}

func TestCodeOfTheMailSignsInInstead(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		bob := k.bob()
		browser := k.askMail("bob@example.com", authn.Want{})
		_, err := k.mail(browser, otherThan(k.sent.lastCode(t)))
		wantRefused(t, err)
		k.wantFailures(bob, 1)
		if _, err := k.mail(browser, k.sent.lastCode(t)); err != nil {
			t.Fatal(err)
		}
		_, token := k.sent.lastLink(t, "sign_in_link_or_code")
		if _, _, err := k.OpenEmailSignIn(t.Context(), token, browser); !errors.Is(err, authn.ErrLinkClosed) {
			t.Errorf("the link beside it: %v", err)
		}
	})
}

// TestMailSignsInOnce (M02) uses one mail 64 times at once, by link and by code.
func TestMailSignsInOnce(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.bob()
		browser := k.askMail("bob@example.com", authn.Want{})
		_, token := k.sent.lastLink(t, "sign_in_link_or_code")
		secrets := []string{token, k.sent.lastCode(t)}
		errs := parallel(64, func(i int) error {
			_, err := k.mail(browser, secrets[i%2])
			return err
		})
		if n := countNil(t, errs); n > 1 {
			t.Errorf("%d signed in, want 1 at most", n)
		}
	})
}

// TestLinkSignsInOnce (M02) leaves the code out, so that exactly one must succeed:
// no more than ten failures are under way at once.
func TestLinkSignsInOnce(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.bob()
		browser := k.askMail("bob@example.com", authn.Want{})
		_, token := k.sent.lastLink(t, "sign_in_link_or_code")
		errs := parallel(64, func(int) error {
			_, err := k.mail(browser, token)
			return err
		})
		if n := countNil(t, errs); n != 1 {
			t.Errorf("%d signed in, want 1", n)
		}
	})
}

// TestMailIsBoundToTheBrowserThatAsked (O05, S03): a link that somebody else asked
// for signs nobody in.
func TestMailIsBoundToTheBrowserThatAsked(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.bob()
		k.user(directory.NewUser{EmailAddress: "carol@example.com", AuthType: directory.EmailAuth})
		first := k.askMail("bob@example.com", authn.Want{})
		_, token := k.sent.lastLink(t, "sign_in_link_or_code")
		code := k.sent.lastCode(t)
		others := k.askMail("carol@example.com", authn.Want{})
		if _, same, err := k.OpenEmailSignIn(t.Context(), token, others); same || err != nil {
			t.Errorf("another browser: %v, %v", same, err)
		}
		for _, secret := range []string{token, code} {
			_, err := k.mail(others, secret)
			wantRefused(t, err)
			if _, err := k.mail("", secret); !errors.Is(err, authn.ErrNoSignIn) {
				t.Errorf("no browser: %v", err)
			}
		}
		if _, err := k.SignInUnderWay(t.Context(), first); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("the secret is one of a sign-in that a password began: %v", err)
		}
		if _, err := k.mail(first, token); err != nil {
			t.Error(err)
		}
	})
}

// TestMailWeakensNobody (E04, seed 002): whoever has more than the mail is mailed
// that the password is needed, and whoever asked sees no difference.
func TestMailWeakensNobody(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.Limits.MailsPerAddress = authn.Limit{Burst: 100, Per: time.Hour}
		k.alice()
		k.bob()
		k.user(directory.NewUser{EmailAddress: "key@example.com", AuthType: directory.WebAuthnAuth})
		k.user(directory.NewUser{EmailAddress: "pending@example.com", AuthType: directory.EmailAuth, State: directory.Pending})
		for _, c := range []struct {
			who          string
			want         authn.Want
			links, words int
		}{
			{"bob@example.com", authn.Want{}, 1, 0},
			{"bob@example.com", authn.Want{ACRValues: []string{authn.ACREmail}}, 1, 0},
			{"bob@example.com", authn.Want{ACRValues: []string{authn.ACRSingle}}, 0, 1},
			{"bob@example.com", authn.Want{ACRValues: []string{authn.ACRMulti}}, 0, 1},
			{"bob@example.com", authn.Want{Floor: authn.ACRSingle}, 0, 1},
			{"alice", authn.Want{}, 0, 1},
			{"key@example.com", authn.Want{}, 0, 1},
			{"pending@example.com", authn.Want{}, 0, 0},
			{"ghost@example.com", authn.Want{}, 0, 0},
		} {
			links, words := k.sent.count("sign_in_link_or_code"), k.sent.count("password_needed")
			browser := k.askMail(c.who, c.want)
			if l, w := k.sent.count("sign_in_link_or_code")-links, k.sent.count("password_needed")-words; l != c.links || w != c.words {
				t.Errorf("%s %v: %d links, %d words", c.who, c.want, l, w)
			}
			_, err := k.mail(browser, "000001")
			wantRefused(t, err)
		}
	})
}

func TestMailOfAUserWhoHasChangedSignsNobodyIn(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		bob := k.bob()
		for name, change := range map[string]func(u *directory.User){
			"an enrolled number": func(u *directory.User) { u.MobileNumber, u.AuthType = "07700 900789", directory.SMSAuth },
			"archived":           func(u *directory.User) { u.State = directory.Inactive },
			"another address":    func(u *directory.User) { u.EmailAddress = "robert@example.com" },
		} {
			browser := k.askMail("bob@example.com", authn.Want{})
			_, token := k.sent.lastLink(t, "sign_in_link_or_code")
			changed := *k.reload(bob)
			change(&changed)
			if err := k.Directory.UpdateUser(t.Context(), &changed); err != nil {
				t.Fatal(err)
			}
			if _, err := k.mail(browser, token); !errors.Is(err, authn.ErrRefused) {
				t.Errorf("%s: %v", name, err)
			}
			if err := k.Directory.UpdateUser(t.Context(), bob); err != nil {
				t.Fatal(err)
			}
		}
		browser := k.askMail("bob@example.com", authn.Want{})
		k.advance(time.Hour)
		if _, err := k.mail(browser, k.sent.lastCode(t)); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("too late: %v", err)
		}
	})
}
