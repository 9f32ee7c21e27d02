package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/authn/message"
	"gatehouse/internal/web"
)

type devCommand struct{}

// outboxFile is where dev keeps the messages it shows, in the data directory.
const outboxFile = "outbox.jsonl"

// Run serves on embedded engines unless others are configured, with demo data
// and the development aids, which exist nowhere else.
func (devCommand) Run(env *environment) error {
	env.devDefaults()
	listener, err := env.listen()
	if err != nil {
		return err
	}
	if err := env.dev(listener); err != nil {
		return errors.Join(err, closeQuietly(listener))
	}
	return nil
}

func (e *environment) dev(listener net.Listener) error {
	s, err := e.load()
	if err != nil {
		return err
	}
	if !e.config.loopbackIssuer() {
		return usageError{errors.New("dev shows every message and moves the clock: it serves loopback issuers only")}
	}
	outbox := filepath.Join(e.config.Data, outboxFile)
	s.Messages = strings.TrimSpace(s.Messages + " file:" + outbox)
	c := &clock{}
	a, err := newApp(e, s, c)
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.startServing(e.ctx); err != nil {
		return err
	}
	demo, err := a.seedDemo(e.ctx)
	if err != nil {
		return fmt.Errorf("create demo data: %w", err)
	}
	a.mount(a.routes()...)
	a.mount(a.devRoutes(outbox, c)...)
	a.mount(a.demoRoutes(demo)...)
	demo.print(e.stdout, listener.Addr().String())
	return a.serve(e.ctx, listener)
}

// closeQuietly closes a listener that the server may have closed already.
func closeQuietly(listener net.Listener) error {
	if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// devDefaults chooses what suits a terminal where nothing was chosen.
func (e *environment) devDefaults() {
	if _, set := e.lookup("GATEHOUSE_LOG_FORMAT"); !set {
		e.config.LogFormat = "text"
	}
}

// devRoutes are the development aids.
func (a *app) devRoutes(outbox string, c *clock) []web.Route {
	messages := &message.DevOutbox{Path: outbox}
	return []web.Route{
		{Method: http.MethodGet, Path: "/dev/outbox", Surface: web.Problem{}, Handler: messages.Handler},
		{Method: http.MethodPost, Path: "/dev/clock", Surface: web.Problem{}, Handler: a.devClock(c)},
	}
}

// maxAdvance keeps dates within what tokens and columns can hold.
const maxAdvance = 10 * 365 * 24 * time.Hour

// devClock moves every expiry in the process: {"advance":"61m"}.
func (a *app) devClock(c *clock) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var body struct {
			Advance string `json:"advance"`
		}
		if err := web.ReadJSON(r, &body, true); err != nil {
			return err
		}
		d, err := time.ParseDuration(body.Advance)
		if err != nil || d < 0 || d > maxAdvance {
			return web.Errorf(http.StatusBadRequest, `advance is a duration such as "61m", not negative and at most ten years`)
		}
		c.advance(d)
		a.stores.Advance(d)
		if err := a.keys.Refresh(r.Context()); err != nil {
			return err
		}
		return web.WriteJSON(w, http.StatusOK, map[string]string{"now": c.Now().UTC().Format(time.RFC3339Nano)})
	}
}
