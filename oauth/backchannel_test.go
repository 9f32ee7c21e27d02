package oauth_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"gatehouse/authn/message"
	"gatehouse/directory"
	"gatehouse/oauth"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// delivery returns the record of the one notice to a service.
func (g *rig) delivery(client string) message.Delivery {
	g.t.Helper()
	all, err := storage.Outbox{DB: g.stores.DB}.Deliveries(g.t.Context(), client, 10)
	if err != nil || len(all) != 1 {
		g.t.Fatalf("deliveries to %s: %+v, %v", client, all, err)
	}
	return all[0]
}

func TestServiceIsToldWhoSignedOut(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		service := newRelying(t, http.StatusNoContent)
		g.told("told", service)
		b := g.signedIn()
		i := b.obtain("told", "openid")
		g.run(g.worker())
		b.endSession()
		eventually(t, "it is delivered", func() bool { return g.delivery("told").State == message.StateSent })
		tokens, calls := service.got()
		if calls != 1 || len(tokens) != 1 {
			t.Fatalf("%d calls, %d tokens", calls, len(tokens))
		}
		if l := g.readLogout("told", tokens[0]); l.Subject != g.alice.ID.String() || l.SessionID != i.sid {
			t.Errorf("told %+v, want the session %s", l, i.sid)
		}
		if d := g.delivery("told"); d.Attempts != 1 || d.Reason != "" || d.EndedAt.IsZero() || !d.NextAt.IsZero() {
			t.Errorf("recorded %+v", d)
		}
		// J10: a logout token is no access token and no hint.
		if g.bearer("/oauth/userinfo", tokens[0]).status != http.StatusUnauthorized || g.active("conf", tokens[0]) {
			t.Error("the logout token works as an access token")
		}
		if got := g.signedIn().authorize(request("conf", "id_token_hint", tokens[0])).redirect(); got.Get("error") != "invalid_request" {
			t.Errorf("taken as a hint: %v", got)
		}
	})
}

// A pairwise client is told by the sub it knows.
func TestServiceIsToldTheSubItKnows(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		service := newRelying(t)
		g.client(oauth.Client{ID: "pair", FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"}, Metadata: oauth.Metadata{
			SubjectType: oauth.SubjectPairwise, BackchannelLogoutURI: service.URL + "/logout", BackchannelLogoutSessionRequired: true,
		}})
		b := g.signedIn()
		sub := claimsOf(t, b.obtain("pair", "openid").idToken)["sub"]
		b.endSession()
		g.run(g.worker())
		eventually(t, "it is delivered", func() bool { return g.delivery("pair").State == message.StateSent })
		tokens, _ := service.got()
		if l := g.readLogout("pair", tokens[0]); l.Subject != sub || l.Subject == g.alice.ID.String() {
			t.Errorf("told of %s, want %v", l.Subject, sub)
		}
	})
}

func TestAnswersOfAService(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []int
		state   string
		reason  string
		calls   int
	}{
		{"is done", nil, message.StateSent, "", 1},
		{"fails at first", []int{500, 503, 429}, message.StateSent, "", 4},
		{"never will", []int{400}, message.StateFailed, message.ReasonRefused, 1},
		{"redirects at first", []int{302, 307}, message.StateSent, "", 3},
		{"redirects", slices.Repeat([]int{308}, 1000), message.StateExpired, message.ReasonExpired, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, storagetest.Open(t))
			service := newRelying(t, c.answers...)
			g.told("told", service)
			b := g.signedIn()
			b.obtain("told", "openid")
			b.endSession()
			w := g.worker()
			g.run(w)
			eventually(t, "it ends", func() bool {
				if d := g.delivery("told"); d.State != message.StateQueued {
					return true
				} else if int(w.Counts.Retried.Load()) == d.Attempts { // none is under way, whose lease would end
					g.clock.Advance(d.NextAt.Sub(g.clock.Now()))
				}
				return false
			})
			d := g.delivery("told")
			if _, calls := service.got(); d.State != c.state || d.Reason != c.reason || c.calls > 0 && (calls != c.calls || d.Attempts != c.calls) {
				t.Errorf("%+v after %d calls", d, calls)
			}
			if since := g.clock.Now().Sub(d.QueuedAt); c.state == message.StateExpired && since < 24*time.Hour {
				t.Errorf("given up after %v", since)
			}
		})
	}
}

