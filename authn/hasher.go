package authn

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-crypt/crypt/algorithm/argon2"
	"golang.org/x/text/secure/precis"

	"gatehouse/directory"
)

// The parameters of new hashes: argon2id with 19 MiB, two passes, one lane
// (OWASP's first choice). Verification reads its parameters from the hash.
const (
	argonMemory = 19456 // KiB
	argonPasses = 2
	argonLanes  = 1
	saltBytes   = 16

	// dummyDigest is a salt and a hash to compare with where there is none. It is
	// of no password: nothing is known that hashes to zeros.
	dummyDigest = "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

// Hasher hashes and compares passwords, no more at once than there are
// processors: each takes 19 MiB. A bounded number of callers wait; the next one
// is refused at once with a [*ThrottledError].
type Hasher struct {
	Rand     io.Reader // for salts; nil: crypto/rand
	Parallel int       // 0: GOMAXPROCS
	Queue    int       // callers waiting; 0: 128 for each running at once, at least 256
	Memory   uint32    // of a new hash, in KiB; 0: 19 MiB
	// Clock tells how long a comparison takes, for [Hasher.Pretend]; nil: no time.
	Clock directory.Clock

	once     sync.Once
	slots    chan struct{}
	inside   atomic.Int64 // running and waiting
	compared atomic.Int64
	lasted   atomic.Int64 // nanoseconds of the last comparison with a hash of ours
}

// Comparisons returns how many passwords were compared with the hash of a user.
func (h *Hasher) Comparisons() int64 { return h.compared.Load() }

// Hash returns a new hash of a password in PHC form.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(h.random(), salt); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	var encoded string
	var err error
	if queued := h.run(ctx, func() { encoded, err = h.argon2id(normalisePassword(password), salt) }); queued != nil {
		return "", queued
	}
	return encoded, err
}

func (h *Hasher) random() io.Reader {
	if h.Rand == nil {
		return rand.Reader
	}
	return h.Rand
}

func (h *Hasher) argon2id(password string, salt []byte) (string, error) {
	hasher, err := argon2.New(argon2.WithVariantID(), argon2.WithM(h.memory()), argon2.WithT(argonPasses), argon2.WithP(argonLanes))
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	digest, err := hasher.HashWithSalt(password, salt)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return digest.Encode(), nil
}

// Verify reports whether a password is the one of a stored hash. Without a
// stored hash it compares with a dummy one, and beside an imported hash as
// well, so that what is stored can be cheaper than ours without showing.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (bool, error) {
	match := false
	err := h.run(ctx, func() {
		spellings := spellings(password)
		if stored != "" {
			h.compared.Add(1)
		}
		if stored != "" && !h.current(stored) {
			match = matches(stored, spellings)
			stored = ""
		}
		began := h.now()
		match = matches(cmp.Or(stored, h.dummy()), spellings) || match
		h.lasted.Store(int64(h.now().Sub(began)))
	})
	return match, err
}

// Pretend waits for its turn and takes it for as long as a comparison lasts, but
// compares nothing. Whoever floods the queue must not see in it which passwords
// are compared and which are not.
func (h *Hasher) Pretend(ctx context.Context) error {
	return h.run(ctx, func() {
		timer := time.NewTimer(time.Duration(h.lasted.Load()))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	})
}

func (h *Hasher) now() time.Time {
	if h.Clock == nil {
		return time.Time{}
	}
	return h.Clock()
}

func (h *Hasher) memory() uint32 { return cmp.Or(h.Memory, argonMemory) }

// prefix is how hashes of today's parameters begin.
func (h *Hasher) prefix() string {
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$", h.memory(), argonPasses, argonLanes)
}

func (h *Hasher) current(stored string) bool { return strings.HasPrefix(stored, h.prefix()) }

func (h *Hasher) dummy() string { return h.prefix() + dummyDigest }

// matches compares every spelling, also after one has matched. No password holds
// a zero byte, and HMAC would not see one at its end.
func matches(stored string, spellings []string) bool {
	m, err := readHash(stored)
	if err != nil {
		return false
	}
	match := false
	for _, s := range spellings {
		match = m.Match(s) && strings.IndexByte(s, 0) < 0 || match
	}
	return match
}

// spellings are the forms of a password that may have been hashed: ours
// normalises it, others took it as it was typed.
func spellings(password string) []string {
	if n := normalisePassword(password); n != password {
		return []string{n, password}
	}
	return []string{password}
}

// normalisePassword is RFC 8265 OpaqueString; what it refuses stays as it is,
// since others may have accepted it.
func normalisePassword(password string) string {
	n, err := precis.OpaqueString.String(password)
	if err != nil {
		return password
	}
	return n
}

// run does f when its turn comes.
func (h *Hasher) run(ctx context.Context, f func()) error {
	h.once.Do(func() { h.slots = make(chan struct{}, cmp.Or(h.Parallel, runtime.GOMAXPROCS(0))) })
	defer h.inside.Add(-1)
	if h.inside.Add(1) > int64(h.queue()+cap(h.slots)) {
		return &ThrottledError{RetryAfter: 2 * time.Second}
	}
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: wait for a turn to hash: %w", directory.ErrUnavailable, ctx.Err())
	}
	defer func() { <-h.slots }()
	f()
	return nil
}

func (h *Hasher) queue() int { return cmp.Or(h.Queue, max(256, 128*cap(h.slots))) }
