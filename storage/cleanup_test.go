package storage_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// keptForGood are the tables without a rule, and what bounds each of them.
var keptForGood = map[string]string{
	"users": "the directory itself", "counters": "one row for each kind of number", "email_brandings": "the directory itself",
	"letter_brandings": "the directory itself", "organisations": "the directory itself", "services": "the directory itself",
	"organisation_domains": "goes with its organisation", "organisation_members": "goes with its organisation or user",
	"organisation_email_branding_pool": "goes with its organisation", "organisation_letter_branding_pool": "goes with its organisation",
	"service_members": "goes with its service or user", "template_folders": "goes with its service", "template_folder_members": "goes with its folder",
	"service_join_requests": "goes with its service", "service_join_request_contacts": "goes with its request",
	"service_usage": "one row a day for each service and channel, which the yearly accounts need", "service_allowances": "one row a year for each service",
	"passwords": "goes with its user", "totp_secrets": "goes with its user", "recovery_codes": "goes with its user", "passkeys": "goes with its user", "webauthn_credentials": "goes with its user", "consents": "goes with its user or client",
	"pairwise_subjects": "one row for each user and sector: a subject must never come to mean somebody else",
	"imported_records":  "one row for each record of another system, which a later import must find",
	"signing_keys":      "deleted by oauth.Keys when they expire",
	"keysets":           "one row for each kind of encrypted value", "marketplace_users": "erased by their partner, or with it",
	"marketplace_consents": "one row for each user and provider: a pseudonym must never come to mean somebody else",
	"marketplace_totals":   "one row for each company", "broadband_entries": "goes with its user",
	"leases": "one row for each job", "goose_db_version": "one row for each migration",
}

// TestNoTableGrowsForEver wants a rule, or a reason why not, for each table there is.
func TestNoTableGrowsForEver(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		cleaned := storage.Cleanup{DB: s.DB}.Tables()
		query := `select tablename from pg_tables where schemaname = 'public'`
		if s.DB.Engine == storage.SQLite {
			query = `select name from sqlite_master where type = 'table'`
		}
		var tables []string
		err := s.DB.Rows(t.Context(), query, nil, func(scan func(dest ...any) error) error {
			var name string
			err := scan(&name)
			if !strings.HasPrefix(name, "sqlite_") {
				tables = append(tables, name)
			}
			return err
		})
		if err != nil || len(tables) < len(keptForGood) {
			t.Fatalf("%d tables, %v", len(tables), err)
		}
		for _, table := range tables {
			if rule, kept := slices.Contains(cleaned, table), keptForGood[table] != ""; rule == kept {
				t.Errorf("%s: want either a rule of clean-up or a reason to be kept", table)
			}
		}
		for table := range keptForGood {
			if !slices.Contains(tables, table) {
				t.Errorf("%s is not a table", table)
			}
		}
	})
}

// expiring are rows that end at $1, or were made then, and how long after that
// they are deleted.
var expiring = []struct {
	table, insert string
	keep          time.Duration
	args          string // beside the time, in order
}{
	{"sessions", `insert into sessions (id, token_hash, user_id, amr, acr, auth_time, created_at, seen_at, expires_at, network, user_agent)
		values ($2, $3, '00000000-0000-4000-8000-000000000001', '[]', '1', 1, 1, 1, $1, '', '')`, 0, "id hash"},
	{"session_clients", `insert into session_clients (session_id, client_id, sid, subject, created_at)
		values ($2, 'c', '00000000-0000-4000-8000-000000000001', '', $1)`, 0, "id"},
	{"used_sign_ins", `insert into used_sign_ins (id, expires_at) values ($2, $1)`, 0, "id"},
	{"traces", `insert into traces (id, created_at, request_id, front, factor, caller, verdict, steps) values ($2, $1, 'r', 'f', 'f', '', 'refused', '[]')`, storage.KeepTraces, "id"},
	{"grants", `insert into grants (id, client_id, user_id, scopes, audience, acr, amr, auth_time, redirect_uri, nonce, code_challenge, created_at, expires_at)
		values ($2, 'c', '00000000-0000-4000-8000-000000000001', '[]', '[]', '1', '[]', 1, '', '', '', 1, $1)`, 0, "id"},
	{"access_tokens", `insert into access_tokens (hash, client_id, scopes, audience, created_at, expires_at) values ($2, 'c', '[]', '[]', 1, $1)`, 0, "hash"},
	{"revoked_tokens", `insert into revoked_tokens (jti, expires_at) values ($2, $1)`, 0, "id"},
	{"device_authorizations", `insert into device_authorizations
		(id, device_hash, user_code_mac, client_id, scopes, audience, dpop_jkt, state, poll_interval, created_at, expires_at)
		values ($2, $3, $4, 'c', '[]', '[]', '', 'pending', 5, 1, $1)`, 0, "id hash hash"},
	{"initial_access_tokens", `insert into initial_access_tokens (hash, note, uses_left, created_at, expires_at) values ($2, '', 1, 1, $1)`, 0, "hash"},
	{"known_browsers", `insert into known_browsers (id, user_id, token_hash, created_at, seen_at)
		values ($2, '00000000-0000-4000-8000-000000000001', $3, 1, $1)`, authn.KnownFor, "id hash"},
	{"imports", `insert into imports (source, digest, records, created, updated, unchanged, rejected, started_at, updated_at)
		values ('s', $2, 0, 0, 0, 0, 0, 1, $1)`, 30 * 24 * time.Hour, "id"},
	{"shadow_counters", `insert into shadow_counters (caller, result, day, count, first_at, last_at) values ($2, 'agree_yes', $1, 1, 1, 1)`, 400 * 24 * time.Hour, "id"},
	{"shadow_differences", `insert into shadow_differences (caller, username, kind, count, first_at, last_at) values ('c', $2, 'unknown_here', 1, 1, $1)`, storage.KeepDifferences, "id"},
	{"legacy_calls", `insert into legacy_calls (caller, endpoint, day, count, first_at, last_at) values ($2, 'POST /authenticate', $1, 1, 1, 1)`, 400 * 24 * time.Hour, "id"},
	{"refusals", `insert into refusals (id, request_id, endpoint, client_id, code, reason, created_at) values ($2, 'r', 'e', 'c', 'x', 'y', $1)`, storage.KeepRefusals, "id"},
}

