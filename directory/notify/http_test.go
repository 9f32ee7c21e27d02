package notify

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/message"
	"gatehouse/directory"
	"gatehouse/internal/web"
	"gatehouse/internal/web/webtest"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

const (
	testIssuer = "https://id.example"
	secretOne  = "dev-notify-secret-key"
	secretTwo  = "the-next-secret-key"
)

var testNow = time.Date(2026, 1, 31, 12, 0, 0, 123456000, time.UTC)

// server is the dialect over fresh stores, reached over HTTP.
type server struct {
	*httptest.Server
	t        *testing.T
	registry *directory.Registry
	stores   *storage.Stores
	authn    *authn.Service
	mu       sync.Mutex
	now      time.Time
	// callers are who got through the gate.
	callers []*directory.Caller
	outbox  *outbox
	router  *web.Router
	links   *Links
}

// outbox queues messages as the real one does, and notes those whose
// transaction was committed.
type outbox struct {
	queue *message.Queue
	mu    sync.Mutex
	sent  []authn.Message
}

func (o *outbox) Send(ctx context.Context, m authn.Message) error {
	if err := o.queue.Send(ctx, m); err != nil {
		return err
	}
	o.queue.Store.AfterCommit(ctx, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.sent = append(o.sent, m)
	})
	return nil
}

// take returns what was sent since the last time.
func (o *outbox) take() []authn.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	sent := o.sent
	o.sent = nil
	return sent
}

// plainSealer leaves payloads as they are; sealing is tested where it is made.
type plainSealer struct{}

func (plainSealer) Seal(plaintext []byte, _ string) []byte       { return plaintext }
func (plainSealer) Open(sealed []byte, _ string) ([]byte, error) { return sealed, nil }

func eachServer(t *testing.T, test func(t *testing.T, s *server)) {
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) {
		s := &server{t: t}
		store := storage.Directory{DB: stores.DB}
		s.stores, s.now = stores, testNow
		clock := func() time.Time { s.mu.Lock(); defer s.mu.Unlock(); return s.now }
		s.registry = &directory.Registry{Store: store, Clock: clock, NewID: uuid.New}
		s.outbox = &outbox{queue: &message.Queue{Store: storage.Outbox{DB: stores.DB}, Sealer: plainSealer{}, Clock: clock, NewID: uuid.New}}
		s.links = &Links{AdminURL: "http://localhost:6012", Keys: [][]byte{make([]byte, 32)}, Clock: clock, Rand: rand.Reader}
		s.authn = &authn.Service{
			Directory: store, Store: storage.Authn{DB: stores.DB}, Cache: storage.AuthnCache{Redis: stores.Redis}, Messages: s.outbox,
			Hasher: &authn.Hasher{}, Clock: clock, CodeKey: make([]byte, 32), RefusalTime: time.Nanosecond,
		}
		api := &API{Registry: s.registry, Passwords: s.authn, Proofs: s.authn, Messages: s.outbox, Links: s.links}
		gate := &Gate{
			Internal: &InternalClients{Clock: clock, Secrets: map[string][]string{
				"notify-admin": {secretOne, "", secretTwo}, functionalTests: {"functional-tests-secret-key"},
			}},
			Token: ourTokens, People: s.registry, Issuer: testIssuer, ReferencePrefix: "gh_", Challenges: []string{"Bearer", "DPoP"},
		}
		router := &web.Router{
			Classify: classify, Fallback: func(*http.Request) web.Surface { return Surface{} }, Timeout: time.Minute,
			Clock: clock, Log: slog.New(slog.DiscardHandler), NewRequestID: rand.Text,
		}
		router.Add(s.routes(api, gate)...)
		s.router = router
		s.Server = httptest.NewServer(router)
		t.Cleanup(s.Close)
		test(t, s)
	})
}

