package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// bench is one run.
type bench struct {
	duration    time.Duration // of each measurement
	connections int
	only        string // the name of the one case to run; "" for all
	dir         string // throw-away files
	program     string // the built gatehouse
	scale       bool   // measure a large directory, and nothing else
	imports     int    // how many records to measure imports of, and nothing else; 0 for none
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == bareCommand {
		fail(serveBare())
		return
	}
	b := &bench{}
	out := flag.String("out", "docs/performance.md", "where the report goes; empty prints it alone")
	flag.DurationVar(&b.duration, "duration", 5*time.Second, "length of each measurement")
	flag.IntVar(&b.connections, "connections", 16, "connections of the load generator")
	flag.StringVar(&b.only, "only", "", "measure the case of this name alone")
	flag.BoolVar(&b.scale, "scale", false, "measure a directory of a million users on PostgreSQL, and nothing else")
	flag.IntVar(&b.imports, "import", 0, "measure imports of this many records into PostgreSQL, and nothing else")
	flag.Parse()
	if b.connections < 2 || b.duration < time.Second {
		fail(errors.New("want at least two connections and a second"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fail(b.run(ctx, *out))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(ctx context.Context, out string) error {
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	busy := loadAverages() // before building adds to them
	b.dir, b.program = dir, filepath.Join(dir, "gatehouse")
	if err := b.prepare(ctx); err != nil {
		return err
	}
	if b.scale {
		return b.runScale(ctx, out, busy)
	}
	if b.imports > 0 {
		return b.runImports(ctx, out, busy)
	}
	report := report{machine: describeMachine(ctx), busy: busy, taken: time.Now(), settings: b}
	for _, engine := range engines(os.Getenv("GATEHOUSE_TEST_DATABASE_URL"), os.Getenv("GATEHOUSE_TEST_REDIS_URL")) {
		fmt.Fprintf(os.Stderr, "%s\n", engine.name)
		result, err := b.measureEngine(ctx, engine)
		if err != nil {
			return fmt.Errorf("%s: %w", engine.name, err)
		}
		report.engines = append(report.engines, result)
	}
	text := report.markdown()
	fmt.Print(text)
	if out == "" {
		return report.failures()
	}
	old, _ := os.ReadFile(out) // the first report has none before it
	text = withPart(withPart(text, string(old), scalePart, ""), string(old), importPart, "")
	return errors.Join(os.WriteFile(out, []byte(text), 0o644), report.failures())
}

// runScale measures a large directory and puts its part into the report.
func (b *bench) runScale(ctx context.Context, out, busy string) error {
	results, err := b.measureScale(ctx, os.Getenv("GATEHOUSE_TEST_DATABASE_URL"), os.Getenv("GATEHOUSE_TEST_REDIS_URL"))
	if err != nil {
		return err
	}
	return writePart(out, scalePart, scaleMarkdown(results, describeMachine(ctx), busy, time.Now()), scaleFailures(results))
}

// runImports measures imports and puts their part into the report.
func (b *bench) runImports(ctx context.Context, out, busy string) error {
	results, err := b.measureImports(ctx, os.Getenv("GATEHOUSE_TEST_DATABASE_URL"), os.Getenv("GATEHOUSE_TEST_REDIS_URL"), b.imports)
	if err != nil {
		return err
	}
	return writePart(out, importPart, importMarkdown(results, describeMachine(ctx), busy, time.Now()), importFailures(results))
}

// prepare builds the program and unpacks the load generator's scripts.
func (b *bench) prepare(ctx context.Context) error {
	if _, err := exec.LookPath("wrk"); err != nil && !b.scale && b.imports == 0 {
		return errors.New("wrk is not installed: run make bench")
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.program, "./cmd/gatehouse")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return os.CopyFS(b.dir, scripts)
}

// measureEngine measures the bare handler and then every case on one engine.
func (b *bench) measureEngine(ctx context.Context, e engine) (*engineResult, error) {
	d, err := b.deploy(ctx, e)
	if err != nil {
		return nil, err
	}
	defer d.remove()
	result := &engineResult{name: e.name}
	if result.firstAnswer, err = d.measureStart(ctx); err != nil {
		return nil, err
	}
	server, err := d.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	time.Sleep(2 * time.Second)
	result.idle = server.memory()
	cases, err := d.cases(ctx, server)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w\n%s", err, server.log())
	}
	var beside []*peerRun
	for _, p := range peers {
		run, err := b.startPeer(ctx, p, e)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		defer run.server.stop()
		beside, result.peers = append(beside, run), append(result.peers, run.result)
	}
	return result, b.measureCases(ctx, server, cases, beside, result)
}

// measureCases measures every case, and what they are held against beside them:
// the bare handler before and after, of which the better counts, signing right
// before the case that it bounds, and the peers right after each.
func (b *bench) measureCases(ctx context.Context, server *process, cases []testCase, beside []*peerRun, result *engineResult) error {
	before, err := b.measureBare(ctx)
	if err != nil {
		return err
	}
	for _, c := range cases {
		if b.only != "" && c.name != b.only {
			continue
		}
		if c.ofSigning {
			if result.signing, err = measureSigning(ctx, b.duration); err != nil {
				return err
			}
		}
		measured, err := b.measure(ctx, server, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		logMeasurement("", measured)
		result.cases = append(result.cases, measured)
		for _, run := range beside {
			if err := run.measure(ctx, b, c.name); err != nil {
				return fmt.Errorf("%s: %s: %w", run.result.name, c.name, err)
			}
		}
	}
	after, err := b.measureBare(ctx)
	if err != nil {
		return err
	}
	result.bare = before
	if after.perSecond > before.perSecond {
		result.bare = after
	}
	return nil
}

// logMeasurement tells who waits for the report.
func logMeasurement(who string, m *measurement) {
	fmt.Fprintf(os.Stderr, "  %-34s %9.0f/s, %d errors %s\n", m.name, m.perSecond, m.errors, who)
}
