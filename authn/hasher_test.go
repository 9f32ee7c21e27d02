package authn

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/directory"
)

func TestHashVerifiesItsPasswordAlone(t *testing.T) {
	h := &Hasher{Rand: strings.NewReader(strings.Repeat("salt", 2*saltBytes/4))}
	hash, err := h.Hash(t.Context(), "SecurePassword123!")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash = %s", hash)
	}
	for password, want := range map[string]bool{"SecurePassword123!": true, "SecurePassword123": false, "": false} {
		if got, err := h.Verify(t.Context(), hash, password); got != want || err != nil {
			t.Errorf("verify %q = %v, %v", password, got, err)
		}
	}
	if got := h.Comparisons(); got != 3 {
		t.Errorf("%d comparisons, want 3", got)
	}
	if again, err := h.Hash(t.Context(), "SecurePassword123!"); err != nil || again != hash {
		t.Errorf("with the same salt: %s, %v", again, err)
	}
	if _, err := h.Hash(t.Context(), "SecurePassword123!"); err == nil {
		t.Error("hashed without random bytes")
	}
}

func TestNobodyIsComparedWithADummy(t *testing.T) {
	h := &Hasher{}
	if match, err := h.Verify(t.Context(), "", ""); match || err != nil {
		t.Errorf("match = %v, %v", match, err)
	}
	if _, err := readHash(h.dummy()); err != nil {
		t.Errorf("the dummy hash cannot be read: %v", err)
	}
	if n := h.Comparisons(); n != 0 {
		t.Errorf("%d comparisons with a user's hash", n)
	}
}

func TestHashingIsBounded(t *testing.T) {
	h := &Hasher{Parallel: 1, Queue: 1}
	begun, finish := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = h.run(t.Context(), func() {
			close(begun)
			<-finish
		})
	})
	<-begun
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.run(over, func() {}); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("given up while waiting: %v", err)
	}
	h.inside.Add(1) // somebody waits
	var limit *ThrottledError
	if err := h.run(t.Context(), func() {}); !errors.As(err, &limit) {
		t.Errorf("with a full queue: %v", err)
	}
	h.inside.Add(-1)
	close(finish)
	wg.Wait()
	if err := h.run(t.Context(), func() {}); err != nil {
		t.Error(err)
	}
}

// TestPretendingTakesATurnAndItsTime (E02): whoever measures how long others wait
// in the queue sees no difference either.
func TestPretendingTakesATurnAndItsTime(t *testing.T) {
	const lasts = 50 * time.Millisecond
	var at time.Time
	h := &Hasher{Parallel: 1, Memory: 64, Clock: func() time.Time { at = at.Add(lasts); return at }}
	if _, err := h.Verify(t.Context(), "", "x"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := h.Pretend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < lasts {
		t.Errorf("took %v, a comparison %v", took, lasts)
	}
	inTurn := false
	err := h.run(t.Context(), func() {
		over, cancel := context.WithCancel(t.Context())
		cancel()
		inTurn = errors.Is(h.Pretend(over), directory.ErrUnavailable)
	})
	if err != nil || !inTurn {
		t.Errorf("pretended while somebody else had the turn, %v", err)
	}
	if n := h.Comparisons(); n != 0 {
		t.Errorf("%d comparisons", n)
	}
}
