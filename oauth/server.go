package oauth

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/pages"
	"gatehouse/directory"
)

// Server is the authorization server. Its exported fields are set once, before
// the first request.
type Server struct {
	// Issuer is the public URL of this service, the iss of every token and the
	// audience of our own directory API.
	Issuer   string
	Store    GrantStore
	Flows    FlowCache
	Clients  Registry
	Keys     *Keys
	Sessions Sessions
	Pages    Pages
	// Profiles are those of the marketplace.
	Profiles Profiles
	// Endings ends what sessions and consents led to.
	Endings *Endings
	Cookies authn.Cookies
	// Secrets authenticate codes, refresh tokens, opaque access tokens and the
	// nonces of DPoP. The first one makes them, every one recognises them.
	Secrets [][]byte
	// Once refuses a DPoP proof that was presented before.
	Once      Once
	Tries     Tries
	Lifetimes Lifetimes
	Clock     directory.Clock
	Rand      io.Reader

	once     sync.Once
	engine   *engine
	verified verifiedTokens
	bursts   bursts
}

// Registry knows the clients.
type Registry interface {
	// Get returns a client, or directory.ErrNotFound.
	Get(ctx context.Context, id string) (*Client, error)
	// Authenticate returns the client that sent a request whose form has been
	// parsed; a refusal is a [*web.Error] with the code invalid_client or
	// invalid_request.
	Authenticate(ctx context.Context, r *http.Request) (*Client, error)
}

// Sessions knows who is signed in in a browser.
type Sessions interface {
	// Session returns the session of a cookie's token, or authn.ErrNoSession.
	Session(ctx context.Context, token string) (*authn.Session, *directory.User, error)
	// SessionBy is Session with a query of the caller's.
	SessionBy(ctx context.Context, token string, find authn.FindSession) (*authn.Session, *directory.User, error)
	// CountDeviceCode counts a user's try at a device's code before the code is
	// looked up, and fails with an *authn.ThrottledError when there were too many;
	// ForgiveDeviceCode gives the try of a right one back.
	CountDeviceCode(ctx context.Context, userID uuid.UUID, network netip.Addr) error
	ForgiveDeviceCode(ctx context.Context, userID uuid.UUID, network netip.Addr) error
}

// Pages show people what the protocol needs them to see.
type Pages interface {
	// Speak is told the ui_locales of an authorization that begins; "" for none.
	Speak(w http.ResponseWriter, r *http.Request, locales string)
	// Consent asks a user whether a client may have what it wants.
	Consent(w http.ResponseWriter, r *http.Request, v pages.ConsentView) error
	// DeviceCode asks for the code that a device shows (RFC 8628 section 3.3).
	DeviceCode(w http.ResponseWriter, r *http.Request, v pages.DeviceCodeView) error
	// DeviceConsent asks a user whether a device may have what it wants.
	DeviceConsent(w http.ResponseWriter, r *http.Request, v pages.DeviceConsentView) error
	// DeviceDone says that the device goes on by itself.
	DeviceDone(w http.ResponseWriter, r *http.Request, v pages.DeviceDoneView) error
	// ConfirmSignOut asks a user whether to sign out.
	ConfirmSignOut(w http.ResponseWriter, r *http.Request, v pages.SignOutView) error
	// SignOut ends the browser's session, if it has one, and sends it to an
	// address, "" for a page that says so.
	SignOut(w http.ResponseWriter, r *http.Request, to string) error
	// SelectAccount asks whether to go on as the user who is signed in.
	SelectAccount(w http.ResponseWriter, r *http.Request, v pages.SelectAccountView) error
	// FormPost has the browser post a response to a client.
	FormPost(w http.ResponseWriter, r *http.Request, v pages.FormPostView) error
}

// Lifetimes are how long things are good for; zero values are the defaults.
type Lifetimes struct {
	Code    time.Duration // 60 seconds (ASVS 10.4.3)
	Access  time.Duration // 10 minutes
	ID      time.Duration // 1 hour
	Refresh time.Duration // 30 days from the sign-in, however often it is used
	Flow    time.Duration // 1 hour, the life of a code sent by SMS
	Device  time.Duration // 10 minutes for a device's codes
	Pushed  time.Duration // 60 seconds, for a request_uri (RFC 9126 section 2.2)
}

func (l Lifetimes) code() time.Duration    { return cmp.Or(l.Code, time.Minute) }
func (l Lifetimes) access() time.Duration  { return cmp.Or(l.Access, 10*time.Minute) }
func (l Lifetimes) id() time.Duration      { return cmp.Or(l.ID, time.Hour) }
func (l Lifetimes) refresh() time.Duration { return cmp.Or(l.Refresh, 30*24*time.Hour) }
func (l Lifetimes) flow() time.Duration    { return cmp.Or(l.Flow, time.Hour) }
func (l Lifetimes) pushed() time.Duration  { return cmp.Or(l.Pushed, time.Minute) }

func (l Lifetimes) device() time.Duration { return cmp.Or(l.Device, 10*time.Minute) }

func (s *Server) references() references { return references{secrets: s.Secrets, rand: s.Rand} }

// newID returns a random UUID from the injected source.
func (s *Server) newID() (uuid.UUID, error) { return uuid.NewRandomFromReader(s.Rand) }

// now is the time in the precision that the store keeps.
func (s *Server) now() time.Time { return s.Clock().UTC().Truncate(time.Microsecond) }

// audit records an event, in the transaction in ctx when there is one.
func (s *Server) audit(ctx context.Context, kind string, actor directory.Actor, subject string, data map[string]any) error {
	id, err := s.newID()
	if err != nil {
		return err
	}
	return s.Store.AppendEvent(ctx, directory.Event{ID: id, Type: kind, Actor: actor, Subject: subject, Data: data, At: s.now()})
}

// endGrant ends a grant, and every token issued from it, with a record of why.
func (s *Server) endGrant(ctx context.Context, g *Grant, reason string) error {
	return s.Store.InTx(ctx, func(ctx context.Context) error {
		ended, err := s.Store.DeleteGrant(ctx, g.ID)
		if err != nil || !ended {
			return err
		}
		actor := directory.Actor{Kind: "client", ID: g.ClientID}
		return s.audit(ctx, "revoke_grant", actor, g.UserID.String(), map[string]any{"grant": g.ID, "reason": reason})
	})
}
