package storage

import (
	"context"
	"fmt"
	"strings"

	"gatehouse/directory"
)

// LogEvent implements directory.Store.
func (d Directory) LogEvent(ctx context.Context, e directory.LoggedEvent) error {
	_, err := d.DB.exec(ctx, `
		insert into events (id, event_type, actor_kind, actor_id, subject, data, created_at)
		values ($1, $2, $3, $4, $5, $6, $7)`,
		e.ID, e.Type, e.Actor.Kind, e.Actor.ID, e.Subject, string(e.Data), e.At)
	return err
}

// Events implements directory.Store.
func (d Directory) Events(ctx context.Context, q directory.EventQuery, limit int) ([]directory.LoggedEvent, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, values ...any) {
		numbers := make([]any, len(values))
		for i := range values {
			numbers[i] = len(args) + 1 + i
		}
		where = append(where, fmt.Sprintf(condition, numbers...))
		args = append(args, values...)
	}
	if q.Type != "" {
		add("event_type = $%d", q.Type)
	}
	if q.Subject != "" {
		add("subject = $%d", q.Subject)
	}
	if q.ActorID != "" {
		add("actor_id = $%d", q.ActorID)
	}
	if !q.From.IsZero() {
		add("created_at >= $%d", q.From)
	}
	if !q.To.IsZero() {
		add("created_at < $%d", q.To)
	}
	if q.After.Valid {
		var at int64
		if err := d.DB.row(ctx, `select created_at from events where id = $1`, []any{q.After.UUID}, &at); err != nil {
			return nil, err
		}
		add("(created_at, id) < ($%d, $%d)", at, q.After.UUID)
	}
	args = append(args, limit)
	query := `select id, event_type, actor_kind, actor_id, subject, data, created_at from events where ` +
		strings.Join(where, " and ") + fmt.Sprintf(" order by created_at desc, id desc limit $%d", len(args))
	var all []directory.LoggedEvent
	err := d.DB.each(ctx, query, args, func(scan func(...any) error) error {
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
