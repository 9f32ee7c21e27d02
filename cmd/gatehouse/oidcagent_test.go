package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/oauth"
)

// oidcAgent is an oidc-agent with a home of its own, and its commands.
type oidcAgent struct {
	t   *testing.T
	dir string
}

// startOIDCAgent runs the agent until the test ends.
func startOIDCAgent(t *testing.T) *oidcAgent {
	t.Helper()
	a := &oidcAgent{t, t.TempDir()}
	if err := os.WriteFile(a.password(), []byte("of the agent's own file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	agent := a.command(ctx, "oidc-agent", "--console", "-a", a.socket())
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = agent.Wait() }) // killed: its exit code says nothing
	eventually(t, "the agent listens", func() bool {
		_, err := os.Stat(a.socket())
		return err == nil
	})
	return a
}

func (a *oidcAgent) socket() string   { return filepath.Join(a.dir, "socket") }
func (a *oidcAgent) password() string { return filepath.Join(a.dir, "password") }

func (a *oidcAgent) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	a.t.Helper()
	c := exec.CommandContext(ctx, rigProgram(a.t, name), args...)
	c.Env = append(os.Environ(), "HOME="+a.dir, "OIDC_CONFIG_DIR="+a.dir, "OIDC_SOCK="+a.socket())
	return c
}

// generate begins a configuration by the device flow. It returns the code that a
// person has to enter, and what waits until the agent has its tokens.
func (a *oidcAgent) generate(ctx context.Context, name, issuer string, c clientOutput) (userCode string, wait func()) {
	a.t.Helper()
	gen := a.command(ctx, "oidc-gen", name, "--manual", "--iss="+issuer, "--client-id="+c.ClientID, "--client-secret="+c.ClientSecret,
		"--scope="+c.Scope, "--flow=device", "--redirect-uri=http://localhost:4242", "--pw-file="+a.password(), "--prompt=none", "--confirm-yes", "--no-url-call")
	out := &lockedBuffer{}
	gen.Stdout, gen.Stderr = out, out
	if err := gen.Start(); err != nil {
		a.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- gen.Wait() }()
	shown := regexp.MustCompile(`enter the code: (\S+)\n`)
	eventually(a.t, "oidc-gen shows a code", func() bool {
		if m := shown.FindStringSubmatch(out.String()); m != nil {
			userCode = m[1]
		}
		return userCode != "" || len(ended) > 0
	})
	if userCode == "" {
		a.t.Fatalf("oidc-gen ended: %v\n%s", <-ended, out)
	}
	return userCode, func() {
		a.t.Helper()
		if err := <-ended; err != nil {
			a.t.Fatalf("oidc-gen: %v\n%s", err, out)
		}
	}
}

// token asks the agent for an access token.
func (a *oidcAgent) token(ctx context.Context, args ...string) string {
	a.t.Helper()
	out, err := a.command(ctx, "oidc-token", args...).CombinedOutput()
	if err != nil {
		a.t.Fatalf("oidc-token: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestOIDCAgentGetsTokensByTheDeviceFlow signs a person in for a command line on
// a machine without a browser, with Debian's oidc-agent.
func TestOIDCAgentGetsTokensByTheDeviceFlow(t *testing.T) {
	t.Parallel() // it waits for the interval of a device
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	d := newDeployment(t, sqliteConfig(t))
	person := d.person()
	c := d.client("--id", "agent", "--name", "The command line", "--grant", oauth.GrantDeviceCode, "--grant", "refresh_token",
		"--scope", "openid", "--scope", "email", "--scope", "offline_access")
	s, a := d.start(), startOIDCAgent(t)
	code, wait := a.generate(ctx, "gatehouse", s.url, c)

	j := d.journey(s)
	j.get(s.url + "/device")
	j.signIn(person, 1)
	j.submit("/device", url.Values{"user_code": {code}})
	j.consent("accept")
	wait()

	seen := map[string]bool{}
	for range 3 { // a new one each time, so the refresh token rotates
		token := a.token(ctx, "--force-new", "gatehouse")
		res := s.call(token, http.MethodGet, "/oauth/userinfo", nil)
		var claims struct{ Sub, Email string }
		res.json(t, &claims)
		if claims.Sub != person.ID.String() || claims.Email != person.Email || seen[token] {
			t.Errorf("userinfo: %d %s", res.status, fmt.Sprint(claims))
		}
		seen[token] = true
	}
}
