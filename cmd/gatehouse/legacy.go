package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gatehouse/internal/web"
)

// endpointOf is a route as openapi.yaml names it.
func endpointOf(method, pattern string) string {
	if pattern == detailsPattern {
		pattern = "/user/details/{userId}"
	}
	return method + " " + pattern
}

// countLegacy makes the routes of the old dialects known as such.
func (a *app) countLegacy(routes []web.Route) []web.Route {
	a.legacy = make(map[string]string, len(routes))
	for _, route := range routes {
		a.legacy[route.Method+" "+route.Path] = endpointOf(route.Method, route.Path)
	}
	return routes
}

// recordLegacy counts the call of a client that is known to a legacy route.
func (a *app) recordLegacy(ev *web.Event) {
	client, method := ev.Attr("client"), ev.Method
	if client == "" {
		return
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if endpoint, legacy := a.legacy[method+" "+ev.Pattern]; legacy {
		a.records.Called(client, endpoint)
	}
}

// deprecation is what callers of a route are told.
type deprecation struct {
	// Deprecation is since when the route should not be used (RFC 9745), Sunset
	// until when it is expected to answer (RFC 8594); nothing happens by itself.
	Deprecation time.Time `json:"deprecation"`
	Sunset      time.Time `json:"sunset"`
	// Link explains both to a person.
	Link string `json:"link"`
}

// deprecations are those of routes, by method and path as in openapi.yaml.
type deprecations map[string]deprecation

// maxDeprecations bounds the file, in bytes.
const maxDeprecations = 1 << 20

// readDeprecations reads the file; no name is no deprecation.
func readDeprecations(name string) (deprecations, error) {
	if name == "" {
		return nil, nil
	}
	content, err := os.ReadFile(filepath.Clean(name))
	if err != nil {
		return nil, err
	}
	var all deprecations
	if len(content) > maxDeprecations {
		return nil, errors.New("larger than 1 MiB")
	}
	if err := web.DecodeJSON(content, &all, true); err != nil {
		return nil, errors.Unwrap(err)
	}
	var faults []error
	for route, d := range all {
		if err := d.check(); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", route, err))
		}
	}
	return all, errors.Join(faults...)
}

func (d deprecation) check() error {
	link, err := url.Parse(d.Link)
	switch {
	case d.Deprecation.IsZero():
		return errors.New(`deprecation is missing: a time such as "2026-12-01T00:00:00Z"`)
	case !d.Sunset.IsZero() && d.Sunset.Before(d.Deprecation):
		return errors.New("sunset is before deprecation")
	case d.Link != "" && (err != nil || link.Scheme != "https" || link.Host == "" || link.String() != d.Link):
		return errors.New("link is not an https URL")
	}
	return nil
}

// header is what every answer of the route carries.
func (d deprecation) header() http.Header {
	h := http.Header{"Deprecation": {"@" + strconv.FormatInt(d.Deprecation.Unix(), 10)}}
	if !d.Sunset.IsZero() {
		h.Set("Sunset", d.Sunset.UTC().Format(http.TimeFormat))
	}
	if d.Link != "" {
		target := "<" + d.Link + ">"
		h.Add("Link", target+`; rel="deprecation"; type="text/html"`)
		h.Add("Link", target+`; rel="sunset"; type="text/html"`)
	}
	return h
}

// mark gives routes the headers of their deprecation.
func (ds deprecations) mark(routes []web.Route) []web.Route {
	for i := range routes {
		if d, deprecated := ds[endpointOf(routes[i].Method, routes[i].Path)]; deprecated {
			routes[i].Header = d.header()
		}
	}
	return routes
}

// wireDeprecations reads the file and holds it to the routes there are.
func (a *app) wireDeprecations() error {
	read, err := readDeprecations(a.config.DeprecationsFile)
	if err != nil {
		return fmt.Errorf("GATEHOUSE_DEPRECATIONS_FILE: %w", err)
	}
	known := map[string]bool{}
	for _, route := range a.routes() {
		known[endpointOf(route.Method, route.Path)] = true
	}
	var faults []error
	for route := range read {
		if !known[route] {
			faults = append(faults, fmt.Errorf("GATEHOUSE_DEPRECATIONS_FILE: there is no route %q", route))
		}
	}
	a.deprecations = read
	return errors.Join(faults...)
}
