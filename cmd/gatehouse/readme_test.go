package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What the README promises a newcomer is run as it stands there. Only the
// addresses are replaced: the tests' server listens on another port.

// readmeBlock is the fenced block of a language that comes first in the README.
func readmeBlock(t *testing.T, language string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(content), "```"+language+"\n")
	block, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatalf("the README has no %s block", language)
	}
	return block
}

// readmeClient runs the README's command that registers a service.
func (d *deployment) readmeClient() clientOutput {
	d.t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		d.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(content), "go run ./cmd/gatehouse client create ")
	line, _, ok := strings.Cut(rest, "\n\n")
	if !ok {
		d.t.Fatal("the README registers no service")
	}
	line = strings.NewReplacer("\\\n", " ", `"The shop"`, "Shop").Replace(line)
	return d.client(strings.Fields(line)...)
}

const goAround = `package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

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
}
`

func TestReadmeSignsAPersonInFromGo(t *testing.T) {
	d := newDeployment(t, sqliteConfig(t))
	there, back, ok := strings.Cut(readmeBlock(t, "go"), "// In the handler")
	if !ok {
		t.Fatal("the README's Go block has no second half")
	}
	program := filepath.Join(t.TempDir(), "main.go")
	d.tryReadme(program, fmt.Sprintf(goAround, there, "// In the handler"+back), "go", "run", program)
}

func TestReadmeSignsAPersonInFromNode(t *testing.T) {
	needNode(t, "openid-client")
	d := newDeployment(t, sqliteConfig(t))
	there, back, ok := strings.Cut(readmeBlock(t, "js"), "// With the URL")
	if !ok {
		t.Fatal("the README's JavaScript block has no second half")
	}
	around := "import readline from 'node:readline'\n" +
		"const secret = process.env.SECRET, state = 'the-state-1234', nonce = 'the-nonce-1234'\n" + there +
		"console.log(url.href)\n" +
		"const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()\n" +
		"const currentUrl = new URL((await lines.next()).value)\n" +
		strings.Replace("// With the URL"+back, "tokens.claims().sub", "console.log(tokens.claims().sub)\nprocess.exit(0)", 1)
	// Node looks for packages from where the file is.
	program := filepath.Join("testdata", "openid-client", "readme.tmp.mjs")
	t.Cleanup(func() { _ = os.Remove(program) })
	d.tryReadme(program, around, "node", program)
}

// tryReadme signs a person in to a program made from the README. It prints where
// to send the browser, reads where the browser came back to, and prints who it is.
func (d *deployment) tryReadme(program, source string, command ...string) {
	t := d.t
	t.Helper()
	person, s := d.person(), d.start()
	shop := d.readmeClient()
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
