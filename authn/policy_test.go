package authn

import (
	"slices"
	"testing"
	"time"

	"gatehouse/directory"
)

func TestPolicy(t *testing.T) {
	user := func(state directory.State, auth directory.AuthType, mobile, email string) *directory.User {
		return &directory.User{State: state, AuthType: auth, MobileNumber: mobile, EmailAddress: email}
	}
	const mobile, email = "07700900123", "u@example.com"
	sms := user(directory.Active, directory.SMSAuth, mobile, email)
	mail := user(directory.Active, directory.EmailAuth, mobile, email)
	mailOnly := user(directory.Active, directory.EmailAuth, "", email)
	key := user(directory.Active, directory.WebAuthnAuth, mobile, email)
	none, multi, floor := Want{}, Want{ACRValues: []string{ACRMulti}}, Want{Floor: ACRMulti}
	app, keys, codes := Enrolment{TOTP: true}, Enrolment{SecurityKeys: 1}, Enrolment{RecoveryCodes: 10}
	everything := Enrolment{TOTP: true, Passkeys: 1, SecurityKeys: 1, RecoveryCodes: 3}
	next := func(f ...Factor) plan { return plan{next: f} }
	cases := []struct {
		name  string
		user  *directory.User
		has   Enrolment
		front Front
		want  Want
		plan  plan
	}{
		{"text message", sms, Enrolment{}, Browser, none, next(SMSCode)},
		{"text message, floor", sms, Enrolment{}, Browser, floor, next(SMSCode)},
		{"text message and app", sms, app, Browser, none, next(TOTP, SMSCode)},
		{"text message and key", sms, keys, Browser, none, next(SecurityKey, SMSCode)},
		{"text message and passkey", sms, Enrolment{Passkeys: 1}, Browser, none, next(SecurityKey, SMSCode)},
		{"text message and recovery codes", sms, codes, Browser, none, next(SMSCode, RecoveryCode)},
		{"text message and everything", sms, everything, Browser, multi, next(SecurityKey, TOTP, SMSCode, RecoveryCode)},
		{"no number", user(directory.Active, directory.SMSAuth, "", email), Enrolment{}, Browser, none, plan{refused: "nowhere to send a code"}},
		{"no number, recovery codes", user(directory.Active, directory.SMSAuth, "", email), codes, Browser, none, plan{refused: "nowhere to send a code"}},
		{"no number, app", user(directory.Active, directory.SMSAuth, "", email), app, Browser, none, next(TOTP)},
		{"e-mail", mail, Enrolment{}, Browser, none, next(EmailCode)},
		{"e-mail, two factors asked for", mail, Enrolment{}, Browser, multi, next(SMSCode)},
		{"e-mail, floor", mail, Enrolment{}, Browser, floor, next(SMSCode)},
		{"e-mail, floor above what is asked for", mail, Enrolment{}, Browser, Want{ACRValues: []string{ACRSingle}, Floor: ACRMulti}, next(SMSCode)},
		{"e-mail, two asked for above the floor", mail, Enrolment{}, Browser, Want{ACRValues: []string{ACRMulti}, Floor: ACRSingle}, next(SMSCode)},
		{"e-mail, two factors but no number", mailOnly, Enrolment{}, Browser, multi, next(EmailCode)},
		{"e-mail, floor but no number", mailOnly, Enrolment{}, Browser, floor, next(EmailCode)},
		{"e-mail and app", mail, app, Browser, none, next(TOTP)},
		{"e-mail and app, two factors asked for", mail, app, Browser, multi, next(TOTP)},
		{"e-mail and everything", mailOnly, everything, Browser, floor, next(SecurityKey, TOTP, RecoveryCode)},
		{"e-mail and recovery codes", mailOnly, codes, Browser, multi, next(EmailCode)},
		{"no address", user(directory.Active, directory.EmailAuth, "", ""), Enrolment{}, Browser, none, plan{refused: "nowhere to send a code"}},
		{"one factor asked for", sms, Enrolment{}, Browser, Want{ACRValues: []string{ACRSingle}}, next(SMSCode)},
		{"security key", key, Enrolment{}, Browser, none, next(SecurityKey)},
		{"security key is never weakened", key, everything, Browser, none, next(SecurityKey)},
		{"unknown type", user(directory.Active, "carrier_pigeon", mobile, email), everything, Browser, none, next(SecurityKey)},
		{"pending", user(directory.Pending, directory.SMSAuth, mobile, email), app, Browser, none, plan{refused: "not active"}},
		{"archived", user(directory.Inactive, directory.SMSAuth, mobile, email), app, Browser, none, plan{refused: "archived"}},
		{"legacy", sms, app, Legacy, multi, plan{}},
		{"legacy, pending", user(directory.Pending, directory.EmailAuth, "", ""), Enrolment{}, Legacy, none, plan{}},
		{"legacy, archived", user(directory.Inactive, directory.SMSAuth, mobile, email), Enrolment{}, Legacy, none, plan{refused: "archived"}},
		{"machine", key, keys, Machine, none, plan{}},
		{"machine, archived", user(directory.Inactive, directory.SMSAuth, mobile, email), Enrolment{}, Machine, none, plan{refused: "archived"}},
	}
	for _, c := range cases {
		if got := policy(c.user, c.has, c.front, c.want); got.refused != c.plan.refused || !slices.Equal(got.next, c.plan.next) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.plan)
		}
	}
}

// TestLevelIsNotAboveWhatWasDone: two factors only where there are two, and what
// was sent by e-mail is none.
func TestLevelIsNotAboveWhatWasDone(t *testing.T) {
	for _, f := range []Factor{Password, SMSCode, EmailCode, TOTP, SecurityKey, Passkey, RecoveryCode, MagicLink, "carrier_pigeon"} {
		multi := slices.Contains(f.AMR(), "mfa")
		if want := f != Password && f != EmailCode && f != MagicLink && f != "carrier_pigeon"; multi != want || (f.acr() == ACRMulti) != want || LevelOf(f.AMR()) != f.acr() {
			t.Errorf("%s: amr %v, acr %s", f, f.AMR(), f.acr())
		}
	}
}

func TestAddressIsProvedAnewAfterNinetyDays(t *testing.T) {
	const ninety = 90 * 24 * time.Hour
	proved := time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		email  string
		factor Factor
		after  time.Duration
		every  time.Duration
		want   bool
	}{
		{"89 days and almost 90", "u@example.com", SMSCode, ninety - time.Microsecond, ninety, false},
		{"90 days", "u@example.com", SMSCode, ninety, ninety, true},
		{"a year", "u@example.com", SMSCode, 365 * 24 * time.Hour, ninety, true},
		{"by security key", "u@example.com", SecurityKey, ninety, ninety, true},
		{"by e-mail, which proves it", "u@example.com", EmailCode, ninety, ninety, false},
		{"no address", "", SMSCode, ninety, ninety, false},
		{"switched off", "u@example.com", SMSCode, 365 * 24 * time.Hour, 0, false},
		{"another period", "u@example.com", SMSCode, time.Hour, time.Hour, true},
		{"a clock that went back", "u@example.com", SMSCode, -time.Hour, ninety, false},
	} {
		u := &directory.User{EmailAddress: c.email, EmailAccessValidatedAt: proved}
		if got := mustRevalidate(u, c.factor, proved.Add(c.after), c.every); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}