// TestRowsAreDeletedWhenTheyAreOver puts two rows into each table, of which one is over.
func TestRowsAreDeletedWhenTheyAreOver(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		u := &directory.User{ID: uuid.MustParse("00000000-0000-4000-8000-000000000001"), Name: "A", EmailAddress: "a@example.gov.uk", AuthType: directory.EmailAuth, State: directory.Active, CreatedAt: noon}
		if err := (storage.Directory{DB: s.DB}).CreateUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		_, err := s.DB.Exec(t.Context(), `
			insert into clients (id, name, public, auth_method, grant_types, scopes, roles, redirect_uris, post_logout_redirect_uris, first_party, kind,
				id_token_alg, access_token_alg, token_format, pkce_optional, require_par, dpop_bound, created_at)
			values ('c', 'C', $1, 'none', '[]', '[]', '[]', '[]', '[]', $1, '', 'ES256', 'ES256', 'jwt', $1, $1, $1, 1)`, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range expiring {
			for i, left := range []time.Duration{-time.Second, time.Second} {
				values := map[string]any{"id": fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", i), "hash": []byte{byte(i)}}
				args := []any{noon.Add(left - e.keep)}
				for name := range strings.FieldsSeq(e.args) {
					args = append(args, values[name])
				}
				if _, err := s.DB.Exec(t.Context(), e.insert, args...); err != nil {
					t.Fatalf("%s: %v", e.table, err)
				}
			}
		}
		deleted := map[string]int64{}
		err = storage.Cleanup{DB: s.DB}.Run(t.Context(), noon, func(table string, rows int64) { deleted[table] += rows })
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range expiring {
			left := 0
			if err := s.DB.Row(t.Context(), "select count(*) from "+e.table, nil, &left); err != nil || left != 1 || deleted[e.table] != 1 {
				t.Errorf("%s: %d deleted, %d left, %v; want one each", e.table, deleted[e.table], left, err)
			}
		}
	})
}

func TestOneOfManyReplicasHoldsALease(t *testing.T) {
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) {
		stores := []*storage.Stores{storagetest.OpenConfig(t, c), storagetest.OpenConfig(t, c)}
		take := func(i int, now time.Time) bool {
			mine, err := storage.Leases{DB: stores[i%2].DB}.Take(t.Context(), "job", uuid.NewSHA1(uuid.Nil, fmt.Append(nil, i)), now, now.Add(time.Minute))
			if err != nil {
				t.Error(err)
			}
			return mine
		}
		for round := range 3 { // each begins when the last one's lease has ended
			now := noon.Add(time.Duration(round) * time.Minute)
			var ready, done sync.WaitGroup
			var winner, winners atomic.Int64
			ready.Add(64)
			start := make(chan struct{})
			for i := range 64 {
				done.Go(func() {
					ready.Done()
					<-start
					if take(i, now) {
						winner.Store(int64(i))
						winners.Add(1)
					}
				})
			}
			ready.Wait()
			close(start)
			done.Wait()
			if winners.Load() != 1 {
				t.Fatalf("round %d: %d hold the lease", round, winners.Load())
			}
			holder := int(winner.Load())
			if !take(holder, now) || take(holder+1, now.Add(time.Minute-time.Microsecond)) {
				t.Errorf("round %d: the holder cannot renew its lease, or another has it before it ends", round)
			}
		}
		l, one, two := storage.Leases{DB: stores[0].DB}, uuid.New(), uuid.New()
		if _, err := l.Take(t.Context(), "other job", one, noon, noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := l.Release(t.Context(), "other job", two); err != nil {
			t.Fatal(err)
		}
		if mine, err := l.Take(t.Context(), "other job", two, noon, noon.Add(time.Hour)); mine || err != nil {
			t.Errorf("a lease was given back by a stranger: %v", err)
		}
		if err := l.Release(t.Context(), "other job", one); err != nil {
			t.Fatal(err)
		}
		if mine, err := l.Take(t.Context(), "other job", two, noon, noon.Add(time.Hour)); !mine || err != nil {
			t.Errorf("a lease that was given back is not free: %v", err)
		}
	})
}
