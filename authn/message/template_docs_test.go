package message

import (
	"os"
	"strings"
	"testing"
)

// documented is the line of docs/configuration.md about a template.
func documented(name string, d definition) string {
	return "| `" + name + "` | " + d.channel + " | `((" + strings.Join(d.keys, "))` `((") + "))` |"
}

// Who words a message in Notify has to know what it is given.
func TestEveryTemplateIsDocumented(t *testing.T) {
	docs, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range definitions {
		if line := documented(name, d); !strings.Contains(string(docs), "\n"+line+"\n") {
			t.Errorf("docs/configuration.md has no line\n%s", line)
		}
	}
}
