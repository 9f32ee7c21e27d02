package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// asProgram makes the tests' binary the program itself: main is linked into it,
// and building the program once more costs more than the tests that need it as
// a process of its own.
const asProgram = "GATEHOUSE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// runProgram runs the program to its end, and returns its exit code and what it
// printed.
func (d *deployment) runProgram(args ...string) (code int, stdout, stderr string) {
	d.t.Helper()
	var out, errs bytes.Buffer
	c := d.programCommand(args...)
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		d.t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), errs.String()
}

// process is the program, running.
type process struct {
	server *server
	kill   func() // as kill -9 does
}

// programCommand is the program with arguments, in the deployment's environment.
func (d *deployment) programCommand(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asProgram+"=1")
	for name, value := range d.vars {
		c.Env = append(c.Env, name+"="+value)
	}
	return c
}

// spawn starts `gatehouse serve`.
func (d *deployment) spawn() *process {
	d.t.Helper()
	c := d.programCommand("serve")
	stdout, stderr := &lineBuffer{found: make(chan string, 1)}, &lockedBuffer{}
	c.Stdout, c.Stderr = stdout, stderr
	if err := c.Start(); err != nil {
		d.t.Fatal(err)
	}
	kill := sync.OnceFunc(func() {
		_ = c.Process.Kill()
		_ = c.Wait() // it was killed: its status says nothing
	})
	d.t.Cleanup(kill)
	select {
	case addr := <-stdout.found:
		return &process{server: &server{t: d.t, url: "http://" + addr}, kill: kill}
	case <-time.After(time.Minute):
		d.t.Fatalf("it did not start\n%s", stderr)
		return nil
	}
}
