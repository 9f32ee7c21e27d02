package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/web/webtest"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// testPassword is the seeds' own example.
const testPassword = "SecurePassword123!"

// deployment is a configuration that servers and commands of a test share, as
// the environment of a production deployment is shared.
type deployment struct {
	t      *testing.T
	vars   map[string]string
	outbox string
}

// newDeployment returns a deployment on the stores of c.
func newDeployment(t *testing.T, c storage.Config) *deployment {
	t.Helper()
	dir := c.Dir
	if dir == "" {
		dir = t.TempDir()
	}
	d := &deployment{t: t, outbox: filepath.Join(t.TempDir(), "outbox.jsonl")}
	d.vars = map[string]string{
		"GATEHOUSE_DATA": dir, "GATEHOUSE_DATABASE_URL": c.DatabaseURL, "GATEHOUSE_REDIS_URL": c.RedisURL,
		"GATEHOUSE_REDIS_PREFIX": c.RedisPrefix, "GATEHOUSE_ADDR": "127.0.0.1:0", "GATEHOUSE_MESSAGES": "file:" + d.outbox,
		"GATEHOUSE_LOG_LEVEL": "warn",
		// What is promised of a store that hangs has tests of its own.
		"GATEHOUSE_REQUEST_TIMEOUT": longestRequest.String(),
	}
	if c.MaxConns > 0 {
		d.vars["GATEHOUSE_MAX_CONNS"] = fmt.Sprint(c.MaxConns)
	}
	return d
}

// eachDeployment runs a test on every engine.
func eachDeployment(t *testing.T, test func(t *testing.T, d *deployment)) {
	t.Helper()
	storagetest.EachConfig(t, func(t *testing.T, c storage.Config) { test(t, newDeployment(t, c)) })
}

func (d *deployment) lookup(name string) (string, bool) {
	value, ok := d.vars[name]
	return value, ok
}

// command runs a command to its end and decodes what it prints into v.
func (d *deployment) command(stdin string, v any, args ...string) {
	d.t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(d.t.Context(), args, d.lookup, strings.NewReader(stdin), &stdout, &stderr); code != exitOK {
		d.t.Fatalf("gatehouse %s: exit %d\n%s", strings.Join(args, " "), code, stderr.String())
	}
	if err := json.Unmarshal(stdout.Bytes(), v); err != nil {
		d.t.Fatalf("gatehouse %s printed no JSON: %v\n%s", strings.Join(args, " "), err, stdout.String())
	}
}

// clientOutput is a client as commands print it.
type clientOutput = oauth.ClientDocument

// client creates an OAuth client.
func (d *deployment) client(args ...string) clientOutput {
	d.t.Helper()
	var c clientOutput
	d.command("", &c, append([]string{"client", "create", "--json"}, args...)...)
	return c
}

// user creates a user with testPassword.
func (d *deployment) user(args ...string) userOutput {
	d.t.Helper()
	var u userOutput
	d.command(testPassword+"\n", &u, append([]string{"user", "create", "--password-stdin", "--json"}, args...)...)
	return u
}

// server is a running instance.
type server struct {
	t    *testing.T
	url  string // where it listens, under the name that the issuer uses
	log  *lockedBuffer
	exit func() int
}

// start runs `gatehouse serve`, or another command that serves, until the test ends.
func (d *deployment) start(args ...string) *server {
	d.t.Helper()
	if len(args) == 0 {
		args = []string{"serve"}
	}
	ctx, cancel := context.WithCancel(context.Background())
	stdout := &lineBuffer{found: make(chan string, 1)}
	stderr := &lockedBuffer{}
	exited := make(chan int, 1)
	go func() { exited <- run(ctx, args, d.lookup, strings.NewReader(""), stdout, stderr) }()
	s := &server{t: d.t, log: stderr}
	s.exit = sync.OnceValue(func() int { cancel(); return <-exited })
	d.t.Cleanup(func() { s.exit() })
	select {
	case addr := <-stdout.found:
		s.url = "http://localhost" + addr[strings.LastIndex(addr, ":"):]
	case code := <-exited:
		d.t.Fatalf("gatehouse %v: exit %d\n%s", args, code, stderr)
	case <-time.After(time.Minute):
		d.t.Fatalf("gatehouse %v did not start\n%s", args, stderr)
	}
	return s
}

