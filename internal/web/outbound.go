package web

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"
)

// Outbound makes requests to addresses that others chose: the keys, metadata and
// logout endpoints that clients name. It must not become a way to reach what
// only this machine can, so every address is checked at the moment it is
// connected to, whatever a name resolved to before.
//
// Only https goes out, and http to the networks in Allowed. Redirects are not
// followed, proxies of the environment not used, cookies not kept. Its fields
// are set once, before the first request.
type Outbound struct {
	// Allowed are networks that may be reached although they are not public.
	Allowed []netip.Prefix
	// Timeout bounds a whole exchange, body included; 0 means 5 seconds.
	Timeout time.Duration
	// MaxBody bounds an answer's body in bytes; 0 means 64 KiB. Reading on is
	// [ErrBodyTooLarge].
	MaxBody int64
	// MaxConcurrent bounds the exchanges under way; 0 means 32. Others wait for
	// as long as their context lets them.
	MaxConcurrent int
	// Resolver looks up names; nil is the system's.
	Resolver *net.Resolver
	// RootCAs verify servers; nil are the system's.
	RootCAs *x509.CertPool

	once   sync.Once
	client *http.Client
}

// Errors of an outbound request.
var (
	// ErrAddressRefused is a URL, or the address behind its name, that must not be reached.
	ErrAddressRefused = errors.New("outbound address is not allowed")
	// ErrBodyTooLarge is an answer that is longer than [Outbound.MaxBody].
	ErrBodyTooLarge = errors.New("outbound answer is too large")
)

const (
	outboundUserAgent      = "Gatehouse"
	outboundTimeout        = 5 * time.Second
	outboundConnectTimeout = 2 * time.Second
	outboundHeaderTimeout  = 4 * time.Second
	outboundMaxHeader      = 16 << 10
	outboundMaxBody        = 64 << 10
	outboundMaxConcurrent  = 32
)

// Client returns the client, always the same. A redirect is an answer like any
// other: its status is 3xx.
func (o *Outbound) Client() *http.Client {
	o.once.Do(func() {
		o.client = &http.Client{
			Transport:     o.transport(),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Timeout:       orDefault(o.Timeout, outboundTimeout),
		}
	})
	return o.client
}

// Get fetches a document. An answer that is not 200 is an error, and no error
// tells the URL.
func (o *Outbound) Get(ctx context.Context, target, accept string) (body []byte, header http.Header, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, nil, ErrAddressRefused
	}
	r.Header.Set("Accept", accept)
	response, err := o.Client().Do(r)
	if err != nil {
		return nil, nil, fmt.Errorf("fetch: %w", withoutURL(err))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("fetch: status %d", response.StatusCode)
	}
	if body, err = io.ReadAll(response.Body); err != nil {
		return nil, nil, fmt.Errorf("fetch: %w", err)
	}
	return body, response.Header, nil
}

// withoutURL takes away what net/http adds to an error: a URL may hold a secret.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

func orDefault[T int | int64 | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}

// outboundTransport checks a request before, and bounds what comes back after.
type outboundTransport struct {
	secure, plain http.RoundTripper
	slots         chan struct{}
	maxBody       int64
}

func (o *Outbound) transport() *outboundTransport {
	return &outboundTransport{
		secure:  o.dialled(o.checkAddress),
		plain:   o.dialled(o.checkAllowed),
		slots:   make(chan struct{}, orDefault(o.MaxConcurrent, outboundMaxConcurrent)),
		maxBody: orDefault(o.MaxBody, outboundMaxBody),
	}
}

// dialled is a transport whose every connection is checked. Connections are not
// kept, so that none outlives the check that let it through.
func (o *Outbound) dialled(check func(address string) error) *http.Transport {
	dialer := &net.Dialer{
		Timeout: outboundConnectTimeout, Resolver: o.Resolver,
		Control: func(_, address string, _ syscall.RawConn) error { return check(address) },
	}
	t := &http.Transport{
		DialContext: dialer.DialContext, DisableKeepAlives: true, DisableCompression: true,
		TLSHandshakeTimeout: outboundConnectTimeout, ResponseHeaderTimeout: outboundHeaderTimeout, MaxResponseHeaderBytes: outboundMaxHeader,
	}
	t.TLSClientConfig = tlsFor(o.RootCAs)
	return t
}

// RoundTrip implements http.RoundTripper.
func (t *outboundTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	transport := t.secure
	switch {
	case r.URL.Host == "" || r.URL.User != nil:
		return nil, ErrAddressRefused
	case r.URL.Scheme == "http":
		transport = t.plain
	case r.URL.Scheme != "https":
		return nil, ErrAddressRefused
	}
	select {
	case t.slots <- struct{}{}:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	free := sync.OnceFunc(func() { <-t.slots })
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", outboundUserAgent)
	response, err := transport.RoundTrip(r)
	if err != nil {
		free()
		return nil, err
	}
	response.Body = &boundedBody{ReadCloser: response.Body, left: t.maxBody, free: free}
	return response, nil
}

// boundedBody fails once more was read than may be, and frees its slot when closed.
type boundedBody struct {
	io.ReadCloser
	left int64
	free func()
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrBodyTooLarge
	}
	return n, err
}

func (b *boundedBody) Close() error {
	defer b.free()
	return b.ReadCloser.Close()
}
