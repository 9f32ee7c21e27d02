package cutover

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/sony/gobreaker/v2"

	"gatehouse/directory"
)

// ErrNoAnswer is an old system that said neither yes nor no: it did not answer in
// time, answered something else, or was not asked because it had failed too often.
var ErrNoAnswer = errors.New("the old system gave no answer")

var (
	errTokenRefused = errors.New("it refused our token")
	// errUnexpected is an answer that is about the request and says nothing of
	// the system's health.
	errUnexpected = errors.New("it answered something else than yes or no")
)

const (
	authenticatePath = "/authenticate"
	// DefaultTimeout bounds a question with everything it needs. A caller is
	// answered within three seconds, and we have work to do as well.
	DefaultTimeout = 1500 * time.Millisecond
	// MinTimeout is the least that can be configured instead.
	MinTimeout = 50 * time.Millisecond
	// MaxTimeout is the most.
	MaxTimeout = 2 * time.Second

	// spareTime is what is left of a caller's deadline once the old system has
	// been waited for: to decide, to write down and to answer.
	spareTime = 300 * time.Millisecond

	maxAnswer   = 4 << 10 // bytes that are read of an answer
	maxHeader   = 16 << 10
	connectTime = time.Second
	idleTime    = time.Minute
	maxIdle     = 32 // connections that wait for the next question

	// failuresToOpen in a row open the breaker.
	failuresToOpen = 5
	openTime       = 5 * time.Second
)

// Upstream is the old Delius. A password goes to the configured address and
// nowhere else: over TLS or to this machine, through no proxy, after no redirect.
type Upstream struct {
	url     string
	timeout time.Duration
	tokens  tokens
	client  *http.Client
	breaker *gobreaker.CircuitBreaker[bool]
}

// UpstreamConfig says where the old system is.
type UpstreamConfig struct {
	// URL is what /authenticate is appended to; see [CheckURL].
	URL string
	// Timeout bounds a question; 0 is [DefaultTimeout].
	Timeout time.Duration
	// Token is a bearer token; or else the others get one by client credentials.
	Token, TokenURL, ClientID, ClientSecret string
	// RootCAs verify the servers; nil are the system's.
	RootCAs *x509.CertPool
	// Pause is how long the breaker stays open before one question is let through
	// again; 0 is 5 seconds.
	Pause time.Duration
	// Clock tells when a token has to be fetched again.
	Clock directory.Clock
}

// NewUpstream returns an old system to ask.
func NewUpstream(c UpstreamConfig) (*Upstream, error) {
	if err := CheckURL(c.URL); err != nil {
		return nil, err
	}
	u := &Upstream{url: strings.TrimSuffix(c.URL, "/") + authenticatePath, timeout: cmp.Or(c.Timeout, DefaultTimeout), client: newClient(c.RootCAs)}
	u.tokens = tokens{config: c, client: u.client, turn: make(chan struct{}, 1)}
	u.breaker = gobreaker.NewCircuitBreaker[bool](gobreaker.Settings{
		Timeout:     cmp.Or(c.Pause, openTime),
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= failuresToOpen },
		IsExcluded:  func(err error) bool { return errors.Is(err, errUnexpected) },
	})
	return u, nil
}

// CheckURL accepts an https URL, or an http one of this machine.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("want an absolute URL without user, query or fragment")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("want https, or http on a loopback address: passwords go there")
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// newClient returns a client that goes nowhere but where it is sent. What is not
// encrypted stays on this machine, whatever a name has come to mean.
func newClient(roots *x509.CertPool) *http.Client {
	plain := &net.Dialer{Timeout: connectTime, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !to.Addr().Unmap().IsLoopback() {
			return errors.New("not a loopback address")
		}
		return nil
	}}
	encrypted := &tls.Dialer{
		NetDialer: &net.Dialer{Timeout: connectTime},
		Config:    &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
	}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: plain.DialContext, DialTLSContext: encrypted.DialContext, DisableCompression: true,
			MaxResponseHeaderBytes: maxHeader, MaxIdleConns: maxIdle, MaxIdleConnsPerHost: maxIdle, IdleConnTimeout: idleTime,
		},
	}
}

// State is that of the circuit breaker: closed (asking), half-open or open (not asking).
func (u *Upstream) State() string { return u.breaker.State().String() }

// Ask asks whether a password is right. Every error is [ErrNoAnswer]. The
// question outlives a caller who has gone, so that going is no way to guess
// without being counted, but not the caller's deadline.
func (u *Upstream) Ask(ctx context.Context, username, password string) (bool, error) {
	deadline, bound := ctx.Deadline()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), u.timeout)
	defer cancel()
	if bound {
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-spareTime))
		defer cancel()
	}
	right, err := u.breaker.Execute(func() (bool, error) { return u.exchange(ctx, username, password) })
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrNoAnswer, withoutURL(err))
	}
	return right, nil
}

// withoutURL leaves out of a client's error the address it was about.
func withoutURL(err error) error {
	if of, ok := errors.AsType[*url.Error](err); ok {
		return of.Err
	}
	return err
}

// exchange asks, with a new token when the one at hand has been refused.
func (u *Upstream) exchange(ctx context.Context, username, password string) (bool, error) {
	token, err := u.tokens.get(ctx)
	if err != nil {
		return false, err
	}
	right, err := u.post(ctx, token, username, password)
	if !errors.Is(err, errTokenRefused) || !u.tokens.forget(token) {
		return right, err
	}
	if token, err = u.tokens.get(ctx); err != nil {
		return false, err
	}
	return u.post(ctx, token, username, password)
}

func (u *Upstream) post(ctx context.Context, token, username, password string) (bool, error) {
	body, err := json.Marshal(map[string]string{"username": username, "password": password})
	if err != nil {
		return false, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/plain, application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := u.client.Do(r)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return false, err
	}
	if len(text) == maxAnswer {
		return false, errors.New("its answer is too long")
	}
	return verdict(response.StatusCode, string(text))
}

// verdict reads an answer as narrowly as seed 004 describes it, since a page that
// something on the way has put in its place must let nobody in, and a token of
// ours that is refused must not count as a wrong password of somebody else's.
func verdict(status int, text string) (bool, error) {
	switch {
	case status == http.StatusOK && text == "":
		return true, nil
	case status == http.StatusUnauthorized && strings.HasPrefix(text, "Authentication failed for '"):
		return false, nil
	case status == http.StatusUnauthorized:
		return false, errTokenRefused
	case status == http.StatusBadRequest, status == http.StatusNotFound, status == http.StatusUnprocessableEntity:
		return false, fmt.Errorf("%w: %d", errUnexpected, status)
	default:
		return false, fmt.Errorf("it answered %d", status)
	}
}
