package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"gatehouse/directory"
)

// Signature algorithms of our tokens (RFC 7518 section 3.1, RFC 8037).
const (
	RS256 = "RS256" // what every OpenID client understands
	ES256 = "ES256"
	EdDSA = "EdDSA"
)

// KeyState is where a signing key is in its life: next, then active, then retired.
type KeyState string

// The states. Of one algorithm there is at most one next and one active key.
const (
	NextKey    KeyState = "next"    // published, does not sign yet
	ActiveKey  KeyState = "active"  // signs
	RetiredKey KeyState = "retired" // verifies what it has signed, until it expires
)

// SigningKey is a signing key as it is stored.
type SigningKey struct {
	ID    string   `json:"kid"` // RFC 7638 thumbprint
	Alg   string   `json:"alg"`
	State KeyState `json:"state"`
	// Sealed is the private key, encrypted for its row; empty once it is retired.
	Sealed    []byte          `json:"-"`
	PublicJWK json.RawMessage `json:"public_jwk"`
	CreatedAt time.Time       `json:"created_at"`
	// ActivatesAt is when the key begins, or began, to sign; zero for a next key
	// whose turn nobody has set.
	ActivatesAt time.Time `json:"activates_at,omitzero"`
	RetiredAt   time.Time `json:"retired_at,omitzero"`
	// ExpiresAt is when a retired key is no longer published nor believed.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// KeyStore keeps the signing keys. The booleans report whether a row changed:
// where replicas race, one does.
type KeyStore interface {
	InTx(ctx context.Context, f func(ctx context.Context) error) error
	// SigningKeys returns every key, the oldest first.
	SigningKeys(ctx context.Context) ([]SigningKey, error)
	// AddSigningKey stores a key unless its algorithm has one in that state.
	AddSigningKey(ctx context.Context, k SigningKey) (bool, error)
	// ScheduleSigningKey sets when a next key takes over, unless that is set.
	ScheduleSigningKey(ctx context.Context, id string, at time.Time) (bool, error)
	// RetireSigningKey retires an active key and erases its private half.
	RetireSigningKey(ctx context.Context, id string, at, expires time.Time) (bool, error)
	// ActivateSigningKey makes a next key the active one.
	ActivateSigningKey(ctx context.Context, id string, at time.Time) (bool, error)
	// DeleteSigningKeys removes the retired keys that have expired.
	DeleteSigningKeys(ctx context.Context, expired time.Time) error
}

// Sealer encrypts what is stored, bound to the place it is stored in.
type Sealer interface {
	Seal(plaintext []byte, place string) []byte
	Open(sealed []byte, place string) ([]byte, error)
}

// Audit writes the audit trail, in the transaction in ctx when there is one.
type Audit interface {
	AppendEvent(ctx context.Context, e directory.Event) error
}

// Keys signs our tokens and verifies them. Call [Keys.Ensure] once, then
// [Keys.Run] in the background. Signing and verifying read one immutable
// snapshot and take no lock.
type Keys struct {
	Store  KeyStore
	Sealer Sealer
	Audit  Audit
	Clock  directory.Clock
	Log    *slog.Logger

	// Algs are the algorithms to keep keys for; all three when empty.
	Algs []string
	// PublishFor is how long a key is published before it may sign, so that
	// whoever caches our keys knows it by then: 10 minutes when zero, which is
	// twice what the JWKS may be cached.
	PublishFor time.Duration
	// Retain is how long a retired key verifies: 30 days when zero. ID tokens
	// come back as hints long after they have expired.
	Retain time.Duration
	// RotateEvery is the age at which an active key is replaced: 90 days when
	// zero, never when negative.
	RotateEvery time.Duration

	current  atomic.Pointer[keySet]
	reloaded atomic.Int64 // when an unknown key last caused a reload, in nanoseconds
}

const (
	defaultPublishFor  = 2 * jwksMaxAge
	defaultRetain      = 30 * 24 * time.Hour
	defaultRotateEvery = 90 * 24 * time.Hour

	// keysRefreshEvery bounds how long a replica may miss a change made elsewhere.
	keysRefreshEvery = 15 * time.Second
	// keysReloadEvery bounds how often unknown keys make us ask the store.
	keysReloadEvery = 5 * time.Second
)

// Ensure creates the keys that are missing, an active and a next one for each
// algorithm, and loads them. Any number of replicas may start at once.
func (k *Keys) Ensure(ctx context.Context) error {
	rows, err := k.Store.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	now := k.Clock() // the keys of one birth are told by their time, see readyAt
	for _, alg := range k.algs() {
		for _, state := range []KeyState{ActiveKey, NextKey} {
			if keyOf(rows, alg, state) != nil {
				continue
			}
			if err := k.add(ctx, alg, state, now); err != nil {
				return err
			}
		}
	}
	return k.Refresh(ctx)
}

func (k *Keys) add(ctx context.Context, alg string, state KeyState, now time.Time) error {
	key, err := generateKey(alg, state, k.Sealer, now)
	if err != nil {
		return err
	}
	if _, err := k.Store.AddSigningKey(ctx, key); err != nil {
		return fmt.Errorf("store signing key: %w", err)
	}
	return nil
}

// Run refreshes the keys until ctx is done. A failure is logged and the keys at
// hand stay in use.
func (k *Keys) Run(ctx context.Context) {
	ticker := time.NewTicker(keysRefreshEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := k.Refresh(ctx); err != nil && ctx.Err() == nil {
				k.Log.ErrorContext(ctx, "signing keys not refreshed", "error", err)
			}
		}
	}
}

// Refresh carries out the rotations that are due and loads the keys as they
// then are, including what other replicas did.
func (k *Keys) Refresh(ctx context.Context) error {
	rows, err := k.Store.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	changed, err := k.advance(ctx, rows)
	if err != nil {
		return err
	}
	if changed {
		if rows, err = k.Store.SigningKeys(ctx); err != nil {
			return fmt.Errorf("read signing keys: %w", err)
		}
	}
	return k.load(rows)
}

// load replaces the snapshot when the rows differ from it.
func (k *Keys) load(rows []SigningKey) error {
	now := k.Clock()
	rows = slices.DeleteFunc(rows, func(row SigningKey) bool { return row.expired(now) })
	if old := k.current.Load(); old != nil && old.fingerprint == fingerprint(rows) {
		return nil
	}
	set, err := newKeySet(rows, k.Sealer)
	if err != nil {
		return err
	}
	k.current.Store(set)
	return nil
}

// Published returns the keys at hand, without their private halves and without
// asking the store; none before they are loaded.
func (k *Keys) Published() []SigningKey {
	set := k.current.Load()
	if set == nil {
		return nil
	}
	return set.rows
}

// List returns every key there is, the oldest first.
func (k *Keys) List(ctx context.Context) ([]SigningKey, error) {
	return k.Store.SigningKeys(ctx)
}

func (k *Keys) algs() []string {
	if len(k.Algs) == 0 {
		return []string{RS256, ES256, EdDSA}
	}
	return k.Algs
}

func (row *SigningKey) expired(now time.Time) bool {
	return !row.ExpiresAt.IsZero() && !now.Before(row.ExpiresAt)
}

func keyOf(rows []SigningKey, alg string, state KeyState) *SigningKey {
	i := slices.IndexFunc(rows, func(row SigningKey) bool { return row.Alg == alg && row.State == state })
	if i < 0 {
		return nil
	}
	return &rows[i]
}
