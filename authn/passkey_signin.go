package authn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"gatehouse/directory"
)

// BeginPasskey returns the options for signing in with a passkey, as JSON: of
// whom it is, the answer says. browser is a secret of the browser that asks; an
// [Attempt] with it answers within ten minutes. It is a [*ThrottledError] when
// the network has failed too often.
func (s *Service) BeginPasskey(ctx context.Context, browser string, from netip.Addr) (json.RawMessage, error) {
	w, err := s.RelyingParty.library()
	if err != nil {
		return nil, err
	}
	if err := s.mayAsk(ctx, from, s.Clock()); err != nil {
		return nil, err
	}
	challenge, err := s.newChallenge()
	if err != nil {
		return nil, err
	}
	options, session, err := w.BeginDiscoverableLogin(
		webauthn.WithChallenge(challenge), webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, fmt.Errorf("begin assertion: %w", err)
	}
	if err := s.keepCeremony(ctx, forSignIn, browser, session); err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

// BeginSecurityKey returns the options for proving one of the user's keys, as
// JSON, in a sign-in under way that waits for one; otherwise it is [ErrNoSignIn].
func (s *Service) BeginSecurityKey(ctx context.Context, signIn string, from netip.Addr) (json.RawMessage, error) {
	w, err := s.RelyingParty.library()
	if err != nil {
		return nil, err
	}
	if err := s.mayAsk(ctx, from, s.Clock()); err != nil {
		return nil, err
	}
	in, user, err := s.underWay(ctx, signIn)
	if err != nil {
		return nil, err
	}
	keys, err := s.Passkeys(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	if in.Next != SecurityKey || len(keys) == 0 {
		return nil, ErrNoSignIn
	}
	h, err := newHolder(user, keys...)
	if err != nil {
		return nil, err
	}
	challenge, err := s.newChallenge()
	if err != nil {
		return nil, err
	}
	// The password was right, so that the key only has to be there.
	options, session, err := w.BeginLogin(h, webauthn.WithChallenge(challenge), webauthn.WithUserVerification(protocol.VerificationDiscouraged))
	if err != nil {
		return nil, fmt.Errorf("begin assertion: %w", err)
	}
	if err := s.keepCeremony(ctx, forSecondFactor, in.id, session); err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

// passkey tries an answer to [Service.BeginPasskey]. What is wrong with it does
// not count on the account: there is nothing to guess, and whoever knows the id
// of a key could otherwise lock its owner out. For the same reason an account
// that wrong passwords have locked still opens to its passkey.
func (t *trial) passkey(ctx context.Context) (*Outcome, error) {
	if t.Front != Browser {
		return nil, t.refuse("front", "no passkeys here")
	}
	parsed, c, err := t.answer(ctx, forSignIn, t.BrowserSecret)
	if err != nil {
		return nil, err
	}
	key, user, err := t.service.Store.PasskeyOf(ctx, parsed.RawID)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil, t.refuse("passkey", "unknown")
	case err != nil:
		return nil, fmt.Errorf("find passkey: %w", err)
	}
	t.user = user
	if p := policy(admitted(user, t.AdmitPending), Enrolment{Passkeys: 1}, t.Front, t.want()); p.refused != "" {
		return nil, t.refuse("policy", p.refused)
	}
	if !key.Passwordless {
		return nil, t.refuse("passkey", "it only follows a password")
	}
	if err := t.assert(ctx, parsed, c, key); err != nil {
		return nil, err
	}
	return t.afterPasskey(ctx, c)
}

// afterPasskey completes the sign-in, or first has the e-mail address proved
// anew; not while the account is locked, since it takes no codes then.
func (t *trial) afterPasskey(ctx context.Context, c *ceremony) (*Outcome, error) {
	if t.user.Locked() || !mustRevalidate(t.user, Passkey, t.at, t.service.EmailRevalidation) {
		return t.complete(ctx, Passkey, c.id)
	}
	return t.wait(ctx, &signIn{
		UserID: t.user.ID, Next: EmailCode, Proved: Passkey, AMR: t.amr, Pending: t.AdmitPending, Want: t.want(), BegunAt: t.at,
	})
}

// keyAfterPassword tries an answer to [Service.BeginSecurityKey]. It counts on the
// account like a code does, once there was something to answer.
func (t *trial) keyAfterPassword(ctx context.Context) (*Outcome, error) {
	s := t.service
	in, err := t.continued(ctx)
	if err != nil {
		return nil, err
	}
	if t.Front != Browser || in.Next != SecurityKey {
		return nil, t.refuse("policy", "another factor is needed")
	}
	parsed, c, err := t.answer(ctx, forSecondFactor, in.id)
	if err != nil {
		return nil, err
	}
	if err := t.attemptToContinue(ctx, in); err != nil {
		return nil, err
	}
	key, owner, err := s.Store.PasskeyOf(ctx, parsed.RawID)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return nil, fmt.Errorf("find key: %w", err)
	}
	if err != nil || owner.ID != t.user.ID {
		t.noteLock(ctx)
		return nil, t.refuse("key", "not the user's")
	}
	if err := t.assert(ctx, parsed, c, key); err != nil {
		if errors.Is(err, ErrRefused) {
			t.noteLock(ctx)
		}
		return nil, err
	}
	return t.afterCode(ctx, in)
}

// answer reads an authenticator's answer and uses its challenge up.
func (t *trial) answer(ctx context.Context, p purpose, boundTo string) (*protocol.ParsedCredentialAssertionData, *ceremony, error) {
	if len(t.Secret) > maxResponse || boundTo == "" {
		return nil, nil, t.refuse("answer", "too long, or bound to nothing")
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(t.Secret))
	if err != nil {
		return nil, nil, t.refuse("answer", "malformed")
	}
	c, err := t.service.takeCeremony(ctx, p, boundTo, parsed.Response.CollectedClientData.Challenge)
	if errors.Is(err, errNoCeremony) {
		return nil, nil, t.refuse("challenge", "unknown, answered or expired")
	}
	return parsed, c, err
}

// assert is section 7.2 of WebAuthn Level 3 for a key that was found, and notes
// its use. The record is read back from the store and never from the answer.
func (t *trial) assert(ctx context.Context, parsed *protocol.ParsedCredentialAssertionData, c *ceremony, key *Key) error {
	s := t.service
	w, err := s.RelyingParty.library()
	if err != nil {
		return err
	}
	h, err := newHolder(t.user, key)
	if err != nil {
		return err
	}
	credential, err := validate(w, h, c, parsed)
	switch {
	case err != nil:
		return t.refuse("key", reason(err))
	case !s.RelyingParty.sameOrigin(parsed.Response.CollectedClientData):
		return t.refuse("key", "another origin")
	case credential.Authenticator.CloneWarning:
		t.noteClone(ctx, key)
		return t.refuse("key", "its counter did not grow: there may be a copy")
	}
	was := key.SignCount
	if err := key.encode(credential); err != nil {
		return err
	}
	err = s.Store.UsePasskey(ctx, key, was, t.at)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return t.refuse("key", "used or removed meanwhile")
	case err != nil:
		return fmt.Errorf("use key: %w", err)
	}
	t.step("key", "", "pass")
	t.amr = keyAMR(credential)
	return nil
}

