package oauth

import (
	"sync"
	"time"
)

// bursts tells requests for the same code that overlap, as when an honest client
// submits twice, from those that follow each other, as when a stolen code is
// replayed. A burst lasts for as long as one of its requests is being answered.
type bursts struct {
	mu      sync.Mutex
	running map[string]*burst // by code
}

type burst struct {
	since    time.Time
	requests int
}

// enter joins the burst of a code and returns when it began.
func (b *bursts) enter(code string, now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running == nil {
		b.running = map[string]*burst{}
	}
	current := b.running[code]
	if current == nil {
		current = &burst{since: now}
		b.running[code] = current
	}
	current.requests++
	return current.since
}

// leave is called once for each enter.
func (b *bursts) leave(code string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running[code].requests--; b.running[code].requests == 0 {
		delete(b.running, code)
	}
}
