package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Parts of the report stand between two lines with their name; each is written,
// and kept, apart from the rest.
const (
	scalePart  = "scale"
	importPart = "import"
)

// writePart prints a part and puts it into the report, where that goes to a file.
func writePart(out, name, part string, failures error) error {
	fmt.Print(part)
	if out == "" {
		return failures
	}
	old, _ := os.ReadFile(out) // the first report has none before it
	return errors.Join(os.WriteFile(out, []byte(withPart(string(old), "", name, part)), 0o644), failures)
}

// withPart returns a report with another part of a name, at its end when there
// was none; "" keeps the one in old.
func withPart(report, old, name, part string) string {
	before, _, after := cutPart(report, name)
	if part == "" {
		_, part, _ = cutPart(old, name)
	}
	if part == "" {
		return report
	}
	if after == "" && !strings.HasSuffix(before, "\n\n") {
		before += "\n"
	}
	return before + partBegin(name) + part + partEnd(name) + after
}

func partBegin(name string) string {
	return "<!-- " + name + ": written by make bench-" + name + " -->\n"
}

func partEnd(name string) string { return "<!-- " + name + ": end -->\n" }

func cutPart(report, name string) (before, part, after string) {
	before, rest, found := strings.Cut(report, partBegin(name))
	if !found {
		return report, "", ""
	}
	part, after, _ = strings.Cut(rest, partEnd(name))
	return before, part, after
}
