package directory

import (
	"maps"
	"slices"
	"strings"
)

// Wording is a text that somebody else gave, such as the name of a service: for
// everybody, and perhaps another for those who read some language.
type Wording struct {
	Plain string
	// In are the others, by the BCP 47 tags that they were given with, in any letter case.
	In map[string]string
}

// For returns the text for who reads a language: the one that was given for just
// this language, else one for it as it is written or spoken somewhere, else the
// one for everybody.
func (w Wording) For(l Language) string {
	tags := slices.Sorted(maps.Keys(w.In))
	for _, fits := range []func(tag string) bool{
		func(tag string) bool { return strings.EqualFold(tag, string(l)) },
		func(tag string) bool { return l != "" && ReadLanguage(tag) == l },
	} {
		if i := slices.IndexFunc(tags, fits); i >= 0 {
			return w.In[tags[i]]
		}
	}
	return w.Plain
}
