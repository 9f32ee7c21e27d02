package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gatehouse/oauth"
)

// thingsAPI is the API of the page about relying services.
const thingsAPI = "https://api.example.org"

// flaskAround serves on a socket that is open already, so that the address can
// be registered before.
const flaskAround = `
from werkzeug.serving import make_server
make_server("127.0.0.1", 0, app, fd=3).serve_forever()
`

// debianPackages is where Debian puts packages for its own python3, which is not
// always the first in the path.
const debianPackages = "/usr/lib/python3/dist-packages"

// tokenFor gets an access token for a client on its own, to be sent to a resource.
func (s *server) tokenFor(c clientOutput, scope, resource string) string {
	s.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}, "resource": {resource}}
	r := request(s.t, http.MethodPost, s.url+"/oauth/token", form)
	r.SetBasicAuth(c.ClientID, c.ClientSecret)
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if res := do(s.t, http.DefaultClient, r); res.status != http.StatusOK {
		s.t.Fatalf("no token: %d %s", res.status, res.body)
	} else {
		res.json(s.t, &body)
	}
	return body.AccessToken
}

// flaskService is the Python service of the page, with the clients of the page.
func (d *deployment) flaskService(s *server) (address string, clients map[string]clientOutput) {
	t := d.t
	t.Helper()
	python := rigProgram(t, "/usr/bin/python3", filepath.Join(debianPackages, "authlib"), filepath.Join(debianPackages, "flask"))
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	address = "http://" + listener.Addr().String()
	clients = d.documentedClients(relyingPage, "http://127.0.0.1:5000", address)

	source := documentedCode(t, relyingPage, "python", 0) + documentedCode(t, relyingPage, "python", 1)
	program := filepath.Join(t.TempDir(), "service.py")
	if err := os.WriteFile(program, []byte(strings.ReplaceAll(source, "http://localhost:8080", s.url)+flaskAround), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, python, program)
	var log bytes.Buffer
	command.Stderr, command.ExtraFiles = &log, []*os.File{socket}
	command.Env = append(os.Environ(), "COOKIE_KEY=of-this-test", "SECRET="+clients["forms"].ClientSecret)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait() // killed: its exit code says nothing
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return address, clients
}

// TestPythonServiceOfTheDocumentation is the Flask service of
// docs/relying-services.md: it signs in and out, hears of a sign-out elsewhere,
// and is an API for machines.
func TestPythonServiceOfTheDocumentation(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, sqliteConfig(t))
	person := d.person()
	s := d.start()
	address, clients := d.flaskService(s)
	j := d.journey(s)
	signedIn := func() bool {
		got := fetch(t, j.browser, request(t, http.MethodGet, address+"/", nil))
		return got.status == http.StatusOK && strings.Contains(got.body, person.ID.String()) && strings.Contains(got.body, person.Email)
	}
	j.visit(address + "/")
	j.signIn(person, 1)
	j.consent("accept")
	if got := j.visit(j.at); !signedIn() {
		t.Fatalf("not signed in: %d %s", got.status, got.body)
	}

	j.submit("/signout", url.Values{})
	eventually(t, "the service is told of the sign-out", func() bool { return !signedIn() })

	j.visit(address + "/")
	j.signIn(person, 2)
	if j.visit(j.at); !signedIn() {
		t.Fatalf("not signed in again: %d %s", j.last.status, j.last.body)
	}
	left := fetch(t, j.browser, request(t, http.MethodPost, address+"/sign-out", url.Values{}))
	if j.get(left.header.Get("Location")); j.at != address+"/" || signedIn() {
		t.Errorf("after leaving at %s: %d %s", j.at, j.last.status, j.last.body)
	}

	things := func(token string) int {
		return fetch(t, http.DefaultClient, request(t, http.MethodGet, address+"/things", nil, "Authorization", "Bearer "+token)).status
	}
	robot := clients["robot"]
	good := s.tokenFor(robot, "THINGS_READ", thingsAPI)
	for what, c := range map[string]struct {
		token string
		want  int
	}{
		"for the API":        {good, http.StatusOK},
		"with another scope": {s.tokenFor(robot, "THINGS_WRITE", thingsAPI), http.StatusForbidden},
		"for Gatehouse":      {s.token(robot, "THINGS_READ"), http.StatusUnauthorized},
		"forged":             {good[:len(good)-4] + "AAAA", http.StatusUnauthorized},
		"none":               {"", http.StatusUnauthorized},
	} {
		if got := things(c.token); got != c.want {
			t.Errorf("a token %s: %d, want %d", what, got, c.want)
		}
	}
	asked := request(t, http.MethodPost, s.url+"/oauth/introspect", url.Values{"token": {good}})
	asked.SetBasicAuth("things-api", clients["things-api"].ClientSecret)
	if got := do(t, http.DefaultClient, asked); !strings.Contains(got.body, `"active":true`) {
		t.Errorf("introspection says %s", got.body)
	}
}

// TestDocumentedClaimsAreThoseOfTheMetadata: the table of scopes names every
// claim about a person and no other.
func TestDocumentedClaimsAreThoseOfTheMetadata(t *testing.T) {
	_, table, _ := strings.Cut(documentation(t, relyingPage), "| scope | claims |")
	table, _, _ = strings.Cut(table, "\n\n")
	var named []string
	for i, word := range strings.Split(table, "`") {
		if i%2 == 1 {
			named = append(named, word)
		}
	}
	s := newDeployment(t, sqliteConfig(t)).start()
	var metadata struct {
		Claims []string `json:"claims_supported"`
	}
	do(t, http.DefaultClient, request(t, http.MethodGet, s.url+"/.well-known/openid-configuration", nil)).json(t, &metadata)
	ofTheProtocol := []string{"iss", "aud", "exp", "iat", "nonce", "azp", "at_hash"}
	for _, claim := range metadata.Claims {
		if !slices.Contains(named, claim) && !slices.Contains(ofTheProtocol, claim) {
			t.Errorf("%s is not in the table", claim)
		}
	}
	for _, name := range named {
		if !slices.Contains(metadata.Claims, name) && !oauth.KnownScope(name) {
			t.Errorf("%s is in the table and not in the metadata", name)
		}
	}
}
