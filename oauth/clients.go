package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// ClientStore keeps the clients. Lookups return directory.ErrNotFound, a second
// client of an id is a *directory.ConflictError.
type ClientStore interface {
	InTx(ctx context.Context, f func(ctx context.Context) error) error
	CreateClient(ctx context.Context, c *Client) error
	Client(ctx context.Context, id string) (*Client, error)
	// Clients returns every client in the order of their ids.
	Clients(ctx context.Context) ([]*Client, error)
	ReplaceSecret(ctx context.Context, id string, hash []byte, at time.Time) error
	// DeleteClient removes a client, and with it whatever it was granted.
	DeleteClient(ctx context.Context, id string) error
}

// Clients registers clients and tells who is one.
type Clients struct {
	Store ClientStore
	Audit Audit
	Clock directory.Clock
	Rand  io.Reader
	// Issuer is the only audience of a client's assertion (RFC 10070).
	Issuer string
	// Once refuses an assertion that was presented before.
	Once Once

	mu     sync.Mutex
	cached map[string]cachedClient
}

type cachedClient struct {
	client *Client
	until  time.Time
}

const (
	// clientCacheFor is how long another replica may still see a client that
	// was deleted or changed here. Grants are read from the store at each use.
	clientCacheFor = time.Second
	maxCached      = 1024

	secretSize = 32 // bytes of randomness in a client secret
)

// Create registers a client and returns it with its secret, which is shown this
// once; "" when it has none. Defaults follow RFC 7591; an empty id is replaced
// by a random one. The fields about secrets and times are set here. The error
// of an invalid registration joins a *directory.FieldError for each fault.
func (cs *Clients) Create(ctx context.Context, by directory.Actor, c Client) (*Client, string, error) {
	if c.ID == "" {
		id, err := cs.random(16)
		if err != nil {
			return nil, "", err
		}
		c.ID = "c" + id // a letter first, whatever the random part begins with
	}
	c.normalise()
	if err := c.validate(); err != nil {
		return nil, "", err
	}
	c.CreatedAt, c.SecretHash, c.SecretChangedAt = cs.Clock().Truncate(time.Microsecond), nil, time.Time{}
	secret := ""
	if c.hasSecret() {
		var err error
		if secret, err = cs.random(secretSize); err != nil {
			return nil, "", err
		}
		c.SecretHash, c.SecretChangedAt = hashSecret(secret), c.CreatedAt
	}
	err := cs.change(ctx, "create_client", by, c.ID, c.auditData(), func(ctx context.Context) error {
		return cs.Store.CreateClient(ctx, &c)
	})
	if err != nil {
		return nil, "", fmt.Errorf("create client: %w", err)
	}
	return &c, secret, nil
}

// Get returns a client, at most a second old. It is shared: do not change it.
func (cs *Clients) Get(ctx context.Context, id string) (*Client, error) {
	if c := cs.fromCache(id); c != nil {
		return c, nil
	}
	return cs.read(ctx, id)
}

// List returns every client in the order of their ids.
func (cs *Clients) List(ctx context.Context) ([]*Client, error) { return cs.Store.Clients(ctx) }

// RotateSecret gives a client a new secret and returns it, this once. The old
// one ends here at once and elsewhere within a second.
func (cs *Clients) RotateSecret(ctx context.Context, by directory.Actor, id string) (string, error) {
	c, err := cs.Store.Client(ctx, id)
	if err != nil {
		return "", fmt.Errorf("rotate client secret: %w", err)
	}
	if !c.hasSecret() {
		return "", &directory.FieldError{Field: "token_endpoint_auth_method", Reason: "uses no secret"}
	}
	secret, err := cs.random(secretSize)
	if err != nil {
		return "", err
	}
	err = cs.change(ctx, "rotate_client_secret", by, id, nil, func(ctx context.Context) error {
		return cs.Store.ReplaceSecret(ctx, id, hashSecret(secret), cs.Clock())
	})
	if err != nil {
		return "", fmt.Errorf("rotate client secret: %w", err)
	}
	return secret, nil
}

// Delete removes a client. Its tokens, codes and consents end at once on every
// replica; it cannot authenticate from then on, elsewhere within a second.
func (cs *Clients) Delete(ctx context.Context, by directory.Actor, id string) error {
	err := cs.change(ctx, "delete_client", by, id, nil, func(ctx context.Context) error {
		return cs.Store.DeleteClient(ctx, id)
	})
	if err != nil {
		return fmt.Errorf("delete client: %w", err)
	}
	return nil
}

// change writes with its audit event in one transaction and forgets the cached client.
func (cs *Clients) change(
	ctx context.Context, kind string, by directory.Actor, id string, data map[string]any, write func(ctx context.Context) error,
) error {
	defer cs.forget(id)
	return cs.Store.InTx(ctx, func(ctx context.Context) error {
		if err := write(ctx); err != nil {
			return err
		}
		return cs.Audit.AppendEvent(ctx, directory.Event{
			ID: uuid.New(), Type: kind, Actor: by, Subject: id, Data: data, At: cs.Clock(),
		})
	})
}

func (c *Client) auditData() map[string]any {
	return map[string]any{
		"auth_method": c.AuthMethod, "grant_types": c.GrantTypes, "scopes": c.Scopes, "roles": c.Roles,
		"redirect_uris": c.RedirectURIs, "first_party": c.FirstParty, "kind": c.Kind, "pkce_optional": c.PKCEOptional,
	}
}

func (c *Client) hasSecret() bool {
	return c.AuthMethod == ClientSecretBasic || c.AuthMethod == ClientSecretPost
}

func (cs *Clients) random(size int) (string, error) {
	b := make([]byte, size)
	if _, err := io.ReadFull(cs.Rand, b); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// hashSecret needs no salt and no slowness: the secret is 256 random bits.
func hashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func (cs *Clients) fromCache(id string) *Client {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if e, ok := cs.cached[id]; ok && cs.Clock().Before(e.until) {
		return e.client
	}
	return nil
}

// read fetches a client and remembers it. Unknown ids are not remembered.
func (cs *Clients) read(ctx context.Context, id string) (*Client, error) {
	c, err := cs.Store.Client(ctx, id)
	if err != nil {
		cs.forget(id)
		return nil, err
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.cached == nil || len(cs.cached) >= maxCached {
		cs.cached = map[string]cachedClient{}
	}
	cs.cached[id] = cachedClient{client: c, until: cs.Clock().Add(clientCacheFor)}
	return c, nil
}

func (cs *Clients) forget(id string) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.cached, id)
}
