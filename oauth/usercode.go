package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// A user code is what a person types that a device shows: letters that make no
// word and no other letter or digit looks like (RFC 8628 section 6.1). Eight of
// twenty are 34 bits, guessed at through the limits of [Sessions].
const (
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 8
)

// newUserCode returns a user code as it is shown, XXXX-XXXX.
func (s *Server) newUserCode() (string, error) {
	// Bytes above the largest multiple of the letters would favour the first ones.
	const fair = 256 / len(userCodeLetters) * len(userCodeLetters)
	code := make([]byte, 0, userCodeLength)
	var b [1]byte
	for len(code) < userCodeLength {
		if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
			return "", fmt.Errorf("read randomness: %w", err)
		}
		if int(b[0]) < fair {
			code = append(code, userCodeLetters[int(b[0])%len(userCodeLetters)])
		}
	}
	return string(code[:userCodeLength/2]) + "-" + string(code[userCodeLength/2:]), nil
}

// readUserCode returns a code that was typed as it is shown, forgiving case,
// spaces and hyphens; "" for what cannot be one.
func readUserCode(typed string) string {
	const longest = 64 // with whatever was typed between the letters
	if len(typed) > longest {
		return ""
	}
	code := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, typed)
	if len(code) != userCodeLength || strings.Trim(code, userCodeLetters) != "" {
		return ""
	}
	return code[:userCodeLength/2] + "-" + code[userCodeLength/2:]
}

// userCodeMAC is what the store knows a user code by.
func userCodeMAC(secret []byte, code string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("user code"))
	mac.Write([]byte(code))
	return mac.Sum(nil)
}
