package authn_test

import (
	"errors"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/directory"
)

// limited counts how often a kind of limit is in the audit trail.
func (k *kit) limited(limit string) int {
	k.t.Helper()
	events, err := k.Directory.Events(k.t.Context(), directory.EventQuery{Type: "limit_reached", Subject: limit}, 100)
	if err != nil {
		k.t.Fatal(err)
	}
	return len(events)
}

func TestCodesOfADayAreCountedAlsoWhenUsed(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.Limits.TextsPerDay = authn.Limit{Burst: 3, Per: 24 * time.Hour}
		k.alice()
		for range 3 {
			k.signIn("alice")
		}
		_, err := k.password(authn.Browser, "alice", rightPassword)
		wantThrottled(t, err)
		// Another account at the same number has no budget of its own.
		k.user(directory.NewUser{Name: "Alan Example", Username: "alan", EmailAddress: "alan@example.com", MobileNumber: "+447700900123", AuthType: directory.SMSAuth})
		_, err = k.password(authn.Browser, "alan", rightPassword)
		wantThrottled(t, err)
		if n := k.limited("daily"); n != 2 { // of the user and of the number
			t.Errorf("in the audit trail %d times", n)
		}
		k.advance(24 * time.Hour)
		k.signIn("alice")
	})
}

func TestAllTextsTogetherHaveAFuse(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		reached := 0
		k.Texting.PerHour, k.ObserveLimit = 5, func(limit string) {
			if limit == "texts" {
				reached++
			}
		}
		alice := k.alice()
		for _, number := range []string{"07700900201", "07700900202", "07700900203", "07700900204", "07700900205"} {
			u := *alice
			u.ID = k.user(directory.NewUser{Name: "Ann", Username: "a" + number, EmailAddress: number + "@example.com", MobileNumber: number, AuthType: directory.SMSAuth}).ID
			u.MobileNumber = number
			if err := k.SendUserCode(t.Context(), &u, authn.SMSCode, number, textTo(number)); err != nil {
				t.Fatal(err)
			}
		}
		sent := len(k.sent.codes())
		for range 2 {
			_, err := k.password(authn.Browser, "alice", rightPassword)
			wantThrottled(t, err)
		}
		if k.limited("texts") != 1 || reached != 2 || len(k.sent.codes()) != sent {
			t.Errorf("in the audit trail %d times, counted %d times, %d more sent", k.limited("texts"), reached, len(k.sent.codes())-sent)
		}
		bob := k.bob() // mail goes on
		if _, err := k.password(authn.Browser, bob.EmailAddress, rightPassword); err != nil {
			t.Error(err)
		}
	})
}

func textTo(number string) func(code string) (authn.Message, error) {
	return func(code string) (authn.Message, error) {
		return authn.Message{Channel: "sms", To: number, Template: "sms_code", Personalisation: map[string]any{"verify_code": code}}, nil
	}
}

func TestTextsGoToListedCountriesAlone(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		const jamaica, france = "+18762101234", "+33612345678"
		alice := k.alice()
		for number, countries := range map[string][]string{jamaica: {"GB", "US"}, france: nil} {
			k.Texting.Countries = countries
			var refused *directory.MobileError
			if err := k.SendUserCode(t.Context(), alice, authn.SMSCode, number, textTo(number)); !errors.As(err, &refused) {
				t.Errorf("%s with %v: %v", number, countries, err)
			}
		}
		asked := authn.Registration{Name: "Ann Example", Email: "ann@example.com", Mobile: jamaica, Password: rightPassword}
		var refused *directory.MobileError
		if _, err := k.Register(t.Context(), asked); !errors.As(err, &refused) {
			t.Errorf("an account with %s: %v", jamaica, err)
		}
		if n := len(k.sent.codes()); n != 0 || k.limited("country") != 1 {
			t.Errorf("%d codes were sent, %d times in the audit trail", n, k.limited("country"))
		}
		for number, countries := range map[string][]string{jamaica: {"GB", "JM"}, france: {"*"}, "07700900123": nil, "+447400123456": {"GB"}} {
			k.Texting.Countries = countries
			if err := k.SendUserCode(t.Context(), alice, authn.SMSCode, number, textTo(number)); err != nil {
				t.Errorf("%s with %v: %v", number, countries, err)
			}
		}
	})
}
