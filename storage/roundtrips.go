package storage

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// RoundTrips counts how often a [DB] waited for its database. A statement is one,
// and so is a pipelined batch or a bulk insert, because what is sent together is
// answered together. A transaction begins with its first statement, what can wait
// goes with the next one or with the end, and the end is one. It counts the same
// on SQLite, where nothing travels, so that a test there tells what a deployment
// with PostgreSQL waits for.
type RoundTrips struct{ n atomic.Int64 }

type roundTripsKey struct{}

// CountRoundTrips returns a context whose round trips are counted.
func CountRoundTrips(ctx context.Context) (context.Context, *RoundTrips) {
	trips := &RoundTrips{}
	return context.WithValue(ctx, roundTripsKey{}, trips), trips
}

// Count returns how many there were until now.
func (r *RoundTrips) Count() int64 { return r.n.Load() }

// LogValue implements slog.LogValuer: an event that is written at the end of a
// request has all of its round trips.
func (r *RoundTrips) LogValue() slog.Value { return slog.Int64Value(r.Count()) }

// countRoundTrip counts one more for whoever waits.
func countRoundTrip(ctx context.Context) {
	if trips, ok := ctx.Value(roundTripsKey{}).(*RoundTrips); ok {
		trips.n.Add(1)
	}
}