// A service that hangs keeps neither the others nor people waiting.
func TestHangingServiceHoldsNobodyUp(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		hanging, quick := newRelying(t), newRelying(t)
		hanging.hold = make(chan struct{})
		release := hanging.hold
		g.told("hanging", hanging)
		g.told("quick", quick)
		for range 40 {
			b := g.signedIn()
			b.obtain("hanging", "openid")
			b.endSession()
		}
		b := g.signedIn()
		b.obtain("quick", "openid")
		b.endSession()
		w := g.worker()
		stop := g.run(w)
		eventually(t, "something is delivered", func() bool { return w.Counts.Sent.Load() == 1 })
		if tokens, _ := quick.got(); len(tokens) != 1 {
			t.Error("it was not the quick service that was told")
		}
		close(release)
		eventually(t, "the other is told", func() bool { return w.Counts.Sent.Load() == 41 })
		stop()
	})
}

func TestReplicasTellAServiceOnce(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		service := newRelying(t)
		g.told("told", service)
		other := newReplica(t, g.stores, g.clock)
		for range 30 {
			b := g.signedIn()
			b.obtain("told", "openid")
			b.endSession()
		}
		g.run(g.worker(), other.worker())
		eventually(t, "every sign-out is told", func() bool { tokens, _ := service.got(); return len(tokens) >= 30 })
		time.Sleep(50 * time.Millisecond) // room for a mistaken second copy
		tokens, calls := service.got()
		sessions := map[string]bool{}
		for _, token := range tokens {
			sessions[g.readLogout("told", token).SessionID] = true
		}
		if calls != 30 || len(sessions) != 30 {
			t.Errorf("%d calls about %d sessions", calls, len(sessions))
		}
	})
}

// A worker that dies between the claim and the answer leaves the notice to another.
func TestNoticeOutlivesItsWorker(t *testing.T) {
	each(t, func(t *testing.T, g *rig) {
		service := newRelying(t)
		g.told("told", service)
		b := g.signedIn()
		b.obtain("told", "openid")
		b.endSession()
		outbox, now := storage.Outbox{DB: g.stores.DB}, g.clock.Now()
		due, err := outbox.DueNotices(t.Context(), message.Logout, now, 2, 10)
		if err != nil || len(due) != 1 {
			t.Fatal(due, err)
		}
		if _, err := outbox.Claim(t.Context(), due[0].ID, uuid.New(), now, now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		g.run(g.worker())
		time.Sleep(50 * time.Millisecond)
		if _, calls := service.got(); calls != 0 {
			t.Fatal("sent while another worker held it")
		}
		g.clock.Advance(time.Minute)
		eventually(t, "it is told", func() bool { return g.delivery("told").State == message.StateSent })
		tokens, _ := service.got()
		g.readLogout("told", tokens[0]) // made now, not a minute ago
	})
}

func TestNoticeToAServiceThatIsGoneEnds(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	g.told("told", newRelying(t))
	b := g.signedIn()
	b.obtain("told", "openid")
	b.endSession()
	if err := g.clients.Delete(t.Context(), operator, "told"); err != nil {
		t.Fatal(err)
	}
	g.run(g.worker())
	eventually(t, "it ends", func() bool { return g.delivery("told").State == message.StateFailed })
	if d := g.delivery("told"); d.Reason != message.ReasonWithdrawn || d.Attempts != 1 {
		t.Errorf("%+v", d)
	}
}

func TestWhereAClientMayBeTold(t *testing.T) {
	g := newRig(t, storagetest.Open(t))
	for uri, ok := range map[string]bool{
		"https://rp.example.org/logout?tenant=1": true, "http://127.0.0.1:8080/logout": true,
		"http://rp.example.org/logout": false, "https://rp.example.org/logout#now": false, "org.example.app:/logout": false,
		"/logout": false, "https://user:word@rp.example.org/": false,
	} {
		_, _, err := g.clients.Create(t.Context(), operator, oauth.Client{
			Name: "A service", GrantTypes: []string{"client_credentials"}, Metadata: oauth.Metadata{BackchannelLogoutURI: uri},
		})
		var fault *directory.FieldError
		if (err == nil) != ok || !ok && (!errors.As(err, &fault) || fault.Field != "backchannel_logout_uri") {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
