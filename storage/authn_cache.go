package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"gatehouse/authn"
	"gatehouse/directory"
)

// AuthnCache implements authn.Cache.
type AuthnCache struct{ Redis *Redis }

var _ authn.Cache = AuthnCache{}

// takeScript is the generic cell rate algorithm: the key holds when the bucket
// will be full again, in microseconds. Lua prints large numbers in scientific
// notation unless told otherwise.
//
// ARGV: now, interval, period, 1 to take or -1 to give back. It returns how
// long to wait; 0 when a try was taken.
var takeScript = redis.NewScript(`
local now, interval, period, sign = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + sign * interval
if sign > 0 and full - now > period then
	return full - now - period
end
if full <= now then
	redis.call('DEL', KEYS[1])
else
	redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
end
return 0`)

// Take implements authn.Cache.
func (c AuthnCache) Take(ctx context.Context, b authn.Bucket, now time.Time) (time.Duration, error) {
	return c.take(ctx, b, now, 1)
}

// GiveBack implements authn.Cache.
func (c AuthnCache) GiveBack(ctx context.Context, b authn.Bucket, now time.Time) error {
	_, err := c.take(ctx, b, now, -1)
	return err
}

func (c AuthnCache) take(ctx context.Context, b authn.Bucket, now time.Time, sign int) (time.Duration, error) {
	wait, err := takeScript.Run(ctx, c.Redis.client, []string{c.Redis.prefix + "limit:" + b.Key},
		now.UnixMicro(), b.Interval().Microseconds(), b.Per.Microseconds(), sign).Int64()
	return time.Duration(wait) * time.Microsecond, redisError(err)
}

// tallyScript counts, and lets the first count say when all are forgotten.
//
// ARGV: time to live in ms.
var tallyScript = redis.NewScript(`
local n = redis.call('INCR', KEYS[1])
if n == 1 then
	redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return n
`)

// Tally implements authn.Cache.
func (c AuthnCache) Tally(ctx context.Context, key string, within time.Duration) (int, error) {
	n, err := tallyScript.Run(ctx, c.Redis.client, []string{c.Redis.prefix + "tally:" + key}, within.Milliseconds()).Int()
	return n, redisError(err)
}

func (c AuthnCache) signInKey(id string) string { return c.Redis.prefix + "signin:" + id }

// PutSignIn implements authn.Cache.
func (c AuthnCache) PutSignIn(ctx context.Context, id string, state []byte, ttl time.Duration) error {
	return redisError(c.Redis.client.Set(ctx, c.signInKey(id), state, ttl).Err())
}

// SignIn implements authn.Cache.
func (c AuthnCache) SignIn(ctx context.Context, id string) ([]byte, error) {
	state, err := c.Redis.client.Get(ctx, c.signInKey(id)).Bytes()
	return state, redisError(err)
}

// DeleteSignIn implements authn.Cache.
func (c AuthnCache) DeleteSignIn(ctx context.Context, id string) error {
	return redisError(c.Redis.client.Del(ctx, c.signInKey(id)).Err())
}

func (c AuthnCache) ceremonyKey(id string) string { return c.Redis.prefix + "ceremony:" + id }

// PutCeremony implements authn.Cache.
func (c AuthnCache) PutCeremony(ctx context.Context, id string, state []byte, ttl time.Duration) error {
	return redisError(c.Redis.client.Set(ctx, c.ceremonyKey(id), state, ttl).Err())
}

// TakeCeremony implements authn.Cache.
func (c AuthnCache) TakeCeremony(ctx context.Context, id string) ([]byte, error) {
	state, err := c.Redis.client.GetDel(ctx, c.ceremonyKey(id)).Bytes()
	return state, redisError(err)
}

// codesKey holds everything about one user's codes in one hash: a field
// c:MAC for each live code, with its expiry and sign-in, and a field t:SIGNIN
// with the tries of each sign-in.
func (c AuthnCache) codesKey(userID uuid.UUID) string {
	return c.Redis.prefix + "codes:" + userID.String()
}

// addCodeScript adds a code unless the user has enough or its sign-in is dead.
//
// ARGV: now, MAC, sign-in, expiry, most codes, most tries, time to live in ms.
var addCodeScript = redis.NewScript(`
local now, mac, signin, expires = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
if tonumber(redis.call('HGET', KEYS[1], 't:' .. signin) or '0') >= tonumber(ARGV[6]) then
	return 0
end
local fields, live = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #fields, 2 do
	if string.sub(fields[i], 1, 2) == 'c:' then
		if tonumber(string.match(fields[i + 1], '^%d+')) <= now then
			redis.call('HDEL', KEYS[1], fields[i])
		else
			live = live + 1
		end
	end
end
if live >= tonumber(ARGV[5]) then
	return 0
end
redis.call('HSET', KEYS[1], 'c:' .. mac, expires .. ':' .. signin)
redis.call('PEXPIRE', KEYS[1], ARGV[7])
return 1`)

// AddCode implements authn.Cache.
func (c AuthnCache) AddCode(ctx context.Context, code authn.LiveCode, now time.Time, most, tries int) (bool, error) {
	n, err := addCodeScript.Run(ctx, c.Redis.client, []string{c.codesKey(code.UserID)},
		now.UnixMicro(), code.MAC, code.SignIn, code.ExpiresAt.UnixMicro(), most, tries,
		max(1, code.ExpiresAt.Sub(now).Milliseconds())).Int()
	return n == 1, redisError(err)
}

// tryCodeScript counts a try and compares, in one step. The comparison is of
// MACs, whose bytes whoever guesses a code does not choose.
//
// ARGV: now, MAC, sign-in, most tries.
var tryCodeScript = redis.NewScript(`
local now, mac, signin = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local fields, own, right = redis.call('HGETALL', KEYS[1]), {}, false
for i = 1, #fields, 2 do
	local expires, owner = string.match(fields[i + 1], '^(%d+):(.*)$')
	if string.sub(fields[i], 1, 2) == 'c:' and owner == signin and tonumber(expires) > now then
		own[#own + 1] = fields[i]
		right = right or fields[i] == 'c:' .. mac
	end
end
if #own == 0 then
	return 'gone'
end
if right then
	redis.call('HDEL', KEYS[1], 't:' .. signin, unpack(own))
	return 'right'
end
if redis.call('HINCRBY', KEYS[1], 't:' .. signin, 1) >= tonumber(ARGV[4]) then
	redis.call('HDEL', KEYS[1], unpack(own))
	return 'dead'
end
return 'wrong'`)

// TryCode implements authn.Cache.
func (c AuthnCache) TryCode(ctx context.Context, code authn.LiveCode, now time.Time, tries int) (authn.CodeVerdict, error) {
	word, err := tryCodeScript.Run(ctx, c.Redis.client, []string{c.codesKey(code.UserID)},
		now.UnixMicro(), code.MAC, code.SignIn, tries).Text()
	if err != nil {
		return authn.CodeGone, redisError(err)
	}
	switch word {
	case "right":
		return authn.CodeRight, nil
	case "wrong":
		return authn.CodeWrong, nil
	case "dead":
		return authn.CodeDead, nil
	case "gone":
		return authn.CodeGone, nil
	}
	return authn.CodeGone, fmt.Errorf("%w: redis: unknown verdict", directory.ErrUnavailable)
}
