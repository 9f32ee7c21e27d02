package main

import (
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse/authn"
)

const (
	// padding is what a refusal takes in this test at first: longer than the work for
	// one, with hashes that are cheap.
	padding = 30 * time.Millisecond
	// samples are the answers that are timed for each person in a comparison.
	samples = 300
	// comparisons are how often in a row somebody must be told from alice. One alone
	// goes wrong once in a hundred times, and there are sixteen: that is once in six million.
	comparisons = 4
)

// TestTimeTellsNobodyApart (E02): the answers about everybody take the same time, by a
// rank test over interleaved samples, wherever somebody can be named who has
// proved nothing. One engine is enough: what is held back is so for all.
func TestTimeTellsNobodyApart(t *testing.T) {
	t.Parallel() // it waits for answers that are held back
	d := newDeployment(t, sqliteConfig(t))
	legacy := d.client("--id", "legacy", "--grant", "client_credentials", "--role", "PROBATION_API__HMPPS_AUTH__AUTHENTICATE")
	rp := d.client("--id", "rp", "--first-party", "--email-sign-in", "--grant", "authorization_code", "--redirect-uri", callback, "--scope", "openid")
	d.inProcess(func(a *app) {
		plenty := authn.Limit{Burst: 1 << 20, Per: time.Hour}
		a.authn.Limits = authn.Limits{NetworkFailures: plenty, CallerFailures: plenty, PasswordFailures: plenty, AskingPerNetwork: plenty, MailsPerAddress: plenty}
		a.authn.Hasher.Memory = 64
		people := newCast(t, a)
		s := d.listen(a)
		flow := d.journey(s)
		flow.authorize(rp, "openid")
		token := s.token(legacy, "")
		form := func(path string, pairs ...string) func(who string) *http.Request {
			return func(who string) *http.Request {
				fields := url.Values{pairs[0]: {who}}
				for i := 1; i+1 < len(pairs); i += 2 {
					fields.Set(pairs[i], pairs[i+1])
				}
				return request(t, http.MethodPost, s.url+path, fields, "Sec-Fetch-Site", "same-origin")
			}
		}
		byEmail := form("/signin/email", "identifier", "flow", flow.flow())
		everybody := people.addresses()
		some := map[string]string{"alice": everybody["alice"], "ghost": ghost, "disabled": everybody["disabled"]}
		w := &stopwatch{t: t, unlock: func() error { return a.authn.Unlock(t.Context(), people["alice"].ID, operator) }}
		w.pad = func(least time.Duration) {
			a.authn.RefusalTime, a.authn.SlowestRefusal = least, least+10*time.Millisecond
		}
		w.compare(map[string]inquiry{
			"sign in": {everybody, form("/signin", "identifier", "password", "not the password")},
			"/authenticate": {everybody, func(who string) *http.Request {
				return request(t, http.MethodPost, s.url+"/authenticate", `{"username":"`+who+`","password":"not the password"}`, "Authorization", "Bearer "+token)
			}},
			"register":           {some, form("/register", "email", "name", "Alice", "password", testPassword)},
			"forgotten password": {some, form("/forgotten-password", "identifier")},
			"sign in by email": {some, func(who string) *http.Request {
				r := byEmail(who)
				for _, c := range flow.browser.Jar.Cookies(r.URL) {
					r.AddCookie(c)
				}
				return r
			}},
		})
	})
}

// inquiry is what is asked about people at one place.
type inquiry struct {
	people map[string]string
	ask    func(who string) *http.Request
}

// stopwatch times the answers about several people. Between rounds it unlocks who
// is not to be locked.
type stopwatch struct {
	t      *testing.T
	unlock func() error
	pad    func(least time.Duration) // how long a refusal takes from now on
}

// compare fails when the answers about somebody are told from those about alice,
// time and again. Each time the answers are held back for twice as long: what a
// machine with much else to do cannot hide by then is no lack of time.
func (w *stopwatch) compare(inquiries map[string]inquiry) {
	w.t.Helper()
	for n := range comparisons {
		w.pad(padding << n)
		different := w.different(inquiries)
		if len(different) == 0 {
			return
		}
		if n == comparisons-1 {
			w.t.Errorf("told from alice %d times: %+v", comparisons, different)
		}
		inquiries = suspects(inquiries, different)
	}
}

