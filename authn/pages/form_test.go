package pages

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParseFields: whatever is accepted has one value of clean text for each
// name, and encodes to what was read.
func FuzzParseFields(f *testing.F) {
	for _, seed := range []string{"", "a=b", "a=b&a=c", "a=%00", "a=%ff", "a;b", "%zz", "a=b&c", "=&=", "a+b=c%2Bd"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		form, err := parseFields(encoded)
		if err != nil {
			return
		}
		values, err := url.ParseQuery(encoded)
		if err != nil || len(values) != len(form) {
			t.Fatalf("%q: %v", encoded, err)
		}
		for name, value := range form {
			if len(values[name]) != 1 || values.Get(name) != value || !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
				t.Errorf("%q: %q=%q", encoded, name, value)
			}
		}
	})
}

// FuzzContentPolicy: a relying service's redirect URI adds one source and no directive.
func FuzzContentPolicy(f *testing.F) {
	for _, seed := range []string{"", "https://rp.example", "com.example.app:", "x; script-src *", "a b", "a,b", "'unsafe-inline'", "a\r\nb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, action string) {
		policy := contentPolicy(action)
		if strings.Count(policy, ";") != strings.Count(contentPolicy(""), ";") || strings.ContainsAny(policy, "\r\n,") {
			t.Errorf("%q: %q", action, policy)
		}
	})
}