func (s *server) routes(api *API, gate *Gate) []web.Route {
	protect := func(next web.Handler) web.Handler {
		return gate.Protect(func(w http.ResponseWriter, r *http.Request) error {
			s.mu.Lock()
			s.callers = append(s.callers, directory.CallerFrom(r.Context()))
			s.mu.Unlock()
			return next(w, r)
		})
	}
	all := []web.Route{
		{Method: http.MethodPost, Path: "/user", Surface: Surface{}, Handler: protect(api.CreateUser)},
		{Method: http.MethodGet, Path: "/user/{user_id}", Surface: Surface{}, Handler: WithID("user_id", protect(api.ShowUser))},
		{Method: http.MethodPost, Path: "/user/{user_id}", Surface: Surface{}, Handler: WithID("user_id", protect(api.UpdateUser))},
	}
	all = append(all, api.UserRoutes(protect)...)
	all = append(all, api.OrganisationRoutes(protect)...)
	all = append(all, api.BrandingRoutes(protect)...)
	all = append(all, api.InvitationRoutes(protect)...)
	all = append(all, api.GoLiveRoutes(protect)...)
	all = append(all, api.UsageRoute(protect))
	all = append(all, api.ServiceRoutes(protect)...)
	return all
}

// advance moves the clock of the server and of the in-process Redis.
func (s *server) advance(d time.Duration) {
	s.mu.Lock()
	s.now = s.now.Add(d)
	s.mu.Unlock()
	s.stores.Advance(d)
}

// ourTokens stands in for package oauth, which this package does not know: one
// token has the scope, one has not.
func ourTokens(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if subject, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer gh_at_of_"); ok {
			person := &directory.Caller{ClientID: "app", Subject: subject, Scopes: []string{"directory.read"}}
			return next(w, r.WithContext(directory.WithCaller(r.Context(), person)))
		}
		switch r.Header.Get("Authorization") {
		case "Bearer gh_at_admin":
			return next(w, r.WithContext(directory.WithCaller(r.Context(), &directory.Caller{ClientID: "svc", Scopes: []string{"notify.admin"}})))
		case "Bearer gh_at_other":
			return &web.Error{Status: http.StatusForbidden, Message: "The token has not the scope", Header: http.Header{"Www-Authenticate": {`Bearer error="insufficient_scope"`}}}
		}
		return &web.Error{Status: http.StatusUnauthorized, Message: "The token is not valid", Header: http.Header{"Www-Authenticate": {`Bearer error="invalid_token"`}}}
	}
}

func classify(err error) *web.Error {
	var known *web.Error
	switch {
	case errors.As(err, &known):
		return nil
	case errors.Is(err, directory.ErrUnavailable):
		return web.Unavailable(err, time.Second)
	case errors.Is(err, directory.ErrNotFound):
		return &web.Error{Status: http.StatusNotFound, Message: "Not found", Cause: err}
	}
	return nil
}

type request struct {
	method, path, body string
	authorization      string // "": the administration's internal JWT; "-": none
	header             map[string]string
}

type response struct {
	*http.Response
	body string
}

func (s *server) do(q request) response {
	s.t.Helper()
	r, err := http.NewRequest(q.method, s.URL+q.path, strings.NewReader(q.body))
	if err != nil {
		s.t.Fatal(err)
	}
	switch q.authorization {
	case "":
		r.Header.Set("Authorization", "Bearer "+internalJWT(secretOne, map[string]any{"iat": s.registry.Clock().Unix()}))
	case "-":
	default:
		r.Header.Set("Authorization", q.authorization)
	}
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	webtest.CheckResponse(s.t, r, resp)
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response{resp, string(text)}
}

// want compares a response's status and its exact body.
func (r response) want(t *testing.T, status int, body string) {
	t.Helper()
	if r.StatusCode != status || r.body != body+"\n" {
		t.Errorf("got %d %swant %d %s", r.StatusCode, r.body, status, body)
	}
}

func decode[T any](t *testing.T, r response, status int) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.body), &v); err != nil || r.StatusCode != status {
		t.Fatalf("got %d %s (%v), want %d", r.StatusCode, r.body, err, status)
	}
	return v
}

// internalJWT makes the JWT of the administration's application; claims replace
// the usual ones, and nil removes one.
func internalJWT(secret string, claims map[string]any) string {
	all := map[string]any{"iss": "notify-admin", "iat": testNow.Unix()}
	for name, value := range claims {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	payload, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return signJWT(`{"typ":"JWT","alg":"HS256"}`, string(payload), secret)
}

func signJWT(header, payload, secret string) string {
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(header)) + "." + encode([]byte(payload))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(input))
	return input + "." + encode(mac.Sum(nil))
}
