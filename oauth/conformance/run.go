package conformance

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// Outcome is how a module ended.
type Outcome string

// Outcomes, in the words of the Foundation's suite.
const (
	Passed  Outcome = "passed"
	Warning Outcome = "warning" // passed; something that is recommended is not done
	Skipped Outcome = "skipped" // about something optional that the server does not claim to do
	Failed  Outcome = "failed"
	// Declined is a failure that the target announces: see [Target.Declines].
	Declined Outcome = "declined"
)

// Result is the outcome of one module in one run.
type Result struct {
	Plan, Module string
	Outcome      Outcome
	// Reasons are why it did not simply pass; the same in each run.
	Reasons []string
}

// Plan is a list of modules run with the same variant.
type Plan struct {
	Name    string // the Foundation's
	Variant Variant
	Modules []Module
	// Waits are the modules that mostly wait, which are started before the others.
	Waits []string
}

// Variant is what differs between plans that share modules.
type Variant struct {
	FormPost bool // response_mode=form_post
}

// Module is one test.
type Module struct {
	Name string // the Foundation's
	Run  func(e *Env)
}

// Run runs plans against a target, each module as the subtest plan/module, and
// returns the results in the order of the plans. Modules run side by side: some
// of them mostly wait. A module that is skipped does not skip its subtest; the
// result says so.
func Run(t *testing.T, target *Target, plans ...Plan) []Result {
	t.Helper()
	var all [][]Result
	var running sync.WaitGroup
	for _, plan := range plans {
		results := make([]Result, len(plan.Modules))
		all = append(all, results)
		running.Go(func() {
			t.Run(plan.Name, func(t *testing.T) { runPlan(t, target, plan, results) })
		})
	}
	running.Wait()
	var flat []Result
	for _, results := range all {
		flat = append(flat, results...)
	}
	return flat
}

func runPlan(t *testing.T, target *Target, plan Plan, results []Result) {
	var running sync.WaitGroup
	start := func(i int) {
		module := plan.Modules[i]
		results[i] = Result{Plan: plan.Name, Module: module.Name}
		running.Go(func() {
			t.Run(module.Name, func(t *testing.T) { runModule(t, target, plan.Variant, module, &results[i]) })
		})
	}
	waits := func(m Module) bool { return slices.Contains(plan.Waits, m.Name) }
	for i, module := range plan.Modules {
		if waits(module) {
			start(i)
		}
	}
	time.Sleep(headStart)
	for i, module := range plan.Modules {
		if !waits(module) {
			start(i)
		}
	}
	running.Wait()
}

// headStart lets modules that wait find somebody for their browsers first.
const headStart = 50 * time.Millisecond

// runModule runs a module to its end, wherever that is.
func runModule(t *testing.T, target *Target, v Variant, m Module, r *Result) {
	e := &Env{Target: target, Variant: v, t: t, result: r}
	defer func() {
		switch ended := recover().(type) {
		case nil, stop:
		default:
			panic(ended)
		}
		switch {
		case t.Failed():
			r.Outcome = Failed
		case r.Outcome == "":
			r.Outcome = Passed
		}
	}()
	defer func() {
		for _, end := range e.ends {
			end()
		}
		e.giveBack()
	}()
	m.Run(e)
}
