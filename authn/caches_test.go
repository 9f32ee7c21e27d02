package authn_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"gatehouse/authn"
)

// comparisons counts the codes that were compared in a cache.
type comparisons struct {
	authn.Cache
	mu sync.Mutex
	n  int
}

func (c *comparisons) TryCode(ctx context.Context, code authn.LiveCode, now time.Time, tries int) (authn.CodeVerdict, error) {
	verdict, err := c.Cache.TryCode(ctx, code, now, tries)
	if err == nil && verdict != authn.CodeGone {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.n++
	}
	return verdict, err
}

func (c *comparisons) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// rollback remembers what was put into a cache, to put it back.
type rollback struct {
	authn.Cache
	undo []func(ctx context.Context) error
}

func (r *rollback) PutSignIn(ctx context.Context, id string, state []byte, ttl time.Duration) error {
	r.undo = append(r.undo, func(ctx context.Context) error { return r.Cache.PutSignIn(ctx, id, state, ttl) })
	return r.Cache.PutSignIn(ctx, id, state, ttl)
}

func (r *rollback) AddCode(ctx context.Context, c authn.LiveCode, now time.Time, most, tries int) (bool, error) {
	r.undo = append(r.undo, func(ctx context.Context) error {
		_, err := r.Cache.AddCode(ctx, c, now, most, tries)
		return err
	})
	return r.Cache.AddCode(ctx, c, now, most, tries)
}

func (r *rollback) restore(t *testing.T) error {
	for _, f := range r.undo {
		if err := f(t.Context()); err != nil {
			return err
		}
	}
	return nil
}
