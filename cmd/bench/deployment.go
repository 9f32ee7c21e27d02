package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// engine is where a deployment keeps its data; without URLs in one process.
type engine struct{ name, databaseURL, redisURL string }

func engines(databaseURL, redisURL string) []engine {
	all := []engine{{name: "Embedded (SQLite, in-process Redis)"}}
	if databaseURL != "" && redisURL != "" {
		all = append(all, engine{"PostgreSQL with Redis", databaseURL, redisURL})
	}
	return all
}

// deployment is one gatehouse with its data.
type deployment struct {
	program string
	dir     string
	env     []string
	dropped func() // removes what lives outside dir
	// database is the URL of its PostgreSQL database; "" without one.
	database string
	starts   int
	// connections of the load generator: some cases need a user for each.
	connections int
}

func (b *bench) deploy(ctx context.Context, e engine) (*deployment, error) {
	dir, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return nil, err
	}
	d := &deployment{program: b.program, dir: dir, dropped: func() {}, connections: b.connections}
	d.env = append(os.Environ(), "GATEHOUSE_ADDR=127.0.0.1:0", "GATEHOUSE_DATA="+dir, "GATEHOUSE_MESSAGES=file:"+d.outbox())
	if e.databaseURL == "" {
		return d, nil
	}
	name := "bench_" + strconv.FormatInt(time.Now().UnixNano(), 36)
	if err := psql(ctx, e.databaseURL, "create database "+name); err != nil {
		return nil, err
	}
	d.dropped = func() {
		// The run may have been interrupted, the database should go all the same.
		if err := psql(context.WithoutCancel(ctx), e.databaseURL, "drop database "+name+" with (force)"); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
	}
	database, err := url.Parse(e.databaseURL)
	if err != nil {
		return nil, errors.Join(err, errors.New("GATEHOUSE_TEST_DATABASE_URL"))
	}
	database.Path = "/" + name
	d.database = database.String()
	d.env = append(d.env, "GATEHOUSE_DATABASE_URL="+database.String(), "GATEHOUSE_REDIS_URL="+e.redisURL, "GATEHOUSE_REDIS_PREFIX="+name+":")
	return d, nil
}

func psql(ctx context.Context, database, statement string) error {
	out, err := exec.CommandContext(ctx, "psql", "-q", "-d", database, "-c", statement).CombinedOutput()
	if err != nil {
		return fmt.Errorf("psql: %w: %s", err, out)
	}
	return nil
}

func (d *deployment) remove() { d.dropped() }

func (d *deployment) outbox() string { return filepath.Join(d.dir, "outbox.jsonl") }

// command runs a gatehouse command and decodes the JSON it prints.
func (d *deployment) command(ctx context.Context, stdin string, v any, args ...string) error {
	command := exec.CommandContext(ctx, d.program, append(args, "--json")...)
	var stderr bytes.Buffer
	command.Env, command.Stdin, command.Stderr = d.env, strings.NewReader(stdin), &stderr
	out, err := command.Output()
	if err != nil {
		return fmt.Errorf("gatehouse %s: %w: %s", strings.Join(args, " "), err, &stderr)
	}
	return json.Unmarshal(out, v)
}

func (d *deployment) serve(ctx context.Context) (*process, error) {
	d.starts++
	command := exec.CommandContext(ctx, d.program, "serve")
	command.Env = d.env
	return start(ctx, command, filepath.Join(d.dir, fmt.Sprintf("serve-%d.log", d.starts)))
}

// measureStart returns the median time from starting the process to its first
// 200 on discovery, with keys that exist.
func (d *deployment) measureStart(ctx context.Context) (time.Duration, error) {
	const rounds = 5
	first, err := d.serve(ctx) // makes the schema and the keys
	if err != nil {
		return 0, err
	}
	first.stop()
	var times []time.Duration
	for range rounds {
		began := time.Now()
		p, err := d.serve(ctx)
		if err != nil {
			return 0, err
		}
		err = waitForDiscovery(ctx, p.url)
		times = append(times, time.Since(began))
		p.stop()
		if err != nil {
			return 0, err
		}
	}
	slices.Sort(times)
	return times[rounds/2], nil
}

func waitForDiscovery(ctx context.Context, base string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/.well-known/openid-configuration", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(r)
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("no answer on discovery: %w", ctx.Err())
		}
	}
}
