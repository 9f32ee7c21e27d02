package message_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/message"
	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// clock is a time that only moves when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// recipient is a sender that remembers what it took. It answers with its
// failures, first to last, before it takes anything.
type recipient struct {
	mu       sync.Mutex
	failures []error
	got      []*message.Outgoing
	hold     chan struct{} // when set, Send waits for it to close
	busy     chan struct{} // when set, told that Send waits
}

func (r *recipient) Send(_ context.Context, m *message.Outgoing) error {
	if r.hold != nil {
		r.busy <- struct{}{}
		<-r.hold
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.failures) > 0 {
		err := r.failures[0]
		r.failures = r.failures[1:]
		return err
	}
	r.got = append(r.got, m)
	return nil
}

func (r *recipient) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

func keyring(t testing.TB) *storage.Keyring {
	t.Helper()
	root := make([]byte, storage.KeySize)
	_, _ = rand.Read(root)
	k, err := storage.ParseKeyring(base64.StdEncoding.EncodeToString(root))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// rig is an outbox with one worker, not yet running.
type rig struct {
	t      *testing.T
	stores *storage.Stores
	clock  *clock
	queue  *message.Queue
	worker *message.Worker
}

func newRig(t *testing.T, stores *storage.Stores, senders ...message.Sender) *rig {
	t.Helper()
	r := &rig{t: t, stores: stores, clock: newClock()}
	r.queue = &message.Queue{Store: storage.Outbox{DB: stores.DB}, Sealer: keyring(t), Clock: r.clock.Now, NewID: uuid.New}
	r.worker = r.another(senders...)
	r.queue.Wake = r.worker.Wake
	return r
}

// another returns a second worker on the same outbox.
func (r *rig) another(senders ...message.Sender) *message.Worker {
	return &message.Worker{
		Store: r.queue.Store, Sealer: r.queue.Sealer, Clock: r.clock.Now, NewID: uuid.New,
		Senders: map[string][]message.Sender{message.SMS: senders}, Poll: 5 * time.Millisecond,
	}
}

// run starts workers and ends them with the test.
func (r *rig) run(workers ...*message.Worker) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, w := range workers {
		running.Go(func() { w.Run(ctx) })
	}
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	r.t.Cleanup(stop)
	return stop
}

func (r *rig) send(m authn.Message) {
	r.t.Helper()
	if err := r.queue.Send(r.t.Context(), m); err != nil {
		r.t.Fatal(err)
	}
}

func code(n int) authn.Message {
	return authn.Message{
		Channel: message.SMS, To: "07700900123", Template: message.SMSCode,
		Personalisation: map[string]any{"verify_code": fmt.Sprintf("%06d", n)},
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never happened: " + what)
		}
	}
}

var deferred = &message.SendError{Reason: message.ReasonDeferred, Code: 451}

func TestMessageLeavesAtOnceWhenItIsCommitted(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		var phone recipient
		r := newRig(t, s, &phone)
		r.worker.Poll = time.Hour // only the wake-up can be the reason
		r.run(r.worker)
		err := s.DB.InTx(t.Context(), func(ctx context.Context) error {
			if err := r.queue.Send(ctx, code(123456)); err != nil {
				return err
			}
			r.worker.Wake() // a look before the commit must find nothing
			time.Sleep(20 * time.Millisecond)
			if phone.count() != 0 {
				t.Error("sent before it was committed")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the message is sent", func() bool { return phone.count() == 1 })
		m := phone.got[0]
		if m.To != "07700900123" || !strings.HasPrefix(m.Body, "123456 ") || !m.At.Equal(r.clock.Now()) || m.Personalisation["verify_code"] != "123456" {
			t.Errorf("sent %+v", m)
		}
	})
}

func TestMessageOfARolledBackChangeIsNotSent(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		var phone recipient
		r := newRig(t, s, &phone)
		changed := errors.New("changed my mind")
		err := s.DB.InTx(t.Context(), func(ctx context.Context) error {
			return errors.Join(r.queue.Send(ctx, code(1)), changed)
		})
		if !errors.Is(err, changed) {
			t.Fatal(err)
		}
		r.send(code(2))
		r.run(r.worker)
		eventually(t, "the other message is sent", func() bool { return phone.count() == 1 })
		if body := phone.got[0].Body; !strings.HasPrefix(body, "000002 ") {
			t.Errorf("sent %q", body)
		}
	})
}

func TestTwoWorkersSendEachMessageOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		var phone recipient
		r := newRig(t, s, &phone)
		const messages = 60
		for n := range messages {
			r.send(code(n))
		}
		r.run(r.worker, r.another(&phone), r.another(&phone))
		eventually(t, "all are sent", func() bool { return phone.count() >= messages })
		time.Sleep(50 * time.Millisecond) // room for a mistaken second copy
		seen := map[uuid.UUID]bool{}
		phone.mu.Lock()
		defer phone.mu.Unlock()
		for _, m := range phone.got {
			if seen[m.ID] {
				t.Errorf("sent twice: %s", m.ID)
			}
			seen[m.ID] = true
		}
	})
}

