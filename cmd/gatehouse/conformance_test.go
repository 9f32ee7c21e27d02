package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
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
	t.Parallel()
	engines := []struct {
		name   string
		config func(t testing.TB) storage.Config
	}{{"sqlite", storagetest.SQLite}, {"postgres", storagetest.Postgres}}
	results := make([][]conformance.Result, len(engines))
	var running sync.WaitGroup
	for i, engine := range engines {
		running.Go(func() {
			t.Run(engine.name, func(t *testing.T) {
				target := conformanceTarget(t, newDeployment(t, engine.config(t)))
				results[i] = conformance.Run(t, target, conformancePlans()...)
			})
		})
	}
	running.Wait()
	if t.Failed() || !conformance.Complete(results[0]) {
		return // what was found is above, or only a part was asked for
	}
	if results[1] != nil {
		if diff := cmp.Diff(results[0], results[1]); diff != "" {
			t.Errorf("the engines differ (-embedded +PostgreSQL):\n%s", diff)
		}
	}
	checkConformanceDocument(t, conformance.Report(results[0]))
}

func conformancePlans() []conformance.Plan {
	return append(conformance.ReleasePlans(), conformance.Dynamic(), conformance.FAPI2SecurityProfile())
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
const conformancePeople = 4

// conformanceRegistrations is how many clients register themselves in a run, and more.
const conformanceRegistrations = 100

// declines are what the modules demand and Gatehouse does not do on purpose.
var declines = map[string]string{
	"implicit flow": "tokens never travel in a browser's address (RFC 9700 section 2.1.2)",
}

// conformanceTarget starts `gatehouse serve` behind TLS, with
// clients and people.
func conformanceTarget(t *testing.T, d *deployment) *conformance.Target {
	t.Helper()
	front, site := newFront(t), &conformance.Site{}
	rp := httptest.NewTLSServer(site)
	t.Cleanup(rp.Close)
	d.vars["GATEHOUSE_ISSUER"] = front.server.URL
	d.vars["GATEHOUSE_OUTBOUND_NETWORKS"] = "127.0.0.0/8"
	d.vars["SSL_CERT_FILE"] = keepFile(t, "rp.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rp.Certificate().Raw}))
	people := conformanceCrowd(d)
	var initial struct {
		Token string `json:"initial_access_token"`
	}
	d.command("", &initial, "client", "initial-access-token", "--json", "--uses", fmt.Sprint(conformanceRegistrations))
	clients := conformanceClients(d, rp.URL)
	front.pass(t, d.spawn().server.url)
	return &conformance.Target{
		Issuer: front.server.URL, Transport: front.server.Client().Transport, Clock: time.Now,
		Clients: clients, Site: site, SiteURL: rp.URL, InitialToken: initial.Token, Declines: declines,
		Borrow: func(testing.TB) (conformance.Person, func()) {
			person := <-people
			return person, func() { people <- person }
		},
		RotateKeys: func(t testing.TB) { rotateKeys(t, d) },
		Check:      func(t testing.TB, r *http.Request, res *http.Response) { webtest.CheckResponse(t, r, res) },
	}
}

// conformanceCrowd creates the people.
func conformanceCrowd(d *deployment) chan *conformancePerson {
	d.t.Helper()
	people := make(chan *conformancePerson, conformancePeople)
	for i := range conformancePeople {
		people <- &conformancePerson{d: d, user: d.user(
			"--name", fmt.Sprintf("Pat Example %c", 'A'+i), "--email", fmt.Sprintf("pat%d@example.gov.uk", i),
			"--mobile", fmt.Sprintf("0770090%04d", i), "--username", fmt.Sprintf("PAT_%c", 'A'+i),
		)}
	}
	return people
}

// rotateKeys rotates the signing keys as an operator does.
func rotateKeys(t testing.TB, d *deployment) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"keys", "rotate"}, d.lookup, strings.NewReader(""), &stdout, &stderr); code != exitOK {
		t.Fatalf("gatehouse keys rotate: exit %d\n%s", code, stderr.String())
	}
}

func keepFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
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

// conformanceClients registers what the modules ask for. Those of the OpenID
// Connect plans send no PKCE, but for the one module that is about it.
func conformanceClients(d *deployment, rp string) conformance.Clients {
	d.t.Helper()
	const basic, post = "client_secret_basic", "client_secret_post"
	told := conformanceClient(d, "told", basic, "--pkce-optional", "--backchannel-logout-uri", rp+"/told")
	told.BackchannelLogoutURI = rp + "/told"
	return conformance.Clients{
		Basic: conformanceClient(d, "basic", basic, "--pkce-optional"), Basic2: conformanceClient(d, "basic2", basic, "--pkce-optional"),
		Post: conformanceClient(d, "post", post, "--pkce-optional"), Backchannel: told,
		FAPI: fapiClient(d, "fapi"), FAPI2: fapiClient(d, "fapi2", "?dummy1=lorem&dummy2=ipsum"),
	}
}

// conformanceClient registers a client for what OpenID Connect lets ask.
func conformanceClient(d *deployment, id, method string, more ...string) *conformance.Client {
	d.t.Helper()
	c := &conformance.Client{
		ID: id, AuthMethod: method,
		RedirectURI: "https://rp.example.test/" + id + "/cb", PostLogoutRedirectURI: "https://rp.example.test/" + id + "/bye",
	}
	args := []string{
		"--id", id, "--name", "Conformance " + id, "--auth-method", method, "--redirect-uri", c.RedirectURI,
		"--post-logout-redirect-uri", c.PostLogoutRedirectURI, "--grant", "authorization_code", "--grant", "refresh_token",
	}
	for _, scope := range []string{"openid", "profile", "email", "phone", "offline_access"} {
		args = append(args, "--scope", scope)
	}
	c.Secret = d.client(append(args, more...)...).ClientSecret
	return c
}

// fapiClient registers a client of the FAPI 2.0 Security Profile; a query is
// part of a second redirect URI, which is the one that is used.
func fapiClient(d *deployment, id string, query ...string) *conformance.Client {
	d.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		d.t.Fatal(err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: key.Public(), KeyID: id, Algorithm: "ES256", Use: "sig"}, {Key: rsaKey.Public(), KeyID: id + "-rsa", Algorithm: "PS256", Use: "sig"},
	}})
	if err != nil {
		d.t.Fatal(err)
	}
	more := []string{"--jwks", keepFile(d.t, id+".json", keys), "--id-token-alg", "ES256", "--require-pushed-authorization-requests", "--dpop-bound-access-tokens"}
	for _, q := range query {
		more = append(more, "--redirect-uri", "https://rp.example.test/"+id+"/cb"+q)
	}
	c := conformanceClient(d, id, "private_key_jwt", more...)
	c.RedirectURI += strings.Join(query, "")
	c.Key, c.RSAKey, c.KeyID = key, rsaKey, id
	return c
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
	if f := page.Form("/signout"); f != nil {
		return conformance.SignOut, f
	}
	if f := page.Form("/consent"); f != nil {
		f.Fields.Set("consent", map[bool]string{false: "accept", true: "deny"}[refuse])
		return conformance.Consent, f
	}
	return "", nil
}
