package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Limits of a connection, so that a slow client holds nothing for long.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	longestRequest    = writeTimeout - 5*time.Second // leaves time to write that it took too long
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
	// drainTimeout is how long requests under way may take at a stop.
	drainTimeout = 20 * time.Second
)

type serveCommand struct{}

// Run serves until the process is told to stop.
func (serveCommand) Run(env *environment) error {
	s, err := env.load()
	if err != nil {
		return err
	}
	if err := env.config.checkProduction(s); err != nil {
		return usageError{fmt.Errorf("serve refuses development defaults on a public issuer:\n%w", err)}
	}
	listener, err := env.listen()
	if err != nil {
		return err
	}
	a, err := newApp(env, s, &clock{})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer a.close()
	if err := a.startServing(env.ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	a.mount(a.routes()...)
	fmt.Fprintf(env.stdout, "listening on http://%s\n", listener.Addr())
	return a.serve(env.ctx, listener)
}

// listen binds the address before anything else is done, so that a second start
// by mistake touches nothing. The default issuer follows the port that was bound.
func (e *environment) listen() (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(e.ctx, "tcp", e.config.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if _, port, err := net.SplitHostPort(listener.Addr().String()); err == nil && e.config.Issuer == defaultIssuer {
		e.config.Issuer = "http://localhost:" + port
	}
	return listener, nil
}

// serve answers on the listener until the context ends; then it reports itself
// as not ready, drains and returns.
func (a *app) serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: a.router, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: a.errorLog(),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	a.log.Info("serving", "address", listener.Addr().String(), "issuer", a.config.Issuer, "version", versionString(),
		"database", string(a.stores.DB.Engine), "embedded_redis", a.stores.Redis.Embedded())
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		return a.drain(server)
	}
}

func (a *app) drain(server *http.Server) error {
	a.log.Info("stopping")
	a.health.stopping.Store(true)
	time.Sleep(a.config.DrainDelay)
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return fmt.Errorf("drain: %w", errors.Join(err, server.Close()))
	}
	return nil
}
