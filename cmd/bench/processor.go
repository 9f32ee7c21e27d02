package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU times in /proc, the same on every Linux.
const clockTick = 10 * time.Millisecond

// processStat is what the kernel tells of a process (proc(5), stat).
type processStat struct {
	parent int
	own    time.Duration // processor time in user and kernel mode
	ended  time.Duration // that of children that have ended
}

// readStat reads a file such as /proc/1/stat.
func readStat(path string) (processStat, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return processStat{}, err
	}
	// The second field is the program's name in parentheses and may hold spaces.
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	if len(fields) < 15 {
		return processStat{}, errors.New("unexpected /proc/PID/stat")
	}
	var n [5]int
	var faults [5]error
	for i, field := range []int{1, 11, 12, 13, 14} {
		n[i], faults[i] = strconv.Atoi(fields[field])
	}
	return processStat{n[0], time.Duration(n[1]+n[2]) * clockTick, time.Duration(n[3]+n[4]) * clockTick}, errors.Join(faults[:]...)
}

// databaseCPU is the processor time that PostgreSQL has used so far in all its
// processes; 0 when it runs on another machine.
func (d *deployment) databaseCPU(ctx context.Context) time.Duration {
	data, err := d.query(ctx, "show data_directory")
	if err != nil {
		return 0
	}
	content, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(content), "\n")
	postmaster, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	main, err := readStat(fmt.Sprintf("/proc/%d/stat", postmaster))
	if err != nil {
		return 0
	}
	total := main.own + main.ended
	all, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is a constant
	for _, path := range all {
		if child, err := readStat(path); err == nil && child.parent == postmaster {
			total += child.own
		}
	}
	return total
}
