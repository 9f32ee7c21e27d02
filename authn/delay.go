package authn

import (
	"cmp"
	"context"
	"encoding/base64"
	"log/slog"
	"strconv"
	"time"

	"gatehouse/directory"
)

const (
	// slowFrom is the failure with one name from which on refusals take longer.
	slowFrom = 3
	// slowWithin is the time, by the clock, in which failures with a name are counted
	// together.
	slowWithin = 15 * time.Minute
)

// holdBack lets a refused password take its time, on the hosted pages longer from
// the third failure on. What is counted is the name that was typed, whether it is
// anybody's or not, so that the time tells nothing of accounts. Nothing is held
// meanwhile but the request itself, and no more than a bounded number of those: the
// next one is told to wait, and stays counted.
func (t *trial) holdBack(ctx context.Context) error {
	s := t.service
	longer := t.longer(ctx)
	if longer == 0 {
		t.levelTime(ctx)
		return ErrRefused
	}
	defer s.heldBack.Add(-1)
	if s.heldBack.Add(1) > int64(cmp.Or(s.HeldBack, 1024)) {
		t.levelTime(ctx)
		t.reserved, t.taken = false, nil // the password was wrong: nothing is given back
		t.step("limit", "answers held back", "throttle")
		return &ThrottledError{RetryAfter: s.slowestRefusal()}
	}
	t.takeAtLeast(ctx, s.refusalTime()+longer)
	return ErrRefused
}

// longer is by how much this refusal takes longer: as long again for each failure
// from the third on. Without Redis, which would have refused before, by nothing.
func (t *trial) longer(ctx context.Context) time.Duration {
	s := t.service
	if t.Front != Browser {
		return 0
	}
	failures, err := s.Cache.Tally(ctx, t.tallyKey(), slowWithin)
	if err != nil {
		s.log().LogAttrs(ctx, slog.LevelWarn, "count a name", slog.String("error", err.Error()))
		return 0
	}
	steps := max(0, failures-slowFrom+1)
	return min(time.Duration(steps)*s.refusalTime(), s.slowestRefusal()-s.refusalTime())
}

// tallyKey stands for the name that was typed, or for who is signed in already, at
// this time.
func (t *trial) tallyKey() string {
	name := directory.NormaliseEmail(t.Identifier)
	if name == "" {
		name = t.UserID.String()
	}
	quarter := strconv.FormatInt(t.at.UnixMicro()/slowWithin.Microseconds(), 10)
	return base64.RawURLEncoding.EncodeToString(t.service.mac("slow", name, quarter))
}

// takeAtLeast waits until an attempt has taken a time.
func (t *trial) takeAtLeast(ctx context.Context, least time.Duration) {
	timer := time.NewTimer(least - t.service.Clock().Sub(t.at))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
