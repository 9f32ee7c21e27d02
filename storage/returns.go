package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Returns keeps where browsers go back to after a sign-in.
type Returns struct{ Redis *Redis }

// key does not tell the browser's secret.
func (c Returns) key(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return c.Redis.prefix + "return:" + hex.EncodeToString(sum[:])
}

// PutReturn keeps where the browser with a secret goes back to.
func (c Returns) PutReturn(ctx context.Context, secret string, to []byte, ttl time.Duration) error {
	return redisError(c.Redis.client.Set(ctx, c.key(secret), to, ttl).Err())
}

// Return returns what was kept; directory.ErrNotFound when nothing is.
func (c Returns) Return(ctx context.Context, secret string) ([]byte, error) {
	to, err := c.Redis.client.Get(ctx, c.key(secret)).Bytes()
	return to, redisError(err)
}

// TakeReturn is Return, and forgets it.
func (c Returns) TakeReturn(ctx context.Context, secret string) ([]byte, error) {
	to, err := c.Redis.client.GetDel(ctx, c.key(secret)).Bytes()
	return to, redisError(err)
}
