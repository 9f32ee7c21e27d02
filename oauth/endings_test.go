package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/oauth"
	"gatehouse/storage"
)

const offline = "openid offline_access"

// endSessions signs a browser out behind the pages' back.
func (b *browser) endSession() {
	b.g.t.Helper()
	if err := b.g.authn.EndSession(b.g.t.Context(), b.cookies[authn.SessionCookie]); err != nil {
		b.g.t.Fatal(err)
	}
}

// queued returns for which services notices wait, one entry for each notice.
func (g *rig) queued() []string {
	g.t.Helper()
	due, err := storage.Outbox{DB: g.stores.DB}.DueNotices(g.t.Context(), "logout", g.clock.Now(), 1000, 1000)
	if err != nil {
		g.t.Fatal(err)
	}
	var clients []string
	for _, n := range due {
		clients = append(clients, n.ClientID)
	}
	slices.Sort(clients)
	return clients
}

// events returns how many audit events of a kind there are about a user.
func (g *rig) events(kind string, user uuid.UUID) int {
	g.t.Helper()
	all, err := storage.Directory{DB: g.stores.DB}.Events(g.t.Context(), directory.EventQuery{Type: kind, Subject: user.String()}, 100)
	if err != nil {
		g.t.Fatal(err)
	}
	return len(all)
}

// J18, S11: what was issued in a session is over with it, and nothing else is.
func TestSignOutEndsWhatItsSessionLedTo(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		service := newRelying(t)
		g.told("told", service)
		g.client(oauth.Client{ID: "opaque", FirstParty: true, TokenFormat: oauth.Opaque, GrantTypes: []string{"authorization_code", "refresh_token"}})
		here, there := g.signedIn(), g.signedIn()
		ended := []issued{here.obtain("told", "openid"), here.obtain("opaque", "openid"), here.obtain("conf", "openid")}
		kept := []issued{here.obtain("conf", offline), there.obtain("told", "openid"), there.obtain("opaque", offline)}
		code := here.code(request("conf", "scope", "openid"))
		here.endSession()
		for _, i := range ended {
			g.wantLive("in the session, "+i.client, i, false)
		}
		for _, i := range kept {
			g.wantLive("elsewhere or while away, "+i.client, i, true)
		}
		g.exchange("conf", code).refused(http.StatusBadRequest, "invalid_grant")
		if got := g.queued(); !slices.Equal(got, []string{"told"}) {
			t.Errorf("to be told: %v", got)
		}
		if g.events("sign_out", g.alice.ID) != 1 || g.events("end_access", g.alice.ID) != 1 {
			t.Error("nothing, or too much, is in the audit trail")
		}
		here.endSession()
		if len(g.queued()) != 1 {
			t.Error("told again")
		}
	})
}

// S11, F10, J18: who is disabled or has another password keeps nothing, and
// every service is told of every session.
func TestEverythingEndsWithItsUser(t *testing.T) {
	for name, end := range map[string]func(g *rig, u *directory.User) error{
		"signed out by an operator": func(g *rig, u *directory.User) error { return g.authn.EndAccess(g.t.Context(), u.ID, operator) },
		"disabled":                  func(g *rig, u *directory.User) error { return g.authn.Disable(g.t.Context(), u.ID) },
		"password changed": func(g *rig, u *directory.User) error {
			return g.authn.SetPassword(g.t.Context(), u.ID, "a password that nobody guesses", operator)
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, g *rig) {
				g.authn.Hasher = &authn.Hasher{}
				g.told("first", newRelying(t))
				g.told("second", newRelying(t))
				u := g.user("bob@example.com")
				one, two, other := g.browser(), g.browser(), g.signedIn()
				one.signIn(u, authn.ACRSingle)
				two.signIn(u, authn.ACRSingle)
				all := []issued{one.obtain("first", offline), one.obtain("second", "openid"), two.obtain("first", "openid")}
				kept := other.obtain("first", "openid")
				one.obtain("second", offline)
				one.endSession() // the offline grants live on, and their services hear of the end
				if got := g.queued(); !slices.Equal(got, []string{"first", "second"}) {
					t.Fatalf("to be told of the sign-out: %v", got)
				}
				if err := g.server.Store.AddConsent(t.Context(), u.ID, "first", []string{"openid"}, g.clock.Now()); err != nil {
					t.Fatal(err)
				}
				if err := end(g, u); err != nil {
					t.Fatal(err)
				}
				gone := name == "disabled" // and only then for good
				allowed := g.allowed(u, "first")
				if len(allowed) == 0 != gone || g.events("withdraw_consent", u.ID) > 0 != gone {
					t.Errorf("the service is allowed %q", allowed)
				}
				for _, i := range all {
					g.wantLive(i.client, i, false)
				}
				g.wantLive("somebody else's", kept, true)
				if got := g.queued(); !slices.Equal(got, []string{"first", "first", "first", "second", "second"}) {
					t.Errorf("to be told in the end: %v", got)
				}
				if got := two.authorize(request("first", "prompt", "none")).redirect(); got.Get("error") != "login_required" {
					t.Errorf("the session goes on: %v", got)
				}
			})
		})
	}
}

