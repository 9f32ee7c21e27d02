package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
)

// reference is a kind of token that means nothing by itself: it names a row
// that holds its SHA-256. The prefix lets secret scanners recognise a leaked one.
type reference string

// ReferencePrefix is how every token that is no JWT begins.
const ReferencePrefix = "gh_"

// The kinds.
const (
	codeReference    reference = "gh_ac_"
	refreshReference reference = "gh_rt_"
	accessReference  reference = "gh_at_"
	deviceReference  reference = "gh_dc_"
)

// A reference is base64url of an id (16 bytes; of an access token, when it ends
// and randomness), randomness (16) and an HMAC
// over its kind and both, cut to 16 bytes. The HMAC keeps made-up values away
// from the store, and it tells a refresh token that was replaced long ago, of
// which nothing is kept, from one that never was.
const (
	referenceBody = 32
	referenceSize = referenceBody + 16
)

// references makes and recognises reference tokens.
type references struct {
	secrets [][]byte // the first signs, every one verifies
	rand    io.Reader
}

// mint returns a new reference to id and its hash.
func (t references) mint(kind reference, id uuid.UUID) (token string, hash []byte, err error) {
	raw := make([]byte, referenceBody, referenceSize)
	copy(raw, id[:])
	if _, err := io.ReadFull(t.rand, raw[len(id):]); err != nil {
		return "", nil, fmt.Errorf("mint token: %w", err)
	}
	raw = append(raw, referenceMAC(t.secrets[0], kind, raw)...)
	token = string(kind) + base64.RawURLEncoding.EncodeToString(raw)
	return token, hashOf(token), nil
}

// mintAccess returns a new access token and its hash. It begins with when it ends,
// which its client was told anyway: where rows are kept in that order, a new one
// goes beside the last, and not into some page among all of them.
func (t references) mintAccess(expires time.Time) (token string, hash []byte, err error) {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(expires.UnixMicro()))
	if _, err := io.ReadFull(t.rand, id[8:]); err != nil {
		return "", nil, fmt.Errorf("mint token: %w", err)
	}
	return t.mint(accessReference, id)
}

// parseAccess is parse for an access token, and returns when it says it ends.
func (t references) parseAccess(token string) (expires time.Time, hash []byte, ok bool) {
	id, hash, ok := t.parse(accessReference, token)
	return time.UnixMicro(int64(binary.BigEndian.Uint64(id[:8]))), hash, ok //nolint:gosec // it was made from one
}

// successor returns the refresh token that takes the place of one with a hash,
// and its own hash. It follows from the hash and a secret alone: a client that
// sends its token twice can be given the same successor twice, although none is kept.
func (t references) successor(secret []byte, id uuid.UUID, of []byte) (token string, hash []byte) {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("successor"))
	mac.Write(of)
	raw := append(id[:], mac.Sum(nil)[:referenceBody-len(id)]...)
	raw = append(raw, referenceMAC(secret, refreshReference, raw)...)
	token = string(refreshReference) + base64.RawURLEncoding.EncodeToString(raw)
	return token, hashOf(token)
}

// parse returns the id in a reference that is one of ours, and its hash.
func (t references) parse(kind reference, token string) (id uuid.UUID, hash []byte, ok bool) {
	encoded, ok := strings.CutPrefix(token, string(kind))
	if !ok || len(encoded) != base64.RawURLEncoding.EncodedLen(referenceSize) {
		return uuid.Nil, nil, false
	}
	raw, err := strictBase64.DecodeString(encoded)
	if err != nil {
		return uuid.Nil, nil, false
	}
	for _, secret := range t.secrets {
		if hmac.Equal(raw[referenceBody:], referenceMAC(secret, kind, raw[:referenceBody])) {
			return uuid.UUID(raw[:16]), hashOf(token), true
		}
	}
	return uuid.Nil, nil, false
}

func referenceMAC(secret []byte, kind reference, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(kind))
	mac.Write(body)
	return mac.Sum(nil)[:referenceSize-referenceBody]
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
