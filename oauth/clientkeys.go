package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/internal/web"
)

const (
	// clientKeysFor is how long keys that a client publishes are believed.
	clientKeysFor = 5 * time.Minute
	// clientKeysRetry is how long an address is left alone after a fetch, so
	// that made-up assertions cannot make us knock at a client's door.
	clientKeysRetry = 10 * time.Second
	// clientKeysStale is how long old keys serve when newer ones cannot be had.
	clientKeysStale = 24 * time.Hour

	maxKeySets = 1024
)

// clientKeys remembers what clients publish at their jwks_uri.
type clientKeys struct {
	mu   sync.Mutex
	sets map[string]*publishedKeys // by address
}

// publishedKeys are one address's keys. Its lock is held while they are fetched,
// so that they are fetched once for everybody who waits.
type publishedKeys struct {
	mu      sync.Mutex
	set     *jose.JSONWebKeySet // nil until they have been fetched
	fetched time.Time
	tried   time.Time
}

// keysOf returns the keys that a client signs with. With again, those of an
// address are fetched once more, unless they were a moment ago: then, and when
// nothing changes for an inline set, the result is nil.
func (cs *Clients) keysOf(ctx context.Context, c *Client, again bool) *jose.JSONWebKeySet {
	if c.JWKSURI == "" {
		if again {
			return nil
		}
		set, err := parseClientJWKS(c.JWKS)
		if err != nil {
			return nil
		}
		return set
	}
	published := cs.keys.at(c.JWKSURI)
	published.mu.Lock()
	defer published.mu.Unlock()
	now := cs.Clock()
	if now.Sub(published.fetched) < clientKeysFor && !again {
		return published.set
	}
	if !published.tried.IsZero() && now.Sub(published.tried) < clientKeysRetry {
		if again {
			return nil
		}
		return published.usable(now)
	}
	published.tried = now
	if err := cs.fetchKeys(ctx, c.JWKSURI, published); err != nil {
		web.Note(ctx, slog.String("client_keys", err.Error()))
	}
	return published.usable(now)
}

// usable are the keys, unless they are too old to be believed.
func (p *publishedKeys) usable(now time.Time) *jose.JSONWebKeySet {
	if now.Sub(p.fetched) >= clientKeysStale {
		return nil
	}
	return p.set
}

func (cs *Clients) fetchKeys(ctx context.Context, address string, into *publishedKeys) error {
	if cs.Fetch == nil {
		return errors.New("no way to fetch keys")
	}
	body, _, err := cs.Fetch.Get(ctx, address, "application/jwk-set+json, application/json")
	if err != nil {
		return err
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(body, &set); err != nil {
		return errors.New("not a JWK set")
	}
	// A published set may hold keys for other uses, which are nothing to us.
	usable := &jose.JSONWebKeySet{}
	for _, key := range set.Keys {
		if checkClientKey(&key) == nil {
			usable.Keys = append(usable.Keys, key)
		}
	}
	if len(usable.Keys) == 0 {
		return errors.New("no usable key")
	}
	into.set, into.fetched = usable, cs.Clock()
	return nil
}

func (k *clientKeys) at(address string) *publishedKeys {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p, ok := k.sets[address]; ok {
		return p
	}
	if k.sets == nil || len(k.sets) >= maxKeySets {
		k.sets = map[string]*publishedKeys{}
	}
	p := &publishedKeys{}
	k.sets[address] = p
	return p
}

// parseClientJWKS reads the public keys of a client.
func parseClientJWKS(text json.RawMessage) (*jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	if len(text) > maxClientJWKS {
		return nil, errors.New("too long")
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("no key")
	}
	for i := range set.Keys {
		if err := checkClientKey(&set.Keys[i]); err != nil {
			return nil, err
		}
	}
	return &set, nil
}

func checkClientKey(key *jose.JSONWebKey) error {
	if !key.Valid() || !key.IsPublic() {
		return errors.New("not a public key")
	}
	if key.Use == "enc" {
		return errors.New("not a key for signatures")
	}
	_, err := verifyWith(key.Key)
	return err
}
