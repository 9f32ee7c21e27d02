package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"gatehouse/oauth"
)

// OAuthFlows implements oauth.FlowCache.
type OAuthFlows struct{ Redis *Redis }

var _ oauth.FlowCache = OAuthFlows{}

// key names a flow without telling its id, which is a secret of its browser.
func (c OAuthFlows) key(id string) string { return c.named("flow:", id) }

// pushedKey holds no NUL in either part, so that no two pairs share it.
func (c OAuthFlows) pushedKey(clientID, uri string) string {
	return c.named("pushed:", clientID+"\x00"+uri)
}

func (c OAuthFlows) named(kind, secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return c.Redis.prefix + kind + hex.EncodeToString(sum[:])
}

// PutFlow implements oauth.FlowCache.
func (c OAuthFlows) PutFlow(ctx context.Context, id string, flow []byte, ttl time.Duration) error {
	return redisError(c.Redis.client.Set(ctx, c.key(id), flow, ttl).Err())
}

// Flow implements oauth.FlowCache.
func (c OAuthFlows) Flow(ctx context.Context, id string) ([]byte, error) {
	flow, err := c.Redis.client.Get(ctx, c.key(id)).Bytes()
	return flow, redisError(err)
}

// TakeFlow implements oauth.FlowCache.
func (c OAuthFlows) TakeFlow(ctx context.Context, id string) ([]byte, error) {
	flow, err := c.Redis.client.GetDel(ctx, c.key(id)).Bytes()
	return flow, redisError(err)
}

// PutPushed implements oauth.FlowCache.
func (c OAuthFlows) PutPushed(ctx context.Context, clientID, uri string, request []byte, ttl time.Duration) error {
	return redisError(c.Redis.client.Set(ctx, c.pushedKey(clientID, uri), request, ttl).Err())
}

// TakePushed implements oauth.FlowCache.
func (c OAuthFlows) TakePushed(ctx context.Context, clientID, uri string) ([]byte, error) {
	request, err := c.Redis.client.GetDel(ctx, c.pushedKey(clientID, uri)).Bytes()
	return request, redisError(err)
}
