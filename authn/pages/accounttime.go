package pages

import "time"

// Day words a moment in the language of the page, such as "1 March 2026 at 09:05 UTC".
func (c catalogue) Day(t time.Time) string { return c.language().Moment(t) }

// Stamp is a moment for programs that read the page.
func (catalogue) Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
