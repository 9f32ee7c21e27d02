package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/authn"
	"gatehouse/authn/message"
	"gatehouse/authn/pages"
	"gatehouse/directory"
	"gatehouse/directory/delius"
	"gatehouse/directory/marketplace"
	"gatehouse/directory/notify"
	"gatehouse/internal/web"
	"gatehouse/oauth"
	"gatehouse/storage"
)

// retryAfter is what a caller is told to wait when a store is down.
const retryAfter = 2 * time.Second

//go:embed openapi.yaml
var openAPI []byte

// routes is the list: nothing is reachable under serve that is not in it.
func (a *app) routes() []web.Route {
	var all []web.Route
	all = append(all, a.health.routes()...)
	all = append(all, a.oauthRoutes()...)
	all = append(all, a.pages.Routes()...)
	all = append(all, a.countLegacy(a.directoryRoutes())...)
	all = append(all, (&marketplace.API{Marketplace: a.market}).Routes(a.server.Bearer)...)
	all = append(all, web.Route{
		Method: http.MethodPost, Path: message.CallbackPath + "{sender}", Surface: web.Problem{}, Handler: a.reports.Receive, MaxBody: message.MaxCallback,
	})
	all = append(all, web.Route{Method: http.MethodGet, Path: "/openapi.yaml", Surface: web.Problem{}, Handler: serveOpenAPI, CORS: true})
	return a.deprecations.mark(all)
}

func (a *app) oauthRoutes() []web.Route {
	discovery := oauth.NewDiscovery(a.config.Issuer, len(a.config.ClientDocuments) > 0)
	api := oauth.Surface{}
	all := []web.Route{
		{Method: http.MethodGet, Path: "/oauth/authorize", Surface: a.pages, Handler: a.server.Authorize},
		{Method: http.MethodPost, Path: "/oauth/authorize", Surface: a.pages, Handler: a.server.Authorize},
		{Method: http.MethodGet, Path: pages.ContinuePath, Surface: a.pages, Handler: a.server.Continue},
		{Method: http.MethodGet, Path: "/consent", Surface: a.pages, Handler: a.server.ConsentPage},
		{Method: http.MethodPost, Path: "/consent", Surface: a.pages, Handler: a.pages.SameOrigin(a.server.ConsentSubmit)},
		{Method: http.MethodGet, Path: oauth.DevicePath, Surface: a.pages, Handler: a.server.DevicePage},
		{Method: http.MethodPost, Path: oauth.DevicePath, Surface: a.pages, Handler: a.pages.SameOrigin(a.server.DeviceSubmit)},
		{Method: http.MethodPost, Path: oauth.DeviceAuthorizationPath, Surface: api, Handler: a.server.DeviceAuthorization},
		{Method: http.MethodGet, Path: oauth.EndSessionPath, Surface: a.pages, Handler: a.server.EndSession},
		{Method: http.MethodPost, Path: oauth.EndSessionPath, Surface: a.pages, Handler: a.server.EndSession},
		{Method: http.MethodGet, Path: oauth.SelectAccountPath, Surface: a.pages, Handler: a.server.SelectAccountPage},
		{Method: http.MethodPost, Path: oauth.SelectAccountPath, Surface: a.pages, Handler: a.pages.SameOrigin(a.server.SelectAccountSubmit)},
		{Method: http.MethodPost, Path: oauth.PushPath, Surface: api, Handler: a.server.Push, CORS: true},
		{Method: http.MethodPost, Path: "/oauth/token", Surface: api, Handler: a.server.Token, CORS: true},
		{Method: http.MethodGet, Path: "/oauth/userinfo", Surface: api, Handler: a.server.UserInfo, CORS: true},
		{Method: http.MethodPost, Path: "/oauth/userinfo", Surface: api, Handler: a.server.UserInfo, CORS: true},
		{Method: http.MethodPost, Path: "/oauth/introspect", Surface: api, Handler: a.server.Introspect},
		{Method: http.MethodPost, Path: "/oauth/revoke", Surface: api, Handler: a.server.Revoke, CORS: true},
		{Method: http.MethodGet, Path: "/oauth/jwks", Surface: api, Handler: a.keys.JWKS, CORS: true, FromMemory: true},
	}
	resource := oauth.NewProtectedResource(a.config.Issuer, a.config.ServiceName, directoryScopes())
	all = append(all, web.Route{Method: http.MethodGet, Path: resource.Path(), Surface: api, Handler: resource.Metadata, CORS: true, FromMemory: true})
	all = append(all,
		web.Route{
			Method: http.MethodPost, Path: oauth.RegisterPath, Surface: registerSurface{person: a.pages, client: api}, CORS: true,
			Handler: register(a.pages.SameOrigin(a.pages.InLanguage(a.pages.SubmitRegistration)), a.registrar.Register),
		},
		web.Route{Method: http.MethodGet, Path: oauth.RegisterPath + "/{client_id}", Surface: api, Handler: a.registrar.Show, CORS: true},
		web.Route{Method: http.MethodPut, Path: oauth.RegisterPath + "/{client_id}", Surface: api, Handler: a.registrar.Replace, CORS: true},
		web.Route{Method: http.MethodDelete, Path: oauth.RegisterPath + "/{client_id}", Surface: api, Handler: a.registrar.Remove, CORS: true},
	)
	for _, path := range discovery.Paths() {
		all = append(all, web.Route{Method: http.MethodGet, Path: path, Surface: api, Handler: discovery.Metadata, CORS: true, FromMemory: true})
	}
	return all
}

