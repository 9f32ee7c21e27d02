package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"gatehouse/directory"
)

const (
	// fieldKeysFor is how long a replica goes on without looking whether the keys
	// have changed. What is encrypted with a key that it has not heard of makes
	// it look at once.
	fieldKeysFor = 15 * time.Second

	// fieldKeysName is the row of the keyset, and the place that it is sealed for.
	fieldKeysName = "fields"
)

// FieldKeys encrypt single values of rows (AES-256-GCM), each bound to its table,
// column and row. They are a keyset of Tink, sealed with the root key in the
// table keysets: the newest key encrypts, every one decrypts. Call
// [FieldKeys.Ensure] once before anything else.
type FieldKeys struct {
	DB     *DB
	Sealer *Keyring
	Clock  directory.Clock

	mu      sync.Mutex
	current *fieldKeyset
}

// fieldKeyset is one version of the keys; it does not change.
type fieldKeyset struct {
	handle    *keyset.Handle
	aead      tink.AEAD
	primary   uint32
	ids       []uint32
	version   int64
	rotatedAt time.Time
	loadedAt  time.Time
}

// rootAEAD lets Tink seal a keyset with the root key.
type rootAEAD struct{ root *Keyring }

// Encrypt implements tink.AEAD.
func (r rootAEAD) Encrypt(plaintext, place []byte) ([]byte, error) {
	return r.root.Seal(plaintext, string(place)), nil
}

// Decrypt implements tink.AEAD.
func (r rootAEAD) Decrypt(sealed, place []byte) ([]byte, error) {
	return r.root.Open(sealed, string(place))
}

// Ensure makes the keys when there are none. Any number of replicas may start at once.
func (k *FieldKeys) Ensure(ctx context.Context) error {
	if _, err := k.load(ctx); !errors.Is(err, directory.ErrNotFound) {
		return err
	}
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("make field keys: %w", err)
	}
	sealed, err := k.seal(handle)
	if err != nil {
		return err
	}
	_, err = k.DB.exec(ctx, `
		insert into keysets (name, sealed, version, rotated_at) values ($1, $2, 1, $3)
		on conflict (name) do nothing`, fieldKeysName, sealed, k.Clock())
	return err
}

func (k *FieldKeys) place() []byte { return []byte("keysets/" + fieldKeysName) }

func (k *FieldKeys) seal(handle *keyset.Handle) ([]byte, error) {
	var sealed bytes.Buffer
	if err := handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&sealed), rootAEAD{k.Sealer}, k.place()); err != nil {
		return nil, fmt.Errorf("seal field keys: %w", err)
	}
	return sealed.Bytes(), nil
}

// keys returns the keys at hand, unless they are too old.
func (k *FieldKeys) keys(ctx context.Context) (*fieldKeyset, error) {
	k.mu.Lock()
	current := k.current
	k.mu.Unlock()
	if current != nil && k.Clock().Before(current.loadedAt.Add(fieldKeysFor)) {
		return current, nil
	}
	return k.load(ctx)
}

// load reads the keys as they are now.
func (k *FieldKeys) load(ctx context.Context) (*fieldKeyset, error) {
	s := &fieldKeyset{loadedAt: k.Clock()}
	var sealed []byte
	err := k.DB.row(ctx, `select sealed, version, rotated_at from keysets where name = $1`, []any{fieldKeysName}, &sealed, &s.version, timeInto(&s.rotatedAt))
	if err != nil {
		return nil, fmt.Errorf("read field keys: %w", err)
	}
	s.handle, err = keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(sealed)), rootAEAD{k.Sealer}, k.place())
	if err != nil {
		return nil, fmt.Errorf("open field keys: %w", err)
	}
	if s.aead, err = aead.New(s.handle); err != nil {
		return nil, fmt.Errorf("use field keys: %w", err)
	}
	for _, key := range s.handle.KeysetInfo().GetKeyInfo() {
		s.ids = append(s.ids, key.GetKeyId())
	}
	s.primary = s.handle.KeysetInfo().GetPrimaryKeyId()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current = s
	return s, nil
}

// fieldPlace is what a value is bound to.
func fieldPlace(table, column, row string) []byte {
	return []byte(table + "/" + column + "/" + row)
}

// open decrypts a value of a place; directory.ErrUnreadable when it does not
// open there. A key that is not known may have been made since the last look.
func (k *FieldKeys) open(ctx context.Context, sealed, place []byte) ([]byte, error) {
	s, err := k.keys(ctx)
	if err != nil {
		return nil, err
	}
	if id, ok := keyOf(sealed); ok && !slices.Contains(s.ids, id) {
		if s, err = k.load(ctx); err != nil {
			return nil, err
		}
	}
	plaintext, err := s.aead.Decrypt(sealed, place)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", directory.ErrUnreadable, place)
	}
	return plaintext, nil
}

// keyOf reads the id of the key out of what Tink encrypted: a 1 and four bytes
// stand in front of it.
func keyOf(sealed []byte) (uint32, bool) {
	if len(sealed) < 5 || sealed[0] != 1 {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:5]), true
}
