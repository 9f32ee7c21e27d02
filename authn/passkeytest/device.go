package passkeytest

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/descope/virtualwebauthn"
)

// Device is an authenticator with one key, and the site that its browser is on.
type Device struct {
	RP   virtualwebauthn.RelyingParty
	Auth virtualwebauthn.Authenticator
	Cred virtualwebauthn.Credential
	// busy is held while the key, which copies share, is in use: virtualwebauthn
	// writes to it.
	busy *sync.Mutex
}

// New returns a device that has signed once, on a site: its relying party's id and
// its origin.
func New(id, origin string) *Device {
	d := &Device{
		RP:   virtualwebauthn.RelyingParty{ID: id, Origin: origin, Name: "Gatehouse"},
		Auth: virtualwebauthn.NewAuthenticator(), Cred: newCredential(), busy: &sync.Mutex{},
	}
	d.Cred.Counter = 1
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

// Copied is the same key in another device.
func (d *Device) Copied() *Device {
	other := *d
	return &other
}

// Made answers the options of a new key.
func (d *Device) Made(t testing.TB, options json.RawMessage) string {
	t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	d.busy.Lock()
	defer d.busy.Unlock()
	return virtualwebauthn.CreateAttestationResponse(d.RP, d.Auth, d.Cred, *o)
}

// Signed answers the options of a sign-in, with the next count.
func (d *Device) Signed(t testing.TB, options json.RawMessage) string {
	t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	d.busy.Lock()
	defer d.busy.Unlock()
	d.Cred.Counter++
	return virtualwebauthn.CreateAssertionResponse(d.RP, d.Auth, d.Cred, *o)
}