// directoryScopes are the scopes that routes of the directory API ask for.
func directoryScopes() []string {
	return []string{
		oauth.ScopeNotifyAdmin, oauth.ScopeNotifyUsage, oauth.ScopeDirectoryRead,
		delius.AuthenticateRole[0], delius.DetailsRole[0], delius.PasswordRole[0], directory.ScopePartner, directory.ScopeProvider,
	}
}

func (a *app) directoryRoutes() []web.Route {
	d := &dialects{
		notify: &notify.API{Registry: a.registry, Passwords: a.authn, Proofs: a.authn, Messages: a.queue, Links: a.links},
		gate: &notify.Gate{
			Internal: &notify.InternalClients{Secrets: a.secrets.NotifyInternalClients, Clock: a.clock.Now},
			Token:    func(next web.Handler) web.Handler { return a.server.Bearer(a.needDirectory, next) },
			People:   a.registry,
			Issuer:   a.config.Issuer, ReferencePrefix: oauth.ReferencePrefix, Challenges: a.server.Challenges(),
		},
		delius: &delius.API{Store: a.registry.Store, Authn: a.passwords()},
		bearer: a.server.Bearer,
	}
	usage := *d.gate
	usage.Scope = oauth.ScopeNotifyUsage
	usage.Token = func(next web.Handler) web.Handler { return a.server.Bearer(a.needUsage, next) }
	d.usage = &usage
	return d.routes()
}

// passwords is what decides at POST /authenticate.
func (a *app) passwords() delius.Authn {
	if a.shadow != nil {
		return a.shadow
	}
	return a.authn
}

// needUsage needs a caller that may say what services sent.
func (a *app) needUsage(c *directory.Caller) error {
	if !c.HasScope(oauth.ScopeNotifyUsage) {
		if err := oauth.NeedScope(oauth.ScopeNotifyAdmin)(c); err != nil {
			return err
		}
	}
	return a.server.NeedRecent(a.config.AdminMaxAge)(c)
}

