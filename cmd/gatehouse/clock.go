package main

import (
	"sync/atomic"
	"time"
)

// clock is the process's time. Under dev it can be moved forward.
type clock struct{ ahead atomic.Int64 }

// Now is the time everything in the process goes by.
func (c *clock) Now() time.Time {
	now := time.Now()
	if ahead := c.ahead.Load(); ahead != 0 {
		// Adding keeps the monotonic reading, so differences stay right.
		now = now.Add(time.Duration(ahead))
	}
	return now
}

func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }
