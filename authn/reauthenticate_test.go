package authn_test

import (
	"errors"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
)

// TestOldPasswordIsAnAttemptLikeAnyOther (L04): the form that changes a password
// is no way round the count of failures.
func TestOldPasswordIsAnAttemptLikeAnyOther(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		for range 4 {
			_, err := k.password(authn.Legacy, "alice", wrongPassword)
			wantRefused(t, err)
		}
		for range 5 {
			wantRefused(t, k.ProvePassword(t.Context(), alice.ID, wrongPassword, office))
		}
		k.wantFailures(alice, 9)
		if err := k.ProvePassword(t.Context(), alice.ID, rightPassword, office); err != nil {
			t.Fatal(err)
		}
		k.wantFailures(alice, 0)
		errs := parallel(64, func(int) error { return k.ProvePassword(t.Context(), alice.ID, wrongPassword, office) })
		if countNil(t, errs) != 0 {
			t.Error("a wrong password was accepted")
		}
		k.wantFailures(alice, directory.MaxFailedLogins)
		wantRefused(t, k.ProvePassword(t.Context(), alice.ID, rightPassword, office)) // L13
		if k.sent.count("account_locked") != 1 {
			t.Errorf("told %d times of the lock", k.sent.count("account_locked"))
		}
	})
}

func TestNobodyProvesAPasswordTheyDoNotHave(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		u := k.userWithoutPassword(directory.NewUser{EmailAddress: "carol@example.com", AuthType: directory.EmailAuth})
		wantRefused(t, k.ProvePassword(t.Context(), u.ID, "", office))
		wantRefused(t, k.ProvePassword(t.Context(), u.ID, rightPassword, office))
		k.wantFailures(u, 2)
	})
}

// TestChangedPasswordLeavesOneSession (S01, S11): a new one, in this browser.
func TestChangedPasswordLeavesOneSession(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		other, _ := k.session("alice", authn.SessionInfo{})
		token, session := k.session("alice", authn.SessionInfo{})
		k.advance(time.Minute)
		prepared, err := k.PreparePassword(t.Context(), "three random words")
		if err != nil {
			t.Fatal(err)
		}
		k.ended.users = nil
		again, err := k.ChangePassword(t.Context(), session, prepared, authn.SessionInfo{UserAgent: "here"})
		if err != nil {
			t.Fatal(err)
		}
		k.wantSession(other, false)
		k.wantSession(token, false)
		k.wantSession(again, true)
		if len(k.ended.users) != 1 || k.ended.users[0] != alice.ID || k.sent.count("password_changed") != 1 {
			t.Errorf("ended what was issued to %v, told %d times", k.ended.users, k.sent.count("password_changed"))
		}
		kept, _, err := k.Session(t.Context(), again)
		if err != nil || kept.ID == session.ID || kept.ACR != session.ACR || len(kept.AMR) != len(session.AMR) {
			t.Errorf("session %+v, %v", kept, err)
		}
		if err := k.ProvePassword(t.Context(), alice.ID, rightPassword, office); !errors.Is(err, authn.ErrRefused) {
			t.Errorf("the old password: %v", err)
		}
	})
}
