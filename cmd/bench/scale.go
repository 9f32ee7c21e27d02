package main

import (
	"context"
	"crypto/md5"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// How much the directory holds when it is measured at scale.
const (
	scaleOrganisations = 10_000
	scaleServices      = 100_000
	scaleUsers         = 1_000_000
	scaleRequests      = 2_000 // for each route
	scaleTarget        = 10 * time.Millisecond
)

// scaleFill fills an empty directory, with identifiers that [scaleID] knows.
//
//go:embed scale.sql
var scaleFill string

// scaleID is the identifier of the n-th of a kind: md5 spreads them as random ones are.
func scaleID(kind string, n int) uuid.UUID {
	return md5.Sum(fmt.Appendf(nil, "%s%d", kind, n))
}

// scaleRoute is a route measured at scale.
type scaleRoute struct {
	name    string
	request func(n int) (method, path, body string) // of the n-th request
	explain string                                  // what it asks the database, in short; "" shows no plan
	caller  string                                  // the client, of scaleScopes
	deep    bool                                    // passes over so much that the target is not its
}

var scaleRoutes = []scaleRoute{
	{name: "GET /organisation/{id}", caller: "machine", request: func(n int) (string, string, string) {
		return http.MethodGet, "/organisation/" + scaleID("o", n%scaleOrganisations).String(), ""
	}, explain: `select o.name, (select count(*) from services s where s.organisation_id = o.id and s.active and not s.restricted),
	(select string_agg(d.domain, ' ') from organisation_domains d where d.organisation_id = o.id)
	from organisations o where o.id = md5('o77')::uuid`},
	{name: "GET /organisation/by-domain", caller: "machine", request: func(n int) (string, string, string) {
		return http.MethodGet, fmt.Sprintf("/organisation/by-domain?domain=mail.department%d.gov.uk", n%scaleOrganisations), ""
	}, explain: `select domain, organisation_id from organisation_domains
	where domain in ('mail.department77.gov.uk', 'department77.gov.uk', 'gov.uk', 'uk')`},
	{name: "GET /organisation/search", caller: "machine", request: func(n int) (string, string, string) {
		return http.MethodGet, fmt.Sprintf("/organisation/search?name=THINGS%%20%d", 1000+n%9000), ""
	}, explain: `select o.id, o.name from organisations o where o.name_folded like '%things 1077%' escape '\' order by o.name_folded, o.id`},
	{name: "POST /user/find-users-by-email", caller: "machine", request: func(n int) (string, string, string) {
		return http.MethodPost, "/user/find-users-by-email", `{"email":"` + scaleSearch(n*431) + `"}`
	}, explain: `select u.id from (select * from users f where f.email_normalised like '%lucy.lindav%' escape '!' limit 10000) u
	order by u.email_normalised, u.id limit 1000`},
	{name: "GET /user/{id}", caller: "machine", request: func(n int) (string, string, string) {
		return http.MethodGet, "/user/" + scaleID("u", n*499%scaleUsers).String(), ""
	}, explain: `select m.service_id, s.active, m.permissions from service_members m join services s on s.id = m.service_id
	where m.user_id = md5('u77')::uuid`},
	{name: "GET /organisation/{id}/services-with-usage", caller: "machine", request: func(n int) (string, string, string) {
		return http.MethodGet, "/organisation/" + scaleID("o", n%scaleOrganisations).String() + "/services-with-usage?year=2026", ""
	}, explain: `select s.id, sum(u.billable_units) over (partition by u.service_id order by u.day, u.channel, u.rate)
	from services s join service_usage u on u.service_id = s.id and u.day >= '2026-04-01' and u.day < '2027-04-01'
	where s.organisation_id = md5('o77')::uuid and not s.restricted`},
}

// scaleSearch is the name in the address of some fifteen users, as somebody types it.
func scaleSearch(n int) string {
	first := strings.Fields(`Ann John Mary Omar Lucy Ivan Nora Paul Zoe Sean Adam Beth Carl Dina Eric Faye Gary Hana Igor Jane
		Kyle Lena Mike Nina Otto Pam Quin Rosa Sam Tess Ugo Vera Will Xena Yves Zara Alf Bea Cyd Dov`)
	parts := strings.Fields(`mor lin dav ber tan wick ley son har cob fer gus hil jax kep nul pry quo rus vex
		ash bol cro dun els fox gil hop iff jud kno lam mey nob orm pit rad sho tur wyn`)
	return first[n%40] + "." + parts[n/40%40] + parts[n/1600%40]
}

// scaleResult is what was measured of one route.
type scaleResult struct {
	scaleRoute
	p50, p99, longest time.Duration
	size              int    // bytes of the last answer
	used              string // indexes and, if any, tables read from end to end
	plan              string
}

// measureScale fills PostgreSQL and measures the routes one after the other.
func (b *bench) measureScale(ctx context.Context, databaseURL, redisURL string) ([]scaleResult, error) {
	if databaseURL == "" || redisURL == "" {
		return nil, errors.New("scale needs GATEHOUSE_TEST_DATABASE_URL and GATEHOUSE_TEST_REDIS_URL")
	}
	d, err := b.deploy(ctx, engine{"PostgreSQL", databaseURL, redisURL})
	if err != nil {
		return nil, err
	}
	defer d.remove()
	callers, err := d.scaleCallers(ctx)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "filling the directory")
	if err := errors.Join(d.importShoppers(ctx), d.fill(ctx)); err != nil {
		return nil, err
	}
	var results []scaleResult
	for _, route := range slices.Concat(scaleRoutes, scaleMarketRoutes) {
		if b.only != "" && route.name != b.only {
			continue
		}
		result, err := d.measureRoute(ctx, route, callers[route.caller])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", route.name, err)
		}
		fmt.Fprintf(os.Stderr, "  %-44s p50 %s, p99 %s; %s\n", route.name, rounded(result.p50), rounded(result.p99), result.used)
		results = append(results, result)
	}
	return results, nil
}

