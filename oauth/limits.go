package oauth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"gatehouse/authn"
	"gatehouse/internal/web"
)

// What the endpoints count. Devices and pushed requests leave something behind at
// every try, a device takes one of the short codes that people type, and whoever
// registers or guesses is held back. What has not proved which client it is counts
// for its network alone, so that nobody can use up what is others'.
var (
	devicesPerNetwork       = authn.Limit{Burst: 100, Per: 10 * time.Minute}
	devicesPerClient        = authn.Limit{Burst: 2000, Per: 10 * time.Minute}
	pushesPerNetwork        = authn.Limit{Burst: 2000, Per: 10 * time.Minute}
	pushesPerClient         = authn.Limit{Burst: 10_000, Per: time.Minute}
	registrationsPerNetwork = authn.Limit{Burst: 100, Per: 10 * time.Minute}
	wrongCredentials        = authn.Limit{Burst: 1000, Per: 10 * time.Minute}
)

// Tries counts what the endpoints are asked to do.
type Tries interface {
	// CountTry takes a try, or is an *authn.ThrottledError; directory.ErrUnavailable
	// when nobody can tell.
	CountTry(ctx context.Context, t authn.Try) error
	// ForgiveTry gives one back.
	ForgiveTry(ctx context.Context, t authn.Try) error
}

// count takes a try: 429 when there is none left, and 503 when nobody can tell.
func count(ctx context.Context, tries Tries, t authn.Try) error {
	err := tries.CountTry(ctx, t)
	limit, reached := errors.AsType[*authn.ThrottledError](err)
	if !reached {
		return unavailable(err)
	}
	e := web.TooManyRequests(limit.RetryAfter)
	e.Code, e.Cause = "temporarily_unavailable", web.Reason("the limit "+t.Kind+" is reached")
	return e
}

// networkOf is what the limits of a network count a request for.
func networkOf(r *http.Request) string { return authn.NetworkOf(web.Network(r)).String() }

func (s *Server) countDeviceOfNetwork(r *http.Request) error {
	return count(r.Context(), s.Tries, authn.Try{Kind: "device-network", Subject: networkOf(r), Limit: devicesPerNetwork})
}

func (s *Server) countDeviceOfClient(ctx context.Context, client *Client) error {
	if client.Public {
		return nil
	}
	return count(ctx, s.Tries, authn.Try{Kind: "device-client", Subject: client.ID, Client: client.ID, Limit: devicesPerClient})
}

// countPush counts a pushed request for the client that proved who it is, and for
// the network of one that has nothing to prove it with.
func (s *Server) countPush(r *http.Request, client *Client) error {
	try := authn.Try{Kind: "push-client", Subject: client.ID, Client: client.ID, Limit: pushesPerClient}
	if client.Public {
		try = authn.Try{Kind: "push-network", Subject: networkOf(r), Client: client.ID, Limit: pushesPerNetwork}
	}
	return count(r.Context(), s.Tries, try)
}

// countCredentials counts what a request shows of a client, from its network,
// before check looks at it. Only failures use the limit up, and it is counted in
// this process: a client that is who it says waits for nothing.
func (cs *Clients) countCredentials(ctx context.Context, given credentials, c *Client, check func() error) error {
	try := authn.Try{Kind: "client-credentials", Subject: given.network + "|" + c.ID, Client: c.ID, Limit: wrongCredentials, Here: true}
	if err := count(ctx, cs.Tries, try); err != nil {
		return err
	}
	err := check()
	if errors.Is(err, errClient) {
		return err
	}
	return errors.Join(err, cs.Tries.ForgiveTry(ctx, try))
}
