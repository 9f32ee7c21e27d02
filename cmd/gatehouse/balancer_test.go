package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// balancer sends each request to the next replica that says it is ready, as a
// balancer without stickiness does.
type balancer struct {
	url      string
	mu       sync.Mutex
	replicas []*backend
	next     int
}

type backend struct {
	server *server
	proxy  *httputil.ReverseProxy
	ready  bool
}

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	b := &balancer{}
	front := httptest.NewServer(b)
	b.url = front.URL
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { b.watch(stop) })
	t.Cleanup(func() { front.Close(); close(stop); watching.Wait() })
	return b
}

// add puts a replica behind the balancer.
func (b *balancer) add(t *testing.T, s *server) {
	t.Helper()
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	replica := &backend{server: s, ready: true, proxy: &httputil.ReverseProxy{
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
	}}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replicas = append(b.replicas, replica)
}

// watch asks every replica whether it is ready, each few milliseconds.
func (b *balancer) watch(stop <-chan struct{}) {
	probe := &http.Client{Timeout: time.Second}
	for {
		select {
		case <-stop:
			return
		case <-time.After(20 * time.Millisecond):
		}
		b.mu.Lock()
		replicas := b.replicas
		b.mu.Unlock()
		for _, r := range replicas {
			res, err := probe.Get(r.server.url + "/readyz")
			ready := err == nil && res.StatusCode == http.StatusOK
			if err == nil {
				_ = res.Body.Close()
			}
			b.mu.Lock()
			r.ready = ready
			b.mu.Unlock()
		}
	}
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if replica := b.choose(); replica != nil {
		replica.proxy.ServeHTTP(w, r)
		return
	}
	http.Error(w, "no replica is ready", http.StatusBadGateway)
}

func (b *balancer) choose() *backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.replicas {
		b.next = (b.next + 1) % len(b.replicas)
		if r := b.replicas[b.next]; r.ready {
			return r
		}
	}
	return nil
}

// flushRedis deletes every key and script of a deployment, as a Redis that
// comes back empty would have lost them.
func (d *deployment) flushRedis() {
	d.t.Helper()
	u, err := url.Parse(d.vars["GATEHOUSE_REDIS_URL"])
	if err != nil {
		d.t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const script = "local k = redis.call('KEYS', ARGV[1]) for _, v in ipairs(k) do redis.call('DEL', v) end return #k"
	answers := bufio.NewReader(conn)
	for _, command := range [][]string{{"EVAL", script, "0", d.vars["GATEHOUSE_REDIS_PREFIX"] + "*"}, {"SCRIPT", "FLUSH"}} {
		text := fmt.Sprintf("*%d\r\n", len(command))
		for _, word := range command {
			text += fmt.Sprintf("$%d\r\n%s\r\n", len(word), word)
		}
		if _, err := conn.Write([]byte(text)); err != nil {
			d.t.Fatal(err)
		}
		if answer, err := answers.ReadString('\n'); err != nil || strings.HasPrefix(answer, "-") {
			d.t.Fatalf("flush: %s %v", answer, err)
		}
	}
}
