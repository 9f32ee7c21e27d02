package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/authn/pages"
	"gatehouse/directory"
	"gatehouse/directory/marketplace"
	"gatehouse/internal/web/webtest"
	"gatehouse/oauth"
)

// unserved is a service that has its routes and nothing behind them.
func unserved() *app {
	const issuer = "http://localhost:8080"
	return &app{
		config: &Config{Issuer: issuer}, secrets: &secrets{}, clock: &clock{}, registry: &directory.Registry{},
		keys: &oauth.Keys{}, server: &oauth.Server{}, registrar: &oauth.Registrar{}, pages: &pages.Pages{Issuer: issuer}, health: &health{},
	}
}

// routeList returns "METHOD /path" of every route that serve and dev have, as
// the description writes paths, and of those that dev alone has.
func routeList(t *testing.T) (all, devOnly []string) {
	t.Helper()
	a := unserved()
	a.mount(a.routes()...)
	served := a.router.Routes()
	a.mount(a.devRoutes("", a.clock)...)
	a.mount(a.demoRoutes(&demoData{issuer: a.config.Issuer})...)
	for _, route := range a.router.Routes() {
		method, path, _ := strings.Cut(route, " ")
		for _, path := range describedPaths(path) {
			described := method + " " + path
			all = append(all, described)
			if !slices.Contains(served, route) {
				devOnly = append(devOnly, described)
			}
		}
	}
	slices.Sort(all)
	return all, devOnly
}

// describedPaths are a pattern as a reader knows it.
func describedPaths(pattern string) []string {
	base, notices := strings.CutSuffix(pattern, "/{notice}/{service_id}")
	switch {
	case pattern == "/{$}":
		return []string{"/"}
	case pattern == detailsPattern:
		return []string{"/user/details/{userId}"}
	case pattern == "/users/{user_id}/{part}": // see marketplace.ConsentsSegment
		return []string{"/users/{user_id}/" + marketplace.ConsentsSegment}
	case notices: // see GoLiveRoutes
		return []string{
			base + "/notify-users-of-request-to-go-live/{service_id}",
			base + "/notify-org-member-about-next-steps-of-go-live-request/{service_id}",
			base + "/notify-service-member-of-rejected-go-live-request/{service_id}",
		}
	}
	return []string{pattern}
}

func TestDescriptionNamesEveryRouteAndNoOther(t *testing.T) {
	all, devOnly := routeList(t)
	var described, describedDev []string
	for path, item := range webtest.Document(t).Paths.Map() {
		for method, operation := range item.Operations() {
			described = append(described, method+" "+path)
			if operation.Extensions["x-dev-only"] == true {
				describedDev = append(describedDev, method+" "+path)
			}
		}
	}
	slices.Sort(described)
	slices.Sort(describedDev)
	slices.Sort(devOnly)
	if diff := cmp.Diff(all, described); diff != "" {
		t.Errorf("routes (-) and description (+) differ:\n%s", diff)
	}
	if diff := cmp.Diff(devOnly, describedDev); diff != "" {
		t.Errorf("routes of dev alone (-) and those marked x-dev-only (+) differ:\n%s", diff)
	}
}

func TestDescriptionIsServed(t *testing.T) {
	s := newDeployment(t, sqliteConfig(t)).start()
	res := do(t, http.DefaultClient, request(t, http.MethodGet, s.url+"/openapi.yaml", nil))
	if res.status != http.StatusOK || res.body != string(openAPI) {
		t.Errorf("%d, %d bytes; want the %d of the file", res.status, len(res.body), len(openAPI))
	}
}
