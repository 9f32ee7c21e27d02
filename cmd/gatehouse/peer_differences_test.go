package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// peerReport is the file that says what differs and why.
const peerReport = moduleRoot + "/docs/conformance-peer.md"

var writePeerReport = flag.Bool("peer-report", false, "write docs/conformance-peer.md from the run")

// TestBesideOIDCProvider asks both servers the same, and fails where they differ
// for no stated reason, or a reason is stated where they no longer do.
func TestBesideOIDCProvider(t *testing.T) {
	t.Parallel()
	clients := peerClients()
	theirs := askPeer(t, clients)
	ours := askOurs(t, clients)
	var rows []string
	same := 0
	explained := reasons()
	unused := map[string]bool{}
	for name := range explained {
		unused[name] = true
	}
	for _, q := range questions() {
		us, them := q.ask(ours), q.ask(theirs)
		why := explained[q.name]
		delete(unused, q.name)
		switch {
		case us == them && why != "":
			t.Errorf("%s: both answer %q, so there is nothing to explain", q.name, us)
		case us == them:
			same++
		case why == "":
			t.Errorf("%s: no explanation\n\tours   %s\n\ttheirs %s", q.name, us, them)
		default:
			rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |\n", cell(q.name), cell(us), cell(them), why))
		}
	}
	for name := range unused {
		t.Errorf("%s: an explanation without a question", name)
	}
	checkPeerReport(t, peerMarkdown(same, rows))
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func peerMarkdown(same int, rows []string) string {
	return fmt.Sprintf(`# Beside oidc-provider

Written by `+"`make conformance`"+`. The same requests go to Gatehouse and to npm
oidc-provider, which has the same paths, clients and person. Of %d answers %d are the same in status, error code, names of members,
challenge and place; these differ. CI fails when another does, or when one of these no longer does.

| asked | Gatehouse | oidc-provider | why |
|--|--|--|--|
%s`, same+len(rows), same, strings.Join(rows, ""))
}

// checkPeerReport holds the committed report to the run, or writes it.
func checkPeerReport(t *testing.T, want string) {
	t.Helper()
	if *writePeerReport {
		if err := os.WriteFile(peerReport, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(peerReport)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want && !t.Failed() {
		t.Errorf("%s is not what this run gives: run make conformance", peerReport)
	}
}
