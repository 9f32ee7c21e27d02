package authn

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"gatehouse/directory"
)

// purpose is what a challenge was made for; it is good for nothing else.
type purpose string

const (
	forSignIn       purpose = "sign_in"       // a passkey, of whomever it is
	forSecondFactor purpose = "second_factor" // a key, in a sign-in under way
	forNewPasskey   purpose = "new_passkey"
	forNewKey       purpose = "new_key"
)

// ceremony is a challenge that waits for its answer. What the answer is held to
// is here and not in what comes back with it (GHSA-h4fw-6r7f-w494).
type ceremony struct {
	id        string
	Session   webauthn.SessionData `json:"session"`
	ExpiresAt time.Time            `json:"expires_at"`
}

// ceremonyID finds a challenge by its purpose and by the secret it was given to:
// in another browser, sign-in or session it is not found.
func (s *Service) ceremonyID(p purpose, boundTo, challenge string) string {
	return hex.EncodeToString(s.mac("ceremony", string(p), boundTo, challenge))
}

// keepCeremony makes a challenge answerable, once.
func (s *Service) keepCeremony(ctx context.Context, p purpose, boundTo string, session *webauthn.SessionData) error {
	state, err := json.Marshal(ceremony{Session: *session, ExpiresAt: s.Clock().Add(ceremonyTTL)})
	if err != nil {
		return fmt.Errorf("encode ceremony: %w", err)
	}
	if err := s.Cache.PutCeremony(ctx, s.ceremonyID(p, boundTo, session.Challenge), state, ceremonyTTL); err != nil {
		return fmt.Errorf("keep ceremony: %w", err)
	}
	return nil
}

// errNoCeremony says that a challenge is unknown, was answered or has expired.
var errNoCeremony = errors.New("no challenge like this is open")

// takeCeremony uses a challenge up before its answer is looked at: the library
// would accept the same answer again and again.
func (s *Service) takeCeremony(ctx context.Context, p purpose, boundTo, challenge string) (*ceremony, error) {
	c := &ceremony{id: s.ceremonyID(p, boundTo, challenge)}
	state, err := s.Cache.TakeCeremony(ctx, c.id)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil, errNoCeremony
	case err != nil:
		return nil, fmt.Errorf("take ceremony: %w", err)
	}
	if err := json.Unmarshal(state, c); err != nil {
		return nil, fmt.Errorf("decode ceremony: %w", err)
	}
	if !s.Clock().Before(c.ExpiresAt) {
		return nil, errNoCeremony
	}
	return c, nil
}
