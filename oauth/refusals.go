package oauth

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// Refusal is why a request was refused, for whoever runs the service and has
// the request's id. It holds no token, code, address or query.
type Refusal struct {
	RequestID string    `json:"request_id"`
	Endpoint  string    `json:"endpoint"` // method and pattern of the route
	ClientID  string    `json:"client_id,omitempty"`
	Code      string    `json:"code"` // the error the client was told, or how it was put off
	Reason    string    `json:"reason"`
	At        time.Time `json:"at"`
}

// RefusalStore keeps refusals until they are cleaned up.
type RefusalStore interface {
	// AddRefusals stores refusals under ids, all or none.
	AddRefusals(ctx context.Context, ids []uuid.UUID, refusals []Refusal) error
	// RefusalsOf returns the refusals of a request, the oldest first.
	RefusalsOf(ctx context.Context, requestID string) ([]Refusal, error)
}

const (
	// refusalBuffer is how many refusals wait to be stored. It is also all that
	// is stored in a second: who sends hostile requests must not fill the disk.
	refusalBuffer = 128
	// maxReason bounds a stored reason, in bytes.
	maxReason = 300
	// refusalTimeout bounds one write, so that a store that hangs does not hold
	// up a stop.
	refusalTimeout = 3 * time.Second
)

// routine are the codes that clients in order are told all day: a device that
// polls, a proof that needs a nonce. Stored, they would crowd out the others.
var routine = []string{"authorization_pending", "slow_down", "use_dpop_nonce"}

// Refusals keeps why requests were refused, beside the requests: recording one
// never waits, and what does not fit is dropped and counted.
type Refusals struct {
	Store RefusalStore
	Clock directory.Clock
	Rand  io.Reader
	Log   *slog.Logger

	// Dropped counts the refusals that were not stored.
	Dropped atomic.Int64

	waiting chan Refusal
}

// NewRefusals returns a recorder whose fields are complete; call Run.
func NewRefusals(store RefusalStore, clock directory.Clock, rand io.Reader, log *slog.Logger) *Refusals {
	return &Refusals{Store: store, Clock: clock, Rand: rand, Log: log, waiting: make(chan Refusal, refusalBuffer)}
}

// Record takes the refusal of an answered request, if there is one.
func (rs *Refusals) Record(ev *web.Event) {
	if ev.Reason == "" || slices.Contains(routine, ev.Code) {
		return
	}
	refusal := Refusal{
		RequestID: ev.ID, Endpoint: ev.Method + " " + ev.Pattern, ClientID: ev.Attr("client"), Code: ev.Code,
		Reason: ev.Reason[:min(len(ev.Reason), maxReason)], At: rs.Clock(),
	}
	select {
	case rs.waiting <- refusal:
	default:
		rs.Dropped.Add(1)
	}
}

// Run stores what is recorded, each second, until ctx is done; then it stores
// what is left.
func (rs *Refusals) Run(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
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

// Flush stores what waits. What the store does not take is dropped and counted.
func (rs *Refusals) Flush(ctx context.Context) {
	batch := rs.take()
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, refusalTimeout)
	defer cancel()
	if err := rs.store(ctx, batch); err != nil {
		rs.Dropped.Add(int64(len(batch)))
		rs.Log.LogAttrs(ctx, slog.LevelWarn, "refusals not recorded", slog.Int("count", len(batch)), slog.String("error", err.Error()))
	}
}

func (rs *Refusals) store(ctx context.Context, batch []Refusal) error {
	ids := make([]uuid.UUID, len(batch))
	for i := range ids {
		var err error
		if ids[i], err = uuid.NewRandomFromReader(rs.Rand); err != nil {
			return err
		}
	}
	return rs.Store.AddRefusals(ctx, ids, batch)
}

// take empties the buffer.
func (rs *Refusals) take() []Refusal {
	batch := make([]Refusal, 0, len(rs.waiting))
	for range cap(batch) {
		batch = append(batch, <-rs.waiting)
	}
	return batch
}
