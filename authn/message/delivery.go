package message

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// The back-off doubles from the first to the last.
const (
	firstRetry = 2 * time.Second
	lastRetry  = 15 * time.Minute
)

// deliver sends a claimed message and records what became of it.
func (w *Worker) deliver(ctx context.Context, row *Row, lease uuid.UUID) {
	maximum := cmp.Or(w.MaxAttempts, DefaultMaxAttempts)
	if row.ClientID != "" {
		maximum = maxNoticeAttempts
	}
	if !row.ExpiresAt.IsZero() && !w.Clock().Before(row.ExpiresAt) {
		w.finish(ctx, row, lease, StateExpired, ReasonExpired)
		return
	}
	if row.Attempts > maximum {
		w.finish(ctx, row, lease, StateFailed, ReasonAbandoned)
		return
	}
	taken, failure := w.send(ctx, row)
	switch {
	case failure == nil:
		w.finish(ctx, row, lease, StateSent, "")
	case failure.Permanent || row.Attempts == maximum:
		w.finish(ctx, row, lease, StateFailed, failure.Reason)
	default:
		w.retry(ctx, row, lease, Retry{At: w.Clock().Add(w.backoff(row.Attempts)), Reason: failure.Reason, Taken: taken})
	}
}

// send gives a message to the senders that do not have it yet, and returns how
// many have it then.
func (w *Worker) send(ctx context.Context, row *Row) (taken int, failure *SendError) {
	m, err := row.open(w.Sealer)
	if err != nil {
		// Another replica may have the key.
		return row.Taken, &SendError{Reason: ReasonUnreadable}
	}
	taken = row.Taken
	for _, sender := range w.Senders[row.Channel][min(taken, len(w.Senders[row.Channel])):] {
		if err := w.try(ctx, sender, m); err != nil {
			if !errors.As(err, &failure) {
				failure = &SendError{Reason: ReasonInternal}
			}
			return taken, failure
		}
		taken++
	}
	return taken, nil
}

func (w *Worker) try(ctx context.Context, s Sender, m *Outgoing) error {
	ctx, cancel := context.WithTimeout(ctx, w.sendTimeout())
	defer cancel()
	return s.Send(ctx, m)
}

// backoff is how long to wait after a number of attempts. The random half keeps
// messages that failed together from coming back together.
func (w *Worker) backoff(attempts int) time.Duration {
	wait := min(firstRetry<<min(attempts-1, 20), lastRetry)
	return wait/2 + rand.N(wait/2)
}

func (w *Worker) finish(ctx context.Context, row *Row, lease uuid.UUID, state, reason string) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := w.Store.Finish(ctx, row.ID, lease, state, reason, w.Clock())
	level := slog.LevelInfo
	switch state {
	case StateSent:
		w.Counts.Sent.Add(1)
	case StateExpired:
		w.Counts.Expired.Add(1)
		level = slog.LevelWarn
	default:
		w.Counts.Failed.Add(1)
		level = slog.LevelWarn
	}
	w.say(ctx, level, state, row, reason, err)
}

func (w *Worker) retry(ctx context.Context, row *Row, lease uuid.UUID, r Retry) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := w.Store.Retry(ctx, row.ID, lease, r)
	w.Counts.Retried.Add(1)
	w.say(ctx, slog.LevelInfo, "retry", row, r.Reason, err)
}

// say logs how a message fared, and that the outbox could not be told: the
// message is then sent again when the lease ends.
func (w *Worker) say(ctx context.Context, level slog.Level, state string, row *Row, reason string, err error) {
	attrs := []slog.Attr{
		slog.String("message", row.ID.String()), slog.String("channel", row.Channel), slog.String("template", row.Template),
		slog.String("state", state), slog.Int("attempt", row.Attempts),
	}
	if row.ClientID != "" {
		attrs = append(attrs, slog.String("client", row.ClientID))
	}
	if reason != "" {
		attrs = append(attrs, slog.String("reason", reason))
	}
	if err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	w.Log.LogAttrs(ctx, level, "message", attrs...)
}
