package storage

import (
	"context"
	"time"

	"gatehouse/oauth"
)

// OAuthOnce implements oauth.Once.
type OAuthOnce struct{ Redis *Redis }

var _ oauth.Once = OAuthOnce{}

// First implements oauth.Once.
func (o OAuthOnce) First(ctx context.Context, id string, ttl time.Duration) (bool, error) {
	// Redis keeps no shorter time than a millisecond.
	first, err := o.Redis.client.SetNX(ctx, o.Redis.prefix+"once:"+id, 1, max(ttl, time.Millisecond)).Result()
	return first, redisError(err)
}
