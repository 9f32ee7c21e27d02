package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"
)

// A nonce (RFC 9449 section 8) shows that a proof was not made in advance. Ours
// is an HMAC over the number of a five-minute window, so that every replica
// knows it and none has to keep it.

// nonceWindow is the time after which proofs are asked for another nonce.
const nonceWindow = 5 * time.Minute

// nonceSize is the length of a nonce in bytes, before base64url.
const nonceSize = 16

// proofNonce is the nonce for proofs from now on.
func (s *Server) proofNonce() string {
	return base64.RawURLEncoding.EncodeToString(nonceOf(s.Secrets[0], s.window()))
}

func (s *Server) window() int64 { return s.Clock().Unix() / int64(nonceWindow/time.Second) }

// knowsNonce reports whether a nonce is the one of now or of the window before.
// That of the next window may come from a replica whose clock is ahead.
func (s *Server) knowsNonce(nonce string) bool {
	given, err := strictBase64.DecodeString(nonce)
	if err != nil || len(given) != nonceSize {
		return false
	}
	now := s.window()
	for _, secret := range s.Secrets {
		for _, window := range [...]int64{now, now - 1, now + 1} {
			if hmac.Equal(given, nonceOf(secret, window)) {
				return true
			}
		}
	}
	return false
}

// nonceOf is the nonce of a window. The words in front keep it apart from
// everything else that the secret authenticates.
func nonceOf(secret []byte, window int64) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(strconv.AppendInt([]byte("dpop nonce:"), window, 10))
	return mac.Sum(nil)[:nonceSize]
}
