package storage_test

import (
	"bytes"
	"context"
	"errors"
	"os"
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

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// queued returns an outbox with one message, and the message's id.
func queued(t *testing.T, db *storage.DB) (storage.Outbox, uuid.UUID) {
	t.Helper()
	outbox, id := storage.Outbox{DB: db}, uuid.New()
	queue := message.Queue{
		Store: outbox, Sealer: keyring(t, rootKey(1)), Clock: func() time.Time { return noon }, NewID: func() uuid.UUID { return id },
	}
	err := queue.Send(t.Context(), authn.Message{
		Channel: message.Email, To: "ann@example.org", Template: message.EmailCode, ReplyTo: "help@id.example",
		Personalisation: map[string]any{"name": "Ann Other", "verify_code": "918273"}, ExpiresAt: noon.Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return outbox, id
}

func TestQueuedMessageCannotBeReadAtRest(t *testing.T) {
	personal := []string{"ann@example.org", "Ann Other", "918273", "help@id.example"}
	t.Run("row", func(t *testing.T) {
		storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
			_, id := queued(t, s.DB)
			var payload []byte
			if err := s.DB.Row(t.Context(), "select payload from outbox where id = $1", []any{id}, &payload); err != nil || len(payload) < 100 {
				t.Fatalf("%d bytes, %v", len(payload), err)
			}
			for _, p := range personal {
				if bytes.Contains(payload, []byte(p)) {
					t.Errorf("%q is in the payload", p)
				}
			}
		})
	})
	t.Run("file", func(t *testing.T) {
		c := storagetest.SQLite(t)
		queued(t, storagetest.OpenConfig(t, c).DB)
		for _, suffix := range []string{"", "-wal"} {
			text, err := os.ReadFile(storage.SQLitePath(c.Dir) + suffix)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range personal {
				if bytes.Contains(text, []byte(p)) {
					t.Errorf("%q is in the file%s", p, suffix)
				}
			}
		}
	})
}

func TestEndedMessageIsErased(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		for _, state := range []string{message.StateSent, message.StateFailed, message.StateExpired} {
			outbox, id := queued(t, s.DB)
			lease := uuid.New()
			if _, err := outbox.Claim(t.Context(), id, lease, noon, noon.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if err := outbox.Finish(t.Context(), id, lease, state, "why", noon); err != nil {
				t.Fatal(err)
			}
			var payload []byte
			var kept string
			if err := s.DB.Row(t.Context(), "select payload, state from outbox where id = $1", []any{id}, &payload, &kept); err != nil || payload != nil || kept != state {
				t.Errorf("%s: state %s, %d bytes, %v", state, kept, len(payload), err)
			}
		}
	})
}

func TestMessageIsClaimedByOne(t *testing.T) {
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) {
		replicas := []*storage.DB{storagetest.OpenConfig(t, c).DB, storagetest.OpenConfig(t, c).DB}
		_, id := queued(t, replicas[0])
		claims := make(chan *message.Row, 32)
		var workers sync.WaitGroup
		for i := range 32 {
			workers.Go(func() {
				row, err := storage.Outbox{DB: replicas[i%2]}.Claim(t.Context(), id, uuid.New(), noon, noon.Add(time.Minute))
				if err == nil {
					claims <- row
				} else if !errors.Is(err, directory.ErrNotFound) {
					t.Error(err)
				}
			})
		}
		workers.Wait()
		close(claims)
		if len(claims) != 1 {
			t.Fatalf("%d claims", len(claims))
		}
		if row := <-claims; row.ID != id || row.Attempts != 1 || !row.CreatedAt.Equal(noon) || !row.ExpiresAt.Equal(noon.Add(time.Hour)) {
			t.Errorf("claimed %+v", row)
		}
	})
}

