package authn

import (
	"context"
	"time"

	"gatehouse/directory"
)

// alertEvery is how often it is written down that a limit is being hit: an attack
// is to be seen in the audit trail, not to fill it.
const alertEvery = time.Hour

// alert is the audit event "limit_reached", once an hour for each bucket; its
// subject is the kind of limit. It reports whether it was written.
func (s *Service) alert(ctx context.Context, l limiter, full string, now time.Time, data map[string]any) (bool, error) {
	wait, err := l.Take(ctx, Bucket{Key: "alert:" + full, Limit: Limit{Burst: 1, Per: alertEvery}}, now)
	if err != nil || wait > 0 {
		return false, err
	}
	id, err := s.newID()
	if err != nil {
		return false, err
	}
	err = s.Directory.AppendEvent(ctx, directory.Event{
		ID: id, Type: "limit_reached", Actor: directory.Actor{Kind: "system"}, Subject: Bucket{Key: full}.kind(), Data: data, At: now,
	})
	return err == nil, err
}
