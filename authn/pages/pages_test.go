package pages_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/pages"
	"gatehouse/authn/pages/pagestest"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// person stands where authn.Service and the authorization server stand in the
// program, so that a test can bring every page into every state.
type person struct {
	next     authn.Factor // what follows the right password
	choices  []authn.Factor
	chosen   atomic.Pointer[authn.Factor] // what is asked for instead of next
	err      error                        // what every step fails with
	attempts atomic.Int64
	last     atomic.Pointer[authn.Attempt]
	replaced atomic.Pointer[string]
	ended    atomic.Pointer[string]
	invited  invited
	steps    pagestest.Steps
	// invitedOnly closes registration.
	invitedOnly bool
	asked       []string // what links were asked for and used, in order
	has         authn.Enrolment
	stale       bool               // the session began too long ago for changes that matter
	kind        directory.AuthType // of the account; "" for codes by text message

	pending atomic.Pointer[string] // the new address or number that waits for its code
	changed atomic.Pointer[directory.UserChange]
	did     []string // what was asked for on the pages of the account, in order
	needed  bool     // a service cannot do without the person
	unused  bool     // no service uses the account
	named   bool     // the service is at a host name, where there are passkeys
	keys    int      // that the person has
	keyErr  error    // what changes of keys fail with
	added   authn.NewPasskey

	brand *directory.Brand // of the service that is under way
}

const (
	rightPassword = "correct horse battery staple"
	rightCode     = "271828"

	rightRecoveryCode = "abcdefghijklmnop"
)

func (p *person) outcome() *authn.Outcome {
	next := p.next
	if chosen := p.chosen.Load(); chosen != nil {
		next = *chosen
	}
	return &authn.Outcome{User: user, Next: next, Choices: p.choices, Keys: p.keys, SignIn: "sign-in-1", Hint: "•••••••0123"}
}

func (p *person) ChooseFactor(ctx context.Context, signIn string, f authn.Factor, _ netip.Addr) (*authn.Outcome, error) {
	if _, err := p.SignInUnderWay(ctx, signIn); err != nil {
		return nil, err
	}
	if !slices.Contains(p.choices, f) || f == authn.SecurityKey { // which was removed meanwhile
		return nil, authn.ErrRefused
	}
	p.chosen.Store(&f)
	return p.outcome(), nil
}

var user = &directory.User{ID: uuid.UUID{15: 1}, Name: "Alice Example", EmailAddress: "alice@example.gov.uk", MobileNumber: "+447700900123", AuthType: directory.SMSAuth}

func (p *person) Authenticate(ctx context.Context, a authn.Attempt) (*authn.Outcome, error) {
	p.attempts.Add(1)
	p.last.Store(&a)
	switch {
	case p.err != nil:
		return nil, p.err
	case a.Factor == authn.Password && a.Secret == rightPassword && p.next == "":
		return p.signedIn(a), nil
	case a.Factor == authn.Password && a.Secret == rightPassword:
		return p.outcome(), nil
	case a.Factor == authn.Passkey && a.Secret == rightKey, a.Factor == authn.SecurityKey && a.Secret == rightKey && a.SignIn == "sign-in-1",
		a.Factor == authn.MagicLink && a.SignIn == "browser-asked" && (a.Secret == rightCode || a.Secret == "good"):
		return p.signedIn(a), nil
	case a.Factor == authn.SMSCode && a.Secret == rightCode && a.SignIn == "sign-in-1" && a.Also != nil:
		return p.signedIn(a), a.Also(ctx, user)
	case (a.Factor == authn.SMSCode || a.Factor == authn.TOTP) && a.Secret == rightCode && a.SignIn == "sign-in-1",
		a.Factor == authn.RecoveryCode && a.Secret == rightRecoveryCode && a.SignIn == "sign-in-1":
		return p.signedIn(a), nil
	}
	return nil, authn.ErrRefused
}

func (p *person) ResendCode(ctx context.Context, signIn string, _ netip.Addr) (*authn.Outcome, error) {
	return p.SignInUnderWay(ctx, signIn)
}

