package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// TestAReplicaMintsWithNoKeyThatAnotherDoesNotServe lets one replica rotate every
// quarter of an hour while the other hears of it nine minutes late, which is
// much later than a replica ever does: whoever asks the late one for the keys
// still finds the key of every token that the other signs, and of every token
// that the late one signs at the other.
func TestAReplicaMintsWithNoKeyThatAnotherDoesNotServe(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		clock := newMoving()
		prompt, late := ensured(t, keysOn(t, s, clock)), ensured(t, keysOn(t, s, clock))
		prompt.RotateEvery, late.RotateEvery = 15*time.Minute, 15*time.Minute
		kids := map[string]bool{}
		for minute := range 90 {
			clock.Advance(time.Minute)
			if err := prompt.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if minute%9 == 0 {
				if err := late.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for _, alg := range []string{oauth.ES256, oauth.EdDSA} {
				kid := kidOf(t, sign(t, prompt, alg))
				kids[kid] = true
				if !strings.Contains(served(t, late), kid) {
					t.Errorf("minute %d: a token's %s key is not served by the replica that is late", minute, alg)
				}
				if !strings.Contains(served(t, prompt), kidOf(t, sign(t, late, alg))) {
					t.Errorf("minute %d: the late replica's %s key is not served by the other", minute, alg)
				}
			}
		}
		if len(kids) < 8 {
			t.Errorf("only %d keys signed: nothing was rotated", len(kids))
		}
	})
}

// served is the JWKS that a replica serves.
func served(t *testing.T, k *oauth.Keys) string {
	t.Helper()
	w := httptest.NewRecorder()
	if err := k.JWKS(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/oauth/jwks", nil)); err != nil {
		t.Fatal(err)
	}
	return w.Body.String()
}
