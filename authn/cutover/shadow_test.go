package cutover_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/authn"
	"gatehouse/authn/cutover"
	"gatehouse/directory"
	"gatehouse/storage"
)

// TestTheSystemThatACallerReliesOnAnswers holds both systems against each other
// in every way that they can differ.
func TestTheSystemThatACallerReliesOnAnswers(t *testing.T) {
	const yes, no, unavailable = "yes", "no", "unavailable"
	cases := map[string]struct {
		old    string // what the old system does
		here   string // right, wrong, none, unknown, disabled, locked: what we have
		answer string
		result cutover.Result
		kind   string
	}{
		"upstream-first/agree":            {"yes", "right", yes, cutover.AgreeYes, ""},
		"upstream-first/agree on no":      {"no", "wrong", no, cutover.AgreeNo, ""},
		"upstream-first/other password":   {"yes", "wrong", yes, cutover.UpstreamYesLocalNo, "other_password_here"},
		"upstream-first/unknown":          {"yes", "unknown", yes, cutover.UpstreamYesLocalNo, "unknown_here"},
		"upstream-first/nobody":           {"no", "unknown", no, cutover.AgreeNo, ""},
		"upstream-first/disabled":         {"yes", "disabled", yes, cutover.UpstreamYesLocalNo, "disabled_here"},
		"upstream-first/locked":           {"yes", "locked", yes, cutover.UpstreamYesLocalNo, "locked_here"},
		"upstream-first/adopted":          {"yes", "none", yes, cutover.Adopted, ""},
		"upstream-first/adopted by email": {"yes", "none by email", yes, cutover.UpstreamYesLocalNo, "no_password_here"},
		"upstream-first/refused there":    {"no", "right", no, cutover.UpstreamNoLocalYes, "refused_upstream"},
		"upstream-first/slow":             {"slow", "right", unavailable, cutover.UpstreamError, ""},
		"upstream-first/fault":            {"fault", "right", unavailable, cutover.UpstreamError, ""},
		"local-first/agree":               {"yes", "right", yes, cutover.AgreeYes, ""},
		"local-first/agree on no":         {"no", "wrong", no, cutover.AgreeNo, ""},
		"local-first/other password":      {"yes", "wrong", no, cutover.UpstreamYesLocalNo, "other_password_here"},
		"local-first/unknown":             {"yes", "unknown", no, cutover.UpstreamYesLocalNo, "unknown_here"},
		"local-first/adopted":             {"yes", "none", no, cutover.Adopted, ""},
		"local-first/refused there":       {"no", "right", yes, cutover.UpstreamNoLocalYes, "refused_upstream"},
		"local-first/slow":                {"slow", "right", yes, cutover.UpstreamError, ""},
		"local-first/hangs up":            {"hang up", "right", yes, cutover.UpstreamError, ""},
		"local-first/lies":                {"lie", "wrong", no, cutover.UpstreamError, ""},
		"local-first/locked":              {"yes", "locked", no, cutover.NotCompared, ""},
		"off/right":                       {"no", "right", yes, "", ""},
	}
	eachRig(t, cutover.MaxTimeout, func(t *testing.T, r *rig) {
		users := map[string]*directory.User{}
		ask := func(caller, identifier string) {
			c, begin := cases[caller], time.Now()
			_, err := r.shadow.Authenticate(t.Context(), attempt(caller, identifier, password))
			got := yes
			switch {
			case errors.Is(err, directory.ErrUnavailable):
				got = unavailable
			case errors.Is(err, authn.ErrRefused):
				got = no
			case err != nil:
				t.Errorf("%s: %v", caller, err)
			}
			if got != c.answer {
				t.Errorf("%s: answered %s, want %s", caller, got, c.answer)
			}
			if took := time.Since(begin); took > 3*time.Second {
				t.Errorf("%s: answered after %s", caller, took)
			}
		}
		var slow sync.WaitGroup // beside the others, since it is waited for
		for caller, c := range cases {
			username := strings.NewReplacer("/", ".", " ", "-").Replace(caller)
			identifier := username
			if c.here == "none by email" {
				identifier += "@example.gov.uk"
			}
			users[caller] = r.prepare(username, c.here)
			r.old.says(identifier, c.old)
			if c.old == "slow" {
				slow.Go(func() { ask(caller, identifier) })
				continue
			}
			ask(caller, identifier)
		}
		slow.Wait()
		results, kinds := r.figures()
		for caller, c := range cases {
			want := map[cutover.Result]int64{c.result: 1}
			if c.result == "" {
				want = nil
			}
			if diff := cmp.Diff(want, results[caller]); diff != "" || kinds[caller] != c.kind {
				t.Errorf("%s: difference %q, want %q; results:\n%s", caller, kinds[caller], c.kind, diff)
			}
			if u := users[caller]; u != nil && r.current(u).Locked() != (c.here == "locked") {
				t.Errorf("%s: the lock has changed", caller)
			}
			if c.result == cutover.Adopted {
				if _, err := r.authn.Authenticate(t.Context(), attempt("off/after", users[caller].Username, password)); err != nil || r.events("adopt_password", users[caller]) != 1 {
					t.Errorf("%s: the password was not taken over: %v", caller, err)
				}
			}
		}
		for _, name := range []string{"local-first.locked", "off.right"} {
			if r.old.askedAbout(name) != 0 {
				t.Errorf("the old system was asked about %s", name)
			}
		}
	})
}

