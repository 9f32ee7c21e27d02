package message_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/authn/message"
	"gatehouse/storage/storagetest"
)

// ask calls the outbox's handler.
func ask(t *testing.T, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/dev/outbox", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	if err := (&message.DevOutbox{Path: path}).Handler(w, r); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestFileHoldsWhatWasSent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.jsonl")
	r := newRig(t, storagetest.Open(t), &message.FileSender{Path: path})
	m := code(123456)
	m.ReplyTo = "help@id.example"
	r.send(m)
	r.run(r.worker)
	eventually(t, "it is in the file", func() bool { return r.worker.Counts.Sent.Load() == 1 })
	line, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"at":"2026-03-01T12:00:00Z","channel":"sms","to":"07700900123","template":"sms_code","personalisation":{"verify_code":"123456"},` +
		`"reply_to":"help@id.example","subject":"","body":"123456 is your Gatehouse security code. Do not give it to anyone, even if they say they are from Gatehouse."}` + "\n"
	if diff := cmp.Diff(want, string(line)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestLinesOfParallelSendersDoNotMix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.jsonl")
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for range 20 {
				m := mailing()
				m.Body = strings.Repeat("x", 10_000)
				if err := (&message.FileSender{Path: path}).Send(t.Context(), m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	var entries []message.Entry
	if err := json.Unmarshal(ask(t, path, "application/json").Body.Bytes(), &entries); err != nil || len(entries) != 160 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

func TestDevOutboxListsOldestFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.jsonl")
	file := &message.FileSender{Path: path}
	for _, minutes := range []int{2, 1, 3} {
		m := mailing()
		m.At = m.At.Add(time.Duration(minutes) * time.Minute)
		m.Body = "<script>" + strings.Repeat("!", minutes)
		if err := file.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	half, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := half.WriteString(`{"at":"2026-`); err != nil { // a line that is being written
		t.Fatal(err)
	}
	_ = half.Close()

	var entries []message.Entry
	answer := ask(t, path, "application/json")
	if err := json.Unmarshal(answer.Body.Bytes(), &entries); err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, e := range entries {
		bodies = append(bodies, e.Body)
	}
	if diff := cmp.Diff([]string{"<script>!", "<script>!!", "<script>!!!"}, bodies); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	page := ask(t, path, "text/html,*/*")
	if strings.Contains(page.Body.String(), "<script>") || !strings.Contains(page.Body.String(), "ann@example.org") {
		t.Errorf("page:\n%s", page.Body)
	}
	if policy := page.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "style-src 'self'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
}

func TestDevOutboxStartsEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.jsonl")
	if body := ask(t, path, "application/json").Body.String(); body != "[]\n" {
		t.Errorf("body %q", body)
	}
	if page := ask(t, path, "").Body.String(); !strings.Contains(page, "Nothing has been sent yet") {
		t.Errorf("page:\n%s", page)
	}
}

func TestLogNamesNobody(t *testing.T) {
	var log bytes.Buffer
	if err := (&message.LogSender{Log: slog.New(slog.NewJSONHandler(&log, nil))}).Send(t.Context(), mailing()); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); !strings.Contains(text, "email_code") || strings.Contains(text, "ann@") || strings.Contains(text, "123456") {
		t.Errorf("log: %s", text)
	}
}
