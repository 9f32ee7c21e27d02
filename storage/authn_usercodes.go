package storage

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"gatehouse/authn"
	"gatehouse/directory"
)

// userCodesKey holds a user's codes without a sign-in in one hash: a field for
// each MAC, with its expiry and whether it is live or used.
func (c AuthnCache) userCodesKey(userID uuid.UUID) string {
	return c.Redis.prefix + "usercodes:" + userID.String()
}

// addUserCodeScript adds a code unless the user has enough, and forgets old ones.
//
// ARGV: now, MAC, expiry, most codes, how long to remember, time to live in ms.
var addUserCodeScript = redis.NewScript(`
local now, most, keep = tonumber(ARGV[1]), tonumber(ARGV[4]), tonumber(ARGV[5])
local fields, live = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #fields, 2 do
	local expires, state = string.match(fields[i + 1], '^(%d+):(.*)$')
	if tonumber(expires) + keep <= now then
		redis.call('HDEL', KEYS[1], fields[i])
	elseif state == 'live' and tonumber(expires) > now then
		live = live + 1
	end
end
if live >= most then
	return 0
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3] .. ':live')
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return 1`)

// AddUserCode implements authn.Cache.
func (c AuthnCache) AddUserCode(ctx context.Context, code authn.LiveCode, now time.Time, most int, keep time.Duration) (bool, error) {
	n, err := addUserCodeScript.Run(ctx, c.Redis.client, []string{c.userCodesKey(code.UserID)},
		now.UnixMicro(), code.MAC, code.ExpiresAt.UnixMicro(), most, keep.Microseconds(),
		(code.ExpiresAt.Sub(now) + keep).Milliseconds()).Int()
	return n == 1, redisError(err)
}

// useUserCodeScript uses a code up and returns its expiry, in one step.
//
// ARGV: now, MAC.
var useUserCodeScript = redis.NewScript(`
local found = redis.call('HGET', KEYS[1], ARGV[2])
if not found then
	return 'wrong'
end
local expires, state = string.match(found, '^(%d+):(.*)$')
if state ~= 'live' or tonumber(expires) <= tonumber(ARGV[1]) then
	return 'gone'
end
redis.call('HSET', KEYS[1], ARGV[2], expires .. ':used')
return expires`)

// UseUserCode implements authn.Cache.
func (c AuthnCache) UseUserCode(ctx context.Context, code authn.LiveCode, now time.Time) (authn.CodeVerdict, time.Time, error) {
	word, err := useUserCodeScript.Run(ctx, c.Redis.client, []string{c.userCodesKey(code.UserID)}, now.UnixMicro(), code.MAC).Text()
	switch {
	case err != nil:
		return authn.CodeGone, time.Time{}, redisError(err)
	case word == "wrong":
		return authn.CodeWrong, time.Time{}, nil
	case word == "gone":
		return authn.CodeGone, time.Time{}, nil
	}
	expires, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		return authn.CodeGone, time.Time{}, fmt.Errorf("%w: redis: unknown verdict", directory.ErrUnavailable)
	}
	return authn.CodeRight, time.UnixMicro(expires), nil
}
