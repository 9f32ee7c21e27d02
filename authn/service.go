package authn

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Service is the one door behind every front. Its fields are set once; those
// that say what their zero value means may be left out.
type Service struct {
	Directory directory.Store
	Store     Store
	Cache     Cache
	Messages  Messages
	Revoker   Revoker // nil: nothing was issued that must end
	Hasher    *Hasher
	// RelyingParty is whom passkeys are made for; the zero value allows none.
	RelyingParty RelyingParty
	// CodeKey authenticates codes and hides what limits are counted on; 32
	// random bytes, the same in every replica.
	CodeKey  []byte
	Accounts Accounts // for people who register
	// Sealer hides what links are about.
	Sealer Sealer
	// Issuer is the public URL of this service, where links lead.
	Issuer string
	Clock  directory.Clock
	Rand   io.Reader // nil: crypto/rand
	// Observe, when not nil, is told how each attempt ended. It must not wait.
	Observe func(front Front, factor Factor, verdict string)
	// ObserveLimit, when not nil, is told which kind of limit was reached.
	ObserveLimit func(limit string)
	Log          *slog.Logger

	CodeDigits   int           // 0: 6
	CodeTTL      time.Duration // how long a code is accepted; 0: 60 minutes
	CodeTries    int           // wrong codes that end a sign-in; 0: 5
	MaxLiveCodes int           // codes a user may have at once; 0: 5

	// EmailRevalidation is how long ago a user who signs in may last have proved
	// the e-mail address; who has not since must do so then. 0: never asked.
	EmailRevalidation time.Duration

	SessionIdle     time.Duration // a session unused this long is over; 0: 2 hours
	SessionLifetime time.Duration // and this long after it began; 0: 20 hours

	MinPasswordLength int // in code points; 0: 12

	// RefusalTime is the least time that a refused password takes; longer than
	// a comparison does. 0: 250 ms.
	RefusalTime time.Duration
	// SlowestRefusal is what the refusal of a password grows to on the hosted pages,
	// from the third failure with a name on; 0: four times RefusalTime.
	SlowestRefusal time.Duration
	// HeldBack is how many refusals may take longer than RefusalTime at once, in this
	// process; 0: 1024, less than 0: none.
	HeldBack int

	Limits Limits
	// Places names where people are; nil when nobody knows.
	Places Places
	// Texting bounds the cost of text messages; the zero value has no bound for an hour.
	Texting Texting

	local    localLimiter
	tries    localLimiter // what is counted here even while Redis is there
	heldBack atomic.Int64
}

func (s *Service) codeDigits() int            { return cmp.Or(s.CodeDigits, 6) }
func (s *Service) codeTTL() time.Duration     { return cmp.Or(s.CodeTTL, time.Hour) }
func (s *Service) codeTries() int             { return cmp.Or(s.CodeTries, 5) }
func (s *Service) maxLiveCodes() int          { return cmp.Or(s.MaxLiveCodes, 5) }
func (s *Service) idle() time.Duration        { return cmp.Or(s.SessionIdle, 2*time.Hour) }
func (s *Service) lifetime() time.Duration    { return cmp.Or(s.SessionLifetime, 20*time.Hour) }
func (s *Service) refusalTime() time.Duration { return cmp.Or(s.RefusalTime, 250*time.Millisecond) }
func (s *Service) slowestRefusal() time.Duration {
	return max(s.refusalTime(), cmp.Or(s.SlowestRefusal, 4*s.refusalTime()))
}
func (s *Service) minPasswordLength() int { return cmp.Or(s.MinPasswordLength, 12) }

func (s *Service) random() io.Reader {
	if s.Rand == nil {
		return rand.Reader
	}
	return s.Rand
}

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// event appends to the audit trail, in the transaction in ctx.
func (s *Service) event(ctx context.Context, kind string, actor directory.Actor, subject uuid.UUID, data map[string]any) error {
	id, err := s.newID()
	if err != nil {
		return err
	}
	e := directory.Event{ID: id, Type: kind, Actor: actor, Subject: subject.String(), Data: data, At: s.Clock()}
	if err := s.Directory.AppendEvent(ctx, e); err != nil {
		return fmt.Errorf("append event: %w", err)
	}
	return nil
}

func (s *Service) newID() (uuid.UUID, error) {
	id, err := uuid.NewRandomFromReader(s.random())
	if err != nil {
		return uuid.Nil, fmt.Errorf("read random bytes: %w", err)
	}
	return id, nil
}

// newToken returns 256 random bits that a browser keeps.
func (s *Service) newToken() (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(s.random(), b[:]); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// tokenLength is that of a token from newToken.
const tokenLength = 43

// signInID is what a sign-in is called in the stores, where its token must not be.
func signInID(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// mac authenticates parts for a purpose. The parts cannot run into each other.
func (s *Service) mac(purpose string, parts ...string) []byte {
	h := hmac.New(sha256.New, s.CodeKey)
	h.Write([]byte(purpose))
	for _, p := range parts {
		fmt.Fprintf(h, "|%d|", len(p))
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}
