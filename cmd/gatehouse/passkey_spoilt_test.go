package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"gatehouse/authn/pages/pagestest"
)

// spoilt is somebody at a browser whose authenticator can be made to lie.
type spoilt struct {
	*pagestest.Browser
	t      *testing.T
	d      *deployment
	s      *server
	person userOutput
	key    *pagestest.Authenticator
}

// TestSpoiltPasskeyIsRefusedInABrowser (W08): whatever an authenticator leaves out,
// and whether this service or the browser notices, no key is added and nobody is
// signed in, and what is shown leads on by keyboard. The same passkey is right
// afterwards.
func TestSpoiltPasskeyIsRefusedInABrowser(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, sqliteConfig(t))
	p := spoilt{Browser: pagestest.Open(t), t: t, d: d, person: d.person()}
	p.s = d.start()
	p.WithoutAutofill()
	p.key = p.AddAuthenticator(true)
	p.Go(p.s.url + "/signin")
	d.signInWith(p.Browser, p.person, 1)
	p.Scripts(true)
	p.Go(p.s.url + "/account/passkeys")

	p.addsNone()
	if status := p.Click("#add-passkey"); status != http.StatusOK || !p.Has(removeKey) {
		t.Fatalf("%d %s", status, p.Text())
	}
	p.Go(p.s.url + "/account")
	p.Click(signOutButton)
	p.Go(p.s.url + "/signin")
	p.signsNobodyIn()
	p.PressAndGo(kb.Enter)
	p.at("You are signed in")
	p.followsThePassword()
}

const (
	removeKey     = `button[value="remove"]`
	signOutButton = `form[action="/signout"] button`
	passkeyButton = "#key-form button"
)

// addsNone is at the page of an account: a passkey is for who was there and was
// verified. (Nothing is signed yet, as no attestation is asked for.)
func (p *spoilt) addsNone() {
	p.t.Helper()
	p.key.Mistake(true)
	p.unanswered("#add-passkey")
	p.key.Mistake(false)
	for what, spoil := range map[string]func(on bool){"nobody there": p.key.LeaveAbsent, "nobody verified": p.key.LeaveUnverified} {
		spoil(true)
		if status := p.Click("#add-passkey"); status != http.StatusForbidden || p.Has(removeKey) {
			p.t.Errorf("a new passkey with %s: %d %s", what, status, p.Text())
		}
		spoil(false)
	}
}

// unanswered presses a button to which the browser gets no answer: the page stays,
// says so, and the button keeps the focus to be pressed again.
func (p *spoilt) unanswered(button string) {
	p.t.Helper()
	at := p.URL()
	p.Reach(button)
	p.Press(kb.Enter)
	p.WantShown("key-trouble")
	if !strings.Contains(p.Text(), "That did not work, or was cancelled. You can try again.") || p.URL() != at || !p.Has(button+":focus") {
		p.t.Errorf("at %s: %s", p.URL(), p.Text())
	}
	p.CheckAccessible()
	p.Scripts(true)
}

// signsNobodyIn is at the sign-in page and ends with the focus on the button.
func (p *spoilt) signsNobodyIn() {
	p.t.Helper()
	p.key.Mistake(true)
	p.unanswered(passkeyButton)
	p.key.Mistake(false)
	for what, spoil := range map[string]func(on bool){
		"a forged signature": p.key.Forge, "nobody there": p.key.LeaveAbsent, "nobody verified": p.key.LeaveUnverified,
	} {
		spoil(true)
		if status := p.PressAndGo(kb.Enter); status != http.StatusForbidden {
			p.t.Errorf("%s: %d at %q", what, status, p.Heading())
		}
		spoil(false)
		p.refused()
	}
}

// refused is on the page after a passkey that was not accepted, goes from its
// summary to the field and from there to the button.
func (p *spoilt) refused() {
	p.t.Helper()
	p.at("Sign in")
	p.WantFocus("govuk-error-summary")
	if !strings.Contains(p.Text(), "The passkey was not accepted. Try again, or sign in with your password") || p.Has(signOutButton) {
		p.t.Errorf("refused: %s", p.Text())
	}
	p.Press(kb.Tab)
	p.Follow()
	p.WantFocus("identifier")
	p.Reach(passkeyButton)
}

func (p *spoilt) at(heading string) {
	p.t.Helper()
	if got := p.Heading(); got != heading {
		p.t.Fatalf("at %q instead of %q: %s", got, heading, p.Text())
	}
}

// followsThePassword uses the same key as a second factor, which only has to be
// there: a password was right before it.
func (p *spoilt) followsThePassword() {
	p.t.Helper()
	p.Click(signOutButton)
	p.Go(p.s.url + "/signin")
	p.Fill("identifier", p.person.Email)
	p.Fill("password", testPassword)
	p.Click("main button")
	p.at("Use your security key")
	p.key.LeaveUnverified(true)
	p.Click("#key-button")
	p.at("You are signed in")
}
