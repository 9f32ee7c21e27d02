package pages

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/directory"
)

var placeholder = regexp.MustCompile(`%[sd]`)

// TestCataloguesSayTheSameInEveryLanguage: no page has a hole in a language, and
// none shows a name in the place of another.
func TestCataloguesSayTheSameInEveryLanguage(t *testing.T) {
	for _, l := range directory.Languages() {
		texts := catalogues[l]
		if texts.language() != l {
			t.Errorf("the catalogue of %s says that it is %q", l, texts.language())
		}
		for key, text := range english {
			got, known := texts[key]
			if want := placeholder.FindAllString(text, -1); !known || !slices.Equal(placeholder.FindAllString(got, -1), want) {
				t.Errorf("%s: %s: %q, want a text with %q", l, key, got, want)
			}
			if strings.TrimSpace(got) == "" || strings.HasSuffix(got, ".") != strings.HasSuffix(text, ".") {
				t.Errorf("%s: %s: %q ends otherwise than %q", l, key, got, text)
			}
		}
		for key := range maps.Keys(texts) {
			if _, known := english[key]; !known {
				t.Errorf("%s: %s is in no other catalogue", l, key)
			}
		}
	}
}

// TestAreasOfACatalogueShareNoKey: the second would silently replace the first.
func TestAreasOfACatalogueShareNoKey(t *testing.T) {
	for language, areas := range map[directory.Language][]catalogue{
		directory.English: {englishCommon, englishSignIn, englishJoin, englishConsent, englishAccount},
		directory.Welsh:   {welshCommon, welshSignIn, welshJoin, welshConsent, welshAccount},
	} {
		keys := 0
		for _, area := range areas {
			keys += len(area)
		}
		if keys != len(catalogues[language]) {
			t.Errorf("%s: %d texts in the areas, %d together", language, keys, len(catalogues[language]))
		}
	}
}

// What of a template is not language: actions, tags without the attributes that
// are read out, and a picture's path.
var (
	action    = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	spokenTag = regexp.MustCompile(`\b(?:alt|aria-label|title|placeholder|content)="([^"]*)"`)
	tag       = regexp.MustCompile(`(?s)<[^>]*>`)
	word      = regexp.MustCompile(`\pL{2,}`)
)

// machineReadable are attribute values that no person reads.
var machineReadable = regexp.MustCompile(`^(width=device-width.*|light dark|noindex)$`)

func TestTemplatesHoldNoTextOfTheirOwn(t *testing.T) {
	names, err := filepath.Glob("templates/*.html")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		bare := action.ReplaceAllString(string(source), "")
		for _, value := range spokenTag.FindAllStringSubmatch(bare, -1) {
			if word.MatchString(value[1]) && !machineReadable.MatchString(value[1]) {
				t.Errorf("%s: the attribute %s is not in the catalogue", name, value[0])
			}
		}
		if text := word.FindString(tag.ReplaceAllString(bare, "")); text != "" {
			t.Errorf("%s: %q is not in the catalogue", name, text)
		}
	}
}

// TestCodeHoldsNoTextOfPages looks where Go code fills in what a page shows.
func TestCodeHoldsNoTextOfPages(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile(`fault\{[^}]*, "[^"]|\b(?:Title|Text|Lead):? *=? "[^"]|\b(?:Title|Text)[,a-zA-Z. ]* = "[^"]`)
	for _, name := range names {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := shown.Find(source); found != nil && !strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s: %s is not in the catalogue", name, found)
		}
	}
}
