package storagetest

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"gatehouse/storage"
)

// RedisCopy is what a deployment had in a real Redis at some time, as a copy or a
// replica that was behind has it.
type RedisCopy struct {
	t      testing.TB
	c      storage.Config
	client *redis.Client
	values map[string]string
	left   map[string]time.Duration // until a key ends; below zero for never
}

// CopyRedis takes a copy of what the deployment of c has in Redis.
func CopyRedis(t testing.TB, c storage.Config) *RedisCopy {
	t.Helper()
	r := &RedisCopy{t, c, redisClient(t, c), map[string]string{}, map[string]time.Duration{}}
	for _, key := range redisKeys(t, r.client, c) {
		value, err := r.client.Dump(t.Context(), key).Result()
		if err != nil {
			t.Fatal(err)
		}
		if r.left[key], err = r.client.PTTL(t.Context(), key).Result(); err != nil {
			t.Fatal(err)
		}
		r.values[key] = value
	}
	return r
}

// Restore puts the copy in the place of all that is there now.
func (r *RedisCopy) Restore() {
	r.t.Helper()
	EmptyRedis(r.t, r.c)
	for key, value := range r.values {
		if err := r.client.RestoreReplace(r.t.Context(), key, max(0, r.left[key]), value).Err(); err != nil {
			r.t.Fatal(err)
		}
	}
}

// EmptyRedis takes all that the deployment of c has in Redis away.
func EmptyRedis(t testing.TB, c storage.Config) {
	t.Helper()
	client := redisClient(t, c)
	for _, key := range redisKeys(t, client, c) {
		if err := client.Del(t.Context(), key).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func redisClient(t testing.TB, c storage.Config) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(c.RedisURL)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func redisKeys(t testing.TB, client *redis.Client, c storage.Config) []string {
	t.Helper()
	keys, err := client.Keys(t.Context(), c.RedisPrefix+"*").Result()
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) == 0 {
		t.Fatal("nothing is in Redis")
	}
	return keys
}
