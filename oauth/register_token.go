package oauth

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Prefixes of the tokens that manage clients, so that one that leaked can be
// recognised for what it is.
const (
	initialTokenPrefix      = "gh_it_"
	registrationTokenPrefix = "gh_rat_"
)

// Bounds of an initial access token.
const (
	maxTokenUses = 100_000
	maxTokenLife = 366 * 24 * time.Hour
)

// InitialToken lets its holder register clients (RFC 7591 section 3).
type InitialToken struct {
	Hash      []byte // SHA-256 of the token
	Note      string // what it is for, in the operator's words
	Uses      int64  // registrations that are left
	CreatedAt time.Time
	ExpiresAt time.Time
}

// NewToken makes an initial access token that is good for a number of
// registrations and for a time, and returns it, this once, with its end. Errors
// are *directory.FieldError for values out of bounds.
func (g *Registrar) NewToken(ctx context.Context, by directory.Actor, uses int64, life time.Duration, note string) (string, time.Time, error) {
	var f faults
	f.add(uses < 1 || uses > maxTokenUses, "uses", "must be 1 to 100000")
	f.add(life <= 0 || life > maxTokenLife, "expires", "must be more than 0 and at most 8784h")
	validateTexts(&f, "note", []string{note})
	if err := f.err(); err != nil {
		return "", time.Time{}, err
	}
	token, err := g.Clients.token(initialTokenPrefix)
	if err != nil {
		return "", time.Time{}, err
	}
	now := g.Clients.now()
	t := InitialToken{Hash: hashSecret(token), Note: note, Uses: uses, CreatedAt: now, ExpiresAt: now.Add(life)}
	err = g.Clients.Store.InTx(ctx, func(ctx context.Context) error {
		if err := g.Store.CreateInitialToken(ctx, t); err != nil {
			return err
		}
		return g.Clients.Audit.AppendEvent(ctx, directory.Event{
			ID: uuid.New(), Type: "create_initial_access_token", Actor: by, At: now,
			Data: map[string]any{"uses": uses, "expires_at": t.ExpiresAt, "note": note},
		})
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("create initial access token: %w", err)
	}
	return token, t.ExpiresAt, nil
}

// token is a new random token with a prefix.
func (cs *Clients) token(prefix string) (string, error) {
	random, err := cs.random(secretSize)
	return prefix + random, err
}
