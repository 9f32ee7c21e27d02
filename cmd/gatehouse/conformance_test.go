package main

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/web/webtest"
	"gatehouse/oauth/conformance"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

var conformanceReport = flag.Bool("conformance-report", false, "write the results of TestConformance to docs/conformance.md")

// conformanceDocument holds the results of the last run between two markers.
const (
	conformanceDocument = moduleRoot + "/docs/conformance.md"
	reportBegins        = "<!-- Written by `make conformance`. -->\n"
	reportEnds          = "<!-- The end of what is written. -->\n"
)

// TestConformance runs the re-implemented modules of the OpenID Foundation on
// both engines at once, since some of them mostly wait, and holds
// docs/conformance.md to the results.
func TestConformance(t *testing.T) {
	engines := []struct {
		name   string
		config func(t testing.TB) storage.Config
	}{{"sqlite", storagetest.SQLite}, {"postgres", storagetest.Postgres}}
	results := make([][]conformance.Result, len(engines))
	var running sync.WaitGroup
	for i, engine := range engines {
		running.Go(func() {
			t.Run(engine.name, func(t *testing.T) {
				results[i] = conformance.Run(t, conformanceTarget(t, newDeployment(t, engine.config(t))), conformance.Basic(), conformance.Config())
			})
		})
	}
	running.Wait()
	if results[1] != nil {
		if diff := cmp.Diff(results[0], results[1]); diff != "" {
			t.Errorf("the engines differ (-embedded +PostgreSQL):\n%s", diff)
		}
	}
	checkConformanceDocument(t, conformance.Report(results[0]))
}

// checkConformanceDocument compares the document with a report, or writes it.
func checkConformanceDocument(t *testing.T, report string) {
	t.Helper()
	content, err := os.ReadFile(conformanceDocument)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(content), reportBegins)
	written, after, ends := strings.Cut(rest, reportEnds)
	if !begins || !ends {
		t.Fatalf("%s has lost its markers", conformanceDocument)
	}
	if *conformanceReport {
		all := before + reportBegins + "\n" + report + "\n" + reportEnds + after
		if err := os.WriteFile(conformanceDocument, []byte(all), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.TrimSpace(written), strings.TrimSpace(report)); diff != "" {
		t.Errorf("docs/conformance.md is not what this run found; run make conformance (-document +run):\n%s", diff)
	}
}

// conformancePeople is how many modules have somebody at a browser at a time.
const conformancePeople = 8

// conformanceTarget starts `gatehouse serve` behind TLS, with clients and people.
func conformanceTarget(t *testing.T, d *deployment) *conformance.Target {
	t.Helper()
	front := newFront(t)
	inbox := &conformance.Inbox{}
	rp := httptest.NewServer(inbox)
	t.Cleanup(rp.Close)
	d.vars["GATEHOUSE_ISSUER"] = front.server.URL
	d.vars["GATEHOUSE_OUTBOUND_NETWORKS"] = "127.0.0.0/8"
	people := make(chan *conformancePerson, conformancePeople)
	for i := range conformancePeople {
		people <- &conformancePerson{d: d, user: d.user(
			"--name", fmt.Sprintf("Pat Example %c", 'A'+i), "--email", fmt.Sprintf("pat%d@example.gov.uk", i),
			"--mobile", fmt.Sprintf("0770090%04d", i), "--username", fmt.Sprintf("PAT_%c", 'A'+i),
		)}
	}
	clients := conformanceClients(d, rp.URL)
	front.pass(t, d.start().url)
	return &conformance.Target{
		Issuer: front.server.URL, Transport: front.server.Client().Transport, Clock: time.Now, Clients: clients, Inbox: inbox,
		Borrow: func(testing.TB) (conformance.Person, func()) {
			person := <-people
			return person, func() { people <- person }
		},
		Check: func(t testing.TB, r *http.Request, res *http.Response) { webtest.CheckResponse(t, r, res) },
	}
}

// front is what stands in front of a server in production: it speaks TLS.
type front struct {
	server *httptest.Server
	mu     sync.RWMutex
	proxy  http.Handler
}

func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{proxy: http.NotFoundHandler()}
	f.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.RLock()
		defer f.mu.RUnlock()
		f.proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(f.server.Close)
	return f
}

// pass names the server that requests are passed on to.
func (f *front) pass(t *testing.T, target string) {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.proxy = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(u)
		r.SetXForwarded()
		r.Out.Host = r.In.Host
	}}
}

// conformanceClients registers what the modules ask for. They send no PKCE, but
// for the one that is about it.
func conformanceClients(d *deployment, rp string) conformance.Clients {
	d.t.Helper()
	register := func(id, method string, more ...string) *conformance.Client {
		c := &conformance.Client{
			ID: id, AuthMethod: method,
			RedirectURI: "https://rp.example.test/" + id + "/cb", PostLogoutRedirectURI: "https://rp.example.test/" + id + "/bye",
		}
		args := []string{
			"--id", id, "--name", "Conformance " + id, "--auth-method", method, "--pkce-optional", "--redirect-uri", c.RedirectURI,
			"--post-logout-redirect-uri", c.PostLogoutRedirectURI, "--grant", "authorization_code", "--grant", "refresh_token",
		}
		for _, scope := range []string{"openid", "profile", "email", "phone", "offline_access"} {
			args = append(args, "--scope", scope)
		}
		c.Secret = d.client(append(args, more...)...).ClientSecret
		return c
	}
	clients := conformance.Clients{
		Basic: register("basic", "client_secret_basic"), Basic2: register("basic2", "client_secret_basic"), Post: register("post", "client_secret_post"),
	}
	told := rp + "/told"
	clients.Backchannel = register("told", "client_secret_basic")
	clients.Backchannel.BackchannelLogoutURI = told
	return clients
}

// conformancePerson knows the hosted pages, and reads their own text messages.
type conformancePerson struct {
	d     *deployment
	user  userOutput
	codes int // sent so far
}

// LoginHint implements [conformance.Person].
func (p *conformancePerson) LoginHint() string { return p.user.Email }

// Answer implements [conformance.Person].
func (p *conformancePerson) Answer(t testing.TB, page *conformance.Page, refuse bool) (conformance.Step, *conformance.Form) {
	t.Helper()
	if page.Status >= http.StatusBadRequest {
		return "", nil // it says what is wrong
	}
	if f := page.Form("/signin"); f != nil {
		f.Fields.Set("identifier", p.user.Email)
		f.Fields.Set("password", testPassword)
		return conformance.SignIn, f
	}
	if f := page.Form("/signin/code"); f != nil {
		p.codes++
		f.Fields.Set("code", p.d.code(p.user.Mobile, p.codes))
		return conformance.Factor, f
	}
	if f := page.Form("/consent"); f != nil {
		f.Fields.Set("consent", map[bool]string{false: "accept", true: "deny"}[refuse])
		return conformance.Consent, f
	}
	return "", nil
}
