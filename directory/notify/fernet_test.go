package notify

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"
)

const fernetTestKey = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="

// TestLinkIsFernet seals the example of the Fernet specification.
func TestLinkIsFernet(t *testing.T) {
	const want = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
	keys, err := ParseLinkKeys(fernetTestKey)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(1985, 10, 26, 8, 20, 0, 0, time.UTC)
	iv := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	links := &Links{Keys: keys, Clock: func() time.Time { return now }, Rand: bytes.NewReader(iv)}
	token, err := links.Seal("hello")
	if err != nil || token != want {
		t.Fatalf("got %s (%v), want %s", token, err, want)
	}
	now = now.Add(time.Minute)
	if plain, err := links.Open(token, time.Minute); err != nil || string(plain) != "hello" {
		t.Errorf("opened %q (%v)", plain, err)
	}
	now = now.Add(time.Second)
	if _, err := links.Open(token, time.Minute); !errors.Is(err, ErrLinkExpired) {
		t.Errorf("a token that is too old: %v", err)
	}
}

func TestLinkOfAnotherKeyIsRefused(t *testing.T) {
	clock := func() time.Time { return testNow }
	newest, oldest := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	before := &Links{Keys: [][]byte{oldest}, Clock: clock, Rand: strings.NewReader(strings.Repeat("r", 64))}
	after := &Links{Keys: [][]byte{newest, oldest}, Clock: clock, Rand: strings.NewReader(strings.Repeat("r", 64))}
	old, err := before.Seal(map[string]string{"user_id": "1"})
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := after.Open(old, time.Hour); err != nil || string(plain) != `{"user_id":"1"}` {
		t.Errorf("a token of the key before: %q (%v)", plain, err)
	}
	latest, err := after.Seal("x")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.URLEncoding.DecodeString(old)
	if err != nil {
		t.Fatal(err)
	}
	future := &Links{Keys: after.Keys, Clock: func() time.Time { return testNow.Add(-2 * time.Minute) }}
	if _, err := future.Open(old, time.Hour); !errors.Is(err, ErrLinkInvalid) {
		t.Errorf("a token of the future: %v", err)
	}
	forgeries := []string{latest, "", "gAAAA", "%%%", old[:len(old)-8], base64.URLEncoding.EncodeToString(raw[:len(raw)-1])}
	for i := range raw {
		forged := bytes.Clone(raw)
		forged[i] ^= 1
		forgeries = append(forgeries, base64.URLEncoding.EncodeToString(forged))
	}
	for _, token := range forgeries {
		if _, err := before.Open(token, time.Hour); !errors.Is(err, ErrLinkInvalid) {
			t.Errorf("%q: %v", token, err)
		}
	}
}

func TestLinkKeysAreOf32Bytes(t *testing.T) {
	for text, want := range map[string]int{
		fernetTestKey: 1, fernetTestKey + "," + fernetTestKey + "\n": 2, strings.TrimRight(fernetTestKey, "="): 1,
		"": 0, "c2hvcnQ=": 0, fernetTestKey + ",x": 0, "not base64 at all": 0,
	} {
		if keys, err := ParseLinkKeys(text); len(keys) != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d keys (%v), want %d", text, len(keys), err, want)
		}
	}
}
