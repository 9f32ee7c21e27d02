package oauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// ErrChanged says that a client was changed or deleted by somebody else in the
// moment between it being read and written.
var ErrChanged = errors.New("the client was changed by somebody else at the same time")

// Update gives a client new properties: all of c counts, but the fields about
// creation and the secret. A client that begins to need a secret is given one,
// which is returned this once. What was granted before stays granted. Errors:
// as of [Clients.Create], directory.ErrNotFound, [ErrChanged].
func (cs *Clients) Update(ctx context.Context, by directory.Actor, c Client) (*Client, string, error) {
	old, err := cs.Store.Client(ctx, c.ID)
	if err != nil {
		return nil, "", fmt.Errorf("update client: %w", err)
	}
	if err := cs.prepare(ctx, &c); err != nil {
		return nil, "", err
	}
	secret, err := cs.replace(ctx, by, old, &c)
	if err != nil {
		return nil, "", fmt.Errorf("update client: %w", err)
	}
	return &c, secret, nil
}

// replace stores a prepared client in the place of an old one.
func (cs *Clients) replace(ctx context.Context, by directory.Actor, old, c *Client) (string, error) {
	c.CreatedAt, c.RegistrationTokenHash, c.SecretChangedAt = old.CreatedAt, old.RegistrationTokenHash, time.Time{}
	if len(c.SecretHash) == 0 || slices.Equal(c.SecretHash, old.SecretHash) {
		c.SecretHash, c.SecretChangedAt = old.SecretHash, old.SecretChangedAt
	}
	// Two changes within a microsecond must not look like none.
	c.UpdatedAt = cs.now()
	if !c.UpdatedAt.After(old.UpdatedAt) {
		c.UpdatedAt = old.UpdatedAt.Add(time.Microsecond)
	}
	secret, err := cs.giveSecret(c)
	if err != nil {
		return "", err
	}
	return secret, cs.change(ctx, "update_client", by, c.ID, c.auditData(), func(ctx context.Context) error {
		err := cs.Store.ReplaceClient(ctx, c, old.UpdatedAt)
		if errors.Is(err, directory.ErrNotFound) {
			return ErrChanged
		}
		return err
	})
}

// checkSector fetches the document that says which redirect URIs belong to one
// sector, and wants every one of the client's in it (OpenID Connect
// Registration section 5).
func (cs *Clients) checkSector(ctx context.Context, c *Client) error {
	if c.SectorIdentifierURI == "" {
		return nil
	}
	const field = "sector_identifier_uri"
	if cs.Fetch == nil {
		return &directory.FieldError{Field: field, Reason: "cannot be fetched here"}
	}
	body, _, err := cs.Fetch.Get(ctx, c.SectorIdentifierURI, "application/json")
	if err != nil {
		web.Note(ctx, slog.String("sector_identifier", err.Error()))
		return &directory.FieldError{Field: field, Reason: "could not be fetched"}
	}
	var listed []string
	if err := web.DecodeJSON(body, &listed, false); err != nil {
		return &directory.FieldError{Field: field, Reason: "is not a JSON list of URIs"}
	}
	for _, uri := range c.RedirectURIs {
		if !slices.Contains(listed, uri) {
			return &directory.FieldError{Field: field, Reason: "does not list every redirect URI"}
		}
	}
	return nil
}
