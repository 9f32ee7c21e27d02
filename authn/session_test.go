package authn_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

// session signs a user in and starts a session.
func (k *kit) session(identifier string, info authn.SessionInfo) (string, *authn.Session) {
	k.t.Helper()
	token, session, err := k.StartSession(k.t.Context(), k.signIn(identifier), info)
	if err != nil {
		k.t.Fatal(err)
	}
	return token, session
}

func (k *kit) wantSession(token string, want bool) {
	k.t.Helper()
	_, _, err := k.Session(k.t.Context(), token)
	if want && err != nil {
		k.t.Errorf("session: %v", err)
	}
	if !want && !errors.Is(err, authn.ErrNoSession) {
		k.t.Errorf("error = %v, want %v", err, authn.ErrNoSession)
	}
}

func TestSessionKnowsWhoAndHow(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		token, started := k.session("alice", authn.SessionInfo{Network: office, UserAgent: "Browser/1.0\x00\xff" + strings.Repeat("é", 300)})
		got, user, err := k.Session(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(started, got); diff != "" {
			t.Error(diff)
		}
		if user.ID != alice.ID || user.Username != "alice" || got.Network != "192.0.2.10" || len(got.UserAgent) > 256 {
			t.Errorf("user %v, network %q, user agent of %d bytes", user.ID, got.Network, len(got.UserAgent))
		}
		if want := k.Clock().Add(20 * time.Hour); got.ACR != authn.ACRMulti || !got.AuthTime.Equal(k.Clock()) || !got.ExpiresAt.Equal(want) {
			t.Errorf("session = %+v", got)
		}
		for _, other := range []string{"", "x", token[:42], token[:42] + "!", strings.Repeat("A", 43)} {
			k.wantSession(other, false)
		}
	})
}

func TestNewSessionReplacesTheOldOne(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		old, before := k.session("alice", authn.SessionInfo{})
		fresh, after := k.session("alice", authn.SessionInfo{Replaces: old})
		if old == fresh || before.ID == after.ID {
			t.Error("the session kept its token or its id")
		}
		k.wantSession(old, false)
		k.wantSession(fresh, true)
	})
}

func TestSessionEndsUnusedAndInTheEnd(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		unused, _ := k.session("alice", authn.SessionInfo{})
		used, _ := k.session("alice", authn.SessionInfo{})
		for range 13 {
			k.advance(90 * time.Minute)
			k.wantSession(used, true)
		}
		k.wantSession(unused, false)
		k.advance(30 * time.Minute)
		k.wantSession(used, false)
	})
}

func TestUseIsWrittenDownOnceAMinute(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.alice()
		token, started := k.session("alice", authn.SessionInfo{})
		seen := func(after time.Duration) time.Time {
			k.advance(after)
			k.wantSession(token, true)
			all, err := k.Sessions(t.Context(), started.UserID)
			if err != nil || len(all) != 1 {
				t.Fatalf("sessions = %v, %v", all, err)
			}
			return all[0].SeenAt
		}
		if got := seen(59 * time.Second); !got.Equal(started.SeenAt) {
			t.Errorf("seen at %v after less than a minute", got)
		}
		if got := seen(time.Second); !got.Equal(k.Clock()) {
			t.Errorf("seen at %v after a minute, want %v", got, k.Clock())
		}
	})
}

func TestSessionEndsWithItsUser(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		token, _ := k.session("alice", authn.SessionInfo{})
		archived := k.reload(alice)
		archived.State = directory.Inactive
		if err := k.Directory.UpdateUser(t.Context(), archived); err != nil {
			t.Fatal(err)
		}
		k.wantSession(token, false)
		if err := k.Directory.UpdateUser(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		k.wantSession(token, true)
		for range directory.MaxFailedLogins {
			_, err := k.password(authn.Legacy, "alice", wrongPassword)
			wantRefused(t, err)
		}
		k.wantSession(token, false)
	})
}

func TestNewPasswordEndsEverySession(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		token, _ := k.session("alice", authn.SessionInfo{})
		proven := k.signIn("alice")
		k.ended.users = nil
		k.advance(time.Second)
		if err := k.SetPassword(t.Context(), alice.ID, "NewSecurePassword123!", directory.Actor{Kind: "user", ID: alice.ID.String()}); err != nil {
			t.Fatal(err)
		}
		k.wantSession(token, false)
		if len(k.ended.users) != 1 || k.ended.users[0] != alice.ID || k.sent.count("password_changed") != 1 {
			t.Errorf("revoked %v, told %d times", k.ended.users, k.sent.count("password_changed"))
		}
		late, _, err := k.StartSession(t.Context(), proven, authn.SessionInfo{})
		if err != nil {
			t.Fatal(err)
		}
		k.wantSession(late, false) // proven with the old password
	})
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		first, _ := k.session("alice", authn.SessionInfo{UserAgent: "first"})
		k.advance(5 * time.Minute)
		second, kept := k.session("alice", authn.SessionInfo{UserAgent: "second"})
		third, _ := k.session("alice", authn.SessionInfo{UserAgent: "third"})
		k.advance(5 * time.Minute)
		k.wantSession(first, true)
		all, err := k.Sessions(t.Context(), alice.ID)
		if err != nil || len(all) != 3 || all[0].UserAgent != "first" {
			t.Fatalf("sessions = %v, %v", all, err)
		}
		if err := k.EndSession(t.Context(), third); err != nil {
			t.Fatal(err)
		}
		if err := k.EndSession(t.Context(), third); err != nil {
			t.Errorf("once more: %v", err)
		}
		k.wantSession(third, false)
		if err := k.EndSessions(t.Context(), alice.ID, kept.ID, directory.Actor{Kind: "operator"}); err != nil {
			t.Fatal(err)
		}
		k.wantSession(first, false)
		k.wantSession(second, true)
		if err := k.EndSessions(t.Context(), alice.ID, uuid.Nil, directory.Actor{Kind: "operator"}); err != nil {
			t.Fatal(err)
		}
		k.wantSession(second, false)
	})
}
