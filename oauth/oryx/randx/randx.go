package randx

import (
	"crypto/rand"
	"fmt"
	"math/big"
)

// AlphaUpper are the capital letters.
var AlphaUpper = []rune("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

// RuneSequence returns l runes of allowed, each equally likely.
func RuneSequence(l int, allowed []rune) ([]rune, error) {
	runes := make([]rune, l)
	for i := range runes {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(allowed))))
		if err != nil {
			return nil, fmt.Errorf("read random bytes: %w", err)
		}
		runes[i] = allowed[n.Int64()]
	}
	return runes, nil
}
