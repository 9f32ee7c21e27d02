package storage_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var statement = regexp.MustCompile(`(?i)^\s*(select|insert\s+into|update|delete\s+from|with)\s`)

// unportable is SQL that one of the engines does not know, or reads differently.
var unportable = regexp.MustCompile(`(?i)\bnow\(\)|\bcurrent_(timestamp|date|time)\b|::|\bfor\s+(update|share)\b|\bskip\s+locked\b|\bilike\b|` +
	`\bany\s*\(|\binterval\b|\bdistinct\s+on\b|\b(greatest|least|random|gen_random_uuid|strftime|datetime|unixepoch|date_trunc|extract|to_char)\s*\(|` +
	`\barray\s*\[|\binsert\s+or\b|\browid\b|\bautoincrement\b|\?|\bwith\b[^;]*\(\s*(insert|update|delete)\b`)

// Statements are constants: a value reaches the database as a parameter or not at
// all. This looks at the source, because no test of behaviour can show it.
func TestStatementsAreConstantAndPortable(t *testing.T) {
	files := sources(t)
	constants := constantNames(files)
	found := 0
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if !anyStatement(operands(n)) {
					return true
				}
				for _, part := range []ast.Expr{n.X, n.Y} {
					if _, sum := part.(*ast.BinaryExpr); !sum && !isConstant(part, constants) {
						t.Errorf("%s: a statement is put together from something that is not a constant", position(part))
					}
				}
			case *ast.CallExpr:
				if name, ok := builder(n); ok && anyStatement(n.Args) {
					t.Errorf("%s: a statement is built with %s", position(n), name)
				}
			case *ast.BasicLit:
				sql, ok := text(n)
				if !ok || !statement.MatchString(sql) {
					return true
				}
				found++
				if fault := unportable.FindString(sql); fault != "" {
					t.Errorf("%s: %q is not portable", position(n), fault)
				}
			}
			return true
		})
	}
	if found < 40 {
		t.Errorf("found only %d statements: does this test still know them?", found)
	}
}

var fileSet = token.NewFileSet()

func position(n ast.Node) token.Position { return fileSet.Position(n.Pos()) }

func sources(t *testing.T) []*ast.File {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fileSet, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func constantNames(files []*ast.File) map[string]bool {
	names := map[string]bool{}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.CONST {
				for _, spec := range d.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						names[name.Name] = true
					}
				}
			}
			return true
		})
	}
	return names
}

// operands flattens a + b + c, which is (a + b) + c.
func operands(e ast.Expr) []ast.Expr {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.ADD {
		return append(operands(b.X), operands(b.Y)...)
	}
	return []ast.Expr{e}
}

func anyStatement(parts []ast.Expr) bool {
	for _, part := range parts {
		if sql, ok := text(part); ok && statement.MatchString(sql) {
			return true
		}
	}
	return false
}

func isConstant(e ast.Expr, constants map[string]bool) bool {
	if _, literal := text(e); literal {
		return true
	}
	name, ok := e.(*ast.Ident)
	return ok && constants[name.Name]
}

// text returns the value of a string literal.
func text(n ast.Node) (string, bool) {
	literal, ok := n.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(literal.Value)
	return s, err == nil
}

// builder reports whether a call makes a string out of others.
func builder(call *ast.CallExpr) (string, bool) {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	from, ok := selector.X.(*ast.Ident)
	return selector.Sel.Name, ok && (from.Name == "fmt" && strings.HasPrefix(selector.Sel.Name, "Sprint") || from.Name == "strings")
}