func (p *person) SignInUnderWay(_ context.Context, signIn string) (*authn.Outcome, error) {
	if p.err != nil {
		return nil, p.err
	}
	if signIn != "sign-in-1" {
		return nil, authn.ErrNoSignIn
	}
	return p.outcome(), nil
}

func (p *person) Awaited(ctx context.Context, signIn string) (authn.Factor, uuid.UUID, error) {
	under, err := p.SignInUnderWay(ctx, signIn)
	if err != nil {
		return "", uuid.Nil, err
	}
	return under.Next, under.User.ID, nil
}

// signedIn is the outcome of a sign-in that is complete.
func (p *person) signedIn(a authn.Attempt) *authn.Outcome {
	p.replaced.Store(&a.Begin.Replaces)
	return &authn.Outcome{User: user, Session: "session-1"}
}

func (p *person) Session(_ context.Context, token string) (*authn.Session, *directory.User, error) {
	if token != "session-1" {
		return nil, nil, authn.ErrNoSession
	}
	u := *user
	u.AuthType = cmp.Or(p.kind, u.AuthType)
	return p.session(), &u, p.err
}

func (p *person) EndSession(_ context.Context, token string) error {
	p.ended.Store(&token)
	return p.err
}

func (p *person) ChooseLanguage(_ context.Context, token string, l directory.Language) error {
	p.did = append(p.did, token+" speaks "+string(l))
	return p.err
}

// exampleForms is the service that people are on the way to.
var exampleForms = directory.Wording{Plain: "Example Forms"}

func (p *person) Flow(_ context.Context, id, browser string) (*pages.Flow, error) {
	if id != "flow-1" || browser != "browser-1" {
		return nil, pages.ErrNoFlow
	}
	return &pages.Flow{
		ID: id, ClientName: exampleForms, Organisation: formsOwner, LoginHint: "alice@example.gov.uk", FormAction: "https://rp.example.gov.uk",
		ACRValues: []string{authn.ACRMulti}, EmailSignIn: true,
	}, nil
}

func (p *person) AfterSignOut(_ context.Context, clientID, redirectURI, state string) (string, error) {
	if clientID != "forms" || redirectURI != "https://rp.example.gov.uk/bye" {
		return "", web.Errorf(http.StatusBadRequest, "no address of the service")
	}
	return redirectURI + "?state=" + state, nil
}

