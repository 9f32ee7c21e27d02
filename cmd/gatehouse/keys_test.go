package main

import (
	"strings"
	"testing"

	"gatehouse/oauth"
)

// TestKeysListSaysWhenEachSigns rotates twice: the second time the next key has
// not been published for long enough and waits.
func TestKeysListSaysWhenEachSigns(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	d.start().exit()
	for range 2 {
		var keys []oauth.SigningKey
		d.command("", &keys, "keys", "rotate", "--json")
		if len(keys) != 9 {
			t.Fatalf("%d keys, want an active, a next and a retired one for each of three algorithms", len(keys))
		}
	}
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"keys", "list"}, d.lookup, strings.NewReader(""), &stdout, &stderr); code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	for want, times := range map[string]int{"since 2": 3, "from 2": 3, "; verifies until 2": 3} {
		if got := strings.Count(stdout.String(), want); got != times {
			t.Errorf("%d keys sign %q, want %d:\n%s", got, want, times, stdout.String())
		}
	}
}

func TestKeysRotateOnlyByCommandWhenAskedTo(t *testing.T) {
	if never := (&Config{}).rotateEvery(); never >= 0 {
		t.Errorf("without a period keys rotate every %s", never)
	}
	d := newDeployment(t, sqliteConfig(t))
	d.vars["GATEHOUSE_KEY_ROTATION"], d.vars["GATEHOUSE_KEY_RETAIN"] = "1m", "1h"
	var stdout, stderr strings.Builder
	code := run(t.Context(), []string{"config", "check"}, d.lookup, strings.NewReader(""), &stdout, &stderr)
	for _, name := range []string{"GATEHOUSE_KEY_ROTATION", "GATEHOUSE_KEY_RETAIN"} {
		if code != exitUsage || !strings.Contains(stderr.String(), name) {
			t.Errorf("exit %d: %s", code, stderr.String())
		}
	}
}
