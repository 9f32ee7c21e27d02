package cutover

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Store keeps the figures.
type Store interface {
	// Add adds a batch to what is there, all of it or nothing.
	Add(ctx context.Context, b Batch) error
	// Comparisons returns those of a day and later.
	Comparisons(ctx context.Context, since time.Time) ([]Comparison, error)
	// Calls returns all calls by caller and endpoint, without days.
	Calls(ctx context.Context) ([]Call, error)
	// Differences returns the latest ones, at most limit.
	Differences(ctx context.Context, limit int) ([]Difference, error)
}

const (
	// flushEvery is how often the figures are written, and so what a process
	// that is killed loses at most.
	flushEvery = 3 * time.Second
	// flushTimeout bounds one write.
	flushTimeout = 3 * time.Second
	// maxPending bounds the users about whom a difference waits to be written
	// while the store does not answer.
	maxPending = 10_000
	// maxName is how much is kept of what a caller sent for a name, in bytes: more
	// than a username of ours has (directory.ValidUsername).
	maxName = 255
)

// Records counts beside the requests: nothing waits for it. What the store does
// not take is kept and written with the next batch.
type Records struct {
	Store Store
	Clock directory.Clock
	Log   *slog.Logger

	// Dropped counts differences that were not recorded, because too many waited.
	Dropped atomic.Int64

	mu          sync.Mutex
	comparisons map[Comparison]Tally // the keys have no tally
	differences map[Difference]Tally
	calls       map[Call]Tally

	writing sync.Mutex // one batch after the other
	totals  totals
}

// Compared counts a result of a caller.
func (rs *Records) Compared(caller string, result Result) {
	now := rs.Clock()
	rs.totals.compared(caller, result)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	tally(&rs.comparisons, Comparison{Caller: caller, Result: result, Day: dayOf(now)}, Tally{1, now, now})
}

// Differed records that the systems did not agree about a user.
func (rs *Records) Differed(caller, username string, userID uuid.NullUUID, kind string) {
	now := rs.Clock()
	name := directory.NormaliseUsername(username)
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "")
	}
	key := Difference{Caller: caller, Username: name, UserID: userID, Kind: kind}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if _, known := rs.differences[key]; !known && len(rs.differences) >= maxPending {
		rs.Dropped.Add(1)
		return
	}
	tally(&rs.differences, key, Tally{1, now, now})
}

// Called counts a call to a legacy endpoint.
func (rs *Records) Called(caller, endpoint string) {
	now := rs.Clock()
	rs.totals.called(caller, endpoint, now)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	tally(&rs.calls, Call{Caller: caller, Endpoint: endpoint, Day: dayOf(now)}, Tally{1, now, now})
}

func tally[K comparable](all *map[K]Tally, key K, t Tally) {
	if *all == nil {
		*all = map[K]Tally{}
	}
	(*all)[key] = (*all)[key].add(t)
}

// Run writes the figures now and then until ctx is done; then once more.
func (rs *Records) Run(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			rs.Flush(context.WithoutCancel(ctx))
			return
		case <-ticker.C:
			rs.Flush(ctx)
		}
	}
}

// Flush writes what waits.
func (rs *Records) Flush(ctx context.Context) {
	rs.writing.Lock()
	defer rs.writing.Unlock()
	batch := rs.take()
	if batch.empty() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := rs.Store.Add(ctx, batch); err != nil {
		rs.putBack(batch)
		rs.Log.LogAttrs(ctx, slog.LevelWarn, "figures of the cut-over wait to be written", slog.String("error", err.Error()))
	}
}

// take returns what waits, in an order that is the same in every replica: two
// that update the same rows must not wait for each other.
func (rs *Records) take() Batch {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	var b Batch
	for key, t := range rs.comparisons {
		key.Tally = t
		b.Comparisons = append(b.Comparisons, key)
	}
	for key, t := range rs.differences {
		key.Tally = t
		b.Differences = append(b.Differences, key)
	}
	for key, t := range rs.calls {
		key.Tally = t
		b.Calls = append(b.Calls, key)
	}
	rs.comparisons, rs.differences, rs.calls = nil, nil, nil
	slices.SortFunc(b.Comparisons, func(x, y Comparison) int {
		return cmp.Or(cmp.Compare(x.Caller, y.Caller), cmp.Compare(x.Result, y.Result), x.Day.Compare(y.Day))
	})
	slices.SortFunc(b.Differences, func(x, y Difference) int {
		return cmp.Or(cmp.Compare(x.Caller, y.Caller), cmp.Compare(x.Username, y.Username), cmp.Compare(x.Kind, y.Kind))
	})
	slices.SortFunc(b.Calls, func(x, y Call) int {
		return cmp.Or(cmp.Compare(x.Caller, y.Caller), cmp.Compare(x.Endpoint, y.Endpoint), x.Day.Compare(y.Day))
	})
	return b
}

func (rs *Records) putBack(b Batch) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, c := range b.Comparisons {
		t := c.Tally
		c.Tally = Tally{}
		tally(&rs.comparisons, c, t)
	}
	for _, d := range b.Differences {
		t := d.Tally
		d.Tally = Tally{}
		tally(&rs.differences, d, t)
	}
	for _, c := range b.Calls {
		t := c.Tally
		c.Tally = Tally{}
		tally(&rs.calls, c, t)
	}
}
