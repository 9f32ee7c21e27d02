package pages

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestCatalogueHoldsExactlyTheTextsThatAreUsed keeps a translation complete and
// free of what nobody reads.
func TestCatalogueHoldsExactlyTheTextsThatAreUsed(t *testing.T) {
	used := map[string]bool{}
	note := func(pattern string, source []byte) {
		for _, match := range regexp.MustCompile(pattern).FindAllSubmatch(source, -1) {
			used[string(match[1])] = true
		}
	}
	for _, glob := range []string{"templates/*.html", "*.go"} {
		names, err := fs.Glob(os.DirFS("."), glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, ".html") {
				note(`\.T "([^"]+)"`, source)
			} else if !strings.HasPrefix(name, "catalogue") && !strings.HasSuffix(name, "_test.go") {
				note(`\.text\("([^"]+)"`, source)
				note(`\.frame\(r, "([^"]+)"`, source)
			}
		}
	}
	for key := range used {
		if _, known := english[key]; !known {
			t.Errorf("no text for %q", key)
		}
	}
	for key := range english {
		built := strings.HasPrefix(key, "error.") || strings.HasPrefix(key, "scope.") || strings.HasPrefix(key, "activity.") || strings.HasSuffix(key, ".missing")
		if !used[key] && !built {
			t.Errorf("nobody uses %q", key)
		}
	}
}

func TestEveryErrorHasATitleAndAText(t *testing.T) {
	for key := range english {
		if status, isTitle := strings.CutSuffix(key, ".title"); isTitle && strings.HasPrefix(key, "error.") {
			if english[status+".text"] == "" {
				t.Errorf("no text for %s", status)
			}
		}
	}
}
