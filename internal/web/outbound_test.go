package web

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func TestOutboundReachesOnlyPublicAddresses(t *testing.T) {
	o := &Outbound{}
	for _, address := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.8.9.10", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "240.0.0.1",
		"255.255.255.255", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]",
		"[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]", "[100::1]", "[fc00::1]", "[fd12:3456::1]", "[fe80::1]", "[fe80::1%eth0]", "[fec0::1]",
		"[ff02::1]", "[2001:db8::1]", "[2001::1]", "[2001:2::1]", "[2002:7f00:1::]", "[3fff::1]", "[5f00::1]",
	} {
		if err := o.checkAddress(address + ":443"); !errors.Is(err, ErrAddressRefused) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"8.8.8.8", "172.32.0.1", "100.128.0.1", "[2a00:1450:4009::1]", "[::ffff:8.8.8.8]", "[2606:4700::1111]"} {
		if err := o.checkAddress(address + ":443"); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	o.Allowed = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	if o.checkAddress("10.1.2.3:443") != nil || o.checkAddress("10.2.2.3:443") == nil {
		t.Error("the allowed network is not what is allowed")
	}
}

// get fetches what a server on this machine answers.
func get(t *testing.T, o *Outbound, target string) (string, error) {
	t.Helper()
	body, _, err := o.Get(t.Context(), target, "*/*")
	return string(body), err
}

func TestOutboundRefusesThisMachine(t *testing.T) {
	reached := atomic.Int64{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer server.Close()
	port := server.URL[strings.LastIndexByte(server.URL, ':'):]
	o := &Outbound{RootCAs: trust(server)}
	for _, target := range []string{
		"https://127.0.0.1" + port, "https://localhost" + port, "https://[::1]" + port, "https://[::ffff:127.0.0.1]" + port,
		"https://[::ffff:7f00:1]" + port, "https://0.0.0.0" + port, "https://[::]" + port, "http://127.0.0.1" + port, "https://2130706433" + port,
		"https://0x7f.1" + port, "https://017700000001" + port, "https://user@127.0.0.1" + port, "ftp://127.0.0.1" + port, "file:///etc/passwd", "//127.0.0.1", "",
	} {
		if _, err := get(t, o, target); err == nil {
			t.Errorf("%s was fetched", target)
		}
	}
	if reached.Load() > 0 {
		t.Errorf("the server was reached %d times", reached.Load())
	}
}

func TestOutboundReachesAllowedNetworksInTheClear(t *testing.T) {
	var userAgent, cookie string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		userAgent, cookie = r.UserAgent(), r.Header.Get("Cookie")
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		_, _ = io.WriteString(w, "ok")
	}))
	defer server.Close()
	o := &Outbound{Allowed: loopback}
	for range 2 {
		if body, err := get(t, o, server.URL); err != nil || body != "ok" {
			t.Fatalf("%q, error %v", body, err)
		}
	}
	if userAgent != outboundUserAgent || cookie != "" {
		t.Errorf("User-Agent %q, cookie %q", userAgent, cookie)
	}
}

func TestOutboundFollowsNoRedirect(t *testing.T) {
	for _, to := range []string{"http://169.254.169.254/latest/meta-data/", "/elsewhere"} {
		reached := atomic.Int64{}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reached.Add(1)
			http.Redirect(w, r, to, http.StatusFound)
		}))
		_, err := get(t, &Outbound{Allowed: loopback}, server.URL)
		if err == nil || !strings.Contains(err.Error(), "302") || reached.Load() != 1 {
			t.Errorf("error %v after %d requests", err, reached.Load())
		}
		server.Close()
	}
}

func TestOutboundWaitsForNobody(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_ = http.NewResponseController(w).Flush()
		}
		<-release
	}))
	defer server.Close()
	defer close(release)
	o := &Outbound{Allowed: loopback, Timeout: 50 * time.Millisecond}
	for _, path := range []string{"/header", "/body"} {
		if _, err := get(t, o, server.URL+path); err == nil {
			t.Errorf("%s was waited for", path)
		}
	}
}

func TestOutboundReadsNoEndlessBody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1024)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	if _, err := get(t, &Outbound{Allowed: loopback, MaxBody: 10 << 10}, server.URL); !errors.Is(err, ErrBodyTooLarge) {
		t.Errorf("error is %v", err)
	}
}

func TestOutboundTellsNoURL(t *testing.T) {
	if _, err := get(t, &Outbound{}, "https://127.0.0.1:1/?token=hunter2"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error is %v", err)
	}
}

func TestOutboundBoundsWhatIsUnderWay(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	o := &Outbound{Allowed: loopback, MaxConcurrent: 1}
	first := make(chan error, 1)
	go func() {
		_, err := get(t, o, server.URL)
		first <- err
	}()
	transport := o.Client().Transport.(*outboundTransport)
	for len(transport.slots) == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := o.Get(ctx, server.URL, "*/*"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second request: %v", err)
	}
	close(release)
	if err := <-first; err != nil || len(transport.slots) != 0 {
		t.Errorf("the first request: %v, %d still under way", err, len(transport.slots))
	}
}

// TestOutboundChecksWhatANameMeansWhenItConnects: a name that was public when
// somebody looked is asked for again when the connection is made.
func TestOutboundChecksWhatANameMeansWhenItConnects(t *testing.T) {
	reached := atomic.Int64{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	names := &rebinding{}
	o := &Outbound{RootCAs: trust(server), Resolver: &net.Resolver{PreferGo: true, Dial: names.dial}}
	for range 3 {
		if _, err := get(t, o, "https://example.com.:"+port); !errors.Is(err, ErrAddressRefused) {
			t.Errorf("error is %v", err)
		}
	}
	if reached.Load() != 0 || names.asked.Load() == 0 {
		t.Errorf("reached %d times, the name was asked for %d times", reached.Load(), names.asked.Load())
	}
}

func trust(server *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return pool
}

// rebinding is a name server that says 127.0.0.1 of every name.
type rebinding struct{ asked atomic.Int64 }

func (n *rebinding) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	go n.serve(there)
	return here, nil
}

// serve answers in DNS over TCP: a length of two bytes before each message.
func (n *rebinding) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	var length [2]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return
	}
	query := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(c, query); err != nil {
		return
	}
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	question := query[12 : end+5]
	reply := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
	if question[len(question)-3] == 1 { // an A record is asked for
		n.asked.Add(1)
		reply[7] = 1
		reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
	}
	binary.BigEndian.PutUint16(length[:], uint16(len(reply)))
	_, _ = c.Write(append(length[:], reply...))
}
