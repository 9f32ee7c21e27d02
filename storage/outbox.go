package storage

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn/message"
	"gatehouse/directory"
)

// Outbox implements message.Store.
type Outbox struct{ DB *DB }

// AfterCommit implements message.Store.
func (o Outbox) AfterCommit(ctx context.Context, f func()) { o.DB.AfterCommit(ctx, f) }

// Enqueue implements message.Store.
func (o Outbox) Enqueue(ctx context.Context, r message.Row) error {
	return o.DB.later(ctx, statement{query: `
		insert into outbox (id, channel, template, payload, state, due_at, created_at, expires_at, client_id)
		values ($1, $2, $3, $4, 'queued', $5, $5, $6, $7)`,
		args: []any{r.ID, r.Channel, r.Template, r.Payload, r.CreatedAt, r.ExpiresAt, r.ClientID}})
}

// Due implements message.Store. It only reads, so that looking into an empty
// outbox never waits for SQLite's writer.
func (o Outbox) Due(ctx context.Context, channel string, now time.Time, limit int) ([]uuid.UUID, error) {
	var due []uuid.UUID
	err := o.DB.each(ctx, `
		select id from outbox where state = 'queued' and channel = $1 and due_at <= $2
		order by due_at, id limit $3`, []any{channel, now, limit},
		func(scan func(dest ...any) error) error {
			var id uuid.UUID
			err := scan(&id)
			due = append(due, id)
			return err
		})
	return due, err
}

// DueNotices implements message.Store. A service that does not answer has many
// notices due, and those of the others must not wait behind them.
func (o Outbox) DueNotices(ctx context.Context, channel string, now time.Time, each, limit int) ([]message.DueNotice, error) {
	var due []message.DueNotice
	err := o.DB.each(ctx, `
		select id, client_id from (
			select id, client_id, attempts, due_at,
				row_number() over (partition by client_id order by attempts, due_at, id) as place
			from outbox where state = 'queued' and channel = $1 and due_at <= $2
		) ranked where place <= $3
		order by attempts, due_at, id limit $4`, []any{channel, now, each, limit},
		func(scan func(dest ...any) error) error {
			var n message.DueNotice
			err := scan(&n.ID, &n.ClientID)
			due = append(due, n)
			return err
		})
	return due, err
}

// Claim implements message.Store. One row at a time, so that two workers cannot
// hold rows the other waits for; the loser of a race finds due_at in the future.
func (o Outbox) Claim(ctx context.Context, id, lease uuid.UUID, now, until time.Time) (*message.Row, error) {
	var r message.Row
	err := o.DB.row(ctx, `
		update outbox set lease = $2, due_at = $4, attempts = attempts + 1
		where id = $1 and state = 'queued' and due_at <= $3
		returning id, channel, template, client_id, payload, taken, attempts, created_at, expires_at`,
		[]any{id, lease, now, until},
		&r.ID, &r.Channel, &r.Template, &r.ClientID, &r.Payload, &r.Taken, &r.Attempts, timeInto(&r.CreatedAt), timeInto(&r.ExpiresAt))
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// Retry implements message.Store.
func (o Outbox) Retry(ctx context.Context, id, lease uuid.UUID, r message.Retry) error {
	return o.held(o.DB.exec(ctx, `
		update outbox set lease = null, due_at = $3, reason = $4, taken = $5
		where id = $1 and lease = $2 and state = 'queued'`, id, lease, r.At, r.Reason, r.Taken))
}

// Finish implements message.Store.
func (o Outbox) Finish(ctx context.Context, id, lease uuid.UUID, state, reason string, at time.Time) error {
	return o.held(o.DB.exec(ctx, `
		update outbox set lease = null, payload = null, state = $3, reason = $4, finished_at = $5
		where id = $1 and lease = $2 and state = 'queued'`, id, lease, state, nullable(reason), at))
}

// Report implements message.ReportStore.
func (o Outbox) Report(ctx context.Context, r message.Report, at time.Time) (news bool, err error) {
	changed, err := o.DB.exec(ctx, `
		update outbox set delivery = $2, delivery_reason = $3, delivery_at = $4
		where id = $1 and client_id = '' and (delivery is null or (delivery = 'delivered' and $2 = 'bounced'))`,
		r.ID, r.State, nullable(r.Reason), at)
	return changed > 0, err
}

// Deliveries returns the latest notices to a service, "" for all of them.
func (o Outbox) Deliveries(ctx context.Context, clientID string, limit int) ([]message.Delivery, error) {
	var all []message.Delivery
	err := o.DB.each(ctx, `
		select id, client_id, created_at, state, attempts, reason, case state when 'queued' then due_at end, finished_at
		from outbox where client_id <> '' and ($1 = '' or client_id = $1)
		order by created_at desc, id limit $2`, []any{clientID, limit},
		func(scan func(dest ...any) error) error {
			var d message.Delivery
			err := scan(&d.ID, &d.ClientID, timeInto(&d.QueuedAt), &d.State, &d.Attempts, stringInto(&d.Reason), timeInto(&d.NextAt), timeInto(&d.EndedAt))
			all = append(all, d)
			return err
		})
	return all, err
}

// Messages returns the latest messages to people.
func (o Outbox) Messages(ctx context.Context, limit int) ([]message.Record, error) {
	var all []message.Record
	err := o.DB.each(ctx, `
		select id, channel, template, created_at, state, attempts, reason, finished_at, delivery, delivery_reason, delivery_at
		from outbox where client_id = '' order by created_at desc, id limit $1`, []any{limit},
		func(scan func(dest ...any) error) error {
			var r message.Record
			err := scan(&r.ID, &r.Channel, &r.Template, timeInto(&r.QueuedAt), &r.State, &r.Attempts, stringInto(&r.Reason),
				timeInto(&r.EndedAt), stringInto(&r.Delivery), stringInto(&r.BounceReason), timeInto(&r.ToldAt))
			all = append(all, r)
			return err
		})
	return all, err
}

// held turns a statement that changed nothing into ErrNotFound: the lease has
// ended and somebody else holds the message, or has finished it.
func (o Outbox) held(changed int64, err error) error {
	if err == nil && changed == 0 {
		return directory.ErrNotFound
	}
	return err
}