func TestMessageIsSentAgainWhenItsWorkerDied(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		var phone recipient
		r := newRig(t, s, &phone)
		r.send(code(1))
		now := r.clock.Now()
		due, err := r.queue.Store.Due(t.Context(), message.SMS, now, 10)
		if err != nil || len(due) != 1 {
			t.Fatal(due, err)
		}
		dead := uuid.New()
		if _, err := r.queue.Store.Claim(t.Context(), due[0], dead, now, now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		r.run(r.worker)
		time.Sleep(50 * time.Millisecond)
		if phone.count() != 0 {
			t.Fatal("sent while another worker held it")
		}
		r.clock.Advance(time.Minute)
		eventually(t, "it is sent after the lease", func() bool { return r.worker.Counts.Sent.Load() == 1 })
		if err := r.queue.Store.Finish(t.Context(), due[0], dead, message.StateSent, "", now); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("the dead worker's lease still counts: %v", err)
		}
	})
}

func TestTemporaryFailureIsTriedAgain(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		phone := recipient{failures: []error{deferred, errors.New("anything")}}
		r := newRig(t, s, &phone)
		r.send(code(1))
		r.run(r.worker)
		for n := int64(1); n <= 2; n++ {
			eventually(t, "it fails", func() bool { return r.worker.Counts.Retried.Load() == n })
			r.clock.Advance(4 * time.Second)
		}
		eventually(t, "it is sent", func() bool { return r.worker.Counts.Sent.Load() == 1 })
	})
}

func TestRetrySkipsSendersThatHaveTheMessage(t *testing.T) {
	var first recipient
	second := recipient{failures: []error{deferred}}
	r := newRig(t, storagetest.Open(t), &first, &second)
	r.send(code(1))
	r.run(r.worker)
	eventually(t, "the second sender fails", func() bool { return r.worker.Counts.Retried.Load() == 1 })
	r.clock.Advance(time.Minute)
	eventually(t, "it is sent", func() bool { return r.worker.Counts.Sent.Load() == 1 })
	if first.count() != 1 || second.count() != 1 {
		t.Errorf("the first sender got it %d times, the second %d times", first.count(), second.count())
	}
}

func TestPermanentFailureIsGivenUp(t *testing.T) {
	phone := recipient{failures: []error{&message.SendError{Reason: message.ReasonRefused, Permanent: true, Code: 550}}}
	r := newRig(t, storagetest.Open(t), &phone)
	r.send(code(1))
	r.run(r.worker)
	eventually(t, "it is given up", func() bool { return r.worker.Counts.Failed.Load() == 1 })
	r.clock.Advance(24 * time.Hour)
	time.Sleep(20 * time.Millisecond)
	if phone.count() != 0 {
		t.Error("sent after it was given up")
	}
}

func TestMessageIsGivenUpAfterItsAttempts(t *testing.T) {
	phone := recipient{failures: []error{deferred, deferred, deferred}}
	r := newRig(t, storagetest.Open(t), &phone)
	r.worker.MaxAttempts = 3
	r.send(code(1))
	r.run(r.worker)
	for n := range int64(2) {
		eventually(t, "it fails", func() bool { return r.worker.Counts.Retried.Load() == n+1 })
		r.clock.Advance(time.Minute)
	}
	eventually(t, "it is given up", func() bool { return r.worker.Counts.Failed.Load() == 1 })
	if n := r.worker.Counts.Retried.Load(); n != 2 {
		t.Errorf("retried %d times, want 2", n)
	}
}

func TestExpiredCodeIsNotSent(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		var phone recipient
		r := newRig(t, s, &phone)
		m := code(1)
		m.ExpiresAt = r.clock.Now().Add(time.Minute)
		r.send(m)
		r.clock.Advance(time.Minute)
		r.run(r.worker)
		eventually(t, "it expires", func() bool { return r.worker.Counts.Expired.Load() == 1 })
		if phone.count() != 0 {
			t.Error("sent after it had expired")
		}
	})
}

func TestStoppingWaitsForMessagesUnderWay(t *testing.T) {
	phone := recipient{hold: make(chan struct{}), busy: make(chan struct{}, 2)}
	r := newRig(t, storagetest.Open(t), &phone)
	stop := r.run(r.worker)
	r.send(code(1))
	<-phone.busy
	stopped := make(chan struct{})
	go func() {
		stop()
		close(stopped)
	}()
	select {
	case <-stopped:
		t.Fatal("stopped while a message was under way")
	case <-time.After(20 * time.Millisecond):
	}
	close(phone.hold)
	<-stopped
	if r.worker.Counts.Sent.Load() != 1 {
		t.Error("the message under way was lost")
	}
}

func TestMessagesWaitForAKeyThatOpensThem(t *testing.T) {
	var phone recipient
	r := newRig(t, storagetest.Open(t), &phone)
	r.send(code(1))
	stranger := r.another(&phone)
	stranger.Sealer = keyring(t)
	stop := r.run(stranger)
	eventually(t, "the stranger gives it back", func() bool { return stranger.Counts.Retried.Load() == 1 })
	stop()
	r.clock.Advance(time.Minute)
	r.run(r.worker)
	eventually(t, "it is sent", func() bool { return phone.count() == 1 })
}
