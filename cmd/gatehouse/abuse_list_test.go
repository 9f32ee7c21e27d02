package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// blocking are the release-blocking cases of the security requirements about
// the protocol and about people, and those that the checklist of standards
// refers to.
const blocking = "C01 C02 C03 C09 C10 T05 T20 F01 F02 F10 J01 J02 J10 J12 J18 J20 I01 I02 P01 S01 S03 S11 S18 H01 H02 L02 L03 L04 L05 L13 L15 " +
	"A05 A06 A07 A11 A12 A13 A15 A17 R01 X29 X34 O01 O02 O03 O04 O05 O13 M01 M02 M09 W01 W02 W03 W04 W08 W11 W13 " +
	"E01 E02 E04 U01 U02 U10 U12"

// TestEveryBlockingCaseHasItsTest looks for a test that bears the id of each
// case, as a subtest's name or at the beginning of its comment.
func TestEveryBlockingCaseHasItsTest(t *testing.T) {
	t.Parallel()
	var tests strings.Builder
	err := filepath.WalkDir(moduleRoot, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == "node_modules" {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "abuse_list_test.go" {
			return nil
		}
		content, err := os.ReadFile(path)
		tests.Write(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for id := range strings.FieldsSeq(blocking) {
		if !regexp.MustCompile(`(?m)^\s*"` + id + `":|^// Test\w+ .*\b` + id + `\b|"` + id + `": \(`).MatchString(tests.String()) {
			t.Errorf("no test bears the id %s", id)
		}
	}
}
