package storage

import (
	"context"
	"time"

	"gatehouse/authn/cutover"
)

// Cutover implements cutover.Store.
type Cutover struct{ DB *DB }

var _ cutover.Store = Cutover{}

// Add implements cutover.Store.
func (c Cutover) Add(ctx context.Context, b cutover.Batch) error {
	return c.DB.InTx(ctx, func(ctx context.Context) error {
		for _, x := range b.Comparisons {
			_, err := c.DB.exec(ctx, `
				insert into shadow_counters (caller, result, day, count, first_at, last_at) values ($1, $2, $3, $4, $5, $6)
				on conflict (caller, result, day) do update set
					count = shadow_counters.count + excluded.count,
					first_at = case when excluded.first_at < shadow_counters.first_at then excluded.first_at else shadow_counters.first_at end,
					last_at = case when excluded.last_at > shadow_counters.last_at then excluded.last_at else shadow_counters.last_at end`,
				x.Caller, string(x.Result), x.Day, x.Count, x.First, x.Last)
			if err != nil {
				return err
			}
		}
		if err := c.addDifferences(ctx, b.Differences); err != nil {
			return err
		}
		return c.addCalls(ctx, b.Calls)
	})
}

func (c Cutover) addDifferences(ctx context.Context, all []cutover.Difference) error {
	for _, x := range all {
		_, err := c.DB.exec(ctx, `
			insert into shadow_differences (caller, username, kind, user_id, count, first_at, last_at) values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (caller, username, kind) do update set
				user_id = excluded.user_id,
				count = shadow_differences.count + excluded.count,
				first_at = case when excluded.first_at < shadow_differences.first_at then excluded.first_at else shadow_differences.first_at end,
				last_at = case when excluded.last_at > shadow_differences.last_at then excluded.last_at else shadow_differences.last_at end`,
			x.Caller, x.Username, x.Kind, x.UserID, x.Count, x.First, x.Last)
		if err != nil {
			return err
		}
	}
	return nil
}

func (c Cutover) addCalls(ctx context.Context, all []cutover.Call) error {
	for _, x := range all {
		_, err := c.DB.exec(ctx, `
			insert into legacy_calls (caller, endpoint, day, count, first_at, last_at) values ($1, $2, $3, $4, $5, $6)
			on conflict (caller, endpoint, day) do update set
				count = legacy_calls.count + excluded.count,
				first_at = case when excluded.first_at < legacy_calls.first_at then excluded.first_at else legacy_calls.first_at end,
				last_at = case when excluded.last_at > legacy_calls.last_at then excluded.last_at else legacy_calls.last_at end`,
			x.Caller, x.Endpoint, x.Day, x.Count, x.First, x.Last)
		if err != nil {
			return err
		}
	}
	return nil
}

// Comparisons implements cutover.Store.
func (c Cutover) Comparisons(ctx context.Context, since time.Time) ([]cutover.Comparison, error) {
	var all []cutover.Comparison
	err := c.DB.each(ctx, `
		select caller, result, day, count, first_at, last_at from shadow_counters where day >= $1 order by caller, result, day`,
		[]any{since}, func(scan func(dest ...any) error) error {
			var x cutover.Comparison
			err := scan(&x.Caller, &x.Result, timeInto(&x.Day), &x.Count, timeInto(&x.First), timeInto(&x.Last))
			all = append(all, x)
			return err
		})
	return all, err
}

// Calls implements cutover.Store.
func (c Cutover) Calls(ctx context.Context) ([]cutover.Call, error) {
	var all []cutover.Call
	err := c.DB.each(ctx, `
		select caller, endpoint, cast(sum(count) as bigint), min(first_at), max(last_at) from legacy_calls
		group by caller, endpoint order by caller, endpoint`,
		nil, func(scan func(dest ...any) error) error {
			var x cutover.Call
			err := scan(&x.Caller, &x.Endpoint, &x.Count, timeInto(&x.First), timeInto(&x.Last))
			all = append(all, x)
			return err
		})
	return all, err
}

// Differences implements cutover.Store.
func (c Cutover) Differences(ctx context.Context, limit int) ([]cutover.Difference, error) {
	var all []cutover.Difference
	err := c.DB.each(ctx, `
		select caller, username, kind, user_id, count, first_at, last_at from shadow_differences
		order by last_at desc, caller, username, kind limit $1`,
		[]any{limit}, func(scan func(dest ...any) error) error {
			var x cutover.Difference
			err := scan(&x.Caller, &x.Username, &x.Kind, &x.UserID, &x.Count, timeInto(&x.First), timeInto(&x.Last))
			all = append(all, x)
			return err
		})
	return all, err
}
