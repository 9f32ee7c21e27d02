package authn_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
)

func registration(email string) authn.Registration {
	return authn.Registration{Name: "Ann Example", Email: email, Mobile: "07700 900456", Password: rightPassword, Network: office}
}

// register asks for an account and returns the link's token and the browser's secret.
func (k *kit) register(email string) (token, browser string) {
	k.t.Helper()
	browser, err := k.Register(k.t.Context(), registration(email))
	if err != nil {
		k.t.Fatal(err)
	}
	_, token = k.sent.lastLink(k.t, "verify_email")
	return token, browser
}

func (k *kit) confirm(token, browser, password string) error {
	return k.ConfirmRegistration(k.t.Context(), token, browser, password, office)
}

func TestRegistrationMakesAnAccountOnceTheAddressIsProved(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		token, browser := k.register("Ann@Example.com")
		if _, err := k.password(authn.Browser, "ann@example.com", rightPassword); !errors.Is(err, authn.ErrRefused) {
			t.Errorf("signed in before the address was proved: %v", err)
		}
		for range 6 { // M01: looking uses nothing up
			r, err := k.OpenRegistration(t.Context(), token, browser)
			if err != nil || !r.Same || r.Email != "Ann@Example.com" || r.Name != "Ann Example" {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		if err := k.confirm(token, browser, ""); err != nil {
			t.Fatal(err)
		}
		o := k.begin("ann@example.com")
		if o.Next != authn.SMSCode || o.User.State != directory.Active || o.User.MobileNumber != "07700 900456" || !o.User.EmailAccessValidatedAt.Equal(k.Clock()) {
			t.Errorf("outcome %+v of %+v", o, o.User)
		}
		if o.User.PlatformAdmin || len(o.User.Roles) > 0 {
			t.Errorf("a new account may do something: %+v", o.User)
		}
		if err := k.confirm(token, browser, ""); !errors.Is(err, authn.ErrLinkClosed) {
			t.Errorf("the second time: %v", err)
		}
	})
}

// TestRegistrationIsConfirmedOnce (M02) presses the button 64 times at once.
func TestRegistrationIsConfirmedOnce(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		token, browser := k.register("ann@example.com")
		errs := parallel(64, func(int) error { return k.confirm(token, browser, "") })
		if n := countLinks(t, errs); n != 1 {
			t.Errorf("%d accounts were made, want 1", n)
		}
	})
}

// TestRegistrationAnswersAlike (E03): the owner of an address learns of it, nobody else.
func TestRegistrationAnswersAlike(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		k.user(directory.NewUser{EmailAddress: "invited@example.com", State: directory.Pending})
		for email, template := range map[string]string{
			" ALICE@example.com": "account_exists", "new@example.com": "verify_email", "invited@example.com": "verify_email",
		} {
			before := k.sent.count(template)
			browser, err := k.Register(t.Context(), registration(email))
			if err != nil || len(browser) != 43 {
				t.Errorf("%s: %q, %v", email, browser, err)
			}
			if n := k.sent.count(template) - before; n != 1 {
				t.Errorf("%s: %d mails of %s", email, n, template)
			}
		}
		if again := k.reload(alice); again.Name != alice.Name || again.MobileNumber != alice.MobileNumber {
			t.Errorf("alice is %+v", again)
		}
		k.begin("alice")
	})
}

func TestRegistrationTakesOverAnAccountThatWasNeverFinished(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		begun := k.user(directory.NewUser{EmailAddress: "ann@example.com", State: directory.Pending, Name: "Mallory"})
		if err := k.SetPassword(t.Context(), begun.ID, "what somebody else chose", directory.Actor{Kind: "user"}); err != nil {
			t.Fatal(err)
		}
		token, browser := k.register("ann@example.com")
		if err := k.confirm(token, browser, ""); err != nil {
			t.Fatal(err)
		}
		if u := k.reload(begun); u.State != directory.Active || u.Name != "Ann Example" {
			t.Errorf("%+v", u)
		}
		_, err := k.password(authn.Browser, "ann@example.com", "what somebody else chose")
		wantRefused(t, err)
		k.begin("ann@example.com")
	})
}

