package main

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"gatehouse/internal/web"
)

// healthTimeout bounds a readiness probe, so that it answers while a store hangs.
const healthTimeout = time.Second

// health answers the probes of an orchestrator and of Notify's own monitoring.
type health struct {
	// parts are what readiness depends on.
	parts map[string]func(ctx context.Context) error
	// stopping is set before connections are drained.
	stopping atomic.Bool
	version  string
}

func (h *health) routes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Path: "/livez", Surface: web.Problem{}, AnyHost: true, Handler: h.live},
		{Method: http.MethodGet, Path: "/readyz", Surface: web.Problem{}, AnyHost: true, Handler: h.ready},
		{Method: http.MethodGet, Path: "/_status", Surface: web.Problem{}, AnyHost: true, Handler: h.status},
	}
}

func (h *health) live(w http.ResponseWriter, _ *http.Request) error {
	return web.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready is 200 when every part answers, else 503 with the failing parts' names.
func (h *health) ready(w http.ResponseWriter, r *http.Request) error {
	parts, ok := h.probe(r.Context())
	if h.stopping.Load() {
		parts["server"], ok = "stopping", false
	}
	status, word := http.StatusOK, "ok"
	if !ok {
		status, word = http.StatusServiceUnavailable, "unavailable"
	}
	return web.WriteJSON(w, status, map[string]any{"status": word, "parts": parts})
}

func (h *health) probe(ctx context.Context) (parts map[string]string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	type answer struct {
		name string
		err  error
	}
	answers := make(chan answer, len(h.parts))
	for name, ping := range h.parts {
		go func() { answers <- answer{name, ping(ctx)} }()
	}
	parts, ok = map[string]string{}, true
	for range h.parts {
		a := <-answers
		parts[a.name] = "ok"
		if a.err != nil {
			parts[a.name], ok = "unavailable", false
		}
	}
	return parts, ok
}

// status has the shape that Notify's own monitoring reads.
func (h *health) status(w http.ResponseWriter, r *http.Request) error {
	if _, ok := h.probe(r.Context()); !ok {
		return web.Unavailable(nil, healthTimeout)
	}
	return web.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok", "version": h.version})
}
