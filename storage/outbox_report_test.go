package storage_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn/message"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// told returns what is recorded of a message, the time in seconds after noon.
func told(t *testing.T, db *storage.DB, id uuid.UUID) string {
	t.Helper()
	all, err := storage.Outbox{DB: db}.Messages(t.Context(), 10)
	if err != nil || len(all) != 1 || all[0].ID != id {
		t.Fatal(all, err)
	}
	if all[0].ToldAt.IsZero() {
		return "nothing" + all[0].Delivery + all[0].BounceReason
	}
	return fmt.Sprint(all[0].Delivery, " ", all[0].BounceReason, " ", all[0].ToldAt.Sub(noon))
}

func TestReportOnlyAdvances(t *testing.T) {
	delivered := message.Report{State: message.StateDelivered}
	bounced := message.Report{State: message.StateBounced, Reason: message.BouncePermanent}
	blocked := message.Report{State: message.StateBounced, Reason: message.BounceBlocked}
	for _, tt := range []struct {
		name    string
		reports []message.Report
		want    string
		news    []bool
	}{
		{"delivered", []message.Report{delivered, delivered}, "delivered  0s", []bool{true, false}},
		{"bounced", []message.Report{bounced, blocked}, "bounced permanent 0s", []bool{true, false}},
		{"bounced late", []message.Report{delivered, bounced}, "bounced permanent 1s", []bool{true, true}},
		{"delivered after a bounce", []message.Report{bounced, delivered}, "bounced permanent 0s", []bool{true, false}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
				outbox, id := queued(t, s.DB)
				for n, report := range tt.reports {
					report.ID = id
					if news, err := outbox.Report(t.Context(), report, noon.Add(time.Duration(n)*time.Second)); err != nil || news != tt.news[n] {
						t.Errorf("report %d: news %t, %v", n, news, err)
					}
				}
				if got := told(t, s.DB, id); got != tt.want {
					t.Errorf("recorded %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestReportOfAnUnknownMessageIsNoNews(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		outbox, other := queued(t, s.DB)
		notice := message.Row{ID: uuid.New(), Channel: message.Logout, Template: message.Logout, ClientID: "x", Payload: []byte{1}, CreatedAt: noon}
		if err := outbox.Enqueue(t.Context(), notice); err != nil {
			t.Fatal(err)
		}
		for _, id := range []uuid.UUID{uuid.New(), notice.ID} { // no sender has a say in notices
			if news, err := outbox.Report(t.Context(), message.Report{ID: id, State: message.StateDelivered}, noon); err != nil || news {
				t.Errorf("news %t, %v", news, err)
			}
		}
		if got := told(t, s.DB, other); got != "nothing" {
			t.Errorf("another message is %s", got)
		}
	})
}

// A report may come before the worker has said that the message left.
func TestReportAndSendingLeaveEachOtherAlone(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		outbox, id := queued(t, s.DB)
		lease := uuid.New()
		if _, err := outbox.Claim(t.Context(), id, lease, noon, noon.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if news, err := outbox.Report(t.Context(), message.Report{ID: id, State: message.StateDelivered}, noon); err != nil || !news {
			t.Fatal(news, err)
		}
		if err := outbox.Finish(t.Context(), id, lease, message.StateSent, "", noon); err != nil {
			t.Fatal(err)
		}
		if got := told(t, s.DB, id); got != "delivered  0s" {
			t.Error(got)
		}
	})
}

func TestReportToldManyTimesAtOnceIsNewsOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		outbox, id := queued(t, s.DB)
		start := make(chan struct{})
		var tellers sync.WaitGroup
		var news atomic.Int64
		for range 64 {
			tellers.Go(func() {
				<-start
				fresh, err := outbox.Report(t.Context(), message.Report{ID: id, State: message.StateBounced, Reason: message.BounceTemporary}, noon)
				if err != nil {
					t.Error(err)
				}
				if fresh {
					news.Add(1)
				}
			})
		}
		close(start)
		tellers.Wait()
		if news.Load() != 1 {
			t.Errorf("news %d times", news.Load())
		}
	})
}
