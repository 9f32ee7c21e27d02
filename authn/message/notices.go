package message

import (
	"context"
	"sync"
)

// A service that does not answer holds each of its notices up for as long as the
// sender waits. It therefore never has more than a few of a worker's slots, of
// which there are many, and none of those for messages to people.
const (
	parallelNotices  = 32
	noticesPerClient = 2
	// maxNoticeAttempts bounds a notice that workers die of; others expire first.
	maxNoticeAttempts = 200
)

// startNotices is start for what services are told.
func (w *Worker) startNotices(ctx context.Context) error {
	slots := w.slots[Logout]
	free := cap(slots) - len(slots)
	if free == 0 {
		return nil
	}
	due, err := w.dueNotices(ctx, free+noticesPerClient*w.busy.clients())
	if err != nil {
		return err
	}
	for _, n := range due {
		if free == 0 {
			return nil
		}
		if !w.busy.enter(n.ClientID) {
			continue // one of those under way will wake the worker
		}
		free--
		if err := w.begin(ctx, slots, n.ID, func() { w.busy.leave(n.ClientID) }); err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) dueNotices(ctx context.Context, limit int) ([]DueNotice, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return w.Store.DueNotices(ctx, Logout, w.Clock(), noticesPerClient, limit)
}

// underWay counts the notices that are being sent to each service.
type underWay struct {
	mu    sync.Mutex
	count map[string]int
}

// enter takes a place for a notice, unless the service has all it may have.
func (u *underWay) enter(client string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count == nil {
		u.count = map[string]int{}
	}
	if u.count[client] >= noticesPerClient {
		return false
	}
	u.count[client]++
	return true
}

func (u *underWay) leave(client string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count[client]--; u.count[client] == 0 {
		delete(u.count, client)
	}
}

// clients returns to how many services something is being sent.
func (u *underWay) clients() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.count)
}
