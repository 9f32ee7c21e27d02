package delius

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
	"gatehouse/internal/web/webtest"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

const password = "SecurePassword123!"

// server is the dialect over fresh stores, reached over HTTP.
type server struct {
	*httptest.Server
	t     *testing.T
	now   time.Time
	store directory.Store
	authn *authn.Service
	user  *directory.User
}

func eachServer(t *testing.T, test func(t *testing.T, s *server)) {
	storagetest.Each(t, func(t *testing.T, stores *storage.Stores) {
		s := &server{t: t, now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
		clock := func() time.Time { return s.now }
		s.store = storage.Directory{DB: stores.DB}
		s.authn = &authn.Service{
			Directory: s.store, Store: storage.Authn{DB: stores.DB}, Cache: storage.AuthnCache{Redis: stores.Redis},
			Messages: noPost{}, Hasher: &authn.Hasher{}, CodeKey: make([]byte, 32), Clock: clock,
		}
		router := &web.Router{
			Classify: classify, Fallback: func(*http.Request) web.Surface { return Surface{} }, Timeout: time.Minute,
			Clock: clock, Log: slog.New(slog.DiscardHandler), NewRequestID: rand.Text,
		}
		router.Add(s.routes(&API{Store: s.store, Authn: s.authn})...)
		s.Server = httptest.NewServer(router)
		t.Cleanup(s.Close)
		s.user = s.create(directory.NewUser{
			Username: "John.Smith", Name: "John Paul Smith", EmailAddress: "john.smith@justice.gov.uk", Roles: []string{"ABC001"}, State: directory.Active,
		})
		test(t, s)
	})
}

func (s *server) create(n directory.NewUser) *directory.User {
	s.t.Helper()
	registry := &directory.Registry{Store: s.store, Clock: s.authn.Clock, NewID: uuid.New}
	u, err := registry.CreateUser(s.t.Context(), n, directory.Actor{Kind: "system"}, func(ctx context.Context, u *directory.User) error {
		return s.authn.SetPassword(ctx, u.ID, password, directory.Actor{Kind: "system"})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// routes have the patterns of this dialect alone.
func (s *server) routes(api *API) []web.Route {
	protect := func(role Role, next web.Handler) web.Handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			name := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			caller := &directory.Caller{ClientID: "hmpps-auth", Authorities: []string{strings.TrimPrefix(name, "ROLE_")}}
			if scope, ok := strings.CutPrefix(name, "scope:"); ok {
				caller.Scopes = []string{scope}
			}
			if err := role.Check(caller); err != nil {
				return err
			}
			return next(w, r.WithContext(directory.WithCaller(r.Context(), caller)))
		}
	}
	return []web.Route{
		{Method: "POST", Path: "/authenticate", Surface: Surface{}, Handler: protect(AuthenticateRole, api.Authenticate)},
		{Method: "GET", Path: "/user", Surface: Surface{}, Handler: protect(DetailsRole, api.UsersByEmail)},
		{Method: "GET", Path: "/user/{username}", Surface: Surface{}, Handler: protect(DetailsRole, api.UserByUsername)},
		{Method: "GET", Path: "/user/details/{userId}", Surface: Surface{}, Handler: protect(DetailsRole, api.UserByNumber)},
		{Method: "POST", Path: "/users/{username}/password", Surface: Surface{}, Handler: protect(PasswordRole, api.SetPassword)},
	}
}

func classify(err error) *web.Error {
	var known *web.Error
	var throttled *authn.ThrottledError
	switch {
	case errors.As(err, &known):
		return nil
	case errors.Is(err, directory.ErrUnavailable):
		return web.Unavailable(err, time.Second)
	case errors.As(err, &throttled):
		return web.TooManyRequests(throttled.RetryAfter)
	}
	return nil
}

type response struct {
	*http.Response
	body string
}

func (s *server) do(method, path, role, body string) response {
	s.t.Helper()
	// The password's route overlaps with another of this dialect; package main
	// resolves that, and its path is the described one.
	described := path
	if strings.HasSuffix(path, "/password") {
		path = strings.Replace(path, "/user/", "/users/", 1)
	}
	r, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+role)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if r.URL, err = url.Parse(s.URL + described); err != nil {
		s.t.Fatal(err)
	}
	webtest.CheckResponse(s.t, r, resp)
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response{resp, string(text)}
}

func (s *server) authenticate(username, password string) response {
	s.t.Helper()
	return s.do("POST", "/authenticate", AuthenticateRole[0], `{"username":`+strconv.Quote(username)+`,"password":`+strconv.Quote(password)+`}`)
}

// want compares a response's status and its exact body.
func (r response) want(t *testing.T, status int, body string) {
	t.Helper()
	if r.StatusCode != status || r.body != body {
		t.Errorf("got %d %q, want %d %q", r.StatusCode, r.body, status, body)
	}
}

func TestRightPasswordIsTwoHundredAndNothing(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		for _, username := range []string{"John.Smith", "john.smith", "JOHN.SMITH"} {
			s.authenticate(username, password).want(t, 200, "")
		}
	})
}

