package authn

import (
	"context"
	"sync"
	"time"
)

// maxLocalBuckets bounds the memory of a localLimiter.
const maxLocalBuckets = 10_000

// localLimiter counts in this process, for the fronts that go on without Redis.
// Beside the count in SQL it only has to slow a flood, so that each replica
// counting for itself is enough.
type localLimiter struct {
	mu sync.Mutex
	// full is when each bucket will be full again.
	full map[string]time.Time
}

// Take implements limiter.
func (l *localLimiter) Take(_ context.Context, b Bucket, now time.Time) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	full := l.full[b.Key]
	if full.Before(now) {
		full = now
	}
	full = full.Add(b.Interval())
	if wait := full.Sub(now) - b.Per; wait > 0 {
		return wait, nil
	}
	if !l.makeRoom(now) {
		return b.Interval(), nil
	}
	l.full[b.Key] = full
	return 0, nil
}

// GiveBack implements limiter.
func (l *localLimiter) GiveBack(_ context.Context, b Bucket, _ time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if full, ok := l.full[b.Key]; ok {
		l.full[b.Key] = full.Add(-b.Interval())
	}
	return nil
}

// makeRoom forgets buckets that are full again; false when too many are not.
func (l *localLimiter) makeRoom(now time.Time) bool {
	if l.full == nil {
		l.full = map[string]time.Time{}
	}
	if len(l.full) < maxLocalBuckets {
		return true
	}
	for key, full := range l.full {
		if !full.After(now) {
			delete(l.full, key)
		}
	}
	return len(l.full) < maxLocalBuckets
}
