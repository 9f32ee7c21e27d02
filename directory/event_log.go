package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// LoggedEvent is an event as it is kept: what a caller tells of is any JSON.
type LoggedEvent struct {
	ID      uuid.UUID
	Type    string
	Actor   Actor
	Subject string
	Data    []byte // JSON
	At      time.Time
}

// EventQuery chooses events; what is zero chooses all.
type EventQuery struct {
	Type    string
	Subject string
	ActorID string
	From    time.Time // events from this time on
	To      time.Time // and before this one
	// After is an event: those that come after it in the list, which are older.
	After uuid.NullUUID
}

// eventStore is the part of [Store] that reads the audit trail.
type eventStore interface {
	LogEvent(ctx context.Context, e LoggedEvent) error
	// Events returns at most limit events, the latest first; ErrNotFound when
	// the one to come after is not there.
	Events(ctx context.Context, q EventQuery, limit int) ([]LoggedEvent, error)
}

// LogEvent writes an event that a caller tells of, such as a sign-in at its own pages.
func (r *Registry) LogEvent(ctx context.Context, kind, subject string, data []byte, actor Actor) (*LoggedEvent, error) {
	e := LoggedEvent{ID: r.NewID(), Type: kind, Actor: actor, Subject: subject, Data: data, At: r.Clock()}
	if err := r.Store.LogEvent(ctx, e); err != nil {
		return nil, fmt.Errorf("log event: %w", err)
	}
	return &e, nil
}
