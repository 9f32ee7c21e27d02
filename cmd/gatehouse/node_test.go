package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needNode returns the path of node. Without it or the packages of a rig in
// testdata the test is skipped, or fails in CI.
func needNode(t *testing.T, rig string) string {
	t.Helper()
	return rigProgram(t, "node", filepath.Join("testdata", rig, "node_modules"))
}

// nodeRig is a command that runs a script of a rig in testdata.
func nodeRig(ctx context.Context, t *testing.T, rig, script string, env ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(ctx, needNode(t, rig), script)
	command.Dir, command.Env = filepath.Join("testdata", rig), append(os.Environ(), env...)
	return command
}

// startNode starts a script that serves, until the test ends, and returns its
// address: what it prints after "listening on ".
func startNode(t *testing.T, rig, script string, env ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	command := nodeRig(ctx, t, rig, script, env...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait() // killed: its exit code says nothing
		if t.Failed() && stderr.Len() > 0 {
			t.Logf("%s said:\n%s", rig, stderr.String())
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("%s did not start: %v", rig, err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
}