// TestRegistrationElsewhereNeedsThePassword: whoever reads the mail and did not
// ask makes no account for somebody who knows its password.
func TestRegistrationElsewhereNeedsThePassword(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		token, _ := k.register("ann@example.com")
		_, others := k.register("bob@example.com")
		for _, browser := range []string{"", "x", others} {
			if r, err := k.OpenRegistration(t.Context(), token, browser); err != nil || r.Same {
				t.Errorf("browser %q: %+v, %v", browser, r, err)
			}
			wantRefused(t, k.confirm(token, browser, ""))
			wantRefused(t, k.confirm(token, browser, wrongPassword))
		}
		if err := k.confirm(token, "", rightPassword); err != nil {
			t.Error(err)
		}
	})
}

func TestRegistrationLinkOfAnAddressThatIsTakenIsClosed(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		first, browser := k.register("ann@example.com")
		second, other := k.register("ann@example.com")
		if err := k.confirm(second, other, ""); err != nil {
			t.Fatal(err)
		}
		if err := k.confirm(first, browser, ""); !errors.Is(err, authn.ErrLinkClosed) {
			t.Errorf("error = %v", err)
		}
		third, late := k.register("late@example.com")
		k.advance(24 * time.Hour)
		if err := k.confirm(third, late, ""); !errors.Is(err, authn.ErrLinkClosed) {
			t.Errorf("too late: %v", err)
		}
	})
}

func TestRegistrationIsLimited(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		for range 7 {
			if _, err := k.Register(t.Context(), registration("ann@example.com")); err != nil {
				t.Fatal(err)
			}
		}
		if n := k.sent.count("verify_email"); n != 5 {
			t.Errorf("%d mails to one address, want 5", n)
		}
		k.Limits.AskingPerNetwork = authn.Limit{Burst: 1, Per: time.Hour}
		for range 2 {
			_, _ = k.Register(t.Context(), registration("bob@example.com"))
		}
		_, err := k.Register(t.Context(), registration("bob@example.com"))
		wantThrottled(t, err)
		for _, bad := range []authn.Registration{
			{Name: "", Email: "a@example.com", Password: rightPassword}, {Name: "A", Email: "a@localhost", Password: rightPassword},
			{Name: "A", Email: "a@example.com", Mobile: "12", Password: rightPassword}, {Name: "A", Email: "", Password: rightPassword},
		} {
			if _, err := k.Register(t.Context(), bad); !errors.Is(err, directory.ErrInvalid) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}

// TestMailToAnAddressThatNobodyProvedSaysNothingOfOurAskers: whoever asks chooses the
// address and the name, and would have us send their words to anybody.
func TestMailToAnAddressThatNobodyProvedSaysNothingOfOurAskers(t *testing.T) {
	const bait, victim = "You have won, see https://evil.example", "victim@example.com"
	each(t, func(t *testing.T, k *kit) {
		asked := registration(victim)
		asked.Name = bait
		if _, err := k.Register(t.Context(), asked); err != nil {
			t.Fatal(err)
		}
		mallory := k.user(directory.NewUser{Name: bait, EmailAddress: "mallory@example.com", AuthType: directory.EmailAuth})
		_, session := k.session("mallory@example.com", authn.SessionInfo{})
		k.beginContact(session, mallory, authn.EmailContact, victim)
		mails := 0
		for _, m := range k.sent.messages {
			if m.To != victim {
				continue
			}
			mails++
			if strings.Contains(fmt.Sprint(m.Personalisation), "evil") {
				t.Errorf("%s carries a stranger's words", m.Template)
			}
		}
		if mails != 2 {
			t.Errorf("%d mails to the address, want 2", mails)
		}
	})
}
