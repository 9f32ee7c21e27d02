package message

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// CallbackPath is where senders' other sides tell what became of messages, with
// [Receiver.Kind] behind it.
const CallbackPath = "/messages/callback/"

// MaxCallback bounds a callback's body in bytes.
const MaxCallback = 16 << 10

// What becomes of a message after it was sent.
const (
	StateDelivered = "delivered"
	StateBounced   = "bounced"
)

// Reasons for which a message bounced: classes, without anything personal.
const (
	BouncePermanent = "permanent" // the address or number does not exist
	BounceTemporary = "temporary" // a full mailbox, a phone that is off
	BounceBlocked   = "blocked"   // by the recipient or a filter
	BounceTechnical = "technical" // a fault between the other side and the recipient
)

func isBounce(reason string) bool {
	return slices.Contains([]string{BouncePermanent, BounceTemporary, BounceBlocked, BounceTechnical}, reason)
}

// Report is what became of a message after it was sent.
type Report struct {
	ID     uuid.UUID
	State  string // StateDelivered or StateBounced
	Reason string // one of the Bounce constants; "" for what was delivered
}

// Record is what became of a message to a person, without anything of theirs.
type Record struct {
	ID       uuid.UUID
	Channel  string
	Template string
	QueuedAt time.Time
	State    string // one of the State constants up to StateExpired
	Attempts int
	Reason   string    // why the last attempt failed; one of the Reason constants
	EndedAt  time.Time // zero while it is queued
	// Delivery is StateDelivered or StateBounced once that was told; BounceReason
	// is then one of the Bounce constants or "".
	Delivery     string
	BounceReason string
	ToldAt       time.Time
}

// Receiver is a sender whose other side tells later what became of messages.
type Receiver interface {
	// Kind is the last part of the path at which it is told.
	Kind() string
	// Receive proves that a request is from the other side and returns what it
	// tells; nil when that is nothing to record. It must take the same time for
	// every proof that is wrong.
	Receive(r *http.Request, body []byte) (*Report, error)
}

var (
	// errStranger is a callback without the other side's proof.
	errStranger = errors.New("callback is not from the sender's other side")
	// errReport is a callback that is proved, but tells nothing that is known.
	errReport = errors.New("callback is malformed")
)

// ReportStore keeps what is told.
type ReportStore interface {
	// Report records what became of a message, and says whether that is news: a
	// delivery may yet be followed by a bounce, by nothing else. An unknown
	// message is no news.
	Report(ctx context.Context, r Report, at time.Time) (news bool, err error)
}

// Callbacks answers at [CallbackPath].
type Callbacks struct {
	Senders map[string][]Sender // as [ParseSenders] returns them
	Store   ReportStore
	Clock   directory.Clock

	// Delivered and Bounced are how many messages were told of, for metrics.
	Delivered, Bounced atomic.Int64
}

// Receive records what the other side of {sender} tells. Its answer is the same
// for a message that is unknown, forgotten or has been told of before.
func (c *Callbacks) Receive(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return err
	}
	if err != nil {
		return web.Errorf(http.StatusBadRequest, "The request body could not be read")
	}
	report, err := c.read(r, body)
	if err != nil {
		return err
	}
	if report != nil {
		if err := c.record(r.Context(), *report); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// read asks every receiver of the kind that the path names: there may be two,
// for e-mail and for text messages.
func (c *Callbacks) read(r *http.Request, body []byte) (*Report, error) {
	known := false
	for _, receiver := range c.receivers(r.PathValue("sender")) {
		known = true
		report, err := receiver.Receive(r, body)
		switch {
		case errors.Is(err, errReport):
			return nil, &web.Error{Status: http.StatusBadRequest, Message: "The callback is not as described", Cause: err}
		case err == nil:
			return report, nil
		}
	}
	if !known {
		return nil, web.Errorf(http.StatusNotFound, "No such sender is configured")
	}
	return nil, &web.Error{Status: http.StatusForbidden, Message: "The callback does not prove where it comes from", Cause: errStranger}
}

func (c *Callbacks) receivers(kind string) []Receiver {
	var all []Receiver
	for _, channel := range Channels() {
		for _, sender := range c.Senders[channel] {
			receiver, ok := sender.(Receiver)
			if ok && receiver.Kind() == kind && !slices.Contains(all, receiver) {
				all = append(all, receiver)
			}
		}
	}
	return all
}

func (c *Callbacks) record(ctx context.Context, report Report) error {
	news, err := c.Store.Report(ctx, report, c.Clock())
	if err != nil {
		return fmt.Errorf("record delivery: %w", err)
	}
	web.Note(ctx, slog.String("message", report.ID.String()), slog.String("delivery", report.State), slog.String("bounce", report.Reason), slog.Bool("news", news))
	switch {
	case !news:
	case report.State == StateDelivered:
		c.Delivered.Add(1)
	default:
		c.Bounced.Add(1)
	}
	return nil
}
