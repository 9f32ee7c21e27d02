package message

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// The channels, as in authn.Message.
const (
	Email = "email"
	SMS   = "sms"
	// Logout carries notices to services, which are queued by [Queue.Notify].
	Logout = "logout"
)

// Channels are those that lead to people.
func Channels() []string { return []string{Email, SMS} }

// Outgoing is a message in words, as senders get it.
type Outgoing struct {
	ID        uuid.UUID
	At        time.Time // when it was queued
	Channel   string
	Template  string
	To        string
	ReplyTo   string
	Subject   string // e-mail only
	Body      string // plain text
	HTML      string // the same for e-mail readers that show it
	ExpiresAt time.Time
	// Personalisation is what the template was filled with, for senders that
	// word messages elsewhere and for tests that read the file.
	Personalisation map[string]any
	// ClientID is the service that a notice is for, and Notice what it is told;
	// everything between Template and HTML is empty then.
	ClientID string
	Notice   []byte
}

// Sender takes messages of a channel and gets them closer to their recipients.
// It may be given the same message again, with the same ID, when a worker died.
// A [*SendError] says whether trying again may help; any other error does not
// say, and is tried again.
type Sender interface {
	Send(ctx context.Context, m *Outgoing) error
}

// Reasons for which a message was not taken: classes, without anything personal.
const (
	ReasonDeferred     = "deferred"     // the other side asked to try again later, or could not take it
	ReasonRedirected   = "redirected"   // a service sent us elsewhere, where nothing is sent
	ReasonWithdrawn    = "withdrawn"    // the service is gone, or wants no notices any more
	ReasonUnreachable  = "unreachable"  // the other side did not answer
	ReasonRefused      = "refused"      // the other side will never take it
	ReasonUnauthorised = "unauthorised" // the other side does not take our key or token
	ReasonMalformed    = "malformed"    // the recipient's address is none
	ReasonUnreadable   = "unreadable"   // the payload does not open with the keys of this process
	ReasonExpired      = "expired"      // it would have come too late
	ReasonInternal     = "internal"     // the sender failed in a way it did not explain
	ReasonAbandoned    = "abandoned"    // workers died while sending it, again and again
)

// SendError is a sender's refusal. It holds no text of the other side, which
// often quotes the recipient.
type SendError struct {
	Reason    string // one of the Reason constants
	Permanent bool   // trying again cannot help
	Code      int    // the SMTP reply, or a service's HTTP status; 0 without one
}

func (e *SendError) Error() string { return "send message: " + e.Reason }

// Row is a message in the outbox. Everything personal is inside Payload, sealed.
type Row struct {
	ID       uuid.UUID
	Channel  string
	Template string
	ClientID string // the service that a notice is for; "" for messages to people
	Payload  []byte
	// Taken is how many senders of the channel have it already.
	Taken int
	// Attempts counts the claims, the one that returned this row included.
	Attempts  int
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// States a message ends in.
const (
	StateQueued  = "queued"
	StateSent    = "sent"
	StateFailed  = "failed"
	StateExpired = "expired"
)

// Store keeps the outbox. Everything returns directory.ErrUnavailable when it
// cannot answer.
type Store interface {
	// AfterCommit runs f when the transaction in ctx has been committed; at
	// once when there is none.
	AfterCommit(ctx context.Context, f func())
	// Enqueue joins the transaction in ctx.
	Enqueue(ctx context.Context, r Row) error
	// Due returns queued messages of a channel that nobody holds, the oldest first.
	Due(ctx context.Context, channel string, now time.Time, limit int) ([]uuid.UUID, error)
	// DueNotices returns due notices of a channel, no more than each for any one
	// service; those that were tried least come first.
	DueNotices(ctx context.Context, channel string, now time.Time, each, limit int) ([]DueNotice, error)
	// Claim takes a due message until the lease ends and counts the attempt; of
	// several workers one wins. directory.ErrNotFound when it is no longer due.
	Claim(ctx context.Context, id, lease uuid.UUID, now, until time.Time) (*Row, error)
	// Retry gives a message up until r.At.
	Retry(ctx context.Context, id, lease uuid.UUID, r Retry) error
	// Finish ends a message in a state other than queued and erases its payload.
	Finish(ctx context.Context, id, lease uuid.UUID, state, reason string, at time.Time) error
}

// DueNotice is a notice that may be claimed.
type DueNotice struct {
	ID       uuid.UUID
	ClientID string
}

// Delivery is the record of a notice to a service.
type Delivery struct {
	ID       uuid.UUID
	ClientID string
	QueuedAt time.Time
	State    string // one of the State constants
	Attempts int
	Reason   string    // why the last attempt failed; one of the Reason constants
	NextAt   time.Time // zero once it has ended
	EndedAt  time.Time // zero while it is queued
}

// Retry says when a message is tried again, and why.
type Retry struct {
	At     time.Time
	Reason string
	Taken  int
}

// Sealer encrypts a value for one place; storage.Keyring is one.
type Sealer interface {
	Seal(plaintext []byte, place string) []byte
	Open(sealed []byte, place string) ([]byte, error)
}
