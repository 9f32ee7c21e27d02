package storage

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// KeySize is the length of a root key in bytes.
const KeySize = 32

// Keyring derives what protects stored secrets from one or more root keys. The
// first root key seals; every one opens, so that a key is rotated by putting a
// new one in front.
type Keyring struct{ roots [][]byte }

// ParseKeyring reads root keys: base64 of 32 bytes each, separated by commas or
// white space.
func ParseKeyring(text string) (*Keyring, error) {
	var k Keyring
	for _, field := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == ' ' || r == '\r' }) {
		root, err := base64.StdEncoding.DecodeString(field)
		if err != nil || len(root) != KeySize {
			return nil, fmt.Errorf("an encryption key is base64 of %d random bytes", KeySize)
		}
		k.roots = append(k.roots, root)
	}
	if len(k.roots) == 0 {
		return nil, errors.New("no encryption key")
	}
	return &k, nil
}

// Derive returns 32 bytes for a purpose from the newest root key.
func (k *Keyring) Derive(purpose string) []byte { return derive(k.roots[0], purpose) }

// DeriveAll returns the bytes of a purpose from every root key, the newest first.
func (k *Keyring) DeriveAll(purpose string) [][]byte {
	all := make([][]byte, len(k.roots))
	for i, root := range k.roots {
		all[i] = derive(root, purpose)
	}
	return all
}

func derive(root []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, root, nil, "gatehouse "+purpose, KeySize)
	if err != nil {
		panic(err) // only for a length that SHA-256 cannot derive
	}
	return key
}

// Seal encrypts a value for the place it is stored in: it opens again only with
// the same place, for example "signing_keys/" and the row's id (AES-256-GCM).
func (k *Keyring) Seal(plaintext []byte, place string) []byte {
	return sealer(k.roots[0]).Seal(nil, nil, plaintext, []byte(place)) //nolint:gosec // G407: this AEAD makes its own nonce
}

// Open decrypts what [Keyring.Seal] made.
func (k *Keyring) Open(sealed []byte, place string) ([]byte, error) {
	for _, root := range k.roots {
		if plaintext, err := sealer(root).Open(nil, nil, sealed, []byte(place)); err == nil {
			return plaintext, nil
		}
	}
	return nil, errors.New("open sealed value: no key fits, or it is of another place")
}

func sealer(root []byte) cipher.AEAD {
	block, err := aes.NewCipher(derive(root, "seal"))
	if err != nil {
		panic(err) // the derived key always has the right length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the right block size
	}
	return aead
}
