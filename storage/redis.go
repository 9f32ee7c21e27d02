package storage

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"gatehouse/directory"
)

// Timeouts that leave room for an answer within three seconds.
const (
	redisDialTimeout = time.Second
	redisTimeout     = time.Second
)

// Redis is a connection to one Redis, real or in process. Scripts are sent with
// EVALSHA and touch keys that share one {hash tag}, so that they run on a cluster.
type Redis struct {
	client   redis.UniversalClient
	prefix   string         // in front of every key
	embedded *embeddedRedis // nil when it is a real one
}

// OpenRedis connects to url, or starts an in-process Redis when url is empty.
// The forms are redis://[user:password@]host:port/db, rediss:// (TLS),
// redis-cluster://host1,host2 and redis-sentinel://host1,host2/master-name.
// Every key starts with prefix, so that deployments can share a Redis.
func OpenRedis(rawURL, prefix string) (*Redis, error) {
	if rawURL == "" {
		return startEmbedded()
	}
	options, err := redisOptions(rawURL)
	if err != nil {
		return nil, fmt.Errorf("parse Redis URL: %w", err)
	}
	quiet()
	return &Redis{client: redis.NewUniversalClient(options), prefix: prefix}, nil
}

// quiet stops the client from writing lines of its own, in its own form, of
// errors that its callers get and log.
var quiet = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

func redisOptions(rawURL string) (*redis.UniversalOptions, error) {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return nil, errors.New("no scheme")
	}
	options := &redis.UniversalOptions{
		DialTimeout: redisDialTimeout, ReadTimeout: redisTimeout, WriteTimeout: redisTimeout,
		ContextTimeoutEnabled: true, MaxRetries: 1, DialerRetries: 1, DisableIdentity: true,
		MaintNotificationsConfig: noMaintNotifications(),
	}
	switch scheme {
	case "redis", "rediss":
		parsed, err := redis.ParseURL(rawURL)
		if err != nil {
			return nil, errors.New("malformed") // the cause quotes the password
		}
		options.Addrs, options.Username, options.Password, options.DB = []string{parsed.Addr}, parsed.Username, parsed.Password, parsed.DB
		options.TLSConfig = parsed.TLSConfig
		return options, nil
	case "redis-cluster", "rediss-cluster", "redis-sentinel", "rediss-sentinel":
	default:
		return nil, fmt.Errorf("unknown scheme %q", scheme)
	}
	// Several hosts are not a valid URL host: cut them out before parsing the rest.
	userinfo := ""
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		userinfo, rest = rest[:at+1], rest[at+1:]
	}
	hosts, path, _ := strings.Cut(rest, "/")
	u, err := url.Parse("redis://" + userinfo + "host/" + path)
	if err != nil {
		return nil, errors.New("malformed")
	}
	options.Addrs, options.Username = strings.Split(hosts, ","), u.User.Username()
	if slices.Contains(options.Addrs, "") {
		return nil, errors.New("a host is missing")
	}
	options.Password, _ = u.User.Password()
	if strings.HasPrefix(scheme, "rediss") {
		options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if strings.HasSuffix(scheme, "-cluster") {
		options.IsClusterMode = true
		return options, nil
	}
	options.MasterName = strings.Trim(u.Path, "/")
	if options.MasterName == "" {
		return nil, errors.New("a sentinel URL ends with the master's name")
	}
	return options, nil
}

// noMaintNotifications keeps the client from asking every new connection for
// the push notifications of a hosted Redis.
func noMaintNotifications() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// Ping reports whether Redis answers.
func (r *Redis) Ping(ctx context.Context) error { return redisError(r.client.Ping(ctx).Err()) }

// Embedded reports whether this is the in-process Redis.
func (r *Redis) Embedded() bool { return r.embedded != nil }

// Close ends the connections, and the in-process Redis with them.
func (r *Redis) Close() error {
	err := r.client.Close()
	if r.embedded != nil {
		r.embedded.stop()
	}
	return err
}

func (r *Redis) advance(d time.Duration) {
	if r.embedded != nil {
		r.embedded.server.FastForward(d)
	}
}

// redisError turns a client error into the directory's sentinels: a missing
// key is ErrNotFound, everything else means that Redis did not decide.
func redisError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.Nil):
		return directory.ErrNotFound
	default:
		return fmt.Errorf("%w: redis: %w", directory.ErrUnavailable, err)
	}
}
