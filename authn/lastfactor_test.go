package authn_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/storage"
)

// TestTwoFactorsRemovedAtOnceLeaveWhatTheAccountNeeds: nobody can take the last
// one away by taking another at the same moment, in another tab.
func TestTwoFactorsRemovedAtOnceLeaveWhatTheAccountNeeds(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		carol, dave := k.carol(), k.user(directory.NewUser{Name: "Dave Example", Username: "dave"})
		keys := []*device{k.securityKey(carol), k.passkey(carol)}
		app, key := k.addApp(dave), k.passkey(dave)
		errs := parallel(64, func(i int) error {
			switch i % 4 {
			case 0:
				return k.RemoveTOTP(t.Context(), dave, uuid.Nil)
			case 1:
				return k.RemovePasskey(t.Context(), dave.ID, uuid.Nil, key.key.ID)
			default:
				return k.RemovePasskey(t.Context(), carol.ID, uuid.Nil, keys[i%2].key.ID)
			}
		})
		removed := 0
		for _, err := range errs {
			switch {
			case err == nil:
				removed++
			case !errors.Is(err, directory.ErrNotFound) && !errors.Is(err, directory.ErrLastCredential) && !errors.Is(err, authn.ErrLastFactor):
				t.Error(err)
			}
		}
		has, err := k.Enrolled(t.Context(), dave.ID)
		if err != nil || removed != 2 || len(k.keys(carol)) != 1 || has.TOTP == (has.Passkeys == 1) {
			t.Errorf("%d were removed; she has %d keys, he %+v; %v", removed, len(k.keys(carol)), has, err)
		}
		o := k.begin("dave")
		if has.TOTP {
			_, err = k.code(o, app.code())
		} else {
			_, err = k.tryKey(o, key.Signed(t, k.keyChallenge(o)))
		}
		if err != nil {
			t.Errorf("he cannot sign in any more: %v", err)
		}
	})
}

// TestAccountWithKeysOfNotifyOnlyIsNotWeakened: those keys are bound to Notify's
// own host and mean nothing to our pages. Nothing else opens the account instead.
func TestAccountWithKeysOfNotifyOnlyIsNotWeakened(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		carol := k.carol()
		stored := &directory.WebAuthnCredential{ID: uuid.New(), UserID: carol.ID, Name: "Blue key", Data: "AAAA", RegistrationResponse: "AAAA", CreatedAt: k.clock.Now()}
		if err := (storage.Directory{DB: k.stores.DB}).CreateCredential(t.Context(), stored); err != nil {
			t.Fatal(err)
		}
		o := k.begin("carol@example.com")
		if o.Complete() || o.Next != authn.SecurityKey || o.Keys != 0 || len(o.Choices) != 1 {
			t.Errorf("after the password: %+v", o)
		}
		for _, f := range []authn.Factor{authn.EmailCode, authn.SMSCode, authn.TOTP, authn.RecoveryCode} {
			if _, err := k.ChooseFactor(t.Context(), o.SignIn, f, office); !errors.Is(err, authn.ErrRefused) {
				t.Errorf("%s: %v", f, err)
			}
		}
		if _, err := k.NewRecoveryCodes(t.Context(), carol, uuid.Nil); !errors.Is(err, authn.ErrNoUse) {
			t.Errorf("recovery codes: %v", err)
		}
		if n := len(k.sent.codes()); n != 0 {
			t.Errorf("%d codes were sent", n)
		}
	})
}
