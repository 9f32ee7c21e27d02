package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
)

var (
	modelLine  = regexp.MustCompile(`model name\s*: (.+)`)
	memoryLine = regexp.MustCompile(`MemTotal:\s+(\d+) kB`)
	systemLine = regexp.MustCompile(`PRETTY_NAME="(.+)"`)
)

// describeMachine says what the numbers were taken on.
func describeMachine(ctx context.Context) string {
	memory := "?"
	var kib int
	if _, err := fmt.Sscan(firstMatch("/proc/meminfo", memoryLine), &kib); err == nil {
		memory = fmt.Sprintf("%.1f GiB", float64(kib)/(1<<20))
	}
	parts := []string{
		fmt.Sprintf("%d cores (%s)", runtime.NumCPU(), firstMatch("/proc/cpuinfo", modelLine)), memory + " of memory",
		firstMatch("/etc/os-release", systemLine), "Linux " + firstLine("/proc/sys/kernel/osrelease"), runtime.Version(),
		firstWords(ctx, "psql", "--version"), firstWords(ctx, "redis-server", "--version"),
	}
	return strings.Join(parts, ", ")
}

func firstMatch(path string, pattern *regexp.Regexp) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return "?"
	}
	m := pattern.FindSubmatch(content)
	if m == nil {
		return "?"
	}
	return string(m[1])
}

func firstLine(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(content))
}

// firstWords are the first three words that a command prints, its name and version.
func firstWords(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	words := strings.Fields(string(out))
	if err != nil || len(words) < 3 {
		return "no " + name
	}
	return strings.Join(words[:3], " ")
}

// loadAverages are those of the last 1, 5 and 15 minutes.
func loadAverages() string {
	words := strings.Fields(firstLine("/proc/loadavg"))
	return strings.Join(words[:min(3, len(words))], ", ")
}
