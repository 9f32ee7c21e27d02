package message

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strings"

	"gatehouse/internal/web"
)

// DevOutbox shows what a [FileSender] wrote, for development.
type DevOutbox struct{ Path string }

var devOutboxPage = template.Must(template.ParseFS(templates, "templates/devoutbox.page"))

// devOutboxPolicy allows the stylesheet and nothing else.
const devOutboxPolicy = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// Handler answers with every message, oldest first: as a JSON array to who
// accepts application/json, and as a page otherwise.
func (d *DevOutbox) Handler(w http.ResponseWriter, r *http.Request) error {
	entries, err := d.entries()
	if err != nil {
		return err
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		return web.WriteJSON(w, http.StatusOK, entries)
	}
	var page bytes.Buffer
	if err := devOutboxPage.Execute(&page, entries); err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", devOutboxPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page.Bytes()) // the browser has gone when this fails
	return nil
}

func (d *DevOutbox) entries() ([]Entry, error) {
	entries := []Entry{} // an empty array, not null
	text, err := os.ReadFile(d.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	for line := range bytes.Lines(text) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // being written
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("read outbox: %w", err)
		}
		entries = append(entries, e)
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.At.Compare(b.At) })
	return entries, nil
}
