package notify

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse/directory"
)

// Links makes the links of the dialect's messages. Their tokens are Fernet
// (version 0x80: AES-128-CBC, then HMAC-SHA256), so that an application that
// shares the key reads them.
type Links struct {
	// AdminURL is where links start when the request names no host.
	AdminURL string
	// Keys are 32 bytes each; the first seals, every one opens.
	Keys  [][]byte
	Clock directory.Clock
	Rand  io.Reader
}

// What is wrong with a token of a link.
var (
	// ErrLinkInvalid says that a token was not made with one of the keys.
	ErrLinkInvalid = errors.New("not a token of this server")
	// ErrLinkExpired says that a token was, and is too old.
	ErrLinkExpired = errors.New("the token has expired")
)

// The parts of a Fernet token, in bytes.
const (
	fernetVersion = 0x80
	fernetHeader  = 1 + 8 + aes.BlockSize // version, time, initialisation vector
	fernetKeySize = 32
)

// fernetSkew is how far ahead the clock that stamped a token may be.
const fernetSkew = time.Minute

// ParseLinkKeys reads keys as Fernet writes them: URL-safe base64 of 32 bytes,
// separated by commas or white space.
func ParseLinkKeys(text string) ([][]byte, error) {
	var keys [][]byte
	for field := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }) {
		key, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(field, "="))
		if err != nil || len(key) != fernetKeySize {
			return nil, fmt.Errorf("a key is URL-safe base64 of %d random bytes", fernetKeySize)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("no key")
	}
	return keys, nil
}

// Seal returns the token of a payload: a string as it is, anything else as JSON.
func (l *Links) Seal(payload any) (string, error) {
	text, ok := payload.(string)
	plain := []byte(text)
	if !ok {
		var err error
		if plain, err = json.Marshal(payload); err != nil {
			return "", fmt.Errorf("seal link: %w", err)
		}
	}
	header := make([]byte, fernetHeader)
	header[0] = fernetVersion
	binary.BigEndian.PutUint64(header[1:], uint64(max(0, l.Clock().Unix())))
	if _, err := io.ReadFull(l.Rand, header[9:]); err != nil {
		return "", fmt.Errorf("seal link: %w", err)
	}
	key := l.Keys[0]
	signed := slices.Concat(header, encryptCBC(key, header[9:], plain))
	return base64.URLEncoding.EncodeToString(slices.Concat(signed, fernetMAC(key, signed))), nil
}

// Open returns the payload of a token that is at most maxAge old. The error is
// [ErrLinkInvalid] or [ErrLinkExpired].
func (l *Links) Open(token string, maxAge time.Duration) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(token, "="))
	if err != nil || len(raw) < fernetHeader+aes.BlockSize+sha256.Size || raw[0] != fernetVersion {
		return nil, ErrLinkInvalid
	}
	signed, mac := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	for _, key := range l.Keys {
		if !hmac.Equal(fernetMAC(key, signed), mac) {
			continue
		}
		age := l.Clock().Sub(time.Unix(int64(binary.BigEndian.Uint64(signed[1:])), 0)) //nolint:gosec // G115: one of ours, see the MAC
		switch {
		case age < -fernetSkew:
			return nil, ErrLinkInvalid
		case age > maxAge:
			return nil, ErrLinkExpired
		}
		return decryptCBC(key, signed[9:fernetHeader], signed[fernetHeader:])
	}
	return nil, ErrLinkInvalid
}

// fernetMAC is made with the first half of the key, fernetBlock with the second.
func fernetMAC(key, signed []byte) []byte {
	mac := hmac.New(sha256.New, key[:16])
	mac.Write(signed)
	return mac.Sum(nil)
}

func fernetBlock(key []byte) cipher.Block {
	block, err := aes.NewCipher(key[16:])
	if err != nil {
		panic(err) // keys have 32 bytes
	}
	return block
}

func encryptCBC(key, iv, plain []byte) []byte {
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	padded := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(fernetBlock(key), iv).CryptBlocks(padded, padded)
	return padded
}

func decryptCBC(key, iv, sealed []byte) ([]byte, error) {
	if len(sealed)%aes.BlockSize != 0 {
		return nil, ErrLinkInvalid
	}
	plain := make([]byte, len(sealed))
	cipher.NewCBCDecrypter(fernetBlock(key), iv).CryptBlocks(plain, sealed)
	padding := int(plain[len(plain)-1])
	if padding == 0 || padding > aes.BlockSize {
		return nil, ErrLinkInvalid
	}
	return plain[:len(plain)-padding], nil
}

// Base is where a request's links start: the host it names, else AdminURL.
func (l *Links) Base(host string) string {
	if host == "" {
		host = l.AdminURL
	}
	return strings.TrimSuffix(host, "/")
}

// To seals a payload into the link base/page/token.
func (l *Links) To(host, page string, payload any) (string, error) {
	token, err := l.Seal(payload)
	if err != nil {
		return "", err
	}
	return l.Base(host) + "/" + page + "/" + token, nil
}

// withNext tells a page where to lead on to.
func withNext(link, next string) string {
	if next == "" {
		return link
	}
	return link + "?next=" + url.QueryEscape(next)
}
