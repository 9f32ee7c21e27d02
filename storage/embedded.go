package storage

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// embeddedRedis is a Redis-compatible server in this process, on a loopback
// port, behind a random password. Its keys do not expire by themselves: a
// ticker moves its clock by the time that has passed.
type embeddedRedis struct {
	server *miniredis.Miniredis
	done   chan struct{}
	once   sync.Once
	ticker sync.WaitGroup
}

// embeddedTick is how far behind a key's expiry may be.
const embeddedTick = 250 * time.Millisecond

func startEmbedded() (*Redis, error) {
	server := miniredis.NewMiniRedis()
	password := rand.Text()
	server.RequireAuth(password)
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start in-process redis: %w", err)
	}
	e := &embeddedRedis{server: server, done: make(chan struct{})}
	e.ticker.Go(e.tick)
	client := redis.NewClient(&redis.Options{
		Addr: server.Addr(), Password: password, DisableIdentity: true, MaintNotificationsConfig: noMaintNotifications(),
		DialTimeout: redisDialTimeout, ReadTimeout: redisTimeout, WriteTimeout: redisTimeout,
		ContextTimeoutEnabled: true,
	})
	return &Redis{client: client, embedded: e}, nil
}

func (e *embeddedRedis) tick() {
	ticker := time.NewTicker(embeddedTick)
	defer ticker.Stop()
	last := time.Now() //nolint:forbidigo // monotonic time that passes in this process, not a date
	for {
		select {
		case <-e.done:
			return
		case now := <-ticker.C:
			e.server.FastForward(now.Sub(last))
			last = now
		}
	}
}

func (e *embeddedRedis) stop() {
	e.once.Do(func() { close(e.done) })
	e.ticker.Wait()
	e.server.Close()
}
