package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// moduleRoot is where this module starts, seen from this package.
const moduleRoot = "../.."

// maxFileLines is how long a file may be before it is more than one room.
const maxFileLines = 450

// goFiles returns the module's own Go files without tests, by directory.
func goFiles(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(moduleRoot, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != moduleRoot && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata") {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			files[filepath.Dir(path)] = append(files[filepath.Dir(path)], path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestEveryPackageIntroducesItself(t *testing.T) {
	for dir, files := range goFiles(t) {
		var introductions []string
		for _, path := range files {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if file.Doc == nil {
				continue
			}
			introductions = append(introductions, filepath.Base(path))
			want := "Package " + file.Name.Name + " "
			if file.Name.Name == "main" {
				want = "Command " + filepath.Base(dir) + " "
			}
			if !strings.HasPrefix(file.Doc.Text(), want) {
				t.Errorf("%s: the package comment must start with %q", path, want)
			}
		}
		if len(introductions) != 1 || introductions[0] != "doc.go" && introductions[0] != "main.go" {
			t.Errorf("%s: want one package comment, in doc.go or main.go; it stands in %q", dir, introductions)
		}
	}
}

func TestEveryFileIsOneRoom(t *testing.T) {
	for _, files := range goFiles(t) {
		for _, path := range files {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if lines := bytes.Count(content, []byte("\n")); lines > maxFileLines {
				t.Errorf("%s has %d lines, more than %d", path, lines, maxFileLines)
			}
		}
	}
}

// TestSQLiteRunsOnItsOwnLibc guards against a go get that lifts modernc.org/libc
// by itself: the driver is generated for one version of it and may crash or
// corrupt on another.
func TestSQLiteRunsOnItsOwnLibc(t *testing.T) {
	path, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.GoMod}}", "modernc.org/sqlite").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := requirement(t, strings.TrimSpace(string(path)), "modernc.org/libc")
	if got := requirement(t, filepath.Join(moduleRoot, "go.mod"), "modernc.org/libc"); got != want {
		t.Errorf("go.mod requires modernc.org/libc %s; modernc.org/sqlite is built for %s", got, want)
	}
}

// TestTokensAreParsedByAMendedLibrary keeps fosite from going back to the
// go-jose that it asks for itself, which a hostile token can exhaust.
func TestTokensAreParsedByAMendedLibrary(t *testing.T) {
	const module, want = "github.com/go-jose/go-jose/v3", "v3.0.5"
	if got := requirement(t, filepath.Join(moduleRoot, "go.mod"), module); got != want {
		t.Errorf("go.mod requires %s %s, want %s", module, got, want)
	}
}

// requirement returns the version of module that a go.mod file requires.
func requirement(t *testing.T, goMod, module string) string {
	t.Helper()
	content, err := os.ReadFile(goMod)
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(regexp.QuoteMeta(module) + ` (v\S+)`).FindSubmatch(content)
	if match == nil {
		t.Fatalf("%s does not require %s", goMod, module)
	}
	return string(match[1])
}
