package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gatehouse/storage/storagetest"
)

// apacheModules is where Debian puts them.
const apacheModules = "/usr/lib/apache2/modules"

// apache is an Apache HTTP server of the test's own, which lets through to an
// application only those that one of its modules has let in.
type apache struct {
	t   *testing.T
	url string
	log string // the path of its error log
}

// startApache runs Apache in front of an application that answers with the
// request headers it got. The configuration, made for Apache's address, says who
// may pass.
func startApache(t *testing.T, module string, configuration func(address string) string) *apache {
	t.Helper()
	program := rigProgram(t, "apache2", filepath.Join(apacheModules, "mod_"+module+".so"))
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(r.Header)
	}))
	t.Cleanup(app.Close)
	dir := t.TempDir()
	a := &apache{t: t, log: filepath.Join(dir, "error.log")}
	address := storagetest.ReserveAddr(t)
	a.url = "http://" + address
	content := a.configuration(dir, module, address) + configuration(a.url) + "\nProxyPass / " + app.URL + "/\n"
	if err := os.WriteFile(filepath.Join(dir, "apache.conf"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	a.run(program, dir, address)
	return a
}

// configuration is what every Apache of a test has.
func (a *apache) configuration(dir, module, address string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ServerRoot %s\nServerName 127.0.0.1\nListen %s\nPidFile %s/pid\nErrorLog %s\nMutex sysvsem\n", dir, address, dir, a.log)
	if os.Getuid() == 0 {
		b.WriteString("User nobody\nGroup nogroup\n") // it refuses to be root
	}
	for _, name := range []string{"mpm_event", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http", module} {
		fmt.Fprintf(&b, "LoadModule %s_module %s/mod_%s.so\n", name, apacheModules, name)
	}
	return b.String()
}

// run starts Apache and waits until it listens.
func (a *apache) run(program, dir, address string) {
	a.t.Helper()
	command := exec.Command(program, "-d", dir, "-f", "apache.conf", "-D", "FOREGROUND")
	if err := command.Start(); err != nil {
		a.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = command.Wait(); close(exited) }() // its log says more than its status
	a.t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		<-exited
	})
	eventually(a.t, "Apache listens", func() bool {
		select {
		case <-exited:
			a.t.Fatalf("apache2 did not start: %s", a.errors())
		default:
		}
		connection, err := net.Dial("tcp", address)
		return err == nil && connection.Close() == nil
	})
}

// errors is what Apache has logged.
func (a *apache) errors() string {
	content, err := os.ReadFile(a.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		a.t.Fatal(err)
	}
	return string(content)
}

// seen is what the application behind Apache answered: the headers it got.
func (a *apache) seen(r response) http.Header {
	a.t.Helper()
	if r.status != http.StatusOK {
		a.t.Fatalf("%d %s\n%s", r.status, r.body, a.errors())
	}
	raw := map[string][]string{}
	r.json(a.t, &raw)
	return raw
}

// rigProgram finds a program and the files it needs beside it. Without them the
// test skips, or fails in CI, where deploy/testenv/install has put them.
func rigProgram(t *testing.T, name string, files ...string) string {
	t.Helper()
	program, err := exec.LookPath(name)
	for _, file := range files {
		_, missing := os.Stat(file)
		err = errors.Join(err, missing)
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err, ": run make test")
	}
	return program
}

// relyingApache is Apache as a relying service, with mod_auth_openidc.
func (d *deployment) relyingApache(s *server) *apache {
	d.t.Helper()
	return startApache(d.t, "auth_openidc", func(address string) string {
		redirect := address + "/redirect_uri"
		c := d.client("--name", "Example Forms", "--grant", "authorization_code", "--grant", "refresh_token",
			"--redirect-uri", redirect, "--backchannel-logout-uri", redirect+"?logout=backchannel",
			"--scope", "openid", "--scope", "email", "--scope", "offline_access")
		return strings.NewReplacer("http://localhost:8080", s.url, "http://127.0.0.1:5000/redirect_uri", redirect, "ID forms", "ID "+c.ClientID,
			"SECRET", c.ClientSecret, "PASSPHRASE", "of-this-test").Replace(documentedCode(d.t, relyingPage, "apache", 0))
	})
}

// visit opens a page behind Apache and follows redirects from server to server
// until a page.
func (j *journey) visit(target string) response {
	j.t.Helper()
	for range 10 {
		if strings.HasPrefix(target, j.s.url) {
			if j.get(target); strings.HasPrefix(j.at, j.s.url) {
				return j.last
			}
			target = j.at
		}
		j.at = target
		j.last = fetch(j.t, j.browser, request(j.t, http.MethodGet, target, nil, "Accept", "text/html"))
		location := j.last.header.Get("Location")
		if location == "" {
			return j.last
		}
		next, err := url.Parse(target)
		if err == nil {
			next, err = next.Parse(location)
		}
		if err != nil {
			j.t.Fatalf("redirect from %s to %q: %v", target, location, err)
		}
		target = next.String()
	}
	j.t.Fatal("redirects without end")
	return response{}
}

