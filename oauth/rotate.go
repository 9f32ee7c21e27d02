package oauth

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// Rotate asks for the next key of every algorithm to take over and returns all
// keys as they then are. A key that has been published long enough signs at
// once; a younger one when it has, as its ActivatesAt tells.
func (k *Keys) Rotate(ctx context.Context, by directory.Actor) ([]SigningKey, error) {
	rows, err := k.Store.SigningKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	for _, alg := range k.algs() {
		active, next := keyOf(rows, alg, ActiveKey), keyOf(rows, alg, NextKey)
		if active == nil || next == nil {
			continue
		}
		if err := k.schedule(ctx, active, next, by); err != nil {
			return nil, err
		}
	}
	if err := k.Refresh(ctx); err != nil {
		return nil, err
	}
	return k.List(ctx)
}

func (k *Keys) schedule(ctx context.Context, active, next *SigningKey, by directory.Actor) error {
	at := k.Clock()
	if ready := k.readyAt(active, next); ready.After(at) {
		at = ready
	}
	return k.Store.InTx(ctx, func(ctx context.Context) error {
		changed, err := k.Store.ScheduleSigningKey(ctx, next.ID, at)
		if err != nil || !changed {
			return err
		}
		return k.event(ctx, "schedule_signing_key", by, next.ID, map[string]any{"alg": next.Alg, "activates_at": at})
	})
}

// readyAt is the earliest moment at which a next key may sign. One that was born
// with its active key, at the first start, has been in every JWKS ever served.
func (k *Keys) readyAt(active, next *SigningKey) time.Time {
	if !next.CreatedAt.After(active.CreatedAt) {
		return next.CreatedAt
	}
	return next.CreatedAt.Add(cmp.Or(k.PublishFor, defaultPublishFor))
}

// due reports whether a next key takes over now: because somebody set the time,
// or because the active key has reached its age.
func (k *Keys) due(active, next *SigningKey, now time.Time) bool {
	if now.Before(k.readyAt(active, next)) {
		return false
	}
	if !next.ActivatesAt.IsZero() {
		return !now.Before(next.ActivatesAt)
	}
	age := cmp.Or(k.RotateEvery, defaultRotateEvery)
	return age > 0 && !now.Before(active.ActivatesAt.Add(age))
}

// advance carries out what is due and reports whether any row changed.
func (k *Keys) advance(ctx context.Context, rows []SigningKey) (changed bool, err error) {
	now := k.Clock()
	for _, alg := range k.algs() {
		active, next := keyOf(rows, alg, ActiveKey), keyOf(rows, alg, NextKey)
		if active == nil || next == nil || !k.due(active, next, now) {
			continue
		}
		if err := k.promote(ctx, active, next, now); err != nil {
			return false, fmt.Errorf("rotate %s key: %w", alg, err)
		}
		changed = true
	}
	for i := range rows {
		if rows[i].expired(now) {
			return true, k.Store.DeleteSigningKeys(ctx, now)
		}
	}
	return changed, nil
}

// promote retires the active key, activates the next one and stores its
// successor in one transaction. Of racing replicas the first retires the key;
// the others change nothing.
func (k *Keys) promote(ctx context.Context, active, next *SigningKey, now time.Time) error {
	// Generated before the transaction: an RSA key takes a tenth of a second.
	successor, err := generateKey(active.Alg, NextKey, k.Sealer, now)
	if err != nil {
		return err
	}
	return k.Store.InTx(ctx, func(ctx context.Context) error {
		won, err := k.Store.RetireSigningKey(ctx, active.ID, now, now.Add(cmp.Or(k.Retain, defaultRetain)))
		if err != nil || !won {
			return err
		}
		if _, err := k.Store.ActivateSigningKey(ctx, next.ID, now); err != nil {
			return err
		}
		if _, err := k.Store.AddSigningKey(ctx, successor); err != nil {
			return err
		}
		data := map[string]any{"alg": active.Alg, "retired": active.ID}
		return k.event(ctx, "activate_signing_key", directory.Actor{Kind: "system"}, next.ID, data)
	})
}

func (k *Keys) event(ctx context.Context, kind string, by directory.Actor, kid string, data map[string]any) error {
	return k.Audit.AppendEvent(ctx, directory.Event{
		ID: uuid.New(), Type: kind, Actor: by, Subject: kid, Data: data, At: k.Clock(),
	})
}
