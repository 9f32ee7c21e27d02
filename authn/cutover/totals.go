package cutover

import (
	"sync"
	"time"
)

// maxNamed is how many callers the totals name; the others are counted together,
// so that no number of clients makes the metrics of a process grow.
const maxNamed = 50

// OtherCallers is what the callers beyond those are called.
const OtherCallers = "(others)"

// totals are what this process has counted since it started, for its metrics.
type totals struct {
	mu      sync.Mutex
	named   map[string]bool
	results map[Comparison]int64
	calls   map[Call]int64
	last    map[string]time.Time
}

func (t *totals) compared(caller string, result Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.results == nil {
		t.results = map[Comparison]int64{}
	}
	t.results[Comparison{Caller: t.name(caller), Result: result}]++
}

func (t *totals) called(caller, endpoint string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.calls == nil {
		t.calls, t.last = map[Call]int64{}, map[string]time.Time{}
	}
	caller = t.name(caller)
	t.calls[Call{Caller: caller, Endpoint: endpoint}]++
	t.last[caller] = at
}

func (t *totals) name(caller string) string {
	if t.named == nil {
		t.named = map[string]bool{}
	}
	if !t.named[caller] && len(t.named) >= maxNamed {
		return OtherCallers
	}
	t.named[caller] = true
	return caller
}

// EachCompared shows what this process has compared since it started.
func (rs *Records) EachCompared(show func(caller string, result Result, count int64)) {
	rs.totals.mu.Lock()
	defer rs.totals.mu.Unlock()
	for key, n := range rs.totals.results {
		show(key.Caller, key.Result, n)
	}
}

// EachCalled shows who has called what since this process started.
func (rs *Records) EachCalled(show func(caller, endpoint string, count int64)) {
	rs.totals.mu.Lock()
	defer rs.totals.mu.Unlock()
	for key, n := range rs.totals.calls {
		show(key.Caller, key.Endpoint, n)
	}
}

// EachLastCall shows when callers last called a legacy endpoint.
func (rs *Records) EachLastCall(show func(caller string, at time.Time)) {
	rs.totals.mu.Lock()
	defer rs.totals.mu.Unlock()
	for caller, at := range rs.totals.last {
		show(caller, at)
	}
}