func TestEveryRefusalIsTheSame(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.create(directory.NewUser{Username: "archived", Name: "A", State: directory.Inactive})
		locked := s.create(directory.NewUser{Username: "locked", Name: "L", State: directory.Active})
		for range directory.MaxFailedLogins {
			s.authenticate(locked.Username, "wrong password 1").want(t, 401, "Authentication failed for 'locked'")
		}
		for _, c := range []struct{ username, password string }{
			{"John.Smith", "wrong password 1"}, {"nobody", password}, {"archived", password}, {"locked", password},
			{"locked", "wrong password 1"}, {"John.Smith", strings.Repeat("x", 60_000)}, {"it's <b>", password},
		} {
			got := s.authenticate(c.username, c.password)
			got.want(t, 401, "Authentication failed for '"+c.username+"'")
			if media := got.Header.Get("Content-Type"); media != "text/plain;charset=UTF-8" {
				t.Errorf("Content-Type %q", media)
			}
		}
		s.authenticate("John.Smith", password).want(t, 200, "")
	})
}

func TestAuthenticateWantsBothFields(t *testing.T) {
	const failure = `{"status":400,"message":"Validation failure","fields":[`
	blank := func(name string) string {
		return `{"type":"NotBlank","message":"must not be blank","field":"` + name + `"}`
	}
	const unreadable = `{"status":400,"message":"The request body is not the JSON document that is read here"}` + "\n"
	cases := []struct {
		name, body string
		status     int
		want       string
	}{
		{"nothing", `{}`, 400, failure + blank("username") + "," + blank("password") + "]}\n"},
		{"null", `{"username":null,"password":"x"}`, 400, failure + blank("username") + "]}\n"},
		{"empty", `{"username":"x","password":""}`, 400, failure + blank("password") + "]}\n"},
		{"blank", `{"username":" \t","password":"x"}`, 400, failure + blank("username") + "]}\n"},
		{"NUL", `{"username":"alice\u0000","password":"x"}`, 400, failure + `{"type":"Pattern","message":"must not hold a NUL character","field":"username"}]}` + "\n"},
		{"wrong case", `{"Username":"x","PASSWORD":"x"}`, 400, failure + blank("username") + "," + blank("password") + "]}\n"},
		{"wrong type", `{"username":1,"password":"x"}`, 400, unreadable},
		{"twice", `{"username":"x","username":"y","password":"x"}`, 400, unreadable},
		{"malformed", `{`, 400, unreadable},
		{"array", `[]`, 400, unreadable},
		{"not UTF-8", "{\"username\":\"\xff\",\"password\":\"x\"}", 400, unreadable},
		{"one megabyte", `{"username":"x","password":"` + strings.Repeat("x", 1<<20) + `"}`, 413, `{"status":413,"message":"The request body is too large"}` + "\n"},
		{"no body", "", 415, `{"status":415,"message":"The request body must be application/json"}` + "\n"},
	}
	eachServer(t, func(t *testing.T, s *server) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				s.do("POST", "/authenticate", AuthenticateRole[0], c.body).want(t, c.status, c.want)
			})
		}
	})
}

func TestRoleIsPresentedUnderAnyOfItsNames(t *testing.T) {
	cases := []struct {
		name   string
		status int
	}{
		{"PROBATION_API__HMPPS_AUTH__USER_DETAILS", 200}, {"ROLE_PROBATION_API__HMPPS_AUTH__USER_DETAILS", 200}, {"DELIUS_USER_DETAILS", 200},
		{"scope:PROBATION_API__HMPPS_AUTH__USER_DETAILS", 200}, {"scope:ROLE_DELIUS_USER_DETAILS", 200},
		{"PROBATION_API__HMPPS_AUTH__AUTHENTICATE", 403}, {"PROBATION_API__HMPPS_AUTH__USER_DETAILS_X", 403}, {"", 403},
	}
	eachServer(t, func(t *testing.T, s *server) {
		for _, c := range cases {
			got := s.do("GET", "/user/John.Smith", c.name, "")
			if got.StatusCode != c.status {
				t.Errorf("%s: %d, want %d", c.name, got.StatusCode, c.status)
			}
			if c.status == 403 {
				got.want(t, 403, `{"status":403,"message":"Access Denied"}`+"\n")
			}
		}
	})
}