// TestApacheSignsAPersonIn is the sign-in of a service that has no OpenID
// Connect of its own, only Apache with mod_auth_openidc in front.
func TestApacheSignsAPersonIn(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	person := d.person()
	s := d.start()
	a, j := d.relyingApache(s), d.journey(s)
	j.visit(a.url + "/forms")
	j.signIn(person, 1)
	j.consent("accept")
	got := a.seen(j.visit(j.at))
	if got.Get("OIDC_CLAIM_sub") != person.ID.String() || got.Get("OIDC_CLAIM_email") != person.Email || got.Get("OIDC_access_token") == "" {
		t.Errorf("the application saw %v", got)
	}

	// Its refresh hook redeems the refresh token, which rotates, so twice.
	token := got.Get("OIDC_access_token")
	for range 2 {
		j.visit(a.url + "/redirect_uri?refresh=" + url.QueryEscape(a.url+"/forms") + "&access_token=" + url.QueryEscape(token))
		next := a.seen(j.last).Get("OIDC_access_token")
		if next == token || next == "" || strings.Contains(j.at, "error_code") {
			t.Fatalf("no new access token at %s\n%s", j.at, a.errors())
		}
		token = next
	}
	if res := s.call(token, http.MethodGet, "/oauth/userinfo", nil); res.status != http.StatusOK {
		t.Errorf("userinfo with the refreshed token: %d %s", res.status, res.body)
	}

	// Apache is told that the session has ended, and asks who it is anew.
	forms := request(t, http.MethodGet, a.url+"/forms", nil, "Accept", "text/html")
	if got := fetch(t, j.browser, forms); got.status != http.StatusOK {
		t.Fatalf("before signing out: %d", got.status)
	}
	j.submit("/signout", url.Values{})
	eventually(t, "Apache has ended its session", func() bool {
		got := fetch(t, j.browser, forms)
		return got.status == http.StatusFound && strings.HasPrefix(got.header.Get("Location"), s.url+"/oauth/authorize?")
	})
}

// TestApacheLetsTokensIn is a resource server that nobody here wrote, with
// mod_oauth2: it asks the introspection endpoint, or verifies by our published keys.
func TestApacheLetsTokensIn(t *testing.T) {
	eachDeployment(t, func(t *testing.T, d *deployment) {
		machine := []string{"--grant", "client_credentials", "--scope", "notify.admin", "--scope", "notify.usage"}
		jwt := d.client(append(machine, "--id", "jwt")...)
		opaque := d.client(append(machine, "--id", "opaque", "--access-token-format", "opaque")...)
		s := d.start()
		introspect := fmt.Sprintf("introspect %s/oauth/introspect introspect.auth=client_secret_basic&client_id=%s&client_secret=%s", s.url, opaque.ClientID, opaque.ClientSecret)
		for name, c := range map[string]struct {
			verify string
			client clientOutput
		}{
			"by introspection":      {introspect, opaque},
			"by the published keys": {"jwks_uri " + s.url + "/oauth/jwks", jwt},
		} {
			t.Run(name, func(t *testing.T) {
				a := startApache(t, "oauth2", func(string) string {
					return strings.ReplaceAll(documentedCode(t, relyingPage, "apache", 1), "jwks_uri http://localhost:8080/oauth/jwks", c.verify)
				})
				open := func(header ...string) response {
					return fetch(t, http.DefaultClient, request(t, http.MethodGet, a.url+"/", nil, header...))
				}
				token := s.token(c.client, "notify.admin")
				if got := open("Authorization", "Bearer "+token); a.seen(got).Get("OAUTH2_CLAIM_client_id") != c.client.ClientID {
					t.Errorf("the application saw %s", got.body)
				}
				if got := open("Authorization", "Bearer "+token[:len(token)-4]+"AAAA"); got.status != http.StatusUnauthorized {
					t.Errorf("with another token: %d", got.status)
				}
				if got := open("Authorization", "Bearer "+s.token(c.client, "notify.usage")); got.status != http.StatusUnauthorized {
					t.Errorf("without the scope: %d", got.status)
				}
				if got := open(); got.status != http.StatusUnauthorized {
					t.Errorf("without a token: %d", got.status)
				}
			})
		}
	})
}
