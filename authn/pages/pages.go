package pages

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// ContinuePath is where a browser goes back to its authorization once it is signed in.
const ContinuePath = "/oauth/continue"

// RegisterPath is where people make accounts.
const RegisterPath = "/register"

// ErrNoFlow says that an authorization under way is unknown, has expired, or
// was begun in another browser.
var ErrNoFlow = errors.New("no authorization under way")

// Authn is what the pages need of [authn.Service].
type Authn interface {
	accountAuthn
	keys

	Authenticate(ctx context.Context, a authn.Attempt) (*authn.Outcome, error)
	ResendCode(ctx context.Context, signIn string, network netip.Addr) (*authn.Outcome, error)
	ChooseFactor(ctx context.Context, signIn string, f authn.Factor, network netip.Addr) (*authn.Outcome, error)
	SignInUnderWay(ctx context.Context, signIn string) (*authn.Outcome, error)
	Awaited(ctx context.Context, signIn string) (authn.Factor, uuid.UUID, error)
	Session(ctx context.Context, token string) (*authn.Session, *directory.User, error)
	EndSession(ctx context.Context, token string) error
	// ChooseLanguage is told the choice of whoever a session's token belongs to,
	// if it belongs to anybody.
	ChooseLanguage(ctx context.Context, token string, l directory.Language) error
	CheckNewPassword(password string) error
	PreparePassword(ctx context.Context, password string) (authn.PreparedPassword, error)
	// StorePassword joins the transaction in ctx.
	StorePassword(ctx context.Context, userID uuid.UUID, p authn.PreparedPassword, actor directory.Actor) error
	resets
	registrations
	emailSignIns
}

// Invitations is what the pages need of [directory.Registry].
type Invitations interface {
	TeamInvitation(ctx context.Context, kind directory.TeamKind, id uuid.UUID) (*directory.TeamInvitation, error)
	// InvitedAccount is nil when the person invited has to make an account.
	InvitedAccount(ctx context.Context, i *directory.TeamInvitation) (*directory.User, error)
	RegisterInvited(ctx context.Context, i *directory.TeamInvitation, name, mobile string, also func(ctx context.Context, u *directory.User) error) (*directory.User, error)
	AcceptInvitation(ctx context.Context, kind directory.TeamKind, id, userID uuid.UUID) error
}

// Returns keeps where browsers go back to after a sign-in, by the secret of each.
type Returns interface {
	PutReturn(ctx context.Context, secret string, to []byte, ttl time.Duration) error
	// Return and TakeReturn return directory.ErrNotFound for one that is unknown
	// or has expired; TakeReturn also forgets it.
	Return(ctx context.Context, secret string) ([]byte, error)
	TakeReturn(ctx context.Context, secret string) ([]byte, error)
}

// Flows finds authorizations under way; package oauth implements it.
type Flows interface {
	// Flow returns the flow of an id that this browser began, or [ErrNoFlow].
	Flow(ctx context.Context, id, browser string) (*Flow, error)
	// AfterSignOut is where a service that asked for a sign-out wants the browser
	// to go; "" for nowhere. An address that is not the service's is an error.
	AfterSignOut(ctx context.Context, clientID, redirectURI, state string) (string, error)
}

// Flow is what the pages know of an authorization under way. The zero Flow
// stands for a sign-in that no relying service asked for.
type Flow struct {
	ID         string
	ClientName directory.Wording
	// Organisation is whose brand the pages carry; uuid.Nil for nobody's.
	Organisation uuid.UUID
	// LoginHint fills the identifier in (OpenID Connect Core section 3.1.2.1).
	LoginHint string
	// FormAction is the Content-Security-Policy source of the redirect URI: an
	// origin, or a scheme with its colon. Chrome applies form-action to every
	// redirect that follows a form, so each form of the flow has to allow it.
	FormAction string
	// ACRValues are the levels that the request asks for, and Floor the least that
	// the service accepts; "" for any.
	ACRValues []string
	Floor     string
	// EmailSignIn says that the service is content with access to the mail.
	EmailSignIn bool
}

// ConsentView is what the consent page shows.
type ConsentView struct {
	Flow         string // the flow's id
	ClientName   directory.Wording
	Organisation uuid.UUID // see [Flow.Organisation]
	UserName     string
	Scopes       []string
	FormAction   string // see [Flow.FormAction]
	// PolicyURI and TermsURI are what the client registered for people to read;
	// "" for nothing (OpenID Connect Registration section 2).
	PolicyURI, TermsURI directory.Wording
	// Profile is set when the service asks to see a profile of the marketplace.
	Profile *ProfileChoice
}