func TestWithdrawnConsentEndsOneService(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		service := newRelying(t)
		g.client(oauth.Client{
			ID: "asks", GrantTypes: []string{"authorization_code", "refresh_token"}, Metadata: oauth.Metadata{BackchannelLogoutURI: service.URL + "/logout"},
		})
		b := g.signedIn()
		session, err := g.authn.Sessions(t.Context(), g.alice.ID)
		if err != nil || len(session) != 1 {
			t.Fatal(session, err)
		}
		if err := g.server.Store.AddConsent(t.Context(), g.alice.ID, "asks", []string{"openid", "offline_access"}, g.clock.Now()); err != nil {
			t.Fatal(err)
		}
		withdrawn, kept := b.obtain("asks", offline), b.obtain("conf", "openid")
		if err := g.server.WithdrawConsent(t.Context(), g.alice.ID, "asks"); err != nil {
			t.Fatal(err)
		}
		g.wantLive("withdrawn", withdrawn, false)
		g.wantLive("another service", kept, true)
		if got := b.authorize(request("asks", "scope", offline, "prompt", "none")).redirect(); got.Get("error") != "consent_required" {
			t.Errorf("consent stands: %v", got)
		}
		if got := g.queued(); !slices.Equal(got, []string{"asks"}) || g.events("withdraw_consent", g.alice.ID) != 1 {
			t.Errorf("to be told: %v", got)
		}
	})
}

func TestDeletedClientLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		g.told("gone", newRelying(t))
		b := g.signedIn()
		i := b.obtain("gone", offline)
		if err := g.clients.Delete(t.Context(), operator, "gone"); err != nil {
			t.Fatal(err)
		}
		if g.active("conf", i.access) || g.bearer("/oauth/userinfo", i.access).status != http.StatusUnauthorized {
			t.Error("its token works")
		}
		b.endSession()
		if got := g.queued(); len(got) != 0 {
			t.Errorf("to be told: %v", got)
		}
	})
}

// Somebody who proves once more who they are has not left: the services are told
// when they do, by the sid that each has known.
func TestServicesOutliveANewSignInOfTheSameUser(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		service := newRelying(t)
		g.told("told", service)
		b := g.signedIn()
		before := b.obtain("told", "openid")
		again := func(u *directory.User) {
			t.Helper()
			token, _, err := g.authn.StartSession(t.Context(), &authn.Outcome{User: u, AMR: []string{"pwd"}, ACR: authn.ACRMulti, At: g.clock.Now()},
				authn.SessionInfo{Replaces: b.cookies[authn.SessionCookie]})
			if err != nil {
				t.Fatal(err)
			}
			b.cookies[authn.SessionCookie] = token
		}
		again(g.alice)
		g.wantLive("after the same user", before, true)
		if got := g.queued(); len(got) != 0 {
			t.Fatalf("told %v", got)
		}
		again(g.user("bob@example.com"))
		g.wantLive("after another user", before, false)
		g.run(g.worker())
		eventually(t, "the service is told", func() bool { tokens, _ := service.got(); return len(tokens) == 1 })
		tokens, _ := service.got()
		if l := g.readLogout("told", tokens[0]); l.SessionID != before.sid || l.Subject != g.alice.ID.String() {
			t.Errorf("told %+v, want the session %s", l, before.sid)
		}
	})
}

// Of 64 authorizations that race with the sign-out each is either undone by it or
// finds nobody signed in: none leaves a grant behind.
func TestNoGrantEscapesTheSignOut(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		b := g.signedIn()
		cookie := b.cookies[authn.SessionCookie]
		start := make(chan struct{})
		var racing sync.WaitGroup
		for i := range 64 {
			racing.Go(func() {
				<-start
				if i == 32 {
					if err := g.authn.EndSession(t.Context(), cookie); err != nil {
						t.Error(err)
					}
					return
				}
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.http.URL+"/oauth/authorize?"+request("conf", "scope", "openid", "prompt", "none").Encode(), nil)
				if err != nil {
					t.Error(err)
					return
				}
				r.AddCookie(&http.Cookie{Name: authn.SessionCookie, Value: cookie})
				response, err := noRedirects.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = response.Body.Close() }()
				u, _ := url.Parse(response.Header.Get("Location"))
				if response.StatusCode != http.StatusSeeOther || !u.Query().Has("code") && u.Query().Get("error") != "login_required" {
					t.Errorf("%d %s", response.StatusCode, u)
				}
			})
		}
		close(start)
		racing.Wait()
		if left, err := (storage.OAuthGrants{DB: g.stores.DB}).EndUser(t.Context(), g.alice.ID); err != nil || len(left) > 0 {
			t.Errorf("%d grants left, %v", len(left), err)
		}
	})
}

// A sign-out waits for a grant that is being made, and then ends it too.
func TestSignOutWaitsForAGrantUnderWay(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		b := g.signedIn()
		cookie := b.cookies[authn.SessionCookie]
		session, _, err := g.authn.Session(t.Context(), cookie)
		if err != nil {
			t.Fatal(err)
		}
		store, ended := storage.OAuthGrants{DB: g.stores.DB}, make(chan error, 1)
		grant := &oauth.Grant{
			ID: uuid.New(), ClientID: "conf", UserID: g.alice.ID, SessionID: session.ID, Scopes: []string{"openid"},
			AuthTime: session.AuthTime, CreatedAt: g.clock.Now(), ExpiresAt: g.clock.Now().Add(time.Hour),
		}
		err = store.InTx(t.Context(), func(ctx context.Context) error {
			if err := store.CreateGrant(ctx, grant); err != nil {
				return err
			}
			if _, err := store.Grant(ctx, grant.ID); err != nil { // by then it has been sent
				return err
			}
			go func() { ended <- g.authn.EndSession(t.Context(), cookie) }()
			select {
			case err := <-ended:
				t.Errorf("the sign-out did not wait: %v", err)
				ended <- err
			case <-time.After(200 * time.Millisecond):
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if _, err := store.Grant(t.Context(), grant.ID); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("the grant is still there: %v", err)
		}
	})
}
