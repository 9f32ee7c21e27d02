package oauth

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestAReferenceIsOfOneKindAndOneSecret(t *testing.T) {
	t.Parallel()
	ours := references{secrets: [][]byte{{1}, {2}}, rand: rand.Reader}
	theirs := references{secrets: [][]byte{{3}}, rand: rand.Reader}
	id := uuid.New()
	token, hash, err := ours.mint(codeReference, id)
	if err != nil {
		t.Fatal(err)
	}
	got, gotHash, ok := ours.parse(codeReference, token)
	if !ok || got != id || string(gotHash) != string(hash) {
		t.Errorf("parsed %v %v", got, ok)
	}
	if _, _, ok := ours.parse(refreshReference, token); ok {
		t.Error("a code is taken for a refresh token")
	}
	if _, _, ok := ours.parse(refreshReference, string(refreshReference)+token[len(codeReference):]); ok {
		t.Error("a code with another prefix is taken for a refresh token")
	}
	if _, _, ok := theirs.parse(codeReference, token); ok {
		t.Error("a code of another secret is taken for ours")
	}
}

func TestAnAccessTokenSaysWhenItEnds(t *testing.T) {
	t.Parallel()
	refs := references{secrets: [][]byte{[]byte("secret")}, rand: rand.Reader}
	end := time.Date(2026, 3, 29, 1, 30, 0, 123456000, time.UTC)
	token, hash, err := refs.mintAccess(end)
	if err != nil {
		t.Fatal(err)
	}
	got, gotHash, ok := refs.parseAccess(token)
	if !ok || !got.Equal(end) || string(gotHash) != string(hash) {
		t.Errorf("parsed %v %v, want %v", got, ok, end)
	}
	if other, _, err := refs.mintAccess(end); err != nil || other == token {
		t.Errorf("two tokens that end at once are one: %q, %v", other, err)
	}
}

func FuzzReference(f *testing.F) {
	refs := references{secrets: [][]byte{[]byte("secret")}, rand: rand.Reader}
	token, _, err := refs.mint(codeReference, uuid.New())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token[:len(token)-1])
	f.Add(token + "=")
	f.Add("gh_ac_")
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, ok := refs.parse(codeReference, text); ok && text != token {
			t.Errorf("accepted %q", text)
		}
	})
}
