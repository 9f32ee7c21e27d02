package directory

import (
	"context"
	"strings"
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