// ProfileChoice are the profiles that a service may be allowed to see; without
// one there is nothing that could be allowed.
type ProfileChoice struct{ Profiles []ProfileOption }

// ProfileOption is a profile to choose.
type ProfileOption struct {
	ID      string
	Partner directory.Wording // the name of the company that keeps it
	Chosen  bool
}

// Pages serves the hosted pages and is the [web.Surface] of everything a
// browser shows.
type Pages struct {
	Authn   Authn
	Flows   Flows
	Cookies authn.Cookies
	// Issuer is the public URL of this service; its origin is the only one
	// whose forms are accepted.
	Issuer string
	// ServiceName is the name at the head of each page.
	ServiceName string

	Users    Users
	Services Services

	Brands Brands
	// Logos are the logos of organisations by the names of their files; nil for none.
	Logos fs.FS

	Invitations Invitations
	// InvitationID opens the token of an invitation's link, however old it is; an
	// error says that it is none of ours.
	InvitationID func(token string) (uuid.UUID, error)
	Returns      Returns
	// Registration says that people may make accounts themselves.
	Registration bool
	Clock        directory.Clock
	NewSecret    func() string // 128 random bits or more, as text for a cookie
}

// Routes returns the routes of the pages.
func (p *Pages) Routes() []web.Route {
	get := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Path: path, Surface: p, Handler: p.InLanguage(h)}
	}
	post := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Path: path, Surface: p, Handler: p.SameOrigin(p.InLanguage(h))}
	}
	return append(append(p.accountRoutes(get, post), p.keyRoutes(get, post)...), []web.Route{
		get("/{$}", p.home),
		get("/signin", p.signIn),
		post("/signin", p.submitSignIn),
		get("/signin/code", p.during(readQuery, p.code)),
		post("/signin/code", p.submitCode),
		post("/signin/resend", p.resendCode),
		get("/forgotten-password", p.forgotten),
		post("/forgotten-password", p.submitForgotten),
		get(emailSignInPath, p.emailSignIn),
		post(emailSignInPath, p.submitEmailSignIn),
		get(emailCodePath, p.emailCode),
		post(emailCodePath, p.submitEmailCode),
		get("/email-auth/{token}", p.emailAuth),
		post("/email-auth/{token}", p.submitEmailAuth),
		get(RegisterPath, p.registration), // its POST is shared with clients, see the program
		get("/verify-email/{token}", p.verifyEmail),
		post("/verify-email/{token}", p.submitVerifyEmail),
		get("/new-password/{token}", p.newPassword),
		post("/new-password/{token}", p.submitNewPassword),
		get("/signin/another-way", p.during(readQuery, p.anotherWay)),
		post("/signin/another-way", p.during(readForm, p.submitAnotherWay)),
		post("/language", p.submitLanguage),
		post("/signout", p.submitSignOut),
		get("/signed-out", p.SignedOut),
		get("/invitation/{token}", p.invitation(directory.ServiceTeam)),
		post("/invitation/{token}", p.submitInvitation(directory.ServiceTeam)),
		get("/organisation-invitation/{token}", p.invitation(directory.OrganisationTeam)),
		post("/organisation-invitation/{token}", p.submitInvitation(directory.OrganisationTeam)),
		get("/assets/{name}", p.asset),
		get("/branding/{sheet}", p.brandSheet),
		get("/branding/logo/{name}", p.logo),
		get("/favicon.ico", p.favicon),
		get("/robots.txt", p.robots),
	}...)
}

// SameOrigin refuses a form that another origin sent: the browser says where a
// request comes from, so no token is needed. Every POST of a page goes through it.
func (p *Pages) SameOrigin(next web.Handler) web.Handler {
	guard := http.NewCrossOriginProtection()
	if err := guard.AddTrustedOrigin(origin(p.Issuer)); err != nil {
		panic("pages: issuer: " + err.Error()) // checked with the configuration
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := guard.Check(r); err != nil {
			return &web.Error{Status: http.StatusForbidden, Code: "cross_origin", Message: "This form was sent from another site", Cause: err}
		}
		return next(w, r)
	}
}

// origin cuts a URL to scheme and host.
func origin(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// flow finds the authorization that a page belongs to; no id is the zero Flow.
func (p *Pages) flow(r *http.Request, id string) (*Flow, error) {
	if id == "" {
		return &Flow{}, nil
	}
	return p.Flows.Flow(r.Context(), id, p.Cookies.Get(r, authn.BrowserCookie))
}
