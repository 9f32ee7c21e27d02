package oauth_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse/directory"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// moving is a clock that stands still until it is moved.
type moving struct {
	mu  sync.Mutex
	now time.Time
}

func newMoving() *moving { return &moving{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (m *moving) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *moving) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

var operator = directory.Actor{Kind: "operator"}

func testKeyring(t testing.TB) *storage.Keyring {
	t.Helper()
	ring, err := storage.ParseKeyring(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, storage.KeySize)))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// keysOn is one replica's keys. Without RS256 unless asked for: an RSA key takes long to make.
func keysOn(t testing.TB, s *storage.Stores, clock *moving, algs ...string) *oauth.Keys {
	t.Helper()
	if len(algs) == 0 {
		algs = []string{oauth.ES256, oauth.EdDSA}
	}
	return &oauth.Keys{
		Store: storage.OAuthKeys{DB: s.DB}, Audit: storage.Directory{DB: s.DB}, Sealer: testKeyring(t),
		Clock: clock.Now, Log: slog.New(slog.DiscardHandler), Algs: algs,
	}
}

func ensured(t testing.TB, k *oauth.Keys) *oauth.Keys {
	t.Helper()
	if err := k.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t testing.TB, k *oauth.Keys, alg string) string {
	t.Helper()
	token, err := k.Sign(t.Context(), alg, oauth.TypeAccessToken, map[string]any{"sub": "s"})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func kidOf(t testing.TB, token string) string {
	t.Helper()
	head, _, _ := bytes.Cut([]byte(token), []byte("."))
	b, err := base64.RawURLEncoding.DecodeString(string(head))
	if err != nil {
		t.Fatal(err)
	}
	var h struct{ Kid string }
	if err := json.Unmarshal(b, &h); err != nil {
		t.Fatal(err)
	}
	return h.Kid
}

func states(keys []oauth.SigningKey, alg string) []oauth.KeyState {
	var all []oauth.KeyState
	for _, k := range keys {
		if k.Alg == alg {
			all = append(all, k.State)
		}
	}
	slices.Sort(all)
	return all
}

func wantStates(t *testing.T, k *oauth.Keys, alg string, want ...oauth.KeyState) {
	t.Helper()
	keys, err := k.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := states(keys, alg); !slices.Equal(got, want) {
		t.Errorf("%s keys are %v, want %v", alg, got, want)
	}
}

// together runs f n times at once.
func together(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

func TestReplicasThatStartAtOnceShareTheirKeys(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		replicas := make([]*oauth.Keys, 6)
		for i := range replicas {
			replicas[i] = keysOn(t, s, newMoving())
		}
		together(len(replicas), func(i int) {
			if err := replicas[i].Ensure(t.Context()); err != nil {
				t.Error(err)
			}
		})
		for _, alg := range []string{oauth.ES256, oauth.EdDSA} {
			wantStates(t, replicas[0], alg, oauth.ActiveKey, oauth.NextKey)
			for _, r := range replicas {
				if _, err := replicas[0].Verify(t.Context(), sign(t, r, alg)); err != nil {
					t.Errorf("%s: a replica does not verify another's token: %v", alg, err)
				}
			}
		}
	})
}

func TestRotationFailsNoVerification(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		clock := newMoving()
		here, elsewhere := ensured(t, keysOn(t, s, clock, oauth.ES256)), ensured(t, keysOn(t, s, clock, oauth.ES256))
		old := sign(t, here, oauth.ES256)

		clock.Advance(time.Hour)
		if _, err := here.Rotate(t.Context(), operator); err != nil {
			t.Fatal(err)
		}
		fresh := sign(t, here, oauth.ES256)
		if kidOf(t, fresh) == kidOf(t, old) {
			t.Fatal("the key that signs did not change")
		}
		for _, replica := range []*oauth.Keys{here, elsewhere} {
			for _, token := range []string{old, fresh} {
				if _, err := replica.Verify(t.Context(), token); err != nil {
					t.Errorf("right after the rotation: %v", err)
				}
			}
		}
		wantStates(t, here, oauth.ES256, oauth.ActiveKey, oauth.NextKey, oauth.RetiredKey)

		clock.Advance(31 * 24 * time.Hour)
		if _, err := here.Verify(t.Context(), old); err == nil {
			t.Error("a token of an expired key verifies")
		}
		if err := here.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantStates(t, here, oauth.ES256, oauth.ActiveKey, oauth.NextKey)
	})
}

