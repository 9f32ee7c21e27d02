package authn

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"gatehouse/directory"
)

// RelyingParty is whom authenticators make keys for (WebAuthn Level 3). The zero
// value is nobody: then there are no passkeys.
type RelyingParty struct {
	// Origin is where the pages are, such as "https://id.example.gov.uk", and the
	// only origin whose responses are accepted. Its host is the RP ID, so that no
	// other host can use the keys. It is taken as browsers write it: in lower case,
	// and without the port that its scheme has anyway.
	Origin string
	// Name is what authenticators may show.
	Name string
}

// ErrNoRelyingParty says that keys cannot be used at this origin: browsers make
// them for host names, not for addresses.
var ErrNoRelyingParty = errors.New("no passkeys at this origin")

// ceremonyTTL is how long a challenge can be answered.
const ceremonyTTL = 10 * time.Minute

// maxResponse bounds the response of an authenticator, in bytes.
const maxResponse = 32 << 10

// Usable reports whether browsers make keys for the origin.
func (rp RelyingParty) Usable() bool {
	_, err := rp.library()
	return err == nil
}

// library configures go-webauthn: one origin, never within another site's page,
// no attestation asked for, and what has come in time.
func (rp RelyingParty) library() (*webauthn.WebAuthn, error) {
	u, err := url.Parse(rp.serialised())
	if err != nil || u.Hostname() == "" {
		return nil, ErrNoRelyingParty
	}
	if err := protocol.ValidateRPID(u.Hostname()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoRelyingParty, err)
	}
	timeout := webauthn.TimeoutConfig{Enforce: true, Timeout: ceremonyTTL, TimeoutUVD: ceremonyTTL}
	w, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: rp.Name, RPOrigins: []string{rp.serialised()},
		AttestationPreference: protocol.PreferNoAttestation,
		Timeouts:              webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
		// Password managers send outputs that nobody asked for; they are ignored (section 7.2, step 23).
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoRelyingParty, err)
	}
	return w, nil
}

// serialised is the origin as browsers write it (HTML Living Standard, section 7.1.1).
func (rp RelyingParty) serialised() string {
	origin := strings.ToLower(rp.Origin)
	port := map[bool]string{true: ":443", false: ":80"}[strings.HasPrefix(origin, "https:")]
	return strings.TrimSuffix(origin, port)
}

// sameOrigin compares as bytes, where the library takes any letter case.
func (rp RelyingParty) sameOrigin(c protocol.CollectedClientData) bool {
	return c.Origin == rp.serialised() && !c.CrossOrigin && c.TopOrigin == ""
}

// holder is a user as the library sees them: with some of their keys.
type holder struct {
	user *directory.User
	keys []webauthn.Credential
}

// WebAuthnID is the user handle: the user's id, which is random and says nothing.
func (h holder) WebAuthnID() []byte { return h.user.ID[:] }

// WebAuthnName tells accounts of one person apart in the browser's list.
func (h holder) WebAuthnName() string {
	for _, name := range []string{h.user.EmailAddress, h.user.Username} {
		if name != "" {
			return name
		}
	}
	return h.user.Name
}

// WebAuthnDisplayName is the person's name.
func (h holder) WebAuthnDisplayName() string { return h.user.Name }

// WebAuthnCredentials are the keys that count in a ceremony.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

func newHolder(u *directory.User, keys ...*Key) (holder, error) {
	h := holder{user: u}
	for _, k := range keys {
		c, err := k.decode()
		if err != nil {
			return holder{}, err
		}
		h.keys = append(h.keys, c)
	}
	return h, nil
}

func (h holder) descriptors() []protocol.CredentialDescriptor {
	return webauthn.Credentials(h.keys).CredentialDescriptors()
}

// newChallenge returns 256 random bits.
func (s *Service) newChallenge() ([]byte, error) {
	challenge := make([]byte, 32)
	if _, err := io.ReadFull(s.random(), challenge); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	return challenge, nil
}