func TestLeaseDecidesWhoMaySpeak(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		outbox, id := queued(t, s.DB)
		first, second := uuid.New(), uuid.New()
		until := noon.Add(time.Minute)
		if _, err := outbox.Claim(t.Context(), id, first, noon, until); err != nil {
			t.Fatal(err)
		}
		if due, err := outbox.Due(t.Context(), message.Email, until.Add(-time.Microsecond), 10); err != nil || len(due) != 0 {
			t.Errorf("due under a lease: %v, %v", due, err)
		}
		row, err := outbox.Claim(t.Context(), id, second, until, until.Add(time.Minute))
		if err != nil || row.Attempts != 2 {
			t.Fatalf("%+v, %v", row, err)
		}
		late := outbox.Retry(t.Context(), id, first, message.Retry{At: until})
		if !errors.Is(late, directory.ErrNotFound) {
			t.Errorf("the first worker was heard after its lease: %v", late)
		}
		again := message.Retry{At: until.Add(time.Hour), Reason: message.ReasonDeferred, Taken: 1}
		if err := outbox.Retry(t.Context(), id, second, again); err != nil {
			t.Error(err)
		}
		if due, err := outbox.Due(t.Context(), message.Email, again.At, 10); err != nil || len(due) != 1 {
			t.Errorf("due after the retry: %v, %v", due, err)
		}
	})
}

func TestOldestMessageIsDueFirst(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		outbox := storage.Outbox{DB: s.DB}
		ids := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
		for _, n := range []int{2, 0, 1} {
			row := message.Row{ID: ids[n], Channel: message.SMS, Template: message.SMSCode, Payload: []byte{1}, CreatedAt: noon.Add(time.Duration(n) * time.Microsecond)}
			if err := outbox.Enqueue(t.Context(), row); err != nil {
				t.Fatal(err)
			}
		}
		due, err := outbox.Due(t.Context(), message.SMS, noon.Add(time.Second), 2)
		if err != nil || len(due) != 2 || due[0] != ids[0] || due[1] != ids[1] {
			t.Errorf("due %v of %v, %v", due, ids, err)
		}
		if other, err := outbox.Due(t.Context(), message.Email, noon.Add(time.Second), 2); err != nil || len(other) != 0 {
			t.Errorf("due on the other channel: %v, %v", other, err)
		}
	})
}

func TestOldMessagesAreForgotten(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		outbox, sent := queued(t, s.DB)
		lease := uuid.New()
		if _, err := outbox.Claim(t.Context(), sent, lease, noon, noon.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if err := outbox.Finish(t.Context(), sent, lease, message.StateSent, "", noon); err != nil {
			t.Fatal(err)
		}
		queued(t, s.DB) // expires in an hour
		lasting := message.Row{ID: uuid.New(), Channel: message.SMS, Template: message.SMSCode, Payload: []byte{1}, CreatedAt: noon}
		if err := outbox.Enqueue(t.Context(), lasting); err != nil {
			t.Fatal(err)
		}
		const week = 7 * 24 * time.Hour
		for _, tt := range []struct {
			after time.Duration
			want  int64
		}{{week, 0}, {week + time.Minute, 1}, {week + 2*time.Hour, 1}} {
			n := int64(0)
			err := storage.Cleanup{DB: s.DB}.Run(t.Context(), noon.Add(tt.after), func(_ string, rows int64) { n += rows })
			if err != nil || n != tt.want {
				t.Errorf("forgot %d after %v, %v; want %d", n, tt.after, err, tt.want)
			}
		}
	})
}

func TestMessageJoinsTheTransactionOfItsChange(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		outbox := storage.Outbox{DB: s.DB}
		heard := 0
		err := s.DB.InTx(t.Context(), func(ctx context.Context) error {
			outbox.AfterCommit(ctx, func() { heard++ })
			row := message.Row{ID: uuid.New(), Channel: message.SMS, Template: message.SMSCode, Payload: []byte{1}, CreatedAt: noon}
			return errors.Join(outbox.Enqueue(ctx, row), errStop)
		})
		due, dueErr := outbox.Due(t.Context(), message.SMS, noon, 1)
		if !errors.Is(err, errStop) || dueErr != nil || len(due) != 0 || heard != 0 {
			t.Errorf("%v, %v, %d due, heard %d times", err, dueErr, len(due), heard)
		}
	})
}

func TestOutboxKeepsNoOtherStates(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		outbox, id := queued(t, s.DB)
		_, err := s.DB.Exec(t.Context(), "update outbox set state = 'sent' where id = $1", id)
		if err == nil || !strings.Contains(err.Error(), "outbox_payload_check") {
			t.Errorf("sent with its payload kept: %v", err)
		}
		if err := outbox.Enqueue(t.Context(), message.Row{ID: id, Channel: message.SMS, Template: "x", Payload: []byte{1}, CreatedAt: noon}); !errors.Is(err, directory.ErrConflict) {
			t.Errorf("the same id twice: %v", err)
		}
	})
}
