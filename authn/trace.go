package authn

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"gatehouse/internal/web"
)

// The verdicts of a trace.
const (
	authenticated = "authenticated"
	more          = "more"
	refused       = "refused"
	throttled     = "throttled"
	unavailable   = "unavailable"
)

// step notes one decision.
func (t *trial) step(rule, input, verdict string) {
	t.steps = append(t.steps, Step{Rule: rule, Input: input, Verdict: verdict})
}

// refuse notes which rule refused; the caller of Authenticate is not told.
func (t *trial) refuse(rule, input string) error {
	t.step(rule, input, "refuse")
	return ErrRefused
}

// record writes the trace of an attempt.
func (t *trial) record(ctx context.Context, verdict string) error {
	id, err := t.service.newID()
	if err != nil {
		return err
	}
	trace := &Trace{
		ID: id, At: t.at, RequestID: web.RequestID(ctx), Front: t.Front, Factor: t.Factor, Caller: t.Caller,
		Verdict: verdict, Steps: t.steps,
	}
	if t.user != nil {
		trace.UserID = uuid.NullUUID{UUID: t.user.ID, Valid: true}
	}
	return t.service.Store.RecordTrace(ctx, trace)
}

func verdictOf(outcome *Outcome, err error) string {
	var limit *ThrottledError
	switch {
	case err == nil && outcome.Complete():
		return authenticated
	case err == nil:
		return more
	case errors.Is(err, ErrRefused), errors.Is(err, ErrNoSignIn):
		return refused
	case errors.As(err, &limit):
		return throttled
	default:
		return unavailable
	}
}

// How long putting things in order after an attempt may take. A store that has
// just failed is not waited for as long, so that the answer comes in time.
const (
	settleTime      = 2 * time.Second
	settleTimeAfter = 500 * time.Millisecond
)

// settle ends an attempt: what it reserved is given back unless it failed, and
// its trace is written. The attempt's context may be over by then.
func (t *trial) settle(ctx context.Context, outcome *Outcome, err error) (*Outcome, error) {
	verdict := verdictOf(outcome, err)
	if t.service.Observe != nil {
		t.service.Observe(t.Front, t.Factor, verdict)
	}
	limit := settleTime
	if verdict == unavailable {
		limit = settleTimeAfter
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	if verdict != refused {
		t.giveBack(ctx)
	}
	if verdict == authenticated || t.recorded {
		return outcome, err // its trace was written with it
	}
	if verdict != refused {
		t.release(ctx)
	}
	if t.untraced {
		return outcome, err
	}
	if lost := t.record(ctx, verdict); lost != nil {
		t.service.log().LogAttrs(ctx, slog.LevelError, "record trace", slog.String("error", lost.Error()))
		if err == nil {
			return nil, lost // no step forward without its record
		}
	}
	return outcome, err
}

// giveBack returns what the attempt took from limits of failures.
func (t *trial) giveBack(ctx context.Context) {
	if err := giveBackAll(ctx, t.limiter, t.taken, t.at); err != nil {
		t.service.log().LogAttrs(ctx, slog.LevelWarn, "give back a try", slog.String("error", err.Error()))
	}
	t.taken = nil
}
