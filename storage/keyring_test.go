package storage_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"gatehouse/storage"
)

// rootKey is a root key of one repeated byte.
func rootKey(b byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, storage.KeySize))
}

func keyring(t *testing.T, text string) *storage.Keyring {
	t.Helper()
	k, err := storage.ParseKeyring(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealedValueOpensInItsPlaceOnly(t *testing.T) {
	k := keyring(t, rootKey(1))
	secret := []byte("secret")
	sealed := k.Seal(secret, "table/1")
	if opened, err := k.Open(sealed, "table/1"); err != nil || !bytes.Equal(opened, secret) {
		t.Errorf("opened %q, %v", opened, err)
	}
	if _, err := k.Open(sealed, "table/2"); err == nil {
		t.Error("opened in another place")
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := k.Open(changed, "table/1"); err == nil {
			t.Errorf("opened with byte %d changed", i)
		}
	}
	if _, err := k.Open(sealed[:5], "table/1"); err == nil {
		t.Error("opened a fragment")
	}
	if bytes.Equal(sealed, k.Seal(secret, "table/1")) {
		t.Error("the same value is sealed the same way twice")
	}
}

func TestRootKeysRotate(t *testing.T) {
	before, both, after := keyring(t, rootKey(1)), keyring(t, rootKey(2)+", "+rootKey(1)), keyring(t, rootKey(2)+"\n")
	old, fresh := before.Seal([]byte("x"), "p"), both.Seal([]byte("x"), "p")
	for _, tt := range []struct {
		name   string
		k      *storage.Keyring
		sealed []byte
		opens  bool
	}{
		{"old value, both keys", both, old, true},
		{"new value, both keys", both, fresh, true},
		{"new value, new key", after, fresh, true},
		{"old value, new key", after, old, false},
		{"new value, old key", before, fresh, false},
	} {
		if _, err := tt.k.Open(tt.sealed, "p"); (err == nil) != tt.opens {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestDerivedKeysDifferByPurpose(t *testing.T) {
	k := keyring(t, rootKey(2)+","+rootKey(1))
	a, b := k.Derive("a"), k.Derive("b")
	if len(a) != storage.KeySize || bytes.Equal(a, b) {
		t.Errorf("%x and %x", a, b)
	}
	all := k.DeriveAll("a")
	if len(all) != 2 || !bytes.Equal(all[0], a) || !bytes.Equal(all[1], keyring(t, rootKey(1)).Derive("a")) {
		t.Errorf("all of a: %x", all)
	}
}

func TestParseKeyringRefuses(t *testing.T) {
	for _, text := range []string{"", " ,\n", "short", rootKey(1) + "," + base64.StdEncoding.EncodeToString(make([]byte, 31)), rootKey(1)[1:]} {
		if _, err := storage.ParseKeyring(text); err == nil {
			t.Errorf("%q accepted", text)
		}
	}
}
