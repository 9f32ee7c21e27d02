package authn_test

import (
	"testing"

	"gatehouse/authn"
	"gatehouse/directory"
)

// lastLanguage is what the last message is worded in.
func (k *kit) lastLanguage() directory.Language {
	k.t.Helper()
	k.sent.mu.Lock()
	defer k.sent.mu.Unlock()
	all := k.sent.messages
	if len(all) == 0 {
		k.t.Fatal("nothing was sent")
	}
	return all[len(all)-1].Language
}

// TestLanguageIsRemembered: what somebody signs in in, or chooses, is the language
// of what happens to the account later, whoever did it.
func TestLanguageIsRemembered(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		alice := k.alice()
		token, _, err := k.StartSession(directory.WithLanguage(t.Context(), directory.Welsh), k.signIn("alice"), authn.SessionInfo{})
		if err != nil {
			t.Fatal(err)
		}
		if got := k.reload(alice).Language; got != directory.Welsh {
			t.Errorf("after a sign-in in Welsh: %q", got)
		}
		stranger := directory.WithLanguage(t.Context(), directory.English)
		if err := k.SetPassword(stranger, alice.ID, rightPassword+"2", directory.Actor{Kind: "system"}); err != nil {
			t.Fatal(err)
		}
		if got := k.lastLanguage(); got != directory.Welsh {
			t.Errorf("the notice is in %q", got)
		}
		if err := k.ChooseLanguage(t.Context(), token, directory.English); err != nil {
			t.Fatal(err)
		}
		if got := k.reload(alice).Language; got != directory.Welsh {
			t.Errorf("a session that has ended chose %q", got)
		}
		bob := k.bob()
		token, _ = k.session(bob.EmailAddress, authn.SessionInfo{})
		if err := k.ChooseLanguage(t.Context(), token, directory.Welsh); err != nil {
			t.Fatal(err)
		}
		if got := k.reload(bob).Language; got != directory.Welsh {
			t.Errorf("after the choice: %q", got)
		}
	})
}
