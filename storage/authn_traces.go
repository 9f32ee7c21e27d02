package storage

import (
	"context"
	"encoding/json"
	"fmt"

	"gatehouse/authn"
)

// TracesOf returns what was decided about sign-ins in one request, the oldest first.
func (a Authn) TracesOf(ctx context.Context, requestID string) ([]*authn.Trace, error) {
	var all []*authn.Trace
	err := a.DB.each(ctx, `
		select id, created_at, request_id, front, factor, caller, user_id, verdict, steps from traces
		where request_id = $1 order by created_at, id`, []any{requestID},
		func(scan func(dest ...any) error) error {
			var t authn.Trace
			var steps string
			if err := scan(&t.ID, timeInto(&t.At), &t.RequestID, &t.Front, &t.Factor, &t.Caller, &t.UserID, &t.Verdict, &steps); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(steps), &t.Steps); err != nil {
				return fmt.Errorf("decode trace: %w", err)
			}
			all = append(all, &t)
			return nil
		})
	return all, err
}
