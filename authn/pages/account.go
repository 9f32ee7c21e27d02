package pages

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// The pages of an account begin with this path.
const accountPath = "/account"

// recentTime is how long after signing in somebody may change what signing in
// rests on without doing it again (OWASP ASVS 5.0, 7.5.1).
const recentTime = 10 * time.Minute

// accountAuthn is what the pages of an account need of [authn.Service].
type accountAuthn interface {
	factorAuthn

	ProvePassword(ctx context.Context, userID uuid.UUID, password string, from netip.Addr) error
	ChangePassword(ctx context.Context, s *authn.Session, p authn.PreparedPassword, info authn.SessionInfo) (token string, err error)

	BeginContactChange(ctx context.Context, s *authn.Session, u *directory.User, c authn.Contact, to string) error
	// PendingContact and ChangeContact return [authn.ErrNoSignIn] when no code is waited for.
	PendingContact(ctx context.Context, s *authn.Session, c authn.Contact) (to string, err error)
	ChangeContact(ctx context.Context, s *authn.Session, u *directory.User, c authn.Contact, code string, change func(ctx context.Context, to string) error) error
	RemoveMobile(ctx context.Context, s *authn.Session, u *directory.User, change func(ctx context.Context) error) error

	Sessions(ctx context.Context, userID uuid.UUID) ([]*authn.Session, error)
	Browsers(ctx context.Context, userID uuid.UUID) ([]*authn.KnownBrowser, error)
	// Where is the place of an address in words; "" where nobody knows it.
	Where(address string, l directory.Language) string
	EndSessions(ctx context.Context, userID, except uuid.UUID, actor directory.Actor) error
	EndSessionOf(ctx context.Context, userID, id uuid.UUID) error
	Activity(ctx context.Context, userID uuid.UUID, before time.Time, limit int) (page []authn.Activity, more time.Time, err error)
	// CloseAccount joins the transaction in ctx.
	CloseAccount(ctx context.Context, u *directory.User) error
}

// account is who looks after their account, and in which session.
type account struct {
	Session *authn.Session
	User    *directory.User
}

// actor is what the audit trail calls them.
func (a *account) actor() directory.Actor {
	return directory.Actor{Kind: "user", ID: a.User.ID.String()}
}

// recent reports whether the person has signed in well a short time ago: a proof
// that only the mailbox is theirs does not open everything else.
func (a *account) recent(now time.Time) bool {
	proved := slices.ContainsFunc(a.Session.AMR, func(method string) bool {
		return method == "pwd" || method == "hwk" || method == "swk"
	})
	return proved && now.Sub(a.Session.AuthTime) <= recentTime
}

// accountHandler answers a request of somebody who is signed in.
type accountHandler func(w http.ResponseWriter, r *http.Request, a *account) error

// accountRoutes are the pages on which people look after their account. Each form
// is sent to the page that shows it, which is where a sign-in on the way leads back to.
func (p *Pages) accountRoutes(get, post func(path string, h web.Handler) web.Route) []web.Route {
	return append(p.passkeyRoutes(get, post), []web.Route{
		get(accountPath, p.asOwner(p.overview)),
		get(confirmPath, p.asOwner(p.confirm)),
		post(confirmPath, p.asOwner(p.submitConfirm)),
		get(totpPath, p.recently(p.totp)),
		get(totpPath+"/picture", p.recently(p.totpPicture)),
		post(totpPath, p.recently(p.submitTOTP)),
		get(recoveryPath, p.recently(p.recovery)),
		post(recoveryPath, p.recently(p.submitRecovery)),
		get(accountPath+"/name", p.asOwner(p.name)),
		post(accountPath+"/name", p.asOwner(p.submitName)),
		get(contactPath(authn.EmailContact), p.recently(p.contact(authn.EmailContact))),
		post(contactPath(authn.EmailContact), p.recently(p.submitContact(authn.EmailContact))),
		get(contactPath(authn.MobileContact), p.recently(p.contact(authn.MobileContact))),
		post(contactPath(authn.MobileContact), p.recently(p.submitContact(authn.MobileContact))),
		get(sessionsPath, p.asOwner(p.sessions)),
		post(sessionsPath, p.recently(p.submitSessions)),
		get(servicesPath, p.asOwner(p.services)),
		post(servicesPath, p.asOwner(p.submitServices)),
		get(activityPath, p.asOwner(p.activity)),
		get(dataPath, p.asOwner(p.data)),
		post(dataPath, p.recently(p.submitData)),
		get(closePath, p.recently(p.closing)),
		post(closePath, p.recently(p.submitClose)),
		get(passwordPath, p.recently(p.password)),
		post(passwordPath, p.recently(p.submitPassword)),
	}...)
}

// asOwner lets in whoever is signed in, and sends others to sign in first. The
// handler is told whose account it is: no request ever names one.
func (p *Pages) asOwner(h accountHandler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, err := p.owner(r)
		if err != nil {
			return err
		}
		if a != nil {
			return h(w, r, a)
		}
		if err := p.comeBack(w, r, wayBack{Path: r.URL.EscapedPath()}); err != nil {
			return err
		}
		return Follow(w, r, AccountPage, SignInNeeded, "")
	}
}

// recently is [Pages.asOwner] for what signing in rests on: whoever has not just
// signed in does it again. A session that somebody found open, or stole, is not
// enough to take the account over.
func (p *Pages) recently(h accountHandler) web.Handler {
	return p.asOwner(func(w http.ResponseWriter, r *http.Request, a *account) error {
		if a.recent(p.Clock()) {
			return h(w, r, a)
		}
		if err := p.comeBack(w, r, wayBack{Path: r.URL.EscapedPath()}); err != nil {
			return err
		}
		return Follow(w, r, AccountPage, ProofNeeded, "")
	})
}

// owner returns who is signed in, and in which session; nil for nobody.
func (p *Pages) owner(r *http.Request) (*account, error) {
	token := p.Cookies.Get(r, authn.SessionCookie)
	if token == "" {
		return nil, nil
	}
	session, user, err := p.Authn.Session(r.Context(), token)
	switch {
	case errors.Is(err, authn.ErrNoSession):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &account{session, user}, nil
}

// accountFrame is the frame of a page of the account.
type accountFrame struct {
	frame
	User *directory.User
	Here string // the path of the page, for the navigation
	Done string // what was just done, a word of the part accountdone; "" for nothing
}

// accountFrame starts the view of a page of the account.
func (p *Pages) accountFrame(frame frame, r *http.Request, a *account) accountFrame {
	frame.Wide = true
	return accountFrame{frame: frame, User: a.User, Here: r.URL.Path, Done: r.URL.Query().Get("done")}
}

// overview shows what is known about the person, and leads to what can be changed.
func (p *Pages) overview(w http.ResponseWriter, r *http.Request, a *account) error {
	has, err := p.Authn.Enrolled(r.Context(), a.User.ID)
	if err != nil {
		return err
	}
	view := struct {
		accountFrame
		App                 bool
		Keys, RecoveryCodes int
	}{p.accountFrame(p.frame(r, "account.title", &Flow{}), r, a), has.TOTP, has.Passkeys + has.SecurityKeys, has.RecoveryCodes}
	return p.render(w, http.StatusOK, "account", view.Flow, view)
}

// done leads back to a page, which says what was done.
func done(w http.ResponseWriter, r *http.Request, path, what string) error {
	return FollowTo(w, r, AccountPage, Changed, path+"?done="+what)
}
