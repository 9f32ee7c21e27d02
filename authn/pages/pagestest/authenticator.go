package pagestest

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// Authenticator makes and holds keys for one tab, where somebody always presses
// its button at once.
type Authenticator struct {
	b  *Browser
	id webauthn.AuthenticatorID
}

// AddAuthenticator gives a tab the authenticator of a device, which keeps
// passkeys and verifies its user, or one on a plug that does neither.
func (b *Browser) AddAuthenticator(passkeys bool) *Authenticator {
	b.t.Helper()
	call(b, webauthn.Enable, webauthn.EnableParams{})
	options := &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportUsb, AutomaticPresenceSimulation: true,
	}
	if passkeys {
		options.Transport = webauthn.AuthenticatorTransportInternal
		options.HasResidentKey, options.HasUserVerification, options.IsUserVerified = true, true, true
	}
	return &Authenticator{b, call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: options}).AuthenticatorID}
}

// Forge makes it answer with wrong signatures, or with right ones again.
func (a *Authenticator) Forge(on bool) {
	a.b.t.Helper()
	call(a.b, webauthn.SetResponseOverrideBits, webauthn.SetResponseOverrideBitsParams{AuthenticatorID: a.id, IsBogusSignature: &on})
}

// LeaveAbsent makes it say that nobody was there, or what it found again.
func (a *Authenticator) LeaveAbsent(on bool) {
	a.b.t.Helper()
	call(a.b, webauthn.SetResponseOverrideBits, webauthn.SetResponseOverrideBitsParams{AuthenticatorID: a.id, IsBadUP: &on})
}

// LeaveUnverified makes it sign that it does not know who was there, although
// the browser asked it to make sure, or what it found again.
func (a *Authenticator) LeaveUnverified(on bool) {
	a.b.t.Helper()
	call(a.b, webauthn.SetResponseOverrideBits, webauthn.SetResponseOverrideBitsParams{AuthenticatorID: a.id, IsBadUV: &on})
}

// Mistake makes it take whoever is there for a stranger, so that the browser gets
// no answer where the user is to be verified; or for its owner again.
func (a *Authenticator) Mistake(on bool) {
	a.b.t.Helper()
	call(a.b, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: a.id, IsUserVerified: !on})
}

// WithoutAutofill makes the tab's next pages those of a browser that offers no
// passkeys where a name is typed: people press the button there.
func (b *Browser) WithoutAutofill() {
	b.t.Helper()
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: "delete window.PublicKeyCredential?.isConditionalMediationAvailable",
	})
}

// WantShown waits until the element of an id can be seen.
func (b *Browser) WantShown(id string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.ID(id)))
}

// WantHeading waits until the page has a heading, since a script leads there.
func (b *Browser) WantHeading(want string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for got := ""; got != want; {
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(document.querySelector("h1") || {}).textContent || ""`))
		if ctx.Err() != nil {
			b.t.Fatalf("want the page %q, it is %q: %v", want, got, err)
		}
		if err == nil { // while a page goes, there is nothing to look at
			got = strings.TrimSpace(text)
		}
	}
}
