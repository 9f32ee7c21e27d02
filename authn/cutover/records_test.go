package cutover_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/cutover"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

var (
	noon    = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	discard = slog.New(slog.DiscardHandler)
)

// memory keeps batches while it is up.
type memory struct {
	mu   sync.Mutex
	down bool
	sum  int64
}

func (m *memory) Add(_ context.Context, b cutover.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return errors.New("down")
	}
	for _, c := range b.Comparisons {
		m.sum += c.Count
	}
	for _, d := range b.Differences {
		m.sum += d.Count
	}
	for _, c := range b.Calls {
		m.sum += c.Count
	}
	return nil
}

func (m *memory) Comparisons(context.Context, time.Time) ([]cutover.Comparison, error) {
	return nil, nil
}
func (m *memory) Calls(context.Context) ([]cutover.Call, error)                  { return nil, nil }
func (m *memory) Differences(context.Context, int) ([]cutover.Difference, error) { return nil, nil }

// agreeing is a core that lets everybody in; waiting an old system that does
// once it may.
type agreeing struct{ cutover.Authn }

func (agreeing) AuthenticateBeside(context.Context, authn.Attempt, authn.Judge) (*authn.Outcome, authn.Own, error) {
	return &authn.Outcome{}, authn.Own{Opinion: authn.OwnRight}, nil
}

func (agreeing) Compare(_ context.Context, own authn.Own, _ string) (authn.Opinion, error) {
	return own.Opinion, nil
}

type waiting struct{ until chan struct{} }

func (w waiting) Ask(context.Context, string, string) (bool, error) {
	<-w.until
	return true, nil
}

// TestFiguresSurviveAStoreThatIsDown counts from many requests at once while the
// store is down, while they are written, and at the stop.
func TestFiguresSurviveAStoreThatIsDown(t *testing.T) {
	store := &memory{down: true}
	records := &cutover.Records{Store: store, Clock: func() time.Time { return noon }, Log: discard}
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 100 {
				records.Compared("c", cutover.AgreeYes)
				records.Differed("c", "Lee", uuid.NullUUID{}, "unknown_here")
				records.Called("c", "POST /authenticate")
				records.Flush(t.Context())
			}
		})
	}
	all.Wait()
	if store.sum != 0 {
		t.Fatalf("%d were written to a store that is down", store.sum)
	}
	store.down = false
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	records.Run(ctx)
	if store.sum != 4800 {
		t.Errorf("%d of 4800 were written", store.sum)
	}
}

func TestDifferencesAreBounded(t *testing.T) {
	records := &cutover.Records{Store: &memory{}, Clock: func() time.Time { return noon }, Log: discard}
	for range 10_050 {
		records.Differed("c", uuid.NewString(), uuid.NullUUID{}, "unknown_here")
	}
	if records.Dropped.Load() != 50 {
		t.Errorf("%d were dropped", records.Dropped.Load())
	}
}

// TestReportSaysWhoIsReady lets two replicas count over some days.
func TestReportSaysWhoIsReady(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) {
		store := storage.Cutover{DB: stores.DB}
		now := noon
		clock := func() time.Time { return now }
		replicas := []*cutover.Records{{Store: store, Clock: clock, Log: discard}, {Store: store, Clock: clock, Log: discard}}
		count := func(caller string, result cutover.Result, n int) {
			for i := range n {
				replicas[i%2].Compared(caller, result)
			}
		}
		count("differed long ago", cutover.UpstreamYesLocalNo, 1)
		now = noon.AddDate(0, 0, 5)
		for _, caller := range []string{"differed long ago", "differs", "ready", "off"} {
			count(caller, cutover.AgreeYes, 10)
		}
		count("differs", cutover.UpstreamNoLocalYes, 1)
		replicas[0].Differed("differs", "Léé "+strings.Repeat("x", 300), uuid.NullUUID{UUID: uuid.Nil, Valid: true}, cutover.RefusedUpstream)
		count("guessed at", cutover.AgreeNo, 50)
		replicas[0].Called("ready", "POST /authenticate")
		replicas[1].Called("calls only", "GET /user")
		for _, r := range replicas {
			r.Flush(t.Context())
		}
		now = now.Add(time.Hour)
		replicas[1].Called("ready", "POST /authenticate")
		replicas[1].Flush(t.Context())

		mode := func(caller string) (cutover.Mode, error) {
			switch caller {
			case "off":
				return cutover.Off, nil
			case "calls only":
				return "", nil
			}
			return cutover.UpstreamFirst, nil
		}
		report, err := cutover.NewReport(t.Context(), store, cutover.Rule{Days: 3, Agreed: 10}, now, 10, mode)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, c := range report.Callers {
			got[c.Caller] = c.Reason
			if c.Ready != (c.Caller == "ready" || c.Caller == "differed long ago") {
				t.Errorf("%s: ready %v", c.Caller, c.Ready)
			}
			if c.Caller == "differs" && (c.Agreement == nil || *c.Agreement < 90.9 || *c.Agreement > 91) {
				t.Errorf("agreement of 10 in 11 is %v", c.Agreement)
			}
			if c.Caller == "ready" {
				want := []cutover.EndpointUse{{Endpoint: "POST /authenticate", Tally: cutover.Tally{Count: 2, First: noon.AddDate(0, 0, 5), Last: now}}}
				if diff := cmp.Diff(want, c.Calls); diff != "" {
					t.Error(diff)
				}
			}
		}
		want := map[string]string{
			"differed long ago": "10 right passwords and no difference in the last 3 days", "ready": "10 right passwords and no difference in the last 3 days",
			"differs": "1 differences in the last 3 days", "off": "relies on this service alone",
			"guessed at": "0 of 10 right passwords compared in the last 3 days", "calls only": "nothing is compared",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if len(report.Differences) != 1 || len(report.Differences[0].Username) > 255 {
			t.Errorf("differences: %v", report.Differences)
		}
	})
}