// lineBuffer finds the line that says where a server listens.
type lineBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
	found  chan string
}

var listening = regexp.MustCompile(`listening on http://(\S+)\n`)

func (l *lineBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buffer.Write(p)
	if m := listening.FindSubmatch(l.buffer.Bytes()); m != nil {
		select {
		case l.found <- string(m[1]):
		default:
		}
	}
	return len(p), nil
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.String()
}

// response is an answer read to its end.
type response struct {
	status int
	header http.Header
	body   string
}

func (r response) json(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		t.Fatalf("%d: no JSON: %v\n%s", r.status, err, r.body)
	}
}

// browser keeps cookies and follows no redirect by itself.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// do sends a request and reads the answer, which must be one that openapi.yaml has.
func do(t *testing.T, c *http.Client, r *http.Request) response {
	t.Helper()
	res := fetch(t, c, r)
	webtest.CheckResponse(t, r, &http.Response{StatusCode: res.status, Header: res.header, Body: io.NopCloser(strings.NewReader(res.body))})
	return res
}

// fetch is do for an answer that another program gives.
func fetch(t *testing.T, c *http.Client, r *http.Request) response {
	t.Helper()
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{res.StatusCode, res.Header, string(body)}
}

// request makes a request; body may be url.Values, a string of JSON or nil.
func request(t *testing.T, method, target string, body any, header ...string) *http.Request {
	t.Helper()
	var reader io.Reader = http.NoBody
	contentType := ""
	switch b := body.(type) {
	case url.Values:
		reader, contentType = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	case string:
		reader, contentType = strings.NewReader(b), "application/json"
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, reader)
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// token gets an access token for a client on its own.
func (s *server) token(c clientOutput, scope string) string {
	s.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}
	if scope != "" {
		form.Set("scope", scope)
	}
	r := request(s.t, http.MethodPost, s.url+"/oauth/token", form)
	r.SetBasicAuth(c.ClientID, c.ClientSecret)
	res := do(s.t, http.DefaultClient, r)
	var body struct {
		AccessToken string `json:"access_token"`
	}
	res.json(s.t, &body)
	if body.AccessToken == "" {
		s.t.Fatalf("no token: %d %s", res.status, res.body)
	}
	return body.AccessToken
}

// call calls an API with a bearer token.
func (s *server) call(token, method, path string, body any) response {
	s.t.Helper()
	return do(s.t, http.DefaultClient, request(s.t, method, s.url+path, body, "Authorization", "Bearer "+token))
}

// outboxEntry is a line of the file that messages are written to.
type outboxEntry struct {
	Channel         string         `json:"channel"`
	To              string         `json:"to"`
	Template        string         `json:"template"`
	Personalisation map[string]any `json:"personalisation"`
	Body            string         `json:"body"`
}

// messages returns what was sent to somebody, oldest first.
func (d *deployment) messages(to string) []outboxEntry {
	d.t.Helper()
	content, err := os.ReadFile(d.outbox)
	if err != nil && !os.IsNotExist(err) {
		d.t.Fatal(err)
	}
	var all []outboxEntry
	for line := range strings.Lines(string(content)) {
		if !strings.HasSuffix(line, "\n") {
			break // it is being written
		}
		var e outboxEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			d.t.Fatal(err)
		}
		if e.To == to {
			all = append(all, e)
		}
	}
	return all
}

// code waits for the n-th code sent to somebody and returns it.
func (d *deployment) code(to string, n int) string {
	d.t.Helper()
	code := ""
	eventually(d.t, fmt.Sprintf("message %d is sent", n), func() bool {
		sent := d.messages(to)
		if len(sent) < n {
			return false
		}
		code, _ = sent[n-1].Personalisation["verify_code"].(string)
		return true
	})
	return code
}

// eventually waits until a condition holds, for as long as a machine may take that
// has much else to do.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