// suspects are the inquiries about those whose answers were different.
func suspects(inquiries map[string]inquiry, different map[string]map[string]difference) map[string]inquiry {
	again := map[string]inquiry{}
	for place, found := range different {
		people := map[string]string{"alice": inquiries[place].people["alice"]}
		for who := range found {
			people[who] = inquiries[place].people[who]
		}
		again[place] = inquiry{people, inquiries[place].ask}
	}
	return again
}

// difference is what SAME of the requirements bounds.
type difference struct {
	p       float64
	medians time.Duration // between them
}

// different are the people whose answers differ from alice's, by place. All places
// are asked at once, since most of the time is waiting.
func (w *stopwatch) different(inquiries map[string]inquiry) map[string]map[string]difference {
	w.t.Helper()
	var mu sync.Mutex
	places, all := slices.Collect(maps.Keys(inquiries)), map[string]map[string]difference{}
	race(len(places), func(i int) {
		found := differences(w.measure(inquiries[places[i]]))
		mu.Lock()
		defer mu.Unlock()
		if len(found) > 0 {
			all[places[i]] = found
		}
	})
	return all
}

func differences(times map[string][]time.Duration) map[string]difference {
	found := map[string]difference{}
	for who := range times {
		d := difference{mannWhitney(times["alice"], times[who]), (median(times["alice"]) - median(times[who])).Abs()}
		if who != "alice" && (d.p <= 0.01 || d.medians >= 5*time.Millisecond) {
			found[who] = d
		}
	}
	return found
}

// measure asks about everybody at once, in every round in another order.
func (w *stopwatch) measure(q inquiry) map[string][]time.Duration {
	w.t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(q.people)}, CheckRedirect: newBrowser(w.t).CheckRedirect}
	names, times := slices.Collect(maps.Keys(q.people)), map[string][]time.Duration{}
	var mu sync.Mutex
	for range samples {
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		race(len(names), func(i int) {
			took := timed(w.t, client, q.ask(q.people[names[i]]))
			mu.Lock()
			defer mu.Unlock()
			times[names[i]] = append(times[names[i]], took)
		})
		if err := w.unlock(); err != nil {
			w.t.Error(err)
		}
	}
	return times
}

func timed(t *testing.T, c *http.Client, r *http.Request) time.Duration {
	began := time.Now()
	res, err := c.Do(r)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode >= http.StatusInternalServerError || res.StatusCode == http.StatusTooManyRequests {
		t.Errorf("%d, %v", res.StatusCode, err)
	}
	return time.Since(began)
}

func median(all []time.Duration) time.Duration { return slices.Sorted(slices.Values(all))[len(all)/2] }

// mannWhitney is the two-sided p of the rank test for two samples without ties, by
// the normal distribution that its statistic nears.
func mannWhitney(a, b []time.Duration) float64 {
	sorted := slices.Sorted(slices.Values(b))
	var larger float64 // pairs of which a's is the larger
	for _, x := range a {
		i, _ := slices.BinarySearch(sorted, x)
		larger += float64(i)
	}
	n, m := float64(len(a)), float64(len(b))
	z := (larger - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
	return math.Erfc(math.Abs(z) / math.Sqrt2)
}

// TestRankTestSeesWhatIsThere, and nothing else.
func TestRankTestSeesWhatIsThere(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	sample := func(shift float64) []time.Duration {
		all := make([]time.Duration, samples)
		for i := range all {
			all[i] = time.Duration(float64(time.Millisecond) * (30 + random.NormFloat64() + shift))
		}
		return all
	}
	if p := mannWhitney(sample(0), sample(0)); p < 0.05 {
		t.Errorf("the same times: p %v", p)
	}
	for _, shift := range []float64{-0.5, 0.5} {
		if p := mannWhitney(sample(0), sample(shift)); p > 0.001 {
			t.Errorf("half a millisecond apart: p %v", p)
		}
	}
}
