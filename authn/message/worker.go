package message

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Defaults of a [Worker].
const (
	DefaultPoll        = time.Second
	DefaultParallel    = 8
	DefaultSendTimeout = 20 * time.Second
	DefaultMaxAttempts = 24 // some three hours
)

// storeTimeout bounds one statement, so that a dead store does not hold up a shutdown.
const storeTimeout = 3 * time.Second

// Worker sends what is in the outbox. Any number of them, in any number of
// processes, may share one.
type Worker struct {
	Store  Store
	Sealer Sealer
	Clock  directory.Clock
	NewID  func() uuid.UUID
	// Senders by channel; every one of a channel's gets each message. Messages
	// of a channel without senders are left to other workers.
	Senders map[string][]Sender
	Log     *slog.Logger

	// Each of these is its default when zero.
	Poll        time.Duration // how often to look for messages queued elsewhere
	Parallel    int           // messages of one channel sent at a time
	SendTimeout time.Duration // for one sender and one message
	MaxAttempts int           // before a message is given up

	// Counts is what this worker has done since it started.
	Counts Counts

	once   sync.Once
	signal chan struct{}
	slots  map[string]chan struct{} // by channel; holds one value for each message under way
	busy   underWay
	sends  sync.WaitGroup
	down   bool // the store did not answer last time; logged once
}

// Counts are how the messages of a worker ended, for metrics.
type Counts struct {
	Sent, Retried, Failed, Expired atomic.Int64
}

// Wake makes a running worker look at the outbox at once.
func (w *Worker) Wake() {
	w.once.Do(w.prepare)
	select {
	case w.signal <- struct{}{}:
	default: // it will look anyway
	}
}

func (w *Worker) prepare() {
	w.signal = make(chan struct{}, 1)
	w.slots = map[string]chan struct{}{}
	for channel := range w.Senders {
		w.slots[channel] = make(chan struct{}, cmp.Or(w.Parallel, DefaultParallel))
	}
	if len(w.Senders[Logout]) > 0 {
		w.slots[Logout] = make(chan struct{}, parallelNotices)
	}
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
}

// Run sends messages until ctx is over. It then looks once more, so that what
// the last requests queued still leaves, and returns when the messages under
// way are through: at most SendTimeout later for each sender of a channel.
func (w *Worker) Run(ctx context.Context) {
	w.once.Do(w.prepare)
	poll := time.NewTicker(cmp.Or(w.Poll, DefaultPoll))
	defer poll.Stop()
	defer w.sends.Wait()
	lasting := context.WithoutCancel(ctx)
	for {
		w.look(lasting)
		select {
		case <-ctx.Done():
			w.look(lasting)
			return
		case <-w.signal:
		case <-poll.C:
		}
	}
}

// look starts sending what is due, as far as there are free slots.
func (w *Worker) look(ctx context.Context) {
	var faults []error
	for channel, senders := range w.Senders {
		switch {
		case len(senders) == 0:
		case channel == Logout:
			faults = append(faults, w.startNotices(ctx))
		default:
			faults = append(faults, w.start(ctx, channel))
		}
	}
	err := errors.Join(faults...)
	if err != nil && !w.down {
		w.Log.LogAttrs(ctx, slog.LevelWarn, "outbox unavailable", slog.String("error", err.Error()))
	}
	w.down = err != nil
}

func (w *Worker) start(ctx context.Context, channel string) error {
	slots := w.slots[channel]
	free := cap(slots) - len(slots)
	if free == 0 {
		return nil // the first to become free wakes the worker
	}
	due, err := w.due(ctx, channel, free)
	if err != nil {
		return err
	}
	for _, id := range due {
		if err := w.begin(ctx, slots, id, func() {}); err != nil {
			return err
		}
	}
	return nil
}

// begin claims a message and sends it beside the worker's loop; ended is called
// when that is over, or when another worker was faster.
func (w *Worker) begin(ctx context.Context, slots chan struct{}, id uuid.UUID, ended func()) error {
	lease := w.NewID()
	row, err := w.claim(ctx, id, lease)
	if err != nil {
		ended()
		if errors.Is(err, directory.ErrNotFound) {
			return nil
		}
		return err
	}
	slots <- struct{}{}
	w.sends.Go(func() {
		w.deliver(ctx, row, lease)
		ended()
		<-slots
		w.Wake()
	})
	return nil
}

func (w *Worker) due(ctx context.Context, channel string, limit int) ([]uuid.UUID, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return w.Store.Due(ctx, channel, w.Clock(), limit)
}

func (w *Worker) claim(ctx context.Context, id, lease uuid.UUID) (*Row, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	now := w.Clock()
	return w.Store.Claim(ctx, id, lease, now, now.Add(w.leaseTime()))
}

// leaseTime is longer than all senders together may take, so that a lease ends
// only when its worker has died.
func (w *Worker) leaseTime() time.Duration {
	most := 1
	for _, senders := range w.Senders {
		most = max(most, len(senders))
	}
	return time.Duration(most)*w.sendTimeout() + 4*storeTimeout
}

func (w *Worker) sendTimeout() time.Duration { return cmp.Or(w.SendTimeout, DefaultSendTimeout) }
