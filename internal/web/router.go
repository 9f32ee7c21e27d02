package web

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Handler answers a request, or returns the error its surface then writes. It
// must not return an error after it has begun to write.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Surface writes errors in the voice of one audience: a dialect's JSON, a text,
// a page.
type Surface interface {
	WriteError(w http.ResponseWriter, r *http.Request, e *Error)
}

// Route is one thing that can be reached.
type Route struct {
	Method  string // GET also answers HEAD
	Path    string // a net/http pattern without method and host
	Surface Surface
	Handler Handler
	// MaxBody bounds the request body in bytes; 0 means DefaultMaxBody.
	MaxBody int64
	// CORS lets scripts of any origin call the route, without credentials.
	CORS bool
	// Exists tells the paths that exist from others that the pattern matches as
	// well; nil when all do.
	Exists func(r *http.Request) bool
	// AnyHost answers whatever the Host header says, for probes.
	AnyHost bool
	// Header is set on every answer of the route.
	Header http.Header
	// FromMemory routes wait for nothing and get no deadline, which is a timer
	// for each request.
	FromMemory bool
}

// DefaultMaxBody bounds a request body where the route says nothing else.
const DefaultMaxBody = 64 << 10

// Router dispatches to routes. Unlike http.ServeMux it never redirects: a path
// that is not clean is not found, because a 307 would send a credential on.
type Router struct {
	// Classify gives an error of the domain its status; it returns nil for
	// errors it does not know, which become a logged 500.
	Classify func(err error) *Error
	// Fallback chooses the surface for a path that matches no route.
	Fallback func(r *http.Request) Surface
	// Hosts are the Host header values answered, in lower case, with and
	// without port; IP literals of this machine and localhost always are.
	Hosts []string
	// TrustedProxies are the peers whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// Timeout is the deadline of a request's context.
	Timeout time.Duration
	// Clock tells the time for the log's durations.
	Clock func() time.Time
	Log   *slog.Logger
	// NewRequestID returns a fresh identifier.
	NewRequestID func() string
	// Context, when not nil, adds to the context of each request of a route that is
	// not FromMemory, before its handler has it. It may call [Note].
	Context func(ctx context.Context) context.Context
	// Observe, when not nil, is shown every request once it has been answered.
	// It must not wait for anything, nor keep the event.
	Observe func(ev *Event)

	mux   *http.ServeMux
	paths map[string]map[string]Route // path pattern → method → route
}

// Add registers routes. A conflict between two patterns is a programming error
// and panics, as in http.ServeMux.
func (rt *Router) Add(routes ...Route) {
	if rt.mux == nil {
		rt.mux, rt.paths = http.NewServeMux(), map[string]map[string]Route{}
		rt.mux.HandleFunc("/", rt.notFound)
	}
	for _, route := range routes {
		methods, known := rt.paths[route.Path]
		if !known {
			methods = map[string]Route{}
			rt.paths[route.Path] = methods
			rt.mux.Handle(route.Path, &pathHandler{router: rt, pattern: route.Path, methods: methods})
		}
		if _, twice := methods[route.Method]; twice {
			panic("route registered twice: " + route.Method + " " + route.Path)
		}
		methods[route.Method] = route
	}
}

// Routes returns "METHOD /path" of every route, sorted.
func (rt *Router) Routes() []string {
	var all []string
	for p, methods := range rt.paths {
		for method := range methods {
			all = append(all, method+" "+p)
		}
	}
	slices.Sort(all)
	return all
}

// ServeHTTP implements http.Handler.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w, event: Event{ID: rt.NewRequestID(), Method: r.Method, start: rt.Clock(), network: rt.network(r)}}
	setCommonHeaders(rec.Header(), rec.event.ID)
	defer rt.finish(rec, r)
	switch {
	case strings.IndexByte(r.URL.Path, 0) >= 0 || !utf8.ValidString(r.URL.Path):
		r = r.WithContext(withEvent(r.Context(), rec))
		rt.fail(rec, r, rt.Fallback(r), Errorf(http.StatusBadRequest, "The path holds a character that no path may hold"))
	case !isClean(r.URL.Path):
		rt.notFound(rec, r)
	default:
		rt.mux.ServeHTTP(rec, r)
	}
}

