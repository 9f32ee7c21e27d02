package authn_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/descope/virtualwebauthn"

	"gatehouse/authn"
	"gatehouse/directory"
)

// device is an authenticator with one key, and the site that its browser is on.
type device struct {
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	cred virtualwebauthn.Credential
	key  *authn.Key
	// busy is held while the key, which copies share, is in use: virtualwebauthn
	// writes to it.
	busy *sync.Mutex
}

func newDevice() *device {
	d := &device{
		rp:   virtualwebauthn.RelyingParty{ID: "id.example.com", Origin: "https://id.example.com", Name: "Gatehouse"},
		auth: virtualwebauthn.NewAuthenticator(), cred: newCredential(), busy: &sync.Mutex{},
	}
	d.cred.Counter = 1
	return d
}

// newCredential makes a key whose coordinates are of full length: virtualwebauthn
// cuts leading zeros off, which a verifier must refuse, once in 128 keys.
func newCredential() virtualwebauthn.Credential {
	const full = 77 // bytes of a COSE key with coordinates of 32
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == full {
			return c
		}
	}
}

// made answers the options of a new key.
func (d *device) made(t *testing.T, options json.RawMessage) string {
	t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	d.busy.Lock()
	defer d.busy.Unlock()
	return virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.cred, *o)
}

// signed answers the options of a sign-in, with the next count.
func (d *device) signed(t *testing.T, options json.RawMessage) string {
	t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	d.busy.Lock()
	defer d.busy.Unlock()
	d.cred.Counter++
	return virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.cred, *o)
}

// copied is the same key in another device.
func (d *device) copied() *device {
	other := *d
	return &other
}

// passkey gives a user a passkey.
func (k *kit) passkey(u *directory.User) *device {
	k.t.Helper()
	return k.addKey(u, newDevice(), true)
}

// securityKey gives a user a key that follows a password.
func (k *kit) securityKey(u *directory.User) *device {
	k.t.Helper()
	d := newDevice()
	d.auth.Options.UserNotVerified = true
	return k.addKey(u, d, false)
}

func (k *kit) addKey(u *directory.User, d *device, passwordless bool) *device {
	k.t.Helper()
	n := authn.NewPasskey{User: u, BoundTo: "session-" + u.ID.String(), Passwordless: passwordless, Name: "My key"}
	options, err := k.BeginNewPasskey(k.t.Context(), n)
	if err != nil {
		k.t.Fatal(err)
	}
	n.Response = d.made(k.t, options)
	if d.key, err = k.AddPasskey(k.t.Context(), n); err != nil {
		k.t.Fatal(err)
	}
	if passwordless {
		d.auth.Options.UserHandle = u.ID[:]
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
	return k.tryPasskey("laptop", d.signed(k.t, k.challenge("laptop")))
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
