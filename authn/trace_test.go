package authn_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/authn"
	"gatehouse/directory"
)

func TestEveryAttemptIsTraced(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		kept := &traces{Store: k.Store}
		alice := k.alice()
		k.Store = kept
		_, err := k.password(authn.Browser, "alice", wrongPassword)
		wantRefused(t, err)
		o := k.begin("alice")
		if _, err := k.code(o, k.sent.lastCode(t)); err != nil {
			t.Fatal(err)
		}
		_, err = k.password(authn.Legacy, "ghost", wrongPassword)
		wantRefused(t, err)
		var verdicts []string
		for _, trace := range kept.all {
			verdicts = append(verdicts, trace.Verdict)
			if text := fmt.Sprintf("%+v", trace); strings.Contains(text, wrongPassword) || strings.Contains(text, k.sent.lastCode(t)) ||
				strings.Contains(text, "example.com") || strings.Contains(text, "900123") {
				t.Errorf("a trace holds what it must not: %s", text)
			}
		}
		if diff := cmp.Diff([]string{"refused", "more", "authenticated", "refused"}, verdicts); diff != "" {
			t.Error(diff)
		}
		want := []authn.Step{
			{Rule: "lock", Input: "1 of 10", Verdict: "pass"},
			{Rule: "policy", Input: "sms_auth", Verdict: "need sms_code"},
			{Rule: "password", Verdict: "refuse"},
		}
		if diff := cmp.Diff(want, kept.all[0].Steps); diff != "" {
			t.Error(diff)
		}
		if kept.all[0].UserID.UUID != alice.ID || kept.all[3].UserID.Valid {
			t.Errorf("users = %v, %v", kept.all[0].UserID, kept.all[3].UserID)
		}
		kept.fail = directory.ErrUnavailable
		if _, err := k.password(authn.Legacy, "alice", rightPassword); !errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("without its record the sign-in went on: %v", err)
		}
	})
}

// TestStoppedAttemptsFillNoTable: whoever goes on beyond a limit costs no row each
// time, as sending requests costs nothing either.
func TestStoppedAttemptsFillNoTable(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.Limits.NetworkFailures = authn.Limit{Burst: 2, Per: 2 * time.Hour}
		kept := &traces{Store: k.Store}
		k.Store = kept
		for hour, tries := range []int{2, 1} { // an hour gives one try back
			for range tries {
				_, err := k.password(authn.Browser, "ghost", wrongPassword)
				wantRefused(t, err)
			}
			for range 20 {
				_, err := k.password(authn.Browser, "ghost", wrongPassword)
				wantThrottled(t, err)
			}
			if n := kept.count("throttled"); n != hour+1 {
				t.Errorf("%d of what was stopped is kept, want one an hour", n)
			}
			k.advance(time.Hour)
		}
	})
}

// traces looks at what is recorded on its way into the store.
type traces struct {
	authn.Store
	all  []*authn.Trace
	fail error
}

func (s *traces) RecordTrace(ctx context.Context, t *authn.Trace) error {
	s.all = append(s.all, t)
	if s.fail != nil {
		return s.fail
	}
	return s.Store.RecordTrace(ctx, t)
}

func (s *traces) count(verdict string) int {
	n := 0
	for _, t := range s.all {
		if t.Verdict == verdict {
			n++
		}
	}
	return n
}
