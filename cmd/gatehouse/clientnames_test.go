package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPagesNameAClientInWelsh (RFC 7591 section 2.2): who reads Welsh meets the
// client's Welsh name on the way there and in the account, and nobody else does.
func TestPagesNameAClientInWelsh(t *testing.T) {
	eachDeployment(t, func(t *testing.T, d *deployment) {
		person := d.person()
		shop := d.client("--id", "shop", "--name", "The shop", "--name-in", "cy=Y siop", "--grant", "authorization_code", "--redirect-uri", callback, "--scope", "openid")
		s := d.start()
		j := d.journey(s)
		wantName(t, "sign-in", j.authorize(shop, "openid", "ui_locales", "cy"), "Y siop", "The shop")
		wantName(t, "consent", j.signIn(person, 1), "Y siop", "The shop")
		j.consent("accept")
		for language, names := range map[string][2]string{"cy": {"Y siop", "The shop"}, "en": {"The shop", "Y siop"}} {
			j.submit("/language", url.Values{"language": {language}})
			wantName(t, "services in "+language, j.get(s.url+"/account/services"), names[0], names[1])
			wantName(t, "data in "+language, j.submit("/account/data", nil), names[0], names[1])
		}
	})
}

func wantName(t *testing.T, where string, res response, want, other string) {
	t.Helper()
	if res.status != http.StatusOK || !strings.Contains(res.body, want) || strings.Contains(res.body, other) {
		t.Errorf("%s: want %q and no %q: %d %s", where, want, other, res.status, res.body)
	}
}

// TestAClientFileCarriesMembersInLanguages: what is exported, planned and applied
// holds them, and a difference in one is a change.
func TestAClientFileCarriesMembersInLanguages(t *testing.T) {
	from, to := newDeployment(t, sqliteConfig(t)), newDeployment(t, sqliteConfig(t))
	from.client("--id", "shop", "--name", "The shop", "--name-in", "cy=Y siop", "--name-in", "fr=La boutique", "--grant", "client_credentials")
	if code, _, stderr := from.clientCommand(`{"client_name#FR":"","tos_uri#cy":"https://shop.example/telerau"}`, "update", "shop"); code != exitOK {
		t.Fatal(stderr)
	}
	file := filepath.Join(t.TempDir(), "clients.json")
	from.wantExit(exitOK, "export", "--file", file)
	if plan := to.wantExit(exitDifferences, "plan", file); !strings.Contains(plan, `client_name#cy: "Y siop"`) || strings.Contains(plan, "boutique") {
		t.Errorf("planned\n%s", plan)
	}
	to.wantExit(exitOK, "apply", file)
	to.wantExit(exitOK, "plan", file)
	if shown := to.wantExit(exitOK, "show", "shop"); !strings.Contains(shown, "client_name#cy Y siop\n") || !strings.Contains(shown, "tos_uri#cy https://shop.example/telerau\n") {
		t.Errorf("shown\n%s", shown)
	}
	content, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(content), "Y siop", "Siop", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if plan := to.wantExit(exitDifferences, "plan", file); !strings.Contains(plan, `client_name#cy: "Y siop" -> "Siop"`) {
		t.Errorf("planned\n%s", plan)
	}
	if code, _, stderr := to.clientCommand(`{"scope#cy":"openid"}`, "update", "shop"); code != exitError || !strings.Contains(stderr, "scope#cy") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if code, _, stderr := to.clientCommand("", "create", "--id", "b", "--name-in", "c y=B", "--grant", "client_credentials"); code != exitError || !strings.Contains(stderr, "client_name: has a tag that is none of a language") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
