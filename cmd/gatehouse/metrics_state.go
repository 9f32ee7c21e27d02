package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/authn/cutover"
	"gatehouse/storage"
)

// state tells what the app knows anyway when somebody asks. It reads memory
// only: a scrape must not depend on the stores.
type state struct{ app *app }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("gatehouse_"+name, help, labels, nil)
}

var (
	descMessages = describe("messages_total", "Messages and notices that this process took out of the outbox, by how that ended.", "result")
	descReports  = describe("message_reports_total", "Messages of which this process was told that they were delivered, or bounced.", "result")
	descDeleted  = describe("cleanup_rows_deleted_total", "Rows that this process deleted because they were over, by table.", "table")
	descCleaned  = describe("cleanup_last_success_timestamp_seconds", "When this process last cleaned up; 0 when it is not the one that does.")
	descDropped  = describe("refusals_dropped_total", "Refusals that were counted, but not stored for gatehouse explain.")
	descKeys     = describe("signing_keys", "Signing keys that are published, by algorithm and state.", "alg", "state")
	descKeyAge   = describe("signing_key_created_timestamp_seconds", "When the newest key of an algorithm and state was made.", "alg", "state")
	descPool     = describe("db_connections", "Connections to the database, by pool and state.", "pool", "state")
	descCompared = describe("shadow_comparisons_total", "Passwords that this process and the old system judged, by caller and result.", "caller", "result")
	descUpstream = describe("shadow_upstream_state", "1 for the state of the breaker in front of the old system: closed is asking.", "state")
	descLost     = describe("shadow_differences_dropped_total", "Differences that were counted, but not recorded with their users.")
	descCalls    = describe("legacy_calls_total", "Calls of clients to legacy endpoints.", "caller", "endpoint")
	descLastCall = describe("legacy_last_call_timestamp_seconds", "When a client last called a legacy endpoint of this process.", "caller")
	descWaits    = describe("db_waits_total", "How often a connection to the database had to be waited for, by pool.", "pool")
)

// Describe implements prometheus.Collector.
func (s *state) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descMessages, descReports, descDeleted, descCleaned, descDropped, descKeys, descKeyAge, descPool, descWaits, descCompared, descUpstream, descLost, descCalls, descLastCall} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (s *state) Collect(to chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, value int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	gauge := func(d *prometheus.Desc, value int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value), labels...)
	}
	counts := &s.app.worker.Counts
	counter(descMessages, counts.Sent.Load(), "sent")
	counter(descMessages, counts.Retried.Load(), "retried")
	counter(descMessages, counts.Failed.Load(), "failed")
	counter(descMessages, counts.Expired.Load(), "expired")
	counter(descReports, s.app.reports.Delivered.Load(), "delivered")
	counter(descReports, s.app.reports.Bounced.Load(), "bounced")
	for table, rows := range s.app.cleaner.deleted {
		counter(descDeleted, rows.Load(), table)
	}
	gauge(descCleaned, s.app.cleaner.succeeded.Load())
	counter(descDropped, s.app.refusals.Dropped.Load())
	s.collectKeys(gauge)
	s.collectCutover(counter, gauge)
	for _, pool := range s.app.stores.DB.Pools() {
		collectPool(pool, counter, gauge)
	}
}

// collectKeys tells how old keys are: an alert on the active one notices a
// rotation that does not happen.
func (s *state) collectKeys(gauge func(d *prometheus.Desc, value int64, labels ...string)) {
	type kind struct{ alg, state string }
	number, newest := map[kind]int64{}, map[kind]int64{}
	for _, key := range s.app.keys.Published() {
		k := kind{key.Alg, string(key.State)}
		number[k]++
		newest[k] = max(newest[k], key.CreatedAt.Unix())
	}
	for k, n := range number {
		gauge(descKeys, n, k.alg, k.state)
		gauge(descKeyAge, newest[k], k.alg, k.state)
	}
}

// collectCutover tells who still calls what, and how the two systems agree.
func (s *state) collectCutover(counter, gauge func(d *prometheus.Desc, value int64, labels ...string)) {
	records := s.app.records
	records.EachCompared(func(caller string, result cutover.Result, n int64) { counter(descCompared, n, caller, string(result)) })
	records.EachCalled(func(caller, endpoint string, n int64) { counter(descCalls, n, caller, endpoint) })
	records.EachLastCall(func(caller string, at time.Time) { gauge(descLastCall, at.Unix(), caller) })
	counter(descLost, records.Dropped.Load())
	if s.app.upstream != nil {
		gauge(descUpstream, 1, s.app.upstream.State())
	}
}

func collectPool(p storage.Pool, counter, gauge func(d *prometheus.Desc, value int64, labels ...string)) {
	gauge(descPool, p.Max, p.Name, "max")
	gauge(descPool, p.InUse, p.Name, "in_use")
	gauge(descPool, p.Idle, p.Name, "idle")
	counter(descWaits, p.Waits, p.Name)
}
