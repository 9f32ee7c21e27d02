package authn_test

import (
	"testing"

	"gatehouse/authn"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// FuzzIdentifier looks for something typed that a store answers with an error
// instead of somebody or nobody.
func FuzzIdentifier(f *testing.F) {
	for _, identifier := range []string{"alice", "ａｌｉｃｅ＠example.com.", "+44 7700 900123", "alice\x00", "\xff@\xff", "@", "xn--@xn--", "0"} {
		f.Add(identifier)
	}
	s := &authn.Service{Directory: storage.Directory{DB: storagetest.Open(f).DB}}
	f.Fuzz(func(t *testing.T, identifier string) {
		user, err := s.Identify(t.Context(), identifier)
		if err != nil || user != nil {
			t.Errorf("%q: %v, %v", identifier, user, err)
		}
	})
}
