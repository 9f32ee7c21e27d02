package authn

import (
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // what LDAP directories and old Django stores hold
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"hash"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	gopbkdf2 "github.com/go-crypt/crypt/algorithm/pbkdf2"
	"github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// ErrForeignHash says that an imported hash is of no form that is known, or
// would cost too much to compare with.
var ErrForeignHash = errors.New("unknown or too expensive password hash")

// matcher is a stored hash.
type matcher interface{ Match(password string) bool }

// maxHash bounds the length of a stored hash in bytes.
const maxHash = 512

// hashFormat is one form of stored hash. The libraries behind it decode more
// than they can bear: the shape is checked first, and with it what a comparison
// may cost in time and memory.
type hashFormat struct {
	shape *regexp.Regexp
	// most is the largest accepted value of each number the shape captures; the
	// least is 1.
	most []int
	read func(stored string) (matcher, error)
}

// hashFormats are tried in this order.
var hashFormats = []hashFormat{
	{
		shape: regexp.MustCompile(`^\$argon2(?:id|i|d)\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,172}$`),
		most:  []int{128 << 10, 16, 16}, // KiB, passes, lanes
		read:  decoded(argon2.Decode),
	},
	{
		shape: regexp.MustCompile(`^\$2[aby]\$(\d{2})\$[./A-Za-z0-9]{53}$`),
		most:  []int{14},
		read:  readBcrypt,
	},
	{
		shape: regexp.MustCompile(`^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,172}$`),
		most:  []int{17, 8, 4}, // 2^17 blocks of 8 are 128 MiB
		read:  decoded(scrypt.Decode),
	},
	{
		shape: regexp.MustCompile(`^\$pbkdf2(?:-sha1|-sha224|-sha256|-sha384|-sha512)?\$(\d{1,7})\$[A-Za-z0-9./]{8,172}\$[A-Za-z0-9./]{22,172}$`),
		most:  []int{2_000_000},
		read:  decoded(gopbkdf2.Decode),
	},
	{
		shape: regexp.MustCompile(`^\$[56]\$(?:rounds=(\d{4,7})\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43,86}$`),
		most:  []int{1_000_000},
		read:  decoded(shacrypt.Decode),
	},
	{shape: regexp.MustCompile(`^\{SSHA(?:256|512)?\}[A-Za-z0-9+/]{27,200}={0,2}$`), read: readLDAP},
	{
		shape: regexp.MustCompile(`^pbkdf2_sha(?:1|256)\$(\d{1,7})\$[A-Za-z0-9]{1,64}\$[A-Za-z0-9+/]{27,43}=$`),
		most:  []int{2_000_000},
		read:  readDjango,
	},
}

// readHash recognises a stored hash.
func readHash(stored string) (matcher, error) {
	if len(stored) > maxHash {
		return nil, ErrForeignHash
	}
	for _, f := range hashFormats {
		if numbers := f.shape.FindStringSubmatch(stored); numbers != nil && f.affordable(numbers[1:]) {
			return f.read(stored)
		}
	}
	return nil, ErrForeignHash
}

func (f *hashFormat) affordable(numbers []string) bool {
	for i, text := range numbers {
		if text == "" {
			continue // left out: the format's own default
		}
		if n, err := strconv.Atoi(text); err != nil || n < 1 || n > f.most[i] {
			return false
		}
	}
	return true
}

// decoded adapts a decoder of the library.
func decoded(decode func(string) (algorithm.Digest, error)) func(string) (matcher, error) {
	return func(stored string) (matcher, error) {
		digest, err := decode(stored)
		if err != nil {
			return nil, ErrForeignHash // without the cause, which quotes the hash
		}
		return digest, nil
	}
}

// maxBcrypt is how much of a password bcrypt looks at, in bytes.
const maxBcrypt = 72

// bcryptHash compares nothing that bcrypt would cut: two passwords with the
// same beginning are not the same.
type bcryptHash struct{ algorithm.Digest }

func readBcrypt(stored string) (matcher, error) {
	digest, err := bcrypt.Decode(stored)
	if err != nil {
		return nil, ErrForeignHash
	}
	return bcryptHash{digest}, nil
}

// Match reports whether a password of at most 72 bytes is the one.
func (b bcryptHash) Match(password string) bool {
	match := b.Digest.Match(password[:min(len(password), maxBcrypt)])
	return match && len(password) <= maxBcrypt
}

// ldapHash is a salted hash of one round, as LDAP directories hold them.
type ldapHash struct {
	newHash   func() hash.Hash
	sum, salt []byte
}

func readLDAP(stored string) (matcher, error) {
	scheme, encoded, _ := strings.Cut(stored, "}")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, ErrForeignHash
	}
	newHash := map[string]func() hash.Hash{"{SSHA": sha1.New, "{SSHA256": sha256.New, "{SSHA512": sha512.New}[scheme]
	size := newHash().Size()
	if len(raw) <= size {
		return nil, ErrForeignHash // without a salt it is not one of these
	}
	return ldapHash{newHash: newHash, sum: raw[:size], salt: raw[size:]}, nil
}

// Match reports whether a password is the one.
func (l ldapHash) Match(password string) bool {
	h := l.newHash()
	h.Write([]byte(password))
	h.Write(l.salt)
	return subtle.ConstantTimeCompare(h.Sum(nil), l.sum) == 1
}

// djangoHash is PBKDF2 as Django writes it: the salt is text, not base64.
type djangoHash struct {
	newHash    func() hash.Hash
	iterations int
	salt, sum  []byte
}

func readDjango(stored string) (matcher, error) {
	parts := strings.Split(stored, "$")
	d := djangoHash{newHash: sha256.New, salt: []byte(parts[2])}
	if parts[0] == "pbkdf2_sha1" {
		d.newHash = sha1.New
	}
	var err, encoding error
	d.iterations, err = strconv.Atoi(parts[1])
	d.sum, encoding = base64.StdEncoding.DecodeString(parts[3])
	if err != nil || encoding != nil || len(d.sum) != d.newHash().Size() {
		return nil, ErrForeignHash
	}
	return d, nil
}

// Match reports whether a password is the one.
func (d djangoHash) Match(password string) bool {
	key, err := pbkdf2.Key(d.newHash, password, d.salt, d.iterations, len(d.sum))
	return err == nil && subtle.ConstantTimeCompare(key, d.sum) == 1
}