// scaleCallers makes the clients of scaleScopes.
func (d *deployment) scaleCallers(ctx context.Context) (map[string]client, error) {
	callers := map[string]client{}
	for id, scope := range scaleScopes {
		args := []string{"client", "create", "--id", id, "--name", id, "--grant", "client_credentials", "--scope", scope}
		if kind, company := strings.CutPrefix(scope, "marketplace:"); company {
			args = append(args, "--kind", kind)
		}
		var made client
		if err := d.command(ctx, "", &made, args...); err != nil {
			return nil, err
		}
		callers[id] = made
	}
	return callers, nil
}

func (d *deployment) fill(ctx context.Context) error {
	path := filepath.Join(d.dir, "scale.sql")
	if err := os.WriteFile(path, []byte(scaleFill), 0o600); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", d.database, "-f", path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("fill: %w: %s", err, out)
	}
	return nil
}

// query returns what psql prints for a statement, without headings.
func (d *deployment) query(ctx context.Context, statement string) (string, error) {
	out, err := exec.CommandContext(ctx, "psql", "-q", "-At", "-F", " ", "-d", d.database, "-c", statement).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// measureRoute asks a server of its own, so that what PostgreSQL counted until the
// server's connections closed is the route's.
func (d *deployment) measureRoute(ctx context.Context, route scaleRoute, caller client) (scaleResult, error) {
	r := scaleResult{scaleRoute: route}
	server, err := d.serve(ctx)
	if err != nil {
		return r, err
	}
	defer server.stop()
	token, err := caller.token(ctx, server.url, "grant_type=client_credentials&scope="+scaleScopes[route.caller])
	if err != nil {
		return r, err
	}
	if _, err := d.query(ctx, "select pg_stat_reset()"); err != nil {
		return r, err
	}
	times := make([]time.Duration, 0, scaleRequests)
	for n := range scaleRequests + 200 {
		began := time.Now()
		if r.size, err = ask(ctx, server.url, token.Access, route, n); err != nil {
			return r, fmt.Errorf("%w\n%s", err, server.log())
		}
		if n >= 200 { // before that, connections open and caches fill
			times = append(times, time.Since(began))
		}
	}
	slices.Sort(times)
	r.p50, r.p99, r.longest = times[len(times)/2], times[len(times)*99/100], times[len(times)-1]
	server.stop()
	if r.used, err = d.query(ctx, scaleUsed); err != nil {
		return r, err
	}
	if route.explain != "" {
		r.plan, err = d.query(ctx, "explain (costs off) "+route.explain)
	}
	return r, err
}

// scaleUsed names the indexes that were used, and tables of more than a thousand
// rows that were read from end to end more than by chance.
const scaleUsed = `
	select coalesce(string_agg(name, ', ' order by name), 'none') from (
		select indexrelname as name from pg_stat_user_indexes where idx_scan >= 1000
		union all
		select relname || ' from end to end' from pg_stat_user_tables where seq_scan >= 1000 and pg_relation_size(relid) > 100000
	) used`

// ask sends a request and returns the size of its answer.
func ask(ctx context.Context, base, token string, route scaleRoute, n int) (int, error) {
	method, path, body := route.request(n)
	r, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, answer)
	}
	return len(answer), err
}
