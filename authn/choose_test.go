package authn_test

import (
	"errors"
	"slices"
	"testing"

	"gatehouse/authn"
	"gatehouse/directory"
)

// TestOnlyChoicesCanBeChosen (O05): what the policy does not offer opens nothing,
// and a service that wants two factors is offered no other.
func TestOnlyChoicesCanBeChosen(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.bob()
		o := k.begin("bob@example.com")
		if !slices.Equal(o.Choices, []authn.Factor{authn.EmailCode}) {
			t.Errorf("choices %v", o.Choices)
		}
		for _, f := range []authn.Factor{authn.SMSCode, authn.TOTP, authn.SecurityKey, authn.RecoveryCode, authn.MagicLink, authn.Password, ""} {
			_, err := k.ChooseFactor(t.Context(), o.SignIn, f, office)
			wantRefused(t, err)
		}
		if again, err := k.SignInUnderWay(t.Context(), o.SignIn); err != nil || again.Next != authn.EmailCode {
			t.Errorf("%+v, %v", again, err)
		}
		if _, err := k.ChooseFactor(t.Context(), "nonsense", authn.EmailCode, office); !errors.Is(err, authn.ErrNoSignIn) {
			t.Errorf("of no sign-in: %v", err)
		}
	})
}

// TestFloorAsksForTwoFactors: the least level that a service accepts counts even
// where its request asks for less.
func TestFloorAsksForTwoFactors(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.user(directory.NewUser{Username: "carol", EmailAddress: "carol@example.com", MobileNumber: "07700 900124", AuthType: directory.EmailAuth})
		begin := func(floor string) *authn.Outcome {
			o, err := k.Authenticate(t.Context(), authn.Attempt{
				Front: authn.Browser, Factor: authn.Password, Identifier: "carol", Secret: rightPassword, Network: office,
				ACRValues: []string{authn.ACRSingle}, Floor: floor,
			})
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		if o := begin(""); o.Next != authn.EmailCode {
			t.Errorf("without a floor: %s", o.Next)
		}
		o := begin(authn.ACRMulti)
		if !slices.Equal(o.Choices, []authn.Factor{authn.SMSCode}) {
			t.Errorf("with a floor: %v", o.Choices)
		}
		if o := mustCode(t, k, o, k.sent.lastCode(t)); o.ACR != authn.ACRMulti {
			t.Errorf("reached %s", o.ACR)
		}
	})
}
