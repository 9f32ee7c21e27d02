package pages

import (
	"fmt"
	"strings"
	"time"
)

// Day words a moment in the language of the page, such as "1 March 2026 at 09:05 UTC".
func (c catalogue) Day(t time.Time) string {
	t = t.UTC()
	months := strings.Fields(c.text("months"))
	return fmt.Sprintf(c.text("moment"), t.Day(), months[t.Month()-1], t.Year(), t.Format("15:04"))
}

// Stamp is a moment for programs that read the page.
func (catalogue) Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
