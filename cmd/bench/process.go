package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// process is a server under test.
type process struct {
	url     string // http://127.0.0.1:port
	command *exec.Cmd
	logPath string
	exited  chan struct{} // closed when it has ended
}

var listening = regexp.MustCompile(`listening on http://\S*:(\d+)`)

// start runs a command that prints where it listens and waits until it has.
func start(ctx context.Context, command *exec.Cmd, logPath string) (*process, error) {
	log, err := os.Create(logPath)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the process has its own
	command.Stderr = log
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &process{command: command, logPath: logPath, exited: make(chan struct{})}
	ports := make(chan string, 1)
	go func() {
		defer close(p.exited)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				ports <- m[1]
			}
		}
		_ = command.Wait() // how it ended is in its log
	}()
	select {
	case port := <-ports:
		p.url = "http://127.0.0.1:" + port
		return p, nil
	case <-p.exited:
		return nil, errors.New("it did not start: " + p.log())
	case <-ctx.Done():
		p.stop()
		return nil, ctx.Err()
	}
}

// stop ends the process and waits for its end.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		_ = p.command.Process.Kill()
		<-p.exited
	}
}

// log is the end of what the process logged.
func (p *process) log() string {
	content, _ := os.ReadFile(p.logPath) // without a log there is nothing to say
	return string(content[max(0, len(content)-2000):])
}

// cpu is the processor time used so far.
func (p *process) cpu() (time.Duration, error) {
	stat, err := readStat(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	return stat.own, err
}

var residentLine = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// memory is the resident memory in MiB; 0 when it cannot be read.
func (p *process) memory() float64 {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0
	}
	m := residentLine.FindSubmatch(content)
	if m == nil {
		return 0
	}
	kib, _ := strconv.ParseFloat(string(m[1]), 64) // digits, as the pattern says
	return kib / 1024
}
