package authn

import (
	"bytes"
	"slices"
	"testing"
)

func TestDenyListIsSortedAndFoundInWhole(t *testing.T) {
	lines := bytes.Split(bytes.TrimSuffix(denylist(), []byte("\n")), []byte("\n"))
	if len(lines) != 49_233 || !slices.IsSortedFunc(lines, bytes.Compare) {
		t.Errorf("%d lines, sorted %v", len(lines), slices.IsSortedFunc(lines, bytes.Compare))
	}
	for _, line := range lines {
		if !denied(string(line)) {
			t.Fatalf("%q was not found", line)
		}
	}
	for _, password := range []string{"", "\n", "SecurePassword123!", "NewSecurePassword123!", "123456\n", "zzzzzzzzzzzzzzzzzzzzz", "\x00"} {
		if denied(password) {
			t.Errorf("%q is denied", password)
		}
	}
}