func TestDetailsAreFoundThreeWays(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		number := strconv.FormatInt(s.user.Number, 10)
		details := `{"userId":` + number + `,"username":"John.Smith","firstName":"John Paul","surname":"Smith","email":"john.smith@justice.gov.uk","enabled":true,"roles":["ABC001"]}`
		get := func(path string) response { return s.do("GET", path, DetailsRole[0], "") }
		get("/user/jOHN.sMITH").want(t, 200, details+"\n")
		get("/user/details/"+number).want(t, 200, details+"\n")
		get("/user?email=JOHN.SMITH%40justice.gov.uk").want(t, 200, "["+details+"]\n")

		s.now = s.now.Add(time.Second) // older users come first
		twin := s.create(directory.NewUser{Username: "twin", Name: "Twin", EmailAddress: "John.Smith@justice.gov.uk", State: directory.Inactive})
		disabled := `{"userId":` + strconv.FormatInt(twin.Number, 10) + `,"username":"twin","firstName":"","surname":"Twin","email":"John.Smith@justice.gov.uk","enabled":false,"roles":[]}`
		get("/user?email=john.smith@justice.gov.uk").want(t, 200, "["+details+","+disabled+"]\n")

		s.create(directory.NewUser{Name: "Notify", EmailAddress: "notify@justice.gov.uk", State: directory.Active})
		get("/user?email=notify@justice.gov.uk").want(t, 200, "[]\n")
		get("/user?email=").want(t, 200, "[]\n")
		get("/user/does.not.exist").want(t, 404, `{"status":404,"message":"User with username of does.not.exist not found"}`+"\n")
		get("/user/details/99").want(t, 404, `{"status":404,"message":"User with userId of 99 not found"}`+"\n")
		get("/user/details/0").want(t, 404, `{"status":404,"message":"User with userId of 0 not found"}`+"\n")
		get("/user/details/99999999999999999999").want(t, 400, `{"status":400,"message":"Validation failure","fields":[{"type":"typeMismatch","message":"must be an integer","field":"userId"}]}`+"\n")
		get("/user").want(t, 400, `{"status":400,"message":"Validation failure","fields":[{"type":"NotNull","message":"must not be null","field":"email"}]}`+"\n")
		get("/user?email=a&email=b").want(t, 400, `{"status":400,"message":"Validation failure","fields":[{"type":"Size","message":"must be given once","field":"email"}]}`+"\n")
		get("/user?email=%00").want(t, 400, `{"status":400,"message":"Validation failure","fields":[{"type":"Email","message":"must be text","field":"email"}]}`+"\n")
	})
}

func TestPasswordIsSet(t *testing.T) {
	const other = "AnotherPassword456!"
	set := func(s *server, username, body string) response {
		return s.do("POST", "/user/"+username+"/password", PasswordRole[0], body)
	}
	eachServer(t, func(t *testing.T, s *server) {
		set(s, "nobody", `{"password":" "}`).want(t, 400, `{"status":400,"message":"Validation failure","fields":[{"type":"NotBlank","message":"must not be blank","field":"password"}]}`+"\n")
		set(s, "nobody", `{"password":"`+other+`"}`).want(t, 404, `{"status":404,"message":"User with username of nobody not found"}`+"\n")
		set(s, "john.smith", `{"password":"short"}`).want(t, 400, `{"status":400,"message":"Validation failure","fields":[{"type":"PasswordPolicy","message":"Password must be 12 characters or more","field":"password"}]}`+"\n")
		set(s, "john.smith", `{"password":"`+strings.Repeat("x", 1025)+`"}`).want(t, 400, `{"status":400,"message":"Validation failure","fields":[{"type":"PasswordPolicy","message":"Password must be 1024 bytes or fewer","field":"password"}]}`+"\n")
		s.authenticate("John.Smith", password).want(t, 200, "")

		set(s, "john.smith", `{"password":"`+other+`"}`).want(t, 200, "")
		s.authenticate("John.Smith", password).want(t, 401, "Authentication failed for 'John.Smith'")
		s.authenticate("John.Smith", other).want(t, 200, "")
	})
}

func TestNewPasswordDoesNotUnlock(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		for range directory.MaxFailedLogins {
			s.authenticate("John.Smith", "wrong password 1").want(t, 401, "Authentication failed for 'John.Smith'")
		}
		s.do("POST", "/user/John.Smith/password", PasswordRole[0], `{"password":"AnotherPassword456!"}`).want(t, 200, "")
		s.authenticate("John.Smith", "AnotherPassword456!").want(t, 401, "Authentication failed for 'John.Smith'")
	})
}

func TestStoreThatIsDownIsToldAsSuch(t *testing.T) {
	w := httptest.NewRecorder()
	Surface{}.WriteError(w, nil, web.Unavailable(directory.ErrUnavailable, time.Second))
	if got, want := w.Body.String(), `{"status":503,"message":"The service is temporarily unavailable"}`+"\n"; w.Code != 503 || got != want {
		t.Errorf("got %d %s, want %s", w.Code, got, want)
	}
}

// noPost is the way out to people, which these tests do not follow.
type noPost struct{}

func (noPost) Send(context.Context, authn.Message) error { return nil }
