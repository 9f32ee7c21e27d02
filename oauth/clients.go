package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
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
	// ReplaceClient writes a client whole, but for the fields about creation, if
	// it is still as it was at a time; else directory.ErrNotFound.
	ReplaceClient(ctx context.Context, c *Client, was time.Time) error
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
	// Tries counts wrong secrets and assertions.
	Tries Tries
	// Fetch reads what clients publish at addresses of their own; without it
	// no client can have such an address.
	Fetch Fetcher
	// Organisations are those that clients may belong to.
	Organisations Organisations
	// Documents accepts clients whose id is the address of a document; nil for none.
	Documents *Documents

	mu     sync.Mutex
	cached map[string]cachedClient
	keys   clientKeys
}

// Fetcher reads a document from an address that somebody else chose.
type Fetcher interface {
	Get(ctx context.Context, target, accept string) (body []byte, header http.Header, err error)
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
// by a random one. The fields about secrets and times are set here, unless the
// hash of a secret is given. The error of an invalid registration joins a
// *directory.FieldError for each fault.
func (cs *Clients) Create(ctx context.Context, by directory.Actor, c Client) (*Client, string, error) {
	if c.ID == "" {
		if err := cs.named(&c); err != nil {
			return nil, "", err
		}
	}
	if err := cs.prepare(ctx, &c); err != nil {
		return nil, "", err
	}
	secret, err := cs.create(ctx, by, &c)
	if err != nil {
		return nil, "", fmt.Errorf("create client: %w", err)
	}
	return &c, secret, nil
}

// named gives a client a random id.
func (cs *Clients) named(c *Client) error {
	id, err := cs.random(16)
	c.ID = "c" + id // a letter first, whatever the random part begins with
	return err
}

// prepare fills in defaults and reports every fault.
func (cs *Clients) prepare(ctx context.Context, c *Client) error {
	c.normalise()
	if err := c.validate(); err != nil {
		return err
	}
	// Tokens for this service itself are nobody else's to look into.
	if slices.Contains(c.Resources, cs.Issuer) {
		return &directory.FieldError{Field: "resources", Reason: "has this service itself"}
	}
	return cs.checkReferences(ctx, c)
}

// create stores a prepared client, giving it a secret if it needs one.
func (cs *Clients) create(ctx context.Context, by directory.Actor, c *Client) (string, error) {
	c.CreatedAt, c.SecretChangedAt, c.UpdatedAt = cs.now(), time.Time{}, time.Time{}
	secret, err := cs.giveSecret(c)
	if err != nil {
		return "", err
	}
	return secret, cs.change(ctx, "create_client", by, c.ID, c.auditData(), func(ctx context.Context) error {
		return cs.Store.CreateClient(ctx, c)
	})
}

// giveSecret gives a client the secret that its method needs and it lacks, and
// takes away what it does not need.
func (cs *Clients) giveSecret(c *Client) (string, error) {
	if !c.hasSecret() {
		c.SecretHash, c.SecretChangedAt = nil, time.Time{}
		return "", nil
	}
	if len(c.SecretHash) > 0 {
		if c.SecretChangedAt.IsZero() {
			c.SecretChangedAt = cs.now()
		}
		return "", nil
	}
	secret, err := cs.random(secretSize)
	if err != nil {
		return "", err
	}
	c.SecretHash, c.SecretChangedAt = hashSecret(secret), cs.now()
	return secret, nil
}

// now is the time in the precision that the store keeps.
func (cs *Clients) now() time.Time { return cs.Clock().UTC().Truncate(time.Microsecond) }

// Get returns a client, at most a second old. It is shared: do not change it.
func (cs *Clients) Get(ctx context.Context, id string) (*Client, error) {
	if c := cs.fromCache(id); c != nil {
		return c, nil
	}
	if strings.HasPrefix(id, "https://") {
		return cs.described(ctx, id)
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
		"redirect_uris": c.RedirectURIs, "first_party": c.FirstParty, "kind": c.Kind, "organisation_id": c.OrganisationID, "pkce_optional": c.PKCEOptional, "shadow": c.Shadow,
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
	c.withoutScopesOfOtherKinds()
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