func isClean(p string) bool {
	if p == "" || p[0] != '/' {
		return false
	}
	if !strings.Contains(p, "//") && !strings.Contains(p, "/.") {
		return true
	}
	cleaned := path.Clean(p)
	return cleaned == p || cleaned+"/" == p
}

// finish recovers from a panic and writes the request's log event.
func (rt *Router) finish(rec *recorder, r *http.Request) {
	ev := &rec.event
	if p := recover(); p != nil {
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		rt.Log.ErrorContext(r.Context(), "panic", "request_id", ev.ID, "panic", p, "stack", string(debug.Stack()))
		if rec.status == 0 {
			rt.Fallback(r).WriteError(rec, r, classify(nil))
		}
	}
	ev.Status, ev.Took = rec.status, rt.Clock().Sub(ev.start)
	ev.write(rt.Log, r)
	if rt.Observe != nil {
		rt.Observe(ev)
	}
}

func (rt *Router) notFound(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(withEvent(r.Context(), w))
	rt.fail(w, r, rt.Fallback(r), Errorf(http.StatusNotFound, "The requested URL was not found"))
}

// fail gives err its status, notes its cause for the log and lets the surface write it.
func (rt *Router) fail(w http.ResponseWriter, r *http.Request, s Surface, err error) {
	e := rt.Classify(err)
	if e == nil {
		e = classify(err)
	}
	if e.Status >= http.StatusInternalServerError {
		if ev := eventOf(r.Context()); ev != nil {
			ev.err = err
		}
	}
	noteFailure(w, e, err)
	maps.Copy(w.Header(), e.Header)
	s.WriteError(w, r, e)
}

// pathHandler answers the methods of one path.
type pathHandler struct {
	router  *Router
	pattern string
	methods map[string]Route
}

func (h *pathHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := withEvent(r.Context(), w)
	eventOf(ctx).Pattern = h.pattern
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	route, ok := h.methods[method]
	if !ok {
		h.otherMethod(w, r.WithContext(ctx))
		return
	}
	if route.Exists != nil && !route.Exists(r) {
		h.router.notFound(w, r.WithContext(ctx))
		return
	}
	if !route.FromMemory {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.router.Timeout)
		defer cancel()
		if h.router.Context != nil {
			ctx = h.router.Context(ctx)
		}
	}
	r = r.WithContext(ctx)
	maps.Copy(w.Header(), route.Header)
	if !route.AnyHost && !h.router.answersTo(r.Host) {
		h.router.fail(w, r, route.Surface, Errorf(http.StatusMisdirectedRequest, "This host is not served here"))
		return
	}
	if route.CORS {
		setCORSHeaders(w.Header(), route.FromMemory)
	}
	limit := route.MaxBody
	if limit == 0 {
		limit = DefaultMaxBody
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(w, r.Body, limit)
	}
	if err := route.Handler(w, r); err != nil {
		h.router.fail(w, r, route.Surface, err)
	}
}

// otherMethod answers CORS preflights where a method allows them, and 405 otherwise.
func (h *pathHandler) otherMethod(w http.ResponseWriter, r *http.Request) {
	var allow []string
	var surface Surface
	cors, exists := false, false
	for method, route := range h.methods {
		allow = append(allow, method)
		surface, cors = route.Surface, cors || route.CORS
		exists = exists || route.Exists == nil || route.Exists(r)
	}
	slices.Sort(allow)
	if !exists {
		h.router.notFound(w, r)
		return
	}
	if r.Method == http.MethodOptions && cors {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Methods", strings.Join(allow, ", "))
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
		w.Header().Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	e := Errorf(http.StatusMethodNotAllowed, "The method is not allowed for the requested URL")
	e.Header = http.Header{"Allow": {strings.Join(allow, ", ")}}
	h.router.fail(w, r, surface, e)
}

// answersTo reports whether the Host header names this server.
func (rt *Router) answersTo(host string) bool {
	if slices.Contains(rt.Hosts, host) {
		return true
	}
	host = strings.ToLower(host)
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(name, "[]")
	if name == "localhost" {
		return true
	}
	if ip := net.ParseIP(name); ip != nil && ip.IsLoopback() {
		return true
	}
	return slices.Contains(rt.Hosts, host) || slices.Contains(rt.Hosts, name)
}
