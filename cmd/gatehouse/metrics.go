package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gatehouse/authn"
	"gatehouse/internal/web"
)

// metrics are what GET /metrics shows, on a listener of its own. Every label
// has few values, all of them ours: no ids, no paths, nothing that callers send.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	refusals *prometheus.CounterVec
	signIns  *prometheus.CounterVec
	limits   *prometheus.CounterVec
}

// durations are the buckets of answers, in seconds: a JWKS takes a twentieth of
// a millisecond, a password 250, and nothing more than three seconds.
var durations = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 3}

// newMetrics registers what the process and the app tell.
func newMetrics(a *app) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_" + name, Help: help}, labels)
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: counter("http_requests_total", "Requests answered, by route.", "method", "route", "status"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gatehouse_http_request_duration_seconds", Help: "Time to answer, by route.", Buckets: durations,
		}, []string{"route"}),
		refusals: counter("refusals_total", "Refused OAuth requests, by route and the error told.", "route", "code"),
		signIns:  counter("sign_in_attempts_total", "Attempts to prove who one is, by door, factor and verdict.", "front", "factor", "verdict"),
		limits:   counter("limits_reached_total", "Attempts and messages that a limit has stopped, by limit.", "limit"),
	}
	m.registry.MustRegister(m.requests, m.took, m.refusals, m.signIns, m.limits, &state{a},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe counts an answered request.
func (m *metrics) observe(ev *web.Event) {
	route := ev.Pattern
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(knownMethod(ev.Method), route, strconv.Itoa(ev.Status)).Inc()
	m.took.WithLabelValues(route).Observe(ev.Took.Seconds())
	if ev.Code != "" {
		m.refusals.WithLabelValues(route, ev.Code).Inc()
	}
}

// signIn counts an attempt; it is [authn.Service.Observe].
func (m *metrics) signIn(front authn.Front, factor authn.Factor, verdict string) {
	m.signIns.WithLabelValues(string(front), string(factor), verdict).Inc()
}

// limit counts that a limit was reached; it is [authn.Service.ObserveLimit].
func (m *metrics) limit(limit string) { m.limits.WithLabelValues(limit).Inc() }

// knownMethod keeps what a caller may make up out of the labels.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

// serveMetrics listens where the configuration says, until the context ends;
// without an address it does nothing.
func (a *app) serveMetrics(ctx context.Context) error {
	if a.config.MetricsAddr == "" {
		return nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", a.config.MetricsAddr)
	if err != nil {
		return fmt.Errorf("listen for metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{ErrorLog: a.errorLog()}))
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: a.errorLog(),
	}
	a.log.Info("metrics", "address", listener.Addr().String())
	a.background.Go(func() {
		defer context.AfterFunc(ctx, func() { _ = server.Close() })() // a scrape may be cut short
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("serve metrics", "error", err)
		}
	})
	return nil
}
