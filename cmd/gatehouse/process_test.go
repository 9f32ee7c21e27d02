package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// buildBinary builds the command once per test that needs a process of its own.
func buildBinary(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gatehouse")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// process is the binary, running.
type process struct {
	server *server
	kill   func() // as kill -9 does
}

// spawn starts the binary as `gatehouse serve`.
func (d *deployment) spawn(binary string) *process {
	d.t.Helper()
	c := exec.Command(binary, "serve")
	c.Env = os.Environ()
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
