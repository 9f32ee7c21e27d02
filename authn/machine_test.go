package authn_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"gatehouse/authn"
)

// userCode sends a code to a user of an application with its own pages.
func (k *kit) userCode(f authn.Factor) (code string, try func(code string) error) {
	k.t.Helper()
	u := k.alice()
	err := k.SendUserCode(k.t.Context(), u, f, "07700 900123", func(c string) (authn.Message, error) {
		code = c
		return authn.Message{Channel: "sms", To: "07700 900123", Template: string(authn.SMSCode), Personalisation: map[string]any{"verify_code": c}}, nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return code, func(code string) error {
		_, err := k.Authenticate(k.t.Context(), authn.Attempt{Front: authn.Machine, Factor: f, UserID: u.ID, Secret: code, Caller: "admin"})
		return err
	}
}

func TestUserCodeIsGoodOnceHoweverManyTry(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		code, try := k.userCode(authn.SMSCode)
		results := make([]error, 8)
		var all sync.WaitGroup
		for i := range results {
			all.Go(func() { results[i] = try(code) })
		}
		all.Wait()
		right := 0
		for _, err := range results {
			if err == nil {
				right++
			} else if !errors.Is(err, authn.ErrCodeSpent) {
				t.Errorf("got %v", err)
			}
		}
		if right != 1 {
			t.Errorf("the code was good %d times", right)
		}
	})
}

func TestUserCodeIsToldFromOneThatNeverWas(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		code, try := k.userCode(authn.SMSCode)
		if err := try("nonsense"); !errors.Is(err, authn.ErrRefused) || errors.Is(err, authn.ErrCodeSpent) {
			t.Errorf("wrong: %v", err)
		}
		k.advance(time.Hour)
		if err := try(code); !errors.Is(err, authn.ErrCodeSpent) {
			t.Errorf("expired: %v", err)
		}
	})
}
