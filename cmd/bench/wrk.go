package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// scripts drive wrk. Each ends with one line of JSON.
//
//go:embed wrk
var scripts embed.FS

// testCase is one kind of work that is measured.
type testCase struct {
	name   string
	target float64 // least part of the bare handler's rate; 0 when none is set
	// ofSigning makes the target a part of the RS256 signing rate instead.
	ofSigning bool
	// rsa says that most of the work is an RSA signature, in which no server can
	// be far ahead of another; OpenSSL's are faster than Go's.
	rsa bool

	path, method, body string
	header             []string // "Name: value"

	// script does more than one request over and over; args are its own.
	// Each of its threads has one connection and a state of its own.
	script string
	args   []string
	// stateful scripts use up their arguments, so there is no warming up.
	stateful bool
}

// measurement is what a load of one case gave.
type measurement struct {
	testCase
	perSecond float64
	p50, p99  time.Duration
	cpu       time.Duration // of the server for one unit of work
	memory    float64       // resident MiB of the server after it
	errors    int
}

// warmUp fills pools and caches before a measurement.
const warmUp = time.Second

func (b *bench) measure(ctx context.Context, p *process, c testCase) (*measurement, error) {
	if !c.stateful {
		if _, err := b.load(ctx, p, c, warmUp); err != nil {
			return nil, err
		}
	}
	before, err := p.cpu()
	if err != nil {
		return nil, err
	}
	out, err := b.load(ctx, p, c, b.duration)
	if err != nil {
		return nil, err
	}
	after, err := p.cpu()
	if err != nil {
		return nil, err
	}
	return &measurement{
		testCase: c, perSecond: float64(out.Done) / (time.Duration(out.Took) * time.Microsecond).Seconds(),
		p50: time.Duration(out.P50 * float64(time.Microsecond)), p99: time.Duration(out.P99 * float64(time.Microsecond)),
		cpu: (after - before) / time.Duration(max(1, out.Done)), memory: p.memory(), errors: out.Errors,
	}, nil
}

// wrkOutput is the line that a script prints. Times are in microseconds.
type wrkOutput struct {
	Done   int     `json:"done"` // units of work that succeeded
	Took   int64   `json:"took"`
	P50    float64 `json:"p50"`
	P99    float64 `json:"p99"`
	Errors int     `json:"errors"`
}

func (b *bench) load(ctx context.Context, p *process, c testCase, duration time.Duration) (*wrkOutput, error) {
	script, args, threads := "load.lua", []string{c.method, c.body}, 2
	if c.script != "" {
		script, args, threads = c.script, c.args, b.connections
	}
	command := []string{
		"-t" + strconv.Itoa(threads), "-c" + strconv.Itoa(b.connections), "-d" + strconv.Itoa(int(duration.Seconds())) + "s",
		"--timeout", "10s", "-s", filepath.Join(b.dir, "wrk", script),
	}
	for _, h := range c.header {
		command = append(command, "-H", h)
	}
	command = append(append(command, p.url+c.path, "--"), args...)
	raw, err := exec.CommandContext(ctx, "wrk", command...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("wrk: %w: %s", err, raw)
	}
	var out wrkOutput
	line := raw[bytes.LastIndexByte(bytes.TrimSpace(raw), '\n')+1:]
	if err := json.Unmarshal(line, &out); err != nil {
		return nil, fmt.Errorf("wrk: %w: %s", err, strings.TrimSpace(string(raw)))
	}
	return &out, nil
}
