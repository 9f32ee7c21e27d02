package marketplace

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
	"gatehouse/internal/web/webtest"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// server is the dialect over fresh stores, reached over HTTP. Whoever calls says
// who they are: the protection in front is not this package's.
type server struct {
	*httptest.Server
	t      *testing.T
	now    time.Time
	stores *storage.Stores
	market *directory.Marketplace
}

// companies of the rig, by what the header Authorization says.
var companies = map[string]directory.Caller{
	"owner":     {ClientID: "owner", Scopes: []string{directory.ScopePartner}},
	"rival":     {ClientID: "rival", Scopes: []string{directory.ScopePartner}},
	"consented": {ClientID: "consented", Scopes: []string{directory.ScopeProvider}},
	"withdrawn": {ClientID: "withdrawn", Scopes: []string{directory.ScopeProvider}},
	"expired":   {ClientID: "expired", Scopes: []string{directory.ScopeProvider}},
	"stranger":  {ClientID: "stranger", Scopes: []string{directory.ScopeProvider}},
	"no scope":  {ClientID: "machine", Scopes: []string{"notify.admin"}},
	"person":    {ClientID: "owner", Subject: "4c8a7b1e-6f2d-4b60-9a4e-0f3f5c2d1e00", Scopes: []string{directory.ScopePartner, directory.ScopeProvider}},
}

func eachServer(t *testing.T, test func(t *testing.T, s *server)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) { test(t, newServer(t, stores)) })
}

func newServer(t *testing.T, stores *storage.Stores) *server {
	t.Helper()
	s := &server{t: t, now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), stores: stores}
	clock := func() time.Time { return s.now }
	keyring, err := storage.ParseKeyring(strings.Repeat("A", 43) + "=")
	if err != nil {
		t.Fatal(err)
	}
	profiles := storage.Profiles{DB: stores.DB, Keys: &storage.FieldKeys{DB: stores.DB, Sealer: keyring, Clock: clock}}
	if err := profiles.Keys.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.market = &directory.Marketplace{Store: profiles, Clock: clock, NewID: uuid.New}
	clients := &oauth.Clients{Store: storage.OAuthClients{DB: stores.DB}, Audit: storage.Directory{DB: stores.DB}, Clock: clock, Rand: rand.Reader}
	for id, caller := range companies {
		if id != caller.ClientID {
			continue
		}
		kind := strings.TrimPrefix(caller.Scopes[0], "marketplace:")
		_, _, err := clients.Create(t.Context(), directory.Actor{Kind: "operator"}, oauth.Client{
			ID: id, Name: id, Kind: kind, Scopes: caller.Scopes, GrantTypes: []string{oauth.GrantClientCredentials},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	router := &web.Router{
		Classify: classify, Fallback: func(*http.Request) web.Surface { return web.Problem{} }, Timeout: time.Minute,
		Clock: clock, Log: slog.New(slog.DiscardHandler), NewRequestID: rand.Text,
	}
	router.Add((&API{Marketplace: s.market}).Routes(protect)...)
	s.Server = httptest.NewServer(router)
	t.Cleanup(s.Close)
	return s
}

// protect stands in for package oauth, which this package does not know.
func protect(need func(*directory.Caller) error, next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		c := companies[r.Header.Get("Authorization")]
		if err := need(&c); err != nil {
			if scope, lacking := errors.AsType[directory.ScopeError](err); lacking {
				w.Header().Set("WWW-Authenticate", `error="insufficient_scope" scope="`+string(scope)+`"`)
			}
			return err
		}
		return next(w, r.WithContext(directory.WithCaller(r.Context(), &c)))
	}
}

// classify is that of package main, as far as it matters here.
func classify(err error) *web.Error {
	switch {
	case errors.Is(err, web.ErrBody):
		return web.Errorf(http.StatusBadRequest, "The request body is not the JSON document expected here")
	case errors.Is(err, directory.ErrNotFound):
		return &web.Error{Status: http.StatusNotFound, Message: "Not found", Cause: err}
	}
	if _, known := errors.AsType[*web.Error](err); known {
		return nil
	}
	if errors.Is(err, directory.ErrConflict) {
		return &web.Error{Status: http.StatusConflict, Message: "It already exists", Cause: err}
	}
	return nil
}

type response struct {
	status int
	header http.Header
	body   string
}

// do sends a request of a company; a body of "" is none. What comes back is held
// to the description.
func (s *server) do(company, method, path, body string) response {
	s.t.Helper()
	r, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", company)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	webtest.CheckResponse(s.t, r, res)
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response{res.StatusCode, res.Header, string(text)}
}

// want does a request that must be answered with a status, and decodes the answer.
func (s *server) want(status int, company, method, path, body string) map[string]any {
	s.t.Helper()
	res := s.do(company, method, path, body)
	if res.status != status {
		s.t.Errorf("%s %s %s: %d %s, want %d", company, method, path, res.status, res.body, status)
	}
	var object map[string]any
	if res.body != "" {
		decoder := json.NewDecoder(bytes.NewReader([]byte(res.body)))
		decoder.UseNumber()
		if err := decoder.Decode(&object); err != nil {
			s.t.Fatal(err)
		}
	}
	return object
}

const minimal = `{"first_name":"Ada","surname":"Lovelace","email":"ada@example.com"}`

// create makes a user of the owner and returns its id.
func (s *server) create(email string) string {
	s.t.Helper()
	u := s.want(200, "owner", "POST", "/users", `{"first_name":"Ada","surname":"Lovelace","email":"`+email+`"}`)
	id, _ := u["id"].(string)
	return id
}

// consent records a consent and returns the cp_user_id.
func (s *server) consent(user, provider, more string) string {
	s.t.Helper()
	c := s.want(200, "owner", "POST", "/users/"+user+"/consents", `{"cp_id":"`+provider+`"`+more+`}`)
	id, _ := c["cp_user_id"].(string)
	return id
}

// pointers are the fields that a problem document finds fault with, in order.
func pointers(problem map[string]any) []string {
	var all []string
	errs, _ := problem["errors"].([]any)
	for _, e := range errs {
		fault, _ := e.(map[string]any)
		pointer, _ := fault["pointer"].(string)
		all = append(all, pointer)
	}
	return all
}

func eventsAbout(subject string) directory.EventQuery { return directory.EventQuery{Subject: subject} }
