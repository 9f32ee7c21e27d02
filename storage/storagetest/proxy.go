package storagetest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Fault is a way in which a network breaks.
type Fault string

const (
	// Refuses closes what there is, and every new connection is refused.
	Refuses Fault = "refuse"
	// Swallows keeps every connection, and nothing that is sent arrives.
	Swallows Fault = "swallow"
)

// Proxy stands between a server and one of its stores, and passes on what either
// says until it is told to break.
type Proxy struct {
	// Delay is how long each thing that is sent is held up, in either direction.
	// It is set before the first connection is made.
	Delay time.Duration

	t      testing.TB
	addr   string
	target string

	mu       sync.Mutex
	broken   Fault // "" when it works
	listener net.Listener
	conns    map[net.Conn]bool
}

// Behind returns a store's URL with a proxy before it.
func Behind(t testing.TB, storeURL string) (string, *Proxy) {
	t.Helper()
	u, err := url.Parse(storeURL)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{t: t, addr: ReserveAddr(t), target: u.Host}
	p.Heal()
	t.Cleanup(func() { p.Break(Refuses) })
	u.Host = p.addr
	return u.String(), p
}

// Break breaks it in a way, until it heals.
func (p *Proxy) Break(how Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken = how; how == Refuses {
		p.hangUp()
		_ = p.listener.Close()
		p.listener = nil
	}
}

// Heal makes it work, for new connections: what was swallowed stays lost, as it
// does on a network.
func (p *Proxy) Heal() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = ""
	p.hangUp()
	if p.listener != nil {
		return
	}
	listener, err := new(net.ListenConfig).Listen(p.t.Context(), "tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.listener = listener
	go p.accept(listener)
}

func (p *Proxy) hangUp() {
	for c := range p.conns {
		_ = c.Close()
	}
	p.conns = map[net.Conn]bool{}
}

func (p *Proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go p.relay(client)
	}
}

func (p *Proxy) relay(client net.Conn) {
	store, err := new(net.Dialer).DialContext(p.t.Context(), "tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	if p.broken == Refuses { // since it was accepted
		_, _ = client.Close(), store.Close()
	}
	p.conns[client], p.conns[store] = true, true
	p.mu.Unlock()
	go p.pump(store, client)
	p.pump(client, store)
}

// pump passes on what one side says until it hangs up.
func (p *Proxy) pump(to io.WriteCloser, from io.ReadCloser) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if p.swallows() {
			continue
		}
		time.Sleep(p.Delay)
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *Proxy) swallows() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken == Swallows
}
