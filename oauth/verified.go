package oauth

import "sync"

// verifiedTokens remembers what JWT access tokens said whose signature was
// verified: a resource server shows the same one again and again, and verifying
// costs more than everything else. Whether a token still counts is asked each time.
//
// Two generations bound it: when the young one is full it becomes the old one,
// and what is still in use moves over.
type verifiedTokens struct {
	mu    sync.Mutex
	young map[[32]byte]*accessToken
	old   map[[32]byte]*accessToken
}

// verifiedGeneration is how many tokens one generation holds, about 1 kB each.
const verifiedGeneration = 2048

// get returns the token of a hash, nil when it is not remembered.
func (v *verifiedTokens) get(hash [32]byte) *accessToken {
	v.mu.Lock()
	defer v.mu.Unlock()
	if t := v.young[hash]; t != nil {
		return t
	}
	t := v.old[hash]
	if t != nil {
		v.add(hash, t)
	}
	return t
}

// put remembers a token, which must not change afterwards.
func (v *verifiedTokens) put(hash [32]byte, t *accessToken) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.add(hash, t)
}

func (v *verifiedTokens) add(hash [32]byte, t *accessToken) {
	if v.young == nil || len(v.young) >= verifiedGeneration {
		v.old, v.young = v.young, make(map[[32]byte]*accessToken)
	}
	v.young[hash] = t
}
