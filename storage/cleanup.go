package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/authn"
)

// cleanupBatch bounds the rows that one statement deletes: it holds their
// locks, and SQLite's only writer, for no longer than a request would.
const cleanupBatch = 1000

// How long rows are kept after the moment that their rule looks at.
const (
	day = 24 * time.Hour

	keepInvitations = 2 * day      // whatever has become of them (seed 002)
	keepEvents      = 52 * 7 * day // seed 002
	keepMessages    = 7 * day
	keepImports     = 30 * day

	// keepDescribed is how long a client that is known by the address of its
	// document is kept after it was last asked for.
	keepDescribed = 30 * day

	// keepFigures is how long it is counted who calls legacy endpoints, and how
	// often two systems agreed: a year, for callers that come once in it.
	keepFigures = 400 * day
	// KeepDifferences is how long it is kept about whom they did not agree.
	KeepDifferences = 90 * day

	// KeepTraces is how long decisions about sign-ins are kept.
	KeepTraces = 90 * day
	// KeepRefusals is how long it is kept why a request was refused.
	KeepRefusals = 14 * day
)

// cleanupRule deletes at most $2 rows of a table that were over before $1.
type cleanupRule struct {
	table     string
	keep      time.Duration
	statement string
}

// cleanupRules say of every table that grows with use when a row of it is over.
// What hangs on another row by a foreign key goes with that one.
var cleanupRules = []cleanupRule{
	{"sessions", 0, `delete from sessions where id in (select id from sessions where expires_at <= $1 order by expires_at limit $2)`},
	{"session_clients", 0, `
		delete from session_clients where (session_id, client_id) in (
			select session_id, client_id from session_clients
			where created_at < $1 and session_id not in (select id from sessions) limit $2)`},
	{"used_sign_ins", 0, `delete from used_sign_ins where id in (select id from used_sign_ins where expires_at <= $1 order by expires_at limit $2)`},
	{"traces", KeepTraces, `delete from traces where id in (select id from traces where created_at < $1 order by created_at limit $2)`},
	{"grants", 0, `delete from grants where id in (select id from grants where expires_at < $1 order by expires_at limit $2)`},
	{"access_tokens", 0, `
		delete from access_tokens where (expires_at, hash) in (
			select expires_at, hash from access_tokens where expires_at < $1 order by expires_at limit $2)`},
	{"revoked_tokens", 0, `delete from revoked_tokens where jti in (select jti from revoked_tokens where expires_at < $1 order by expires_at limit $2)`},
	{"device_authorizations", 0, `
		delete from device_authorizations where id in (
			select id from device_authorizations where expires_at < $1 order by expires_at limit $2)`},
	{"initial_access_tokens", 0, `
		delete from initial_access_tokens where hash in (
			select hash from initial_access_tokens where expires_at < $1 order by expires_at limit $2)`},
	// Ids that are addresses are those of clients nobody registered.
	{"clients", keepDescribed, `
		delete from clients where id in (
			select id from clients
			where id like 'https://%' and coalesce(updated_at, created_at) < $1
				and not exists (select 1 from grants where grants.client_id = clients.id)
			order by id limit $2)`},
	{"known_browsers", authn.KnownFor, `
		delete from known_browsers where id in (select id from known_browsers where seen_at <= $1 order by seen_at limit $2)`},
	{"links", day, `delete from links where hash in (select hash from links where expires_at < $1 order by expires_at limit $2)`},
	{"refusals", KeepRefusals, `delete from refusals where id in (select id from refusals where created_at < $1 order by created_at limit $2)`},
	{"outbox", keepMessages, `
		delete from outbox where id in (
			select id from outbox where state <> 'queued' and finished_at < $1 order by finished_at limit $2)`},
	{"outbox", keepMessages, `
		delete from outbox where id in (
			select id from outbox where state = 'queued' and expires_at < $1 order by expires_at limit $2)`},
	{"service_invitations", keepInvitations, `
		delete from service_invitations where id in (
			select id from service_invitations where created_at <= $1 order by created_at, id limit $2)`},
	{"organisation_invitations", keepInvitations, `
		delete from organisation_invitations where id in (
			select id from organisation_invitations where created_at <= $1 order by created_at, id limit $2)`},
	// How far the import of a file came; what it brought is kept.
	{"imports", keepImports, `
		delete from imports where (source, digest) in (
			select source, digest from imports where updated_at < $1 order by updated_at limit $2)`},
	{"shadow_counters", keepFigures, `delete from shadow_counters where (caller, result, day) in (
		select caller, result, day from shadow_counters where day < $1 order by day limit $2)`},
	{"shadow_differences", KeepDifferences, `delete from shadow_differences where (caller, username, kind) in (
		select caller, username, kind from shadow_differences where last_at < $1 order by last_at limit $2)`},
	{"legacy_calls", keepFigures, `delete from legacy_calls where (caller, endpoint, day) in (
		select caller, endpoint, day from legacy_calls where day < $1 order by day limit $2)`},
	{"events", keepEvents, `delete from events where id in (select id from events where created_at < $1 order by created_at, id limit $2)`},
}

// Cleanup deletes rows that nobody needs any more. Several may run at once: a
// row that another has deleted is not there.
type Cleanup struct{ DB *DB }

// Tables are the tables that have a rule, in order.
func (c Cleanup) Tables() []string {
	var all []string
	for _, rule := range cleanupRules {
		all = append(all, rule.table)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Run deletes what is over at a time, in batches, and reports each batch to
// deleted, which may be nil. A rule that fails does not keep the others from
// being carried out.
func (c Cleanup) Run(ctx context.Context, now time.Time, deleted func(table string, rows int64)) error {
	var faults []error
	for _, rule := range cleanupRules {
		if err := c.carryOut(ctx, rule, now, deleted); err != nil {
			faults = append(faults, fmt.Errorf("clean up %s: %w", rule.table, err))
		}
	}
	return errors.Join(faults...)
}

// carryOut repeats a rule's statement until it finds less than a batch.
func (c Cleanup) carryOut(ctx context.Context, rule cleanupRule, now time.Time, deleted func(table string, rows int64)) error {
	for {
		n, err := c.DB.exec(ctx, rule.statement, now.Add(-rule.keep), cleanupBatch)
		if err != nil {
			return err
		}
		if deleted != nil {
			deleted(rule.table, n)
		}
		if n < cleanupBatch {
			return nil
		}
	}
}
