package cutover

import (
	"time"

	"github.com/google/uuid"
)

// Result is what became of one comparison. Each attempt has exactly one.
type Result string

// The results.
const (
	AgreeYes           Result = "agree_yes"             // both say right
	AgreeNo            Result = "agree_no"              // both say wrong
	UpstreamYesLocalNo Result = "upstream_yes_local_no" // the old system alone lets in
	UpstreamNoLocalYes Result = "upstream_no_local_yes" // this service alone lets in
	Adopted            Result = "adopted"               // the old system lets in, and we took the password over
	UpstreamError      Result = "upstream_error"        // the old system gave no answer
	NotCompared        Result = "not_compared"          // too busy, or a limit or lock stood in the way
)

// Results are all of them, in the order in which they are shown.
var Results = []Result{AgreeYes, AgreeNo, Adopted, UpstreamYesLocalNo, UpstreamNoLocalYes, UpstreamError, NotCompared}

// RefusedUpstream is the kind of a difference where only this service lets in;
// the other kinds are the opinions of package authn.
const RefusedUpstream = "refused_upstream"

// Tally is how often something happened, and when first and last.
type Tally struct {
	Count int64     `json:"count"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// add joins another tally to this one.
func (t Tally) add(other Tally) Tally {
	if t.Count == 0 {
		return other
	}
	t.Count += other.Count
	if other.First.Before(t.First) {
		t.First = other.First
	}
	if other.Last.After(t.Last) {
		t.Last = other.Last
	}
	return t
}

// Comparison counts one result of one caller on one day.
type Comparison struct {
	Caller string
	Result Result
	Day    time.Time // its midnight, UTC
	Tally
}

// Difference is one user about whom the two systems did not agree.
type Difference struct {
	Caller string `json:"caller"`
	// Username is what the caller sent, in its normal form. One of the two
	// systems has called the password right that came with it, so that it is a
	// name, and nothing that somebody typed into the wrong field.
	Username string        `json:"username"`
	UserID   uuid.NullUUID `json:"user_id"` // unset for who is unknown here
	Kind     string        `json:"kind"`
	Tally
}

// Call counts the calls of one caller to one endpoint on one day.
type Call struct {
	Caller   string
	Endpoint string    // method and path
	Day      time.Time // its midnight, UTC
	Tally
}

// Batch is what is written together.
type Batch struct {
	Comparisons []Comparison
	Differences []Difference
	Calls       []Call
}

func (b *Batch) empty() bool { return len(b.Comparisons)+len(b.Differences)+len(b.Calls) == 0 }

func dayOf(at time.Time) time.Time { return at.UTC().Truncate(24 * time.Hour) }
