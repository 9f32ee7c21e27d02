package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var updateRoundTrips = flag.Bool("update-round-trips", false, "write the round trips in docs/journeys.md")

// The table of round trips is written between two markers.
const (
	roundTripsDocument = "../../docs/journeys.md"
	roundTripsBegin    = "<!-- Written by `make round-trips`. -->\n"
	roundTripsEnd      = "<!-- The end of the round trips. -->\n"
)

// TestAStepCostsNoMoreRoundTrips takes a person from the request of a service to
// its tokens, and holds the round trips to the database of each step, as the log
// has them, to the table in docs/journeys.md: a step that gets dearer fails.
func TestAStepCostsNoMoreRoundTrips(t *testing.T) {
	document, err := os.ReadFile(roundTripsDocument)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, begins := strings.Cut(string(document), roundTripsBegin)
	written, tail, ends := strings.Cut(rest, roundTripsEnd)
	if !begins || !ends {
		t.Fatal("docs/journeys.md has lost its markers")
	}
	measured := "\n| step | answer | round trips |\n|--|--:|--:|\n" + roundTrips(t) + "\n"
	if *updateRoundTrips {
		if err := os.WriteFile(roundTripsDocument, []byte(head+roundTripsBegin+measured+roundTripsEnd+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if measured != written {
		t.Errorf("docs/journeys.md says%sbut it is%sIf a step has to be dearer, run make round-trips and say why.", written, measured)
	}
}

// slowly lets more than a second pass before each request, as people do, so that
// what is remembered for a second is read again in every step.
type slowly struct{ s *server }

func (c slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	c.s.pause()
	return http.DefaultTransport.RoundTrip(r)
}

func (s *server) pause() {
	s.t.Helper()
	res := do(s.t, http.DefaultClient, request(s.t, http.MethodPost, s.url+clockPath, `{"advance":"1001ms"}`))
	if res.status != http.StatusOK {
		s.t.Fatalf("move the clock: %d %s", res.status, res.body)
	}
}

const clockPath = "/dev/clock"

// roundTrips makes a line of each request of the journey.
func roundTrips(t *testing.T) string {
	t.Helper()
	d := newDeployment(t, sqliteConfig(t))
	d.vars["GATEHOUSE_LOG_LEVEL"], d.vars["GATEHOUSE_LOG_FORMAT"] = "info", "json"
	rp, person := d.relyingService(), d.person()
	s := d.start("dev")
	j := d.journey(s)
	j.browser.Transport = slowly{s}
	const scope = "openid email offline_access"
	j.authorize(rp, scope)
	j.signIn(person, 1)
	j.consent("accept")
	s.pause()
	res, got := s.exchange(rp, j.code())
	wantOK(t, "exchange", res)
	s.pause()
	wantOK(t, "userinfo", s.call(got.AccessToken, http.MethodGet, "/oauth/userinfo", nil))
	s.pause()
	res, _ = s.refresh(rp, got.RefreshToken)
	wantOK(t, "refresh", res)
	j.authorize(rp, scope)
	s.pause()
	res, _ = s.exchange(rp, j.code())
	wantOK(t, "second exchange", res)
	j.submit("/signout", url.Values{})
	s.exit()
	return loggedRoundTrips(t, s.log.String())
}

func wantOK(t *testing.T, what string, res response) {
	t.Helper()
	if res.status != http.StatusOK {
		t.Fatalf("%s: %d %s", what, res.status, res.body)
	}
}

// loggedRequest is what the log says of a request.
type loggedRequest struct {
	Msg, Method, Route string
	Status             int
	SQL                *int
	Time               time.Time
	Took               time.Duration
}

// loggedRoundTrips reads the requests in a log. They are in the order in which
// they came: one may be answered before the one before it has been written down.
func loggedRoundTrips(t *testing.T, log string) string {
	t.Helper()
	var all []loggedRequest
	for line := range strings.Lines(log) {
		var r loggedRequest
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if r.Msg != "request" || r.Route == clockPath {
			continue
		}
		if r.SQL == nil {
			t.Fatalf("no round trips in %s", line)
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b loggedRequest) int { return a.Time.Add(-a.Took).Compare(b.Time.Add(-b.Took)) })
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "| `%s %s` | %d | %d |\n", r.Method, r.Route, r.Status, *r.SQL)
	}
	return b.String()
}