// validate picks the library's check for a user it was told of or not.
func validate(w *webauthn.WebAuthn, h holder, c *ceremony, parsed *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, error) {
	if len(c.Session.UserID) == 0 {
		return w.ValidateDiscoverableLogin(func(_, _ []byte) (webauthn.User, error) { return h, nil }, c.Session, parsed)
	}
	offered := slices.ContainsFunc(c.Session.AllowedCredentialIDs, func(id []byte) bool { return bytes.Equal(id, parsed.RawID) })
	if !offered {
		return nil, protocol.ErrBadRequest.WithDetails("the key was not offered")
	}
	// The library wants the user to have every key that was offered; others may be gone since.
	session := c.Session
	session.AllowedCredentialIDs = [][]byte{parsed.RawID}
	return w.ValidateLogin(h, session, parsed)
}

// noteClone writes down that a key may have been copied, and tells its owner. The
// refusal holds without it.
func (t *trial) noteClone(ctx context.Context, key *Key) {
	s := t.service
	err := s.Directory.InTx(ctx, func(ctx context.Context) error {
		if err := s.event(ctx, "passkey_copied", directory.Actor{Kind: "system"}, t.user.ID, map[string]any{"passkey": key.ID}); err != nil {
			return err
		}
		return s.tell(ctx, t.user, "passkey_copied")
	})
	if err != nil {
		s.log().LogAttrs(ctx, slog.LevelError, "note a copied passkey", slog.String("error", err.Error()))
	}
}
