package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/authn"
	"gatehouse/authn/pages/pagestest"
)

// TestPasskeySignsInFromTheIdentifierField: a person adds a passkey, signs out,
// and is signed in to a service without typing anything.
func TestPasskeySignsInFromTheIdentifierField(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		b := pagestest.Open(t)
		rp, person := d.stranger(), d.person()
		s := d.start()
		b.Scripts(true)
		b.AddAuthenticator(true)
		b.Go(s.url + "/signin")
		d.signInWith(b, person, 1)
		b.Scripts(true)
		b.Go(s.url + "/account/passkeys")
		b.Fill("name", "Test laptop")
		if status := b.Click("#add-passkey"); status != http.StatusOK || !strings.Contains(b.Text(), "Test laptop") {
			t.Fatalf("%d %s", status, b.Text())
		}
		b.Go(s.url + "/account")
		b.Click(`form[action="/signout"] button`)

		b.Go(rp.authorizeURL(s.url, "openid"))
		b.WantHeading("Allow Example Forms to use your account?")
		b.Click("button[value=accept]")
		_, id := rp.tokens(s.url)
		var claims struct {
			ACR string   `json:"acr"`
			AMR []string `json:"amr"`
		}
		if err := id.Claims(&claims); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"hwk", "user", "mfa"}, claims.AMR); diff != "" || claims.ACR != authn.ACRMulti || id.Subject != person.ID.String() {
			t.Errorf("acr %q, sub %q, %s", claims.ACR, id.Subject, diff)
		}
	})
}

// TestSecurityKeyFollowsThePasswordInABrowser (W08): a wrong signature leads nowhere,
// nor does a key that nobody touched.
func TestSecurityKeyFollowsThePasswordInABrowser(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		b := pagestest.Open(t)
		person := d.person()
		s := d.start()
		b.Scripts(true)
		key := b.AddAuthenticator(false)
		b.Go(s.url + "/signin")
		d.signInWith(b, person, 1)
		b.Scripts(true)
		b.Go(s.url + "/account/passkeys")
		if status := b.Click("#add-key"); status != http.StatusOK || !strings.Contains(b.Text(), "Key without a name") {
			t.Fatalf("%d %s", status, b.Text())
		}
		b.Go(s.url + "/account")
		b.Click(`form[action="/signout"] button`)

		b.Go(s.url + "/signin")
		b.Fill("identifier", person.Email)
		b.Fill("password", testPassword)
		if b.Click("main button"); b.Heading() != "Use your security key" {
			t.Fatalf("at %q", b.Heading())
		}
		for what, spoil := range map[string]func(on bool){"a forged signature": key.Forge, "a key that nobody touched": key.LeaveAbsent} {
			spoil(true)
			if status := b.Click("#key-button"); status != http.StatusForbidden || b.Heading() != "Use your security key" {
				t.Fatalf("%s: %d at %q", what, status, b.Heading())
			}
			spoil(false)
		}
		if status := b.Click("#key-button"); status != http.StatusOK || !strings.Contains(b.Heading(), "You are signed in") {
			t.Errorf("%d at %q", status, b.Heading())
		}
	})
}
