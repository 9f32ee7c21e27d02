package storage_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"gatehouse/directory"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

func TestEmbeddedRedisExpiresByItself(t *testing.T) {
	r := storagetest.Open(t).Redis
	if !r.Embedded() {
		t.Fatal("not embedded")
	}
	const life = 300 * time.Millisecond
	began := time.Now()
	if err := r.Client().Set(t.Context(), "k", "v", life).Err(); err != nil {
		t.Fatal(err)
	}
	if err := r.Client().Get(t.Context(), "k").Err(); err != nil && time.Since(began) < life {
		t.Errorf("gone at once: %v", err)
	}
	for r.Client().Get(t.Context(), "k").Err() == nil {
		if time.Since(began) > time.Minute {
			t.Fatal("still there after a minute")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestAdvanceMovesExpiry(t *testing.T) {
	s := storagetest.Open(t)
	if err := s.Redis.Client().Set(t.Context(), "k", "v", time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	s.Advance(59 * time.Minute)
	if err := s.Redis.Client().Get(t.Context(), "k").Err(); err != nil {
		t.Errorf("gone too early: %v", err)
	}
	s.Advance(time.Minute)
	if err := storage.RedisError(s.Redis.Client().Get(t.Context(), "k").Err()); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("after its hour: %v", err)
	}
}

func TestEmbeddedRedisIsForThisProcessAlone(t *testing.T) {
	r := storagetest.Open(t).Redis
	address := r.Client().(*redis.Client).Options().Addr
	host, _, err := net.SplitHostPort(address)
	if err != nil || !net.ParseIP(host).IsLoopback() {
		t.Errorf("listens on %s, %v", address, err)
	}
	stranger := redis.NewClient(&redis.Options{Addr: address, DisableIdentity: true})
	defer func() { _ = stranger.Close() }()
	if err := stranger.Get(t.Context(), "k").Err(); err == nil || !strings.Contains(err.Error(), "NOAUTH") {
		t.Errorf("let in: %v", err)
	}
}

func TestScriptsRunOnEveryRedis(t *testing.T) {
	script := redis.NewScript(`local n = redis.call('INCR', KEYS[1]) redis.call('PEXPIRE', KEYS[1], ARGV[1]) return n`)
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		for want := int64(1); want <= 2; want++ {
			n, err := script.Run(t.Context(), s.Redis.Client(), []string{"storagetest:" + t.Name()}, 5000).Int64()
			if err != nil || n != want {
				t.Errorf("%d, %v; want %d", n, err, want)
			}
		}
	})
}

func TestRedisURLs(t *testing.T) {
	type parsed struct {
		Addrs              []string
		Username, Password string
		DB                 int
		Master             string
		TLS, Cluster       bool
	}
	for _, tt := range []struct {
		url  string
		want parsed
	}{
		{"redis://localhost:6379", parsed{Addrs: []string{"localhost:6379"}}},
		{"redis://u:p%40ss@h:1/3", parsed{Addrs: []string{"h:1"}, Username: "u", Password: "p@ss", DB: 3}},
		{"rediss://:secret@h:1", parsed{Addrs: []string{"h:1"}, Password: "secret", TLS: true}},
		{"redis-cluster://a:1,b:2", parsed{Addrs: []string{"a:1", "b:2"}, Cluster: true}},
		{"rediss-cluster://u:p@a:1,b:2", parsed{Addrs: []string{"a:1", "b:2"}, Username: "u", Password: "p", Cluster: true, TLS: true}},
		{"redis-sentinel://:p@a:1,b:2/main", parsed{Addrs: []string{"a:1", "b:2"}, Password: "p", Master: "main"}},
	} {
		t.Run(tt.url, func(t *testing.T) {
			o, err := storage.RedisOptions(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			got := parsed{o.Addrs, o.Username, o.Password, o.DB, o.MasterName, o.TLSConfig != nil, o.IsClusterMode}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWrongRedisURLsAreRefusedWithoutTheirPassword(t *testing.T) {
	for _, url := range []string{
		"localhost:6379", "http://:hunter2@h", "redis://:hunter2@h:port", "redis://:hunter2@h/db", "redis://:hunter2%zz@h",
		"redis-sentinel://:hunter2@a:1,b:2", "redis-cluster://:hunter2@a:1,,b:2", "redis-cluster://", "rediss-sentinel://:hunter2%zz@a/m",
	} {
		if _, err := storage.OpenRedis(url, "x:"); err == nil {
			t.Errorf("%s accepted", url)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error quotes the password: %v", err)
		}
	}
}

func FuzzRedisURL(f *testing.F) {
	for _, url := range []string{"redis://u:p@h:1/3", "rediss-sentinel://:p@a:1,b:2/main", "redis-cluster://a:1,b:2?x=y", "redis-sentinel://@,/"} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		o, err := storage.RedisOptions(url)
		if err != nil {
			return
		}
		if len(o.Addrs) == 0 || o.Addrs[0] == "" {
			t.Error("no host")
		}
		if strings.Contains(strings.SplitN(url, "://", 2)[0], "sentinel") != (o.MasterName != "") {
			t.Error("a master's name without a sentinel, or a sentinel without")
		}
	})
}

func TestClosedRedisIsUnavailable(t *testing.T) {
	r, err := storage.OpenRedis("", "x:")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Ping(context.Background()); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
