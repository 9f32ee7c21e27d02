package main

import (
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

// process is the program, running.
type process struct {
	server *server
	kill   func() // as kill -9 does
}

// spawn starts `gatehouse serve`.
func (d *deployment) spawn() *process {
	d.t.Helper()
	c := exec.Command(os.Args[0], "serve")
	c.Env = append(os.Environ(), asProgram+"=1")
	for name, value := range d.vars {
		c.Env = append(c.Env, name+"="+value)
	}
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
	case <-time.After(30 * time.Second):
		d.t.Fatalf("it did not start\n%s", stderr)
		return nil
	}
}
