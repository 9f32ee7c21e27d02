package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the README and docs/relying-services.md promise a newcomer is run as it
// stands there. Only the addresses are replaced: the tests' server listens on another port.

// relyingPage is the page that tells how services use Gatehouse.
const relyingPage = "docs/relying-services.md"

func documentation(t *testing.T, page string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// documentedCode is the n-th fenced block of a language on a page, from 0.
func documentedCode(t *testing.T, page, language string, n int) string {
	t.Helper()
	blocks := strings.Split(documentation(t, page), "```"+language+"\n")
	if len(blocks) < n+2 {
		t.Fatalf("%s has no %s block %d", page, language, n)
	}
	code, _, _ := strings.Cut(blocks[n+1], "```")
	return code
}

// documentedHalves is the block, cut before the comment that begins its second half.
func documentedHalves(t *testing.T, page, language string, n int, comment string) (first, second string) {
	t.Helper()
	first, second, ok := strings.Cut(documentedCode(t, page, language, n), comment)
	if !ok {
		t.Fatalf("the %s block of %s has no %q", language, page, comment)
	}
	return first, comment + second
}

var shellWord = regexp.MustCompile(`"[^"]*"|\S+`)

// documentedClients runs the commands of a page that register clients, with
// some of their text replaced, and returns the clients by their ids.
func (d *deployment) documentedClients(page string, replace ...string) map[string]clientOutput {
	d.t.Helper()
	all := map[string]clientOutput{}
	text := strings.ReplaceAll(documentation(d.t, page), "\\\n", " ")
	for line := range strings.Lines(strings.NewReplacer(replace...).Replace(text)) {
		_, command, ok := strings.Cut(line, "gatehouse client create ")
		if !ok || !strings.HasPrefix(line, "    ") {
			continue
		}
		words := shellWord.FindAllString(command, -1)
		for i := range words {
			words[i] = strings.Trim(words[i], `"`)
		}
		c := d.client(words...)
		all[c.ClientID] = c
	}
	return all
}

const goAround = `package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func main() {
	ctx, secret, state, nonce := context.Background(), os.Getenv("SECRET"), "the-state-1234", "the-nonce-1234"
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
%s
	fmt.Println(w.Header().Get("Location"))
	back := bufio.NewScanner(os.Stdin)
	back.Scan()
	r = httptest.NewRequest("GET", back.Text(), nil)
%s
	if err != nil || idToken.Nonce != nonce {
		panic(err)
	}
	fmt.Println(idToken.Subject)
	for back.Scan() {
		r.Header.Set("Authorization", "Bearer "+back.Text())
		fmt.Println(call(ctx, r))
	}
}

func call(ctx context.Context, r *http.Request) error {
%s
	return nil
}
`

const nodeAround = `import readline from 'node:readline'
const secret = process.env.SECRET, state = 'the-state-1234', nonce = 'the-nonce-1234'
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
%s
console.log(url.href)
const currentUrl = new URL((await lines.next()).value)
%s
%s
for await (const token of lines) {
  await call(new Request('http://localhost/', { headers: { authorization: 'Bearer ' + token } }))
    .then(() => console.log('<nil>'), (error) => console.log(error.message))
}

async function call(request) {
%s
}
`

func TestReadmeSignsAPersonInFromGo(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, sqliteConfig(t))
	there, back := documentedHalves(t, "README.md", "go", 0, "// In the handler")
	program := filepath.Join(t.TempDir(), "main.go")
	d.tryReadme(program, fmt.Sprintf(goAround, there, back, documentedCode(t, relyingPage, "go", 0)), "go", "run", program)
}

func TestReadmeSignsAPersonInFromNode(t *testing.T) {
	t.Parallel()
	needNode(t, "openid-client")
	d := newDeployment(t, sqliteConfig(t))
	there, back := documentedHalves(t, "README.md", "js", 0, "// With the URL")
	api, request := documentedHalves(t, relyingPage, "js", 0, "// For each request")
	back = strings.Replace(back, "tokens.claims().sub", "console.log(tokens.claims().sub)", 1)
	// Node looks for packages from where the file is.
	program := filepath.Join("testdata", "openid-client", "readme.tmp.mjs")
	t.Cleanup(func() { _ = os.Remove(program) })
	d.tryReadme(program, fmt.Sprintf(nodeAround, there, back, api, request), "node", program)
}

// tryReadme signs a person in to a program made from the README. It prints where
// to send the browser, reads where the browser came back to, and prints who it is.
// Then it is the API of the page about relying services, and prints what it makes
// of each token that it reads.
func (d *deployment) tryReadme(program, source string, command ...string) {
	t := d.t
	t.Helper()
	person, s := d.person(), d.start()
	shop, robot := d.documentedClients("README.md")["shop"], d.documentedClients(relyingPage)["robot"]
	source = strings.ReplaceAll(source, "http://localhost:8080", s.url)
	if err := os.WriteFile(program, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	stdin, stdout := d.program(append(os.Environ(), "SECRET="+shop.ClientSecret), command...)
	j := d.journey(s)
	j.get(stdout())
	j.signIn(person, 1)
	j.consent("accept")
	if !strings.HasPrefix(j.at, shop.RedirectURIs[0]) {
		t.Fatalf("at %s: %d %s", j.at, j.last.status, j.last.body)
	}
	fmt.Fprintln(stdin, j.at)
	if got := stdout(); got != person.ID.String() {
		t.Errorf("the program says that %q signed in, not %s", got, person.ID)
	}
	for _, token := range []struct {
		what, raw string
		taken     bool
	}{
		{"a token for the API", s.tokenFor(robot, "THINGS_READ", thingsAPI), true},
		{"a token for Gatehouse", s.token(robot, "THINGS_READ"), false},
		{"a token with another scope", s.tokenFor(robot, "THINGS_WRITE", thingsAPI), false},
	} {
		fmt.Fprintln(stdin, token.raw)
		if got := stdout(); (got == "<nil>") != token.taken {
			t.Errorf("%s: %s", token.what, got)
		}
	}
}

// program starts another program until the test ends, and returns what writes to
// it and what reads its next line.
func (d *deployment) program(env []string, command ...string) (io.Writer, func() string) {
	d.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Env, c.Stderr = env, os.Stderr
	stdin, err := c.StdinPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { cancel(); _ = c.Wait() }) // it may have been killed: the exit code says nothing
	lines := bufio.NewScanner(stdout)
	return stdin, func() string {
		d.t.Helper()
		if !lines.Scan() {
			d.t.Fatalf("%s ended without a line: %v", command[0], lines.Err())
		}
		return lines.Text()
	}
}