// serve runs the pages, and the consent page where the program has it.
func serve(t *testing.T, p *person) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String()
	if p.named {
		issuer = onLocalhost(issuer)
	}
	hosted := &pages.Pages{
		Authn: p, Flows: p, Issuer: issuer, ServiceName: "Gatehouse",
		Users: p, Services: p, Brands: p, Logos: logos,
		Invitations: &p.invited, InvitationID: p.invited.open, Returns: &p.invited, Clock: func() time.Time { return noon }, NewSecret: func() string { return "secret-1" },
		Registration: !p.invitedOnly,
	}
	router := &web.Router{
		Classify: classify, Fallback: func(*http.Request) web.Surface { return hosted }, Timeout: 10 * time.Second,
		Clock: time.Now, Log: slog.New(&p.steps), NewRequestID: func() string { return "request-1" },
	}
	router.Add(hosted.Routes()...)
	router.Add(
		web.Route{Method: http.MethodPost, Path: pages.RegisterPath, Surface: hosted, Handler: hosted.SameOrigin(hosted.SubmitRegistration)},
		web.Route{Method: http.MethodGet, Path: "/begin", Surface: hosted, Handler: func(w http.ResponseWriter, r *http.Request) error {
			hosted.Cookies.Set(w, authn.BrowserCookie, "browser-1", 0)
			w.Header().Set("Location", "/signin?flow=flow-1")
			w.WriteHeader(http.StatusSeeOther)
			return nil
		}},
		web.Route{Method: http.MethodGet, Path: "/consent", Surface: hosted, Handler: func(w http.ResponseWriter, r *http.Request) error {
			return hosted.Consent(w, r, pages.ConsentView{
				Flow: "flow-1", ClientName: exampleForms, Organisation: formsOwner, UserName: "Alice Example", FormAction: "https://rp.example.gov.uk",
				Scopes: []string{"openid", "profile", "email", "offline_access", "ABC001"},
			})
		}},
		web.Route{Method: http.MethodGet, Path: "/device", Surface: hosted, Handler: func(w http.ResponseWriter, r *http.Request) error {
			fault := r.URL.Query().Get("fault")
			return hosted.DeviceCode(w, r, pages.DeviceCodeView{UserCode: "WDJB-MJHT", Missing: fault == "missing", Refused: fault == "refused"})
		}},
		web.Route{Method: http.MethodGet, Path: "/device-consent", Surface: hosted, Handler: func(w http.ResponseWriter, r *http.Request) error {
			return hosted.DeviceConsent(w, r, pages.DeviceConsentView{
				Flow: "flow-1", ClientName: exampleForms, UserName: "Alice Example", UserCode: "WDJB-MJHT", Scopes: []string{"openid", "email"},
			})
		}},
		web.Route{Method: http.MethodGet, Path: "/device-done", Surface: hosted, Handler: func(w http.ResponseWriter, r *http.Request) error {
			return hosted.DeviceDone(w, r, pages.DeviceDoneView{ClientName: exampleForms, Denied: r.URL.Query().Has("denied")})
		}},
		web.Route{Method: http.MethodGet, Path: "/select", Surface: hosted, Handler: func(w http.ResponseWriter, r *http.Request) error {
			return hosted.SelectAccount(w, r, pages.SelectAccountView{
				Flow: "flow-1", ClientName: exampleForms, UserName: "Alice Example", Identifier: "alice@example.gov.uk", FormAction: "https://rp.example.gov.uk",
			})
		}},
		web.Route{Method: http.MethodGet, Path: "/form-post", Surface: hosted, Handler: func(w http.ResponseWriter, r *http.Request) error {
			to := r.URL.Query().Get("to")
			return hosted.FormPost(w, r, pages.FormPostView{
				ClientName: exampleForms, Action: to + "/cb", FormAction: to, Fields: url.Values{"code": {`a"b<c>`}, "state": {"s1"}},
			})
		}},
		web.Route{Method: http.MethodGet, Path: "/leave", Surface: hosted, Handler: func(w http.ResponseWriter, r *http.Request) error {
			view := pages.SignOutView{UserName: "Alice Example"}
			if r.URL.Query().Has("client") {
				view.ClientName, view.ClientID, view.State, view.FormAction = exampleForms, "forms", "s1", "https://rp.example.gov.uk"
				view.RedirectURI = "https://rp.example.gov.uk/bye"
			}
			return hosted.ConfirmSignOut(w, r, view)
		}},
		web.Route{Method: http.MethodGet, Path: "/broken", Surface: hosted, Handler: func(http.ResponseWriter, *http.Request) error {
			return io.ErrUnexpectedEOF
		}},
	)
	server.Config.Handler = router
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// classify maps the sentinels as the program does.
func classify(err error) *web.Error {
	if throttled, ok := errors.AsType[*authn.ThrottledError](err); ok {
		return web.TooManyRequests(throttled.RetryAfter)
	}
	if errors.Is(err, directory.ErrUnavailable) {
		return web.Unavailable(err, 5*time.Second)
	}
	return nil
}

// visitor is a cookie jar that follows no redirect.
type visitor struct {
	t       *testing.T
	base    string
	cookies map[string]string
}

func visit(t *testing.T, server *httptest.Server) *visitor {
	return &visitor{t, server.URL, map[string]string{}}
}

func (v *visitor) do(method, path string, form url.Values, headers ...string) (*http.Response, string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, cookie := range response.Cookies() {
		v.cookies[cookie.Name] = cookie.Value
		if cookie.MaxAge < 0 {
			delete(v.cookies, cookie.Name)
		}
	}
	return response, string(body)
}

func credentials(flow string) url.Values {
	form := url.Values{"identifier": {"alice@example.gov.uk"}, "password": {rightPassword}}
	if flow != "" {
		form.Set("flow", flow)
	}
	return form
}