// needDirectory needs what the gate of the Notify API lets in: a client that may
// do everything, or a person who may read the directory. A person whose token
// would let them do everything has to have signed in well, and lately.
func (a *app) needDirectory(c *directory.Caller) error {
	if c.Subject != "" && c.HasScope(oauth.ScopeDirectoryRead) && !c.HasScope(oauth.ScopeNotifyAdmin) {
		return nil
	}
	if err := oauth.NeedScope(oauth.ScopeNotifyAdmin)(c); err != nil {
		return err
	}
	return a.server.NeedRecent(a.config.AdminMaxAge)(c)
}

// mount adds routes, making the router at the first call.
func (a *app) mount(routes ...web.Route) {
	if a.router == nil {
		proxies, _ := a.config.proxies() // checked with the configuration
		a.router = &web.Router{
			Classify: classify, Fallback: a.fallback, Hosts: a.hosts(), TrustedProxies: proxies,
			Timeout: a.config.RequestTimeout, Clock: a.clock.Now, Log: a.log, NewRequestID: rand.Text,
			Context: countStatements, Observe: a.observe,
		}
	}
	a.router.Add(routes...)
}

// countStatements puts the round trips to the database into the request's log event.
func countStatements(ctx context.Context) context.Context {
	ctx, trips := storage.CountRoundTrips(ctx)
	web.Note(ctx, slog.Any("sql", trips))
	return ctx
}

// observe is shown every request that was answered.
func (a *app) observe(ev *web.Event) {
	a.refusals.Record(ev)
	a.recordLegacy(ev)
	if a.metrics != nil {
		a.metrics.observe(ev)
	}
}

// hosts are the names this server answers to: the issuer's and the configured ones.
func (a *app) hosts() []string {
	all := make([]string, 0, len(a.config.Hosts)+2)
	for _, host := range a.config.Hosts {
		all = append(all, strings.ToLower(host))
	}
	if u, err := url.Parse(a.config.Issuer); err == nil {
		all = append(all, strings.ToLower(u.Host), strings.ToLower(u.Hostname()))
	}
	return all
}

// surfaces say which audience an unknown path is meant for.
var surfaces = []struct {
	prefix  string
	surface web.Surface
}{
	{"/oauth/", oauth.Surface{}},
	{"/register", oauth.Surface{}},
	{"/.well-known/", oauth.Surface{}},
	{"/authenticate", delius.Surface{}},
	{"/users", web.Problem{}},
	{"/user", notify.Surface{}},
	{"/organisation", notify.Surface{}},
	{"/service", notify.Surface{}},
	{"/letter-branding", notify.Surface{}},
	{"/email-branding", notify.Surface{}},
	{"/invite", notify.Surface{}},
	{"/dev/", web.Problem{}},
}

// fallback is the surface of a path that is not in the list.
func (a *app) fallback(r *http.Request) web.Surface {
	for _, s := range surfaces {
		if strings.HasPrefix(r.URL.Path, s.prefix) {
			return s.surface
		}
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		return a.pages
	}
	return web.Problem{}
}

// classify gives the domain's errors their status; nil leaves an error that is
// already a web.Error, or unknown, as it is.
func classify(err error) *web.Error {
	var known *web.Error
	var throttled *authn.ThrottledError
	switch {
	case errors.As(err, &known):
		return nil
	case errors.Is(err, directory.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return web.Unavailable(err, retryAfter)
	case errors.As(err, &throttled):
		return web.TooManyRequests(throttled.RetryAfter)
	case errors.Is(err, directory.ErrNotFound):
		return &web.Error{Status: http.StatusNotFound, Message: "Not found", Cause: err}
	case errors.Is(err, directory.ErrConflict):
		return &web.Error{Status: http.StatusConflict, Message: "It already exists", Cause: err}
	case errors.Is(err, directory.ErrInvalid):
		return &web.Error{Status: http.StatusBadRequest, Message: "A value is not acceptable", Cause: err}
	case errors.Is(err, web.ErrBody):
		return &web.Error{Status: http.StatusBadRequest, Message: "The request body is not the JSON document expected here", Cause: err}
	}
	return nil
}

func serveOpenAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI) // the client has gone when this fails
	return nil
}
