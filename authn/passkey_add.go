package authn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"gatehouse/directory"
)

// Bounds of keys: how many a user may have, how long an id an authenticator may
// choose (WebAuthn Level 3 section 7.1, step 25), and how long a name.
const (
	maxPasskeys     = 20
	maxCredentialID = 1023 // bytes
	maxKeyName      = 100  // code points
)

// What adding a key may end with beside [ErrRefused].
var (
	// ErrTooManyPasskeys says that the user has as many keys as anybody may have.
	ErrTooManyPasskeys = errors.New("too many passkeys")
	// ErrPasskeyTaken says that the key is somebody's already.
	ErrPasskeyTaken = errors.New("passkey already added")
)

// NewPasskey is a key that a user adds in a session.
type NewPasskey struct {
	User *directory.User
	// Session is the one that began to add it, and is to end it.
	Session uuid.UUID
	// Passwordless asks for a passkey, else for a security key.
	Passwordless bool
	Name         string // "" for none
	Response     string // the authenticator's, as JSON
}

// BeginNewPasskey returns the options for an authenticator to make a key with, as
// JSON. It ends with [Service.AddPasskey] within ten minutes.
func (s *Service) BeginNewPasskey(ctx context.Context, n NewPasskey) (json.RawMessage, error) {
	w, err := s.RelyingParty.library()
	if err != nil {
		return nil, err
	}
	keys, err := s.Passkeys(ctx, n.User.ID)
	if err != nil {
		return nil, err
	}
	if len(keys) >= maxPasskeys {
		return nil, ErrTooManyPasskeys
	}
	h, err := newHolder(n.User, keys...)
	if err != nil {
		return nil, err
	}
	challenge, err := s.newChallenge()
	if err != nil {
		return nil, err
	}
	options, session, err := w.BeginRegistration(h, webauthn.WithExclusions(h.descriptors()), n.ask(challenge))
	if err != nil {
		return nil, fmt.Errorf("begin registration: %w", err)
	}
	if err := s.keepCeremony(ctx, n.purpose(), n.Session.String(), session); err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

func (n NewPasskey) purpose() purpose {
	if n.Passwordless {
		return forNewPasskey
	}
	return forNewKey
}

// ask wants a passkey to be found without a name and to verify its user; a
// security key only has to be there, since a password came before it.
func (n NewPasskey) ask(challenge []byte) webauthn.RegistrationOption {
	return func(o *protocol.PublicKeyCredentialCreationOptions) error {
		o.Challenge = challenge
		o.AuthenticatorSelection = protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementDiscouraged, RequireResidentKey: protocol.ResidentKeyNotRequired(),
			UserVerification: protocol.VerificationDiscouraged, AuthenticatorAttachment: protocol.CrossPlatform,
		}
		if n.Passwordless {
			o.AuthenticatorSelection = protocol.AuthenticatorSelection{
				ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
				UserVerification: protocol.VerificationRequired,
			}
		}
		return nil
	}
}

// AddPasskey checks a new key and gives it to its user, who is told; every other
// session of theirs ends. The error is
// [ErrRefused] for what is not the answer to this session's challenge,
// [ErrPasskeyTaken], [ErrTooManyPasskeys], or a [*directory.FieldError] for its name.
func (s *Service) AddPasskey(ctx context.Context, n NewPasskey) (*Key, error) {
	name, err := keyName(n.Name)
	if err != nil {
		return nil, err
	}
	credential, err := s.checkNew(ctx, n)
	if err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	p := &Key{ID: id, UserID: n.User.ID, CredentialID: credential.ID, Name: name, Passwordless: n.Passwordless, CreatedAt: s.Clock()}
	if err := p.encode(credential); err != nil {
		return nil, err
	}
	if err := s.storeNew(ctx, p, n.Session); err != nil {
		return nil, err
	}
	return p, nil
}

// checkNew is section 7.1 of WebAuthn Level 3, except that the id must be new.
func (s *Service) checkNew(ctx context.Context, n NewPasskey) (*webauthn.Credential, error) {
	w, err := s.RelyingParty.library()
	if err != nil {
		return nil, err
	}
	if len(n.Response) > maxResponse {
		return nil, fmt.Errorf("%w: response too long", ErrRefused)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(n.Response))
	if err != nil {
		return nil, fmt.Errorf("%w: malformed response", ErrRefused)
	}
	c, err := s.takeCeremony(ctx, n.purpose(), n.Session.String(), parsed.Response.CollectedClientData.Challenge)
	if errors.Is(err, errNoCeremony) {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err != nil {
		return nil, err
	}
	credential, err := w.CreateCredential(holder{user: n.User}, c.Session, parsed)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %s", ErrRefused, reason(err))
	case !s.RelyingParty.sameOrigin(parsed.Response.CollectedClientData):
		return nil, fmt.Errorf("%w: another origin", ErrRefused)
	case len(credential.ID) == 0 || len(credential.ID) > maxCredentialID:
		return nil, fmt.Errorf("%w: id of an impossible length", ErrRefused)
	}
	return credential, nil
}

func (s *Service) storeNew(ctx context.Context, p *Key, session uuid.UUID) error {
	return s.Directory.InTx(ctx, func(ctx context.Context) error {
		user, keys, err := s.lockKeys(ctx, p.UserID)
		if err != nil {
			return err
		}
		if len(keys) >= maxPasskeys {
			return ErrTooManyPasskeys
		}
		if err := s.Store.CreatePasskey(ctx, p); err != nil {
			if errors.Is(err, directory.ErrConflict) {
				return ErrPasskeyTaken
			}
			return fmt.Errorf("create passkey: %w", err)
		}
		data := map[string]any{"passkey": p.ID, "passwordless": p.Passwordless}
		if err := s.event(ctx, "add_passkey", ownerOf(p.UserID), p.UserID, data); err != nil {
			return err
		}
		return s.factorsChanged(ctx, user, session, "passkey_added", ownerOf(p.UserID))
	})
}

// reason is what the library says in fixed words; the rest quotes what was sent.
func reason(err error) string {
	if known, ok := errors.AsType[*protocol.Error](err); ok {
		return known.Details
	}
	return "not acceptable"
}

// keyName tidies a name that a user chose.
func keyName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxKeyName || strings.ContainsFunc(name, unicode.IsControl) {
		return "", &directory.FieldError{Field: "name", Reason: fmt.Sprintf("Must be %d characters or fewer, without line breaks", maxKeyName)}
	}
	return name, nil
}
