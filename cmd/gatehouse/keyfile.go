package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gatehouse/storage"
)

// keyFile is the generated root key's name in the data directory.
const keyFile = "encryption.key"

// openKeyring returns the configured root keys, or the data directory's own,
// which it makes at the first start.
func openKeyring(s *secrets, dir string) (*storage.Keyring, error) {
	if s.EncryptionKeys != "" {
		k, err := storage.ParseKeyring(s.EncryptionKeys)
		if err != nil {
			return nil, fmt.Errorf("GATEHOUSE_ENCRYPTION_KEYS: %w", err)
		}
		return k, nil
	}
	text, err := readOrCreateKey(dir)
	if err != nil {
		return nil, fmt.Errorf("encryption key: %w", err)
	}
	k, err := storage.ParseKeyring(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s in the data directory: %w", keyFile, err)
	}
	return k, nil
}

// readOrCreateKey is safe between processes: the key is written whole beside its
// place and linked there, which fails for all but the first.
func readOrCreateKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, keyFile)
	if text, err := os.ReadFile(path); !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root := make([]byte, storage.KeySize)
	_, _ = rand.Read(root) // never fails
	draft, err := os.CreateTemp(dir, keyFile+".*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = draft.Write(append([]byte(base64.StdEncoding.EncodeToString(root)), '\n'))
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	text, err := os.ReadFile(path)
	return bytes.TrimSpace(text), err
}
