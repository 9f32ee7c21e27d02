package pagestest

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/chromedp/chromedp"
)

// CheckAccessible fails the test for every rule of WCAG 2.2 AA and of good
// practice that axe-core finds broken on the page.
func (b *Browser) CheckAccessible() {
	b.t.Helper()
	source := b.axe()
	b.Scripts(true)
	defer b.Scripts(false)
	if !get(b, chromedp.Evaluate[bool](`"axe" in window`)) {
		b.do(chromedp.Evaluate[chromedp.Void](source + ";void 0"))
	}
	broken := get(b, chromedp.Evaluate[[]string](`axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
		resultTypes: ["violations"],
	}).then(found => found.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html + " " + n.failureSummary).join("; ")))`,
		chromedp.EvalAwaitPromise))
	for _, rule := range broken {
		b.t.Errorf("%s: %s", b.URL(), rule)
	}
}

// axe returns the source of axe-core, which npm has fetched. Without it the
// test is skipped, or fails in CI.
func (b *Browser) axe() string {
	b.t.Helper()
	_, here, _, _ := runtime.Caller(0)
	root, _, _ := strings.Cut(filepath.ToSlash(here), "authn/pages/pagestest")
	source, err := os.ReadFile(filepath.Join(root, "cmd/gatehouse/testdata/axe/node_modules/axe-core/axe.min.js"))
	if err == nil {
		return string(source)
	}
	if os.Getenv("CI") != "" {
		b.t.Fatal(err)
	}
	b.t.Skip("axe-core is not there: run make test")
	return ""
}
