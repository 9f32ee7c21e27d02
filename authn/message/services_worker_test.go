package message_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/authn/message"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// lockedLog is what a worker logs.
type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// ended returns the state and reason of the only message of an outbox.
func ended(t *testing.T, db *storage.DB) string {
	t.Helper()
	all, err := storage.Outbox{DB: db}.Messages(t.Context(), 2)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return all[0].State + " " + all[0].Reason
}

// quoted finds what must be in no log: recipients, codes, secrets, answers.
func quoted(text string) string {
	for _, secret := range []string{"900123", "918273", notifySecret, twilioToken, webhookKey, "Exceeded rate", "Not a UK"} {
		if strings.Contains(text, secret) {
			return secret
		}
	}
	return ""
}

func TestMessageReachesAServiceThatWasBusy(t *testing.T) {
	for kind, text := range texts {
		t.Run(kind, func(t *testing.T) {
			storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
				office := newService(t, refusals[8].answer, refusals[9].answer, taken)
				r := newRig(t, s)
				r.worker.Senders = office.parse(t, text, r.clock)
				var log lockedLog
				r.worker.Log = slog.New(slog.NewTextHandler(&log, nil))
				r.send(code(918273))
				r.run(r.worker)
				for n := range int64(2) {
					eventually(t, "it fails", func() bool { return r.worker.Counts.Retried.Load() == n+1 })
					r.clock.Advance(4 * time.Second)
				}
				eventually(t, "it is sent", func() bool { return r.worker.Counts.Sent.Load() == 1 })
				got := office.requests()
				if len(got) != 3 || !sameMessage(got[0], got[2]) {
					t.Errorf("%d requests, %s and %s", len(got), got[0].body, got[len(got)-1].body)
				}
				if secret := quoted(log.String()); secret != "" {
					t.Errorf("the log holds %q:\n%s", secret, log.String())
				}
			})
		})
	}
}

// sameMessage reports whether two requests are about one message. Only what is
// made for each try may differ, which is in the headers.
func sameMessage(a, b request) bool { return len(a.body) > 0 && bytes.Equal(a.body, b.body) }

func TestMessageThatAServiceRefusesIsGivenUp(t *testing.T) {
	for kind, text := range texts {
		t.Run(kind, func(t *testing.T) {
			storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
				office := newService(t, refusals[0].answer)
				r := newRig(t, s)
				r.worker.Senders = office.parse(t, text, r.clock)
				var log lockedLog
				r.worker.Log = slog.New(slog.NewTextHandler(&log, nil))
				r.send(code(918273))
				r.run(r.worker)
				eventually(t, "it is given up", func() bool { return r.worker.Counts.Failed.Load() == 1 })
				if state := ended(t, s.DB); state != "failed "+message.ReasonRefused || len(office.requests()) != 1 {
					t.Errorf("%s after %d requests", state, len(office.requests()))
				}
				if secret := quoted(log.String()); secret != "" {
					t.Errorf("the log holds %q:\n%s", secret, log.String())
				}
			})
		})
	}
}

// A key that was mistyped or has expired costs no message: it goes when the
// operator has put that right.
func TestMessageOutlastsCredentialsThatAreRefused(t *testing.T) {
	office := newService(t, answer{status: http.StatusForbidden}, taken)
	s := storagetest.Open(t)
	r := newRig(t, s)
	r.worker.Senders = office.parse(t, notifyText, r.clock)
	r.send(code(1))
	r.run(r.worker)
	eventually(t, "it waits", func() bool { return r.worker.Counts.Retried.Load() == 1 })
	r.clock.Advance(4 * time.Second)
	eventually(t, "it is sent", func() bool { return r.worker.Counts.Sent.Load() == 1 })
}
