package storage

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/oauth"
)

// CreateOpaqueToken implements oauth.GrantStore.
func (s OAuthGrants) CreateOpaqueToken(ctx context.Context, t *oauth.OpaqueToken) error {
	_, err := s.DB.exec(ctx, `
		insert into access_tokens (hash, client_id, grant_id, scopes, audience, dpop_jkt, actor, subject, created_at, expires_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		t.Hash, t.ClientID, uuid.NullUUID{UUID: t.Grant, Valid: t.Grant != uuid.Nil}, t.Scopes, t.Audience, t.KeyThumbprint, t.Actor,
		t.Subject, t.CreatedAt, t.ExpiresAt)
	return err
}

// Opaque tokens are found by their hash on PostgreSQL. On SQLite no index is in
// the order of hashes: each new token would change a page of its own there,
// somewhere among all, which costs more than everything else about it. It is
// found by when it ends, which the index for clean-up is in the order of.
const (
	tokenColumns = `client_id, grant_id, scopes, audience, dpop_jkt, actor, subject, created_at, expires_at`

	tokenByHash       = `select ` + tokenColumns + ` from access_tokens where hash = $1`
	tokenByEnd        = `select ` + tokenColumns + ` from access_tokens where hash = $1 and expires_at = $2`
	deleteTokenByHash = `delete from access_tokens where hash = $1`
	deleteTokenByEnd  = `delete from access_tokens where hash = $1 and expires_at = $2`
)

// OpaqueToken implements oauth.GrantStore.
func (s OAuthGrants) OpaqueToken(ctx context.Context, expires time.Time, hash []byte) (*oauth.OpaqueToken, error) {
	query, args := tokenByEnd, []any{hash, expires}
	if s.DB.Engine == PostgreSQL {
		query, args = tokenByHash, []any{hash}
	}
	t := oauth.OpaqueToken{Hash: hash}
	var grant uuid.NullUUID
	err := s.DB.row(ctx, query, args, &t.ClientID, &grant, listInto(&t.Scopes), listInto(&t.Audience), &t.KeyThumbprint, &t.Actor,
		&t.Subject, timeInto(&t.CreatedAt), timeInto(&t.ExpiresAt))
	if err != nil {
		return nil, err
	}
	t.Grant = grant.UUID
	return &t, nil
}

// DeleteOpaqueToken implements oauth.GrantStore.
func (s OAuthGrants) DeleteOpaqueToken(ctx context.Context, t *oauth.OpaqueToken) error {
	query, args := deleteTokenByEnd, []any{t.Hash, t.ExpiresAt}
	if s.DB.Engine == PostgreSQL {
		query, args = deleteTokenByHash, []any{t.Hash}
	}
	_, err := s.DB.exec(ctx, query, args...)
	return err
}
