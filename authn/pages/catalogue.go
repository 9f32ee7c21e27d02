package pages

import (
	"fmt"
	"maps"

	"gatehouse/directory"
)

// catalogue holds every sentence of the pages in one language. A text may hold
// %s; nothing else of a page is language.
type catalogue map[string]string

// T returns the text of a key for a template, with args in the places of %s.
// A key without a text is an error, so that no page is shown with a hole in it.
func (c catalogue) T(key string, args ...any) (string, error) {
	text, known := c[key]
	if !known {
		return "", fmt.Errorf("catalogue: no text %q", key)
	}
	if len(args) == 0 {
		return text, nil
	}
	return fmt.Sprintf(text, args...), nil
}

// text is T for keys written in Go, which a test compares with the catalogue.
func (c catalogue) text(key string) string { return c[key] }

// language is the language of the texts.
func (c catalogue) language() directory.Language { return directory.Language(c["lang"]) }

// catalogues are the texts of each language.
var catalogues = map[directory.Language]catalogue{directory.English: english, directory.Welsh: welsh}

// english says everything that the pages say.
var english = together(englishCommon, englishSignIn, englishJoin, englishConsent, englishAccount)

// welsh says the same.
var welsh = together(welshCommon, welshSignIn, welshJoin, welshConsent, welshAccount)

// together is one catalogue of several, one for each area of the pages.
func together(areas ...catalogue) catalogue {
	all := catalogue{}
	for _, area := range areas {
		maps.Copy(all, area)
	}
	return all
}
