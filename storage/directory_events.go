package storage

import (
	"context"
	"math"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// LogEvent implements directory.Store.
func (d Directory) LogEvent(ctx context.Context, e directory.LoggedEvent) error {
	_, err := d.DB.exec(ctx, insertEvent,
		e.ID, e.Type, e.Actor.Kind, e.Actor.ID, e.Subject, string(e.Data), e.At)
	return err
}

// Events implements directory.Store.
func (d Directory) Events(ctx context.Context, q directory.EventQuery, limit int) ([]directory.LoggedEvent, error) {
	after, id := int64(math.MaxInt64), uuid.Max
	if q.After.Valid {
		if err := d.DB.row(ctx, `select created_at, id from events where id = $1`, []any{q.After.UUID}, &after, &id); err != nil {
			return nil, err
		}
	}
	var all []directory.LoggedEvent
	err := d.DB.each(ctx, `
		select id, event_type, actor_kind, actor_id, subject, data, created_at from events
		where ($1 = '' or event_type = $1) and ($2 = '' or subject = $2) and ($3 = '' or actor_id = $3)
			and created_at >= $4 and created_at < $5 and (created_at, id) < ($6, $7)
		order by created_at desc, id desc limit $8`,
		[]any{q.Type, q.Subject, q.ActorID, first(q.From), last(q.To), after, id, limit}, func(scan func(...any) error) error {
			var e directory.LoggedEvent
			var text string
			if err := scan(&e.ID, &e.Type, &e.Actor.Kind, &e.Actor.ID, &e.Subject, &text, timeInto(&e.At)); err != nil {
				return err
			}
			e.Data = []byte(text)
			all = append(all, e)
			return nil
		})
	return all, err
}

// first and last are the bounds of a span of time, in microseconds; a zero time
// leaves its side open.
func first(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return t.UnixMicro()
}

func last(t time.Time) int64 {
	if t.IsZero() {
		return math.MaxInt64
	}
	return t.UnixMicro()
}
