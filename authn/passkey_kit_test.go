package authn_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"gatehouse/authn"
	"gatehouse/authn/passkeytest"
	"gatehouse/directory"
)

// device is an authenticator on our own site.
type device struct {
	*passkeytest.Device
	key *authn.Key
}

func newDevice() *device {
	return &device{Device: passkeytest.New("id.example.com", "https://id.example.com")}
}

// copied is the same key in another device.
func (d *device) copied() *device { return &device{d.Copied(), d.key} }

// passkey gives a user a passkey.
func (k *kit) passkey(u *directory.User) *device {
	k.t.Helper()
	return k.addKey(u, newDevice(), true)
}

// securityKey gives a user a key that follows a password.
func (k *kit) securityKey(u *directory.User) *device {
	k.t.Helper()
	d := newDevice()
	d.Auth.Options.UserNotVerified = true
	return k.addKey(u, d, false)
}

func (k *kit) addKey(u *directory.User, d *device, passwordless bool) *device {
	k.t.Helper()
	n := authn.NewPasskey{User: u, Session: u.ID, Passwordless: passwordless, Name: "My key"}
	options, err := k.BeginNewPasskey(k.t.Context(), n)
	if err != nil {
		k.t.Fatal(err)
	}
	n.Response = d.Made(k.t, options)
	if d.key, err = k.AddPasskey(k.t.Context(), n); err != nil {
		k.t.Fatal(err)
	}
	if passwordless {
		d.Auth.Options.UserHandle = u.ID[:]
	}
	return d
}

// challenge asks for a passkey in a browser.
func (k *kit) challenge(browser string) json.RawMessage {
	k.t.Helper()
	options, err := k.BeginPasskey(k.t.Context(), browser, office)
	if err != nil {
		k.t.Fatal(err)
	}
	return options
}

// tryPasskey answers in a browser.
func (k *kit) tryPasskey(browser, response string) (*authn.Outcome, error) {
	return k.Authenticate(k.t.Context(), authn.Attempt{
		Front: authn.Browser, Factor: authn.Passkey, BrowserSecret: browser, Secret: response, Network: office,
	})
}

// usePasskey asks and answers in the browser "laptop".
func (k *kit) usePasskey(d *device) (*authn.Outcome, error) {
	k.t.Helper()
	return k.tryPasskey("laptop", d.Signed(k.t, k.challenge("laptop")))
}

// keyChallenge asks for a key in a sign-in under way.
func (k *kit) keyChallenge(o *authn.Outcome) json.RawMessage {
	k.t.Helper()
	options, err := k.BeginSecurityKey(k.t.Context(), o.SignIn, office)
	if err != nil {
		k.t.Fatal(err)
	}
	return options
}

func (k *kit) tryKey(o *authn.Outcome, response string) (*authn.Outcome, error) {
	return k.Authenticate(k.t.Context(), authn.Attempt{
		Front: authn.Browser, Factor: authn.SecurityKey, SignIn: o.SignIn, Secret: response, Network: office,
	})
}

// carol signs in with a password and a key.
func (k *kit) carol() *directory.User {
	k.t.Helper()
	return k.user(directory.NewUser{Name: "Carol Example", EmailAddress: "carol@example.com", AuthType: directory.WebAuthnAuth})
}

// keys returns a user's keys as they are stored.
func (k *kit) keys(u *directory.User) []*authn.Key {
	k.t.Helper()
	all, err := k.Passkeys(k.t.Context(), u.ID)
	if err != nil {
		k.t.Fatal(err)
	}
	return all
}

// edited changes members of an answer's response.
func edited(t *testing.T, answer string, members map[string]string) string {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal([]byte(answer), &whole); err != nil {
		t.Fatal(err)
	}
	response, ok := whole["response"].(map[string]any)
	if !ok {
		t.Fatal("the answer has no response")
	}
	for name, value := range members {
		response[name] = base64.RawURLEncoding.EncodeToString([]byte(value))
		if value == "" {
			delete(response, name)
		}
	}
	out, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// allRefused fails for anything but refusals beside one success, and returns the successes.
func allRefused(t *testing.T, errs []error) int {
	t.Helper()
	n := 0
	for _, err := range errs {
		switch {
		case err == nil:
			n++
		case !errors.Is(err, authn.ErrRefused) && !errors.Is(err, directory.ErrLastCredential) && !errors.Is(err, authn.ErrPasskeyTaken):
			t.Errorf("error = %v, want success or a refusal", err)
		}
	}
	return n
}
