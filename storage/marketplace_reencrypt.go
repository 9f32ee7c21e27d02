package storage

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// reencryptBatch bounds the rows that are encrypted anew in one transaction.
const reencryptBatch = 200

// Reencrypted is what [Profiles.Reencrypt] did.
type Reencrypted struct {
	Users int64 `json:"users"`
	// Unreadable are users of whom a value does not open: they stay as they are.
	Unreadable int64 `json:"unreadable"`
	// Retired are the old keys that were deleted because nothing needs them.
	Retired int `json:"retired_keys"`
}

// Reencrypt moves what older keys encrypted to the newest one, in batches beside
// whatever else goes on: a row that changes meanwhile is left to its writer. It
// may be stopped at any time and goes on where rows are left. Old keys that
// nothing needs any more are deleted, an hour after the rotation. After each
// batch, progress is told what was done; it may be nil.
func (p Profiles) Reencrypt(ctx context.Context, progress func(done Reencrypted)) (Reencrypted, error) {
	var done Reencrypted
	keys, err := p.Keys.load(ctx)
	if err != nil {
		return done, err
	}
	newest := int64(keys.primary)
	// What the newest key encrypted stands between what others did.
	for _, span := range []keySpan{{from: math.MinInt64, before: newest}, {from: newest + 1, before: math.MaxInt64}} {
		for more := true; more; {
			if more, err = p.reencryptSome(ctx, &span, &done); err != nil {
				return done, fmt.Errorf("encrypt anew: %w", err)
			}
			if progress != nil {
				progress(done)
			}
		}
	}
	done.Retired, err = p.Keys.retire(ctx)
	return done, err
}

// keySpan are the rows of some keys, from one row on.
type keySpan struct {
	from   int64
	after  uuid.UUID // within the key from
	before int64
}

// reencryptSome takes a batch of a span and reports whether there may be more.
func (p Profiles) reencryptSome(ctx context.Context, span *keySpan, done *Reencrypted) (bool, error) {
	type stale struct {
		row     *profileRow
		version int64
	}
	var batch []stale
	err := p.DB.each(ctx, `
		select `+profileColumns+`, u.version, u.key_id from marketplace_users u
		where u.key_id is not null and (u.key_id, u.id) > ($1, $2) and u.key_id < $3 order by u.key_id, u.id limit $4`,
		[]any{span.from, span.after, span.before, reencryptBatch}, func(scan func(...any) error) error {
			r := stale{row: newProfileRow()}
			err := scan(append(r.row.fields(), &r.version, &span.from)...)
			span.after = r.row.ID
			batch = append(batch, r)
			return err
		})
	if err != nil {
		return false, err
	}
	var changes []statement
	for _, r := range batch {
		change, err := p.reseal(ctx, r.row, r.version)
		if errors.Is(err, directory.ErrUnreadable) {
			done.Unreadable++
			continue
		}
		if err != nil {
			return false, err
		}
		changes = append(changes, change)
	}
	if len(changes) > 0 {
		changed, err := p.DB.together(ctx, changes...)
		if err != nil {
			return false, err
		}
		for _, n := range changed {
			done.Users += n
		}
	}
	return len(batch) == reencryptBatch, nil
}

// reseal is the statement that encrypts a row anew, unless it has changed.
func (p Profiles) reseal(ctx context.Context, r *profileRow, version int64) (statement, error) {
	seen, err := p.open(ctx, r)
	if err != nil {
		return statement{}, err
	}
	sealed, key, err := p.seal(ctx, seen.Profile)
	return statement{query: `
		update marketplace_users set national_insurance_number = $2, passport_number = $3, dob = $4, partner_dob = $5, key_id = $6, version = version + 1
		where id = $1 and version = $7`,
		args: []any{seen.ID, sealed.nationalInsurance, sealed.passport, sealed.birth, sealed.partnerBirth, key, version},
	}, err
}
