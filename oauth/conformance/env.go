package conformance

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// Env is what a module works with.
type Env struct {
	*Target
	Variant Variant

	t      testing.TB
	result *Result
	meta   Metadata
	ends   []func() // what is done after the module
	person Person   // who is at the module's browsers; nil while nobody is
	give   func()   // gives the person back
}

// stop is what ends a module before its last line.
type stop struct{}

// Errorf fails the module, which goes on.
func (e *Env) Errorf(format string, args ...any) {
	e.t.Helper()
	e.t.Errorf(format, args...)
	e.result.Reasons = append(e.result.Reasons, fmt.Sprintf(format, args...))
}

// Fatalf fails the module and ends it.
func (e *Env) Fatalf(format string, args ...any) {
	e.t.Helper()
	e.Errorf(format, args...)
	panic(stop{})
}

// Warn says that something recommended is not done. The words must be the same in each run.
func (e *Env) Warn(reason string) {
	e.t.Helper()
	e.t.Log("warning:", reason)
	if e.result.Outcome != Declined {
		e.result.Outcome = Warning
	}
	if !slices.Contains(e.result.Reasons, reason) {
		e.result.Reasons = append(e.result.Reasons, reason)
	}
}

// Skip ends a module about something optional that the server does not claim to
// do. The words must be the same in each run.
func (e *Env) Skip(reason string) {
	e.t.Helper()
	e.t.Log("not applicable:", reason)
	e.result.Outcome, e.result.Reasons = Skipped, []string{reason}
	panic(stop{})
}

// declinable fails the module unless the target declines what it demands.
func (e *Env) declinable(demand, format string, args ...any) {
	e.t.Helper()
	reason := e.Declines[demand]
	if reason == "" {
		e.Errorf(format, args...)
		return
	}
	e.t.Log("declined:", fmt.Sprintf(format, args...))
	e.result.Outcome = Declined
	e.result.Reasons = append(e.result.Reasons, fmt.Sprintf(format, args...)+": "+reason)
}

// must ends the module when err is not nil.
func (e *Env) must(what string, err error) {
	e.t.Helper()
	if err != nil {
		e.Fatalf("%s: %v", what, err)
	}
}

// patience is how long somebody stays at a browser where nothing happens.
const patience = 5 * time.Second

// wait lets real time go by. Nobody is at a browser of the module after a long
// wait: others can use them.
func (e *Env) wait(d time.Duration) {
	if d > patience {
		e.giveBack()
	}
	select {
	case <-time.After(d):
	case <-e.t.Context().Done():
		e.Fatalf("the test ended while waiting")
	}
}

func (e *Env) giveBack() {
	if e.person != nil {
		e.give()
		e.person = nil
	}
}

// Answer is an answer of the server, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// requestTimeout is how long the server may take for one answer.
const requestTimeout = 30 * time.Second

// do sends a request through client and reads the answer.
func (e *Env) do(client *http.Client, r *http.Request) *Answer {
	e.t.Helper()
	res, err := client.Do(r)
	e.must(r.Method+" "+r.URL.Path, err)
	defer func() { _ = res.Body.Close() }()
	if e.Check != nil {
		e.Check(e.t, r, res)
	}
	body, err := io.ReadAll(res.Body)
	e.must(r.Method+" "+r.URL.Path, err)
	return &Answer{Status: res.StatusCode, Header: res.Header, Body: body}
}

// call sends a request that no browser sends.
func (e *Env) call(r *http.Request) *Answer {
	e.t.Helper()
	return e.do(&http.Client{Transport: e.Transport, Timeout: requestTimeout, CheckRedirect: stay}, r)
}

// stay follows no redirect: where each one goes is part of what is tested.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// newRequest makes a request with a form, or without a body when form is nil.
func (e *Env) newRequest(method, target string, form url.Values) *http.Request {
	e.t.Helper()
	var body io.Reader = http.NoBody
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(context.WithoutCancel(e.t.Context()), method, target, body)
	e.must("make request", err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// JSON decodes an answer that has to be a JSON object.
func (e *Env) JSON(a *Answer, v any) {
	e.t.Helper()
	if mediaType, _, err := mime.ParseMediaType(a.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		e.Errorf("the media type is %q, not application/json", a.Header.Get("Content-Type"))
	}
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		e.Fatalf("the answer of status %d is no JSON: %v", a.Status, err)
	}
}

// random returns text of n characters that nobody can guess.
func random(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(rand.Text())
	}
	return b.String()[:n]
}
