package directory

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"
)

// Language is one that people are spoken to in, named by its BCP 47 tag. The
// zero value is none in particular.
type Language string

// The languages.
const (
	English Language = "en"
	Welsh   Language = "cy"
)

// Languages are all there are, the one for everybody else first.
func Languages() []Language { return []Language{English, Welsh} }

// ReadLanguage returns the language of a BCP 47 tag, whose region and script do
// not matter here: "cy-GB" is Welsh. "" for one that is not spoken here.
func ReadLanguage(tag string) Language {
	primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
	for _, l := range Languages() {
		if string(l) == primary {
			return l
		}
	}
	return ""
}

// moments say how each language words a moment: its months, and the order of
// day, month, year and time of day.
var moments = map[Language]struct{ months, order string }{
	English: {"January February March April May June July August September October November December", "%d %s %d at %s UTC"},
	Welsh:   {"Ionawr Chwefror Mawrth Ebrill Mai Mehefin Gorffennaf Awst Medi Hydref Tachwedd Rhagfyr", "%d %s %d am %s UTC"},
}

// Moment words a moment for people, such as "1 March 2026 at 09:05 UTC"; in
// English where the language is none in particular.
func (l Language) Moment(t time.Time) string {
	t = t.UTC()
	words := moments[cmp.Or(l, English)]
	return fmt.Sprintf(words.order, t.Day(), strings.Fields(words.months)[t.Month()-1], t.Year(), t.Format("15:04"))
}

type languageKey struct{}

// WithLanguage returns a context that carries the language of the person whose
// request it is.
func WithLanguage(ctx context.Context, l Language) context.Context {
	return context.WithValue(ctx, languageKey{}, l)
}

// LanguageFrom returns the language of the person whose request it is; "" where
// no person asks, as in the directory API.
func LanguageFrom(ctx context.Context) Language {
	l, _ := ctx.Value(languageKey{}).(Language)
	return l
}