func TestAKeyIsPublishedBeforeItSigns(t *testing.T) {
	s, clock := storagetest.Open(t), newMoving()
	k := ensured(t, keysOn(t, s, clock, oauth.ES256))
	rotate := func() []oauth.SigningKey {
		t.Helper()
		keys, err := k.Rotate(t.Context(), operator)
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	clock.Advance(time.Minute)
	rotate()
	second := kidOf(t, sign(t, k, oauth.ES256))

	clock.Advance(time.Minute)
	keys := rotate()
	next := keys[slices.IndexFunc(keys, func(k oauth.SigningKey) bool { return k.State == oauth.NextKey })]
	if wait := next.ActivatesAt.Sub(clock.Now()); wait != 9*time.Minute {
		t.Errorf("a key of one minute takes over in %v, want 9m", wait)
	}
	if got := kidOf(t, sign(t, k, oauth.ES256)); got != second {
		t.Error("a key signs that was published a minute ago")
	}
	clock.Advance(9 * time.Minute)
	if err := k.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := kidOf(t, sign(t, k, oauth.ES256)); got != next.ID {
		t.Error("the rotation that was asked for did not happen when it could")
	}
}

func TestKeysRotateByAge(t *testing.T) {
	s, clock := storagetest.Open(t), newMoving()
	k := ensured(t, keysOn(t, s, clock, oauth.ES256))
	first := kidOf(t, sign(t, k, oauth.ES256))
	for _, step := range []struct {
		wait    time.Duration
		rotated bool
	}{{89 * 24 * time.Hour, false}, {24 * time.Hour, true}} {
		clock.Advance(step.wait)
		if err := k.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := kidOf(t, sign(t, k, oauth.ES256)) != first; got != step.rotated {
			t.Errorf("after %v more: rotated is %v, want %v", step.wait, got, step.rotated)
		}
	}
}

func TestRacingRotationsRotateOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		clock := newMoving()
		replicas := make([]*oauth.Keys, 6)
		for i := range replicas {
			replicas[i] = ensured(t, keysOn(t, s, clock, oauth.ES256))
		}
		clock.Advance(time.Hour)
		together(len(replicas), func(i int) {
			if _, err := replicas[i].Rotate(t.Context(), operator); err != nil {
				t.Error(err)
			}
		})
		// A replica that came after the winner has set the successor's turn.
		wantStates(t, replicas[0], oauth.ES256, oauth.ActiveKey, oauth.NextKey, oauth.RetiredKey)
	})
}

func TestARetiredKeyCannotSignAgain(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		k := ensured(t, keysOn(t, s, newMoving(), oauth.ES256))
		keys, err := k.Rotate(t.Context(), operator)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if (key.State == oauth.RetiredKey) != (len(key.Sealed) == 0) {
				t.Errorf("a %s key has a private half of %d bytes", key.State, len(key.Sealed))
			}
		}
	})
}

func TestAReplicaLearnsAKeyFromAToken(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		clock := newMoving()
		here, asleep := ensured(t, keysOn(t, s, clock, oauth.ES256)), ensured(t, keysOn(t, s, clock, oauth.ES256))
		for range 2 { // the second rotation brings a key that the sleeper has never seen
			clock.Advance(time.Hour)
			if _, err := here.Rotate(t.Context(), operator); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := asleep.Verify(t.Context(), sign(t, here, oauth.ES256)); err != nil {
			t.Error(err)
		}
	})
}

func TestPrivateKeysAreSealedForTheirRow(t *testing.T) {
	s := storagetest.Open(t)
	k := ensured(t, keysOn(t, s, newMoving(), oauth.ES256))
	keys, err := k.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ring := testKeyring(t)
	if _, err := ring.Open(keys[0].Sealed, "signing_keys/"+keys[0].ID); err != nil {
		t.Error(err)
	}
	if _, err := ring.Open(keys[0].Sealed, "signing_keys/"+keys[1].ID); err == nil {
		t.Error("a key opens in another row")
	}
}

// TestTheFirstRotationNeedNotWait: the keys of the first start were published
// together, also when the clock goes on while they are made.
func TestTheFirstRotationNeedNotWait(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		clock := newMoving()
		k := keysOn(t, s, clock)
		k.Clock = func() time.Time { clock.Advance(time.Millisecond); return clock.Now() }
		before := kidOf(t, sign(t, ensured(t, k), oauth.ES256))
		if _, err := k.Rotate(t.Context(), operator); err != nil {
			t.Fatal(err)
		}
		if after := kidOf(t, sign(t, k, oauth.ES256)); after == before {
			t.Error("the next key waits, although everybody knows it")
		}
	})
}