// prepare makes the user of a case.
func (r *rig) prepare(username, here string) *directory.User {
	r.t.Helper()
	switch here {
	case "unknown":
		return nil
	case "right":
		return r.user(username, password)
	case "none", "none by email":
		return r.user(username, "")
	}
	u := r.user(username, "AnotherPassword456!")
	switch here {
	case "disabled":
		r.becomes(u, directory.Inactive)
	case "locked":
		for range directory.MaxFailedLogins {
			if _, err := r.authn.Store.Attempt(r.t.Context(), authn.Tried{Who: authn.Who{ID: u.ID}, At: time.Now()}); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	return u
}

// TestOldSystemThatIsDownCanBeReplaced: with the fallback this service decides,
// and who guesses meanwhile is counted as ever.
func TestOldSystemThatIsDownCanBeReplaced(t *testing.T) {
	eachRig(t, cutover.MaxTimeout, func(t *testing.T, r *rig) {
		r.shadow.Fallback = true
		u := r.user("lee", password)
		r.old.says("lee", "fault")
		if _, err := r.shadow.Authenticate(t.Context(), attempt("upstream-first/a", "lee", password)); err != nil {
			t.Errorf("right: %v", err)
		}
		if _, err := r.shadow.Authenticate(t.Context(), attempt("upstream-first/a", "lee", "wrong")); !errors.Is(err, authn.ErrRefused) {
			t.Errorf("wrong: %v", err)
		}
		if n := r.current(u).FailedLoginCount; n != 1 {
			t.Errorf("%d failures, want 1", n)
		}
	})
}

// TestGuessesCountWhoeverRefusesThem is L04 and L02 of the abuse cases beside an
// old system: its refusals lock the account here at ten, and however many guesses
// come at once, no more than ten are compared here, or tried there by a caller
// that relies on us.
func TestGuessesCountWhoeverRefusesThem(t *testing.T) {
	eachRig(t, cutover.MaxTimeout, func(t *testing.T, r *rig) {
		there, here := r.user("there", password), r.user("here", password)
		compared := r.authn.Hasher.Comparisons()
		guess := func(caller, username string) {
			var ready, done sync.WaitGroup
			start := make(chan struct{})
			ready.Add(64)
			for range 64 {
				done.Go(func() {
					ready.Done()
					<-start
					if _, err := r.shadow.Authenticate(t.Context(), attempt(caller, username, "wrong")); !errors.Is(err, authn.ErrRefused) {
						t.Errorf("%s: %v", username, err)
					}
				})
			}
			ready.Wait()
			close(start)
			done.Wait()
		}
		guess("upstream-first/a", "there")
		guess("local-first/a", "here")
		if _, err := r.authn.Authenticate(t.Context(), authn.Attempt{Front: authn.Browser, Factor: authn.Password, Identifier: "there", Secret: password}); !errors.Is(err, authn.ErrRefused) {
			t.Errorf("the sign-in page lets in who is locked: %v", err)
		}
		r.old.says("there", "yes")
		if _, err := r.shadow.Authenticate(t.Context(), attempt("upstream-first/a", "there", password)); err != nil {
			t.Errorf("the old system's yes is contradicted: %v", err)
		}
		results, _ := r.figures()
		for _, u := range []*directory.User{there, here} {
			if now := r.current(u); !now.Locked() || now.FailedLoginCount != directory.MaxFailedLogins || r.events("lock_user", u) != 1 {
				t.Errorf("%s: locked %v, %d failures, %d events", u.Username, now.Locked(), now.FailedLoginCount, r.events("lock_user", u))
			}
		}
		if n := r.authn.Hasher.Comparisons() - compared; n > 2*directory.MaxFailedLogins {
			t.Errorf("%d passwords were compared for two accounts", n)
		}
		if n := r.old.askedAbout("here"); n > directory.MaxFailedLogins {
			t.Errorf("the old system was asked about %d guesses", n)
		}
		for caller, want := range map[string]int64{"upstream-first/a": 65, "local-first/a": 64} {
			var total int64
			for _, n := range results[caller] {
				total += n
			}
			if total != want {
				t.Errorf("%s: %d results of %d attempts: %v", caller, total, want, results[caller])
			}
		}
	})
}

// TestPasswordIsAdoptedOnce lets 64 requests bring the same password at once. It
// starts behind the hash, which takes long and is no part of the race.
func TestPasswordIsAdoptedOnce(t *testing.T) {
	eachRig(t, cutover.MaxTimeout, func(t *testing.T, r *rig) {
		u := r.user("new", "")
		var ready, done sync.WaitGroup
		var adopted atomic.Int64
		start := make(chan struct{})
		ready.Add(64)
		for range 64 {
			done.Go(func() {
				ready.Done()
				<-start
				err := r.authn.Store.AdoptPassword(t.Context(), u.ID, hashOf(t, password), time.Now())
				switch {
				case err == nil:
					adopted.Add(1)
				case !errors.Is(err, directory.ErrNotFound):
					t.Error(err)
				}
			})
		}
		ready.Wait()
		close(start)
		done.Wait()
		if adopted.Load() != 1 {
			t.Errorf("%d adoptions", adopted.Load())
		}
	})
}

// TestOnlyWhoHasNoneAdoptsAPassword: what came first stays, is what is compared
// from then on, and whoever is not active is given nothing.
func TestOnlyWhoHasNoneAdoptsAPassword(t *testing.T) {
	eachRig(t, cutover.MaxTimeout, func(t *testing.T, r *rig) {
		u := r.user("new", "")
		before := func(u *directory.User) authn.Own { return authn.Own{Opinion: authn.OwnNone, User: u} }
		if adopted, _, err := r.authn.Adopt(t.Context(), before(u), password, "c"); !adopted || err != nil || r.events("adopt_password", u) != 1 {
			t.Fatalf("adopted %v: %v", adopted, err)
		}
		for secret, want := range map[string]authn.Opinion{password: authn.OwnRight, "AnotherPassword456!": authn.OwnWrong} {
			if adopted, opinion, err := r.authn.Adopt(t.Context(), before(u), secret, "c"); adopted || opinion != want || err != nil {
				t.Errorf("a second time: %v, %s, %v", adopted, opinion, err)
			}
		}
		for _, state := range []directory.State{directory.Inactive, directory.Pending} {
			v := r.user(string(state), "")
			r.becomes(v, state)
			if adopted, opinion, err := r.authn.Adopt(t.Context(), before(v), password, "c"); adopted || opinion != authn.OwnNone || err != nil {
				t.Errorf("%s: %v, %s, %v", state, adopted, opinion, err)
			}
		}
		if n := r.events("adopt_password", u); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

// TestWhatDoesNotAnswerHoldsNobodyUp: the old system is slow, and more callers
// come than wait for it. Each is answered by us at once, and counted.
func TestWhatDoesNotAnswerHoldsNobodyUp(t *testing.T) {
	records := &cutover.Records{Store: &memory{}, Clock: time.Now}
	blocked := make(chan struct{})
	s := &cutover.Shadow{
		Authn: agreeing{}, Upstream: waiting{blocked}, Records: records, Log: discard,
		Mode: func(context.Context, string) (cutover.Mode, error) { return cutover.LocalFirst, nil },
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	begin := time.Now()
	const attempts = 500
	for range attempts {
		if _, err := s.Authenticate(t.Context(), attempt("c", "lee", password)); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("%d answers took %s", attempts, took)
	}
	close(blocked)
	cancel()
	running.Wait()
	if _, err := s.Authenticate(t.Context(), attempt("c", "lee", password)); err != nil {
		t.Errorf("after the stop: %v", err)
	}
	var agreed, left int64
	records.EachCompared(func(_ string, result cutover.Result, n int64) {
		switch result {
		case cutover.AgreeYes:
			agreed = n
		case cutover.NotCompared:
			left = n
		}
	})
	if agreed < 256 || left == 0 || agreed+left != attempts+1 {
		t.Errorf("%d compared and %d not, of %d", agreed, left, attempts+1)
	}
}

var _ cutover.Store = storage.Cutover{}
