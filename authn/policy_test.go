package authn

import (
	"testing"
	"time"

	"gatehouse/directory"
)

func TestPolicy(t *testing.T) {
	user := func(state directory.State, auth directory.AuthType, mobile, email string) *directory.User {
		return &directory.User{State: state, AuthType: auth, MobileNumber: mobile, EmailAddress: email}
	}
	const mobile, email = "07700900123", "u@example.com"
	multi := []string{ACRMulti}
	cases := []struct {
		name  string
		user  *directory.User
		front Front
		acr   []string
		want  plan
	}{
		{"text message", user(directory.Active, directory.SMSAuth, mobile, email), Browser, nil, plan{next: SMSCode}},
		{"e-mail", user(directory.Active, directory.EmailAuth, mobile, email), Browser, nil, plan{next: EmailCode}},
		{"e-mail, two factors asked for", user(directory.Active, directory.EmailAuth, mobile, email), Browser, multi, plan{next: SMSCode}},
		{"e-mail, two factors but no number", user(directory.Active, directory.EmailAuth, "", email), Browser, multi, plan{next: EmailCode}},
		{"one factor asked for", user(directory.Active, directory.SMSAuth, mobile, email), Browser, []string{ACRSingle}, plan{next: SMSCode}},
		{"security key", user(directory.Active, directory.WebAuthnAuth, mobile, email), Browser, nil, plan{next: SecurityKey}},
		{"unknown type", user(directory.Active, "carrier_pigeon", mobile, email), Browser, nil, plan{next: SecurityKey}},
		{"no number", user(directory.Active, directory.SMSAuth, "", email), Browser, nil, plan{refused: "nowhere to send a code"}},
		{"no address", user(directory.Active, directory.EmailAuth, "", ""), Browser, nil, plan{refused: "nowhere to send a code"}},
		{"pending", user(directory.Pending, directory.SMSAuth, mobile, email), Browser, nil, plan{refused: "not active"}},
		{"archived", user(directory.Inactive, directory.SMSAuth, mobile, email), Browser, nil, plan{refused: "archived"}},
		{"legacy", user(directory.Active, directory.SMSAuth, mobile, email), Legacy, multi, plan{}},
		{"legacy, pending", user(directory.Pending, directory.EmailAuth, "", ""), Legacy, nil, plan{}},
		{"legacy, archived", user(directory.Inactive, directory.SMSAuth, mobile, email), Legacy, nil, plan{refused: "archived"}},
		{"machine", user(directory.Active, directory.WebAuthnAuth, mobile, email), Machine, nil, plan{}},
		{"machine, archived", user(directory.Inactive, directory.SMSAuth, mobile, email), Machine, nil, plan{refused: "archived"}},
	}
	for _, c := range cases {
		if got := policy(c.user, c.front, c.acr); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
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
