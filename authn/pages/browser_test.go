package pages_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/authn"
	"gatehouse/authn/pages/pagestest"
	"gatehouse/directory"
)

// states brings a browser to every page in every state it has.
var states = []struct {
	name    string
	person  person
	reach   func(b *pagestest.Browser, base string) int64
	status  int64
	heading string
}{
	{"home", person{}, open("/"), 200, "You are not signed in"},
	{"home-signed-in", person{}, func(b *pagestest.Browser, base string) int64 {
		b.Go(base + "/signin")
		return signIn(b, rightPassword)
	}, 200, "You are signed in"},
	{"account", person{}, signedInTo("/account"), 200, "Your account"},
	{"account-enrolled", person{has: authn.Enrolment{TOTP: true, Passkeys: 1, SecurityKeys: 1, RecoveryCodes: 7}, kind: directory.EmailAuth}, signedInTo("/account?done=mobile_removed"), 200, "Your account"},
	{"account-confirm", person{stale: true}, signedInTo("/account/confirm"), 200, "Confirm that it is you"},
	{"account-confirm-refused", person{stale: true}, func(b *pagestest.Browser, base string) int64 {
		signedInTo("/account/confirm")(b, base)
		b.Fill("password", "wrong")
		return b.Click("main button")
	}, 403, "Confirm that it is you"},
	{"account-totp", person{}, signedInTo("/account/totp"), 200, "Authenticator app"},
	{"account-totp-empty", person{}, func(b *pagestest.Browser, base string) int64 {
		signedInTo("/account/totp")(b, base)
		return b.Click("main button")
	}, 400, "Authenticator app"},
	{"account-totp-refused", person{}, func(b *pagestest.Browser, base string) int64 {
		signedInTo("/account/totp")(b, base)
		b.Fill("code", "000000")
		return b.Click("main button")
	}, 403, "Authenticator app"},
	{"account-totp-added", person{has: authn.Enrolment{TOTP: true}}, signedInTo("/account/totp?done=added"), 200, "Authenticator app"},
	{"account-totp-last", person{has: authn.Enrolment{TOTP: true}}, func(b *pagestest.Browser, base string) int64 {
		signedInTo("/account/totp")(b, base)
		return b.Click("#remove")
	}, 409, "Authenticator app"},
	{"account-recovery", person{has: authn.Enrolment{TOTP: true, RecoveryCodes: 4}}, signedInTo("/account/recovery-codes"), 200, "Recovery codes"},
	{"account-recovery-none", person{}, signedInTo("/account/recovery-codes"), 200, "Recovery codes"},
	{"account-recovery-made", person{has: authn.Enrolment{TOTP: true}}, func(b *pagestest.Browser, base string) int64 {
		signedInTo("/account/recovery-codes")(b, base)
		return b.Click("main button")
	}, 200, "Recovery codes"},
	{"account-name", person{}, signedInTo("/account/name"), 200, "Change your name"},
	{"account-name-missing", person{}, func(b *pagestest.Browser, base string) int64 {
		signedInTo("/account/name")(b, base)
		b.Fill("name", " ")
		return b.Click("main form button")
	}, 400, "Change your name"},
	{"account-email", person{}, signedInTo("/account/email"), 200, "Change your email address"},
	{"account-email-fault", person{}, func(b *pagestest.Browser, base string) int64 {
		signedInTo("/account/email")(b, base)
		return b.Click("main form button")
	}, 400, "Change your email address"},
	{"account-mobile", person{}, signedInTo("/account/mobile"), 200, "Change your mobile number"},
	{"account-mobile-removable", person{kind: directory.EmailAuth}, signedInTo("/account/mobile"), 200, "Change your mobile number"},
	{"account-mobile-fault", person{}, func(b *pagestest.Browser, base string) int64 {
		signedInTo("/account/mobile")(b, base)
		return b.Click("main form button")
	}, 400, "Change your mobile number"},
	{"account-mobile-code", person{}, toNewNumber, 200, "Change your mobile number"},
	{"account-mobile-code-refused", person{}, func(b *pagestest.Browser, base string) int64 {
		toNewNumber(b, base)
		b.Fill("code", "000000")
		return b.Click("main form button")
	}, 403, "Change your mobile number"},
	{"account-sessions", person{}, signedInTo("/account/sessions"), 200, "Where you are signed in"},
	{"account-services", person{}, signedInTo("/account/services?done=service"), 200, "Services that use your account"},
	{"account-services-none", person{unused: true}, signedInTo("/account/services"), 200, "Services that use your account"},
	{"account-activity", person{}, signedInTo("/account/activity"), 200, "Recent activity"},
	{"account-activity-last", person{}, signedInTo("/account/activity?before=1772366400000000"), 200, "Recent activity"},
	{"account-data", person{}, signedInTo("/account/data"), 200, "Your data"},
	{"account-close", person{}, signedInTo("/account/close"), 200, "Close your account"},
	{"account-close-needed", person{needed: true}, func(b *pagestest.Browser, base string) int64 {
		signedInTo("/account/close")(b, base)
		return b.Click("main form button")
	}, 409, "Close your account"},
	{"account-closed", person{}, func(b *pagestest.Browser, base string) int64 {
		signedInTo("/account/close")(b, base)
		return b.Click("main form button")
	}, 200, "Your account is closed"},
	{"account-password", person{}, signedInTo("/account/password"), 200, "Change your password"},
	{"account-password-faults", person{}, func(b *pagestest.Browser, base string) int64 {
		signedInTo("/account/password")(b, base)
		return b.Click("main form button")
	}, 400, "Change your password"},
	{"account-password-changed", person{}, signedInTo("/account?done=password"), 200, "Your account"},
	{"signin", person{}, open("/signin"), 200, "Sign in"},
	{"signin-for-a-service", person{}, open("/begin"), 200, "Sign in"},
	{"signin-for-an-organisation", person{brand: &directory.Brand{Name: "Ministry of Examples", Colour: "#FFDD00", Logo: "examples.svg"}}, open("/begin"), 200, "Sign in"},
	{"signin-empty", person{}, func(b *pagestest.Browser, base string) int64 {
		b.Go(base + "/signin")
		return b.Click("main button")
	}, 400, "Sign in"},
	{"signin-refused", person{}, func(b *pagestest.Browser, base string) int64 {
		b.Go(base + "/begin")
		return signIn(b, "wrong")
	}, 403, "Sign in"},
	{"forgotten", person{}, open("/forgotten-password"), 200, "Forgotten your password?"},
	{"forgotten-empty", person{}, func(b *pagestest.Browser, base string) int64 {
		b.Go(base + "/forgotten-password")
		return b.Click("main button")
	}, 400, "Forgotten your password?"},
	{"forgotten-asked", person{}, func(b *pagestest.Browser, base string) int64 {
		b.Go(base + "/forgotten-password")
		b.Fill("identifier", "alice@example.gov.uk")
		return b.Click("main button")
	}, 202, "Check your email"},
	{"new-password", person{}, open("/new-password/good"), 200, "Choose a new password"},
	{"new-password-weak", person{}, toNewPassword("short"), 400, "Choose a new password"},
	{"new-password-done", person{}, toNewPassword(rightPassword), 200, "Your password has been changed"},
	{"new-password-closed", person{}, open("/new-password/used"), 410, "This link does not work any more"},
	{"email-sign-in", person{}, toEmailSignIn, 200, "Sign in with an email"},
	{"email-code", person{}, toEmailCode, 200, "Check your email"},
	{"email-code-refused", person{}, func(b *pagestest.Browser, base string) int64 {
		toEmailCode(b, base)
		b.Fill("code", "000000")
		return b.Click("main button")
	}, 403, "Check your email"},
	{"email-auth", person{}, func(b *pagestest.Browser, base string) int64 {
		toEmailCode(b, base)
		return b.Go(base + "/email-auth/good")
	}, 200, "Sign in"},
	{"email-auth-elsewhere", person{}, open("/email-auth/good"), 403, "Open the link in the browser you started in"},
	{"email-auth-closed", person{}, open("/email-auth/used"), 410, "This link does not work any more"},
	{"register", person{}, open("/register"), 200, "Create an account"},
	{"register-faults", person{}, func(b *pagestest.Browser, base string) int64 {
		b.Go(base + "/register")
		return b.Click("main button")
	}, 400, "Create an account"},
	{"register-weak", person{}, toRegistered("short"), 400, "Create an account"},
	{"register-asked", person{}, toRegistered(rightPassword), 202, "Check your email"},
	{"register-closed", person{invitedOnly: true}, open("/register"), 403, "Accounts are made by invitation"},
	{"verify-email", person{}, func(b *pagestest.Browser, base string) int64 {
		toRegistered(rightPassword)(b, base)
		return b.Go(base + "/verify-email/good")
	}, 200, "Confirm your email address"},
	{"verify-email-done", person{}, func(b *pagestest.Browser, base string) int64 {
		toRegistered(rightPassword)(b, base)
		b.Go(base + "/verify-email/good")
		return b.Click("main button")
	}, 200, "Your account is ready"},
	{"verify-email-elsewhere", person{}, open("/verify-email/good"), 200, "Confirm your email address"},
	{"verify-email-refused", person{}, func(b *pagestest.Browser, base string) int64 {
		b.Go(base + "/verify-email/good")
		b.Fill("password", "wrong")
		return b.Click("main button")
	}, 403, "Confirm your email address"},
	{"verify-email-closed", person{}, open("/verify-email/used"), 410, "This link does not work any more"},
	{"code", person{next: authn.SMSCode}, toCode, 200, "Check your phone"},
	{"code-by-email", person{next: authn.EmailCode}, toCode, 200, "Check your email"},
	{"code-empty", person{next: authn.SMSCode}, func(b *pagestest.Browser, base string) int64 {
		toCode(b, base)
		return b.Click("button.govuk-button")
	}, 400, "Check your phone"},
	{"code-refused", person{next: authn.SMSCode}, func(b *pagestest.Browser, base string) int64 {
		toCode(b, base)
		b.Fill("code", "000000")
		return b.Click("button.govuk-button")
	}, 403, "Check your phone"},
	{"code-resent", person{next: authn.SMSCode}, func(b *pagestest.Browser, base string) int64 {
		toCode(b, base)
		return b.Click("button.gh-link")
	}, 200, "Check your phone"},
	{"code-by-app", person{next: authn.TOTP, choices: everyWay}, toCode, 200, "Open your authenticator app"},
	{"code-by-app-refused", person{next: authn.TOTP, choices: everyWay}, func(b *pagestest.Browser, base string) int64 {
		toCode(b, base)
		b.Fill("code", "000000")
		return b.Click("button.govuk-button")
	}, 403, "Open your authenticator app"},
	{"another-way", person{next: authn.TOTP, choices: everyWay}, toAnotherWay, 200, "How do you want to go on?"},
	{"another-way-gone", person{next: authn.TOTP, choices: everyWay}, func(b *pagestest.Browser, base string) int64 {
		toAnotherWay(b, base)
		return b.Click(`button[value="security_key"]`)
	}, 400, "How do you want to go on?"},
	{"recovery-code", person{next: authn.TOTP, choices: everyWay}, toRecoveryCode, 200, "Use a recovery code"},
	{"recovery-code-empty", person{next: authn.TOTP, choices: everyWay}, func(b *pagestest.Browser, base string) int64 {
		toRecoveryCode(b, base)
		return b.Click("button.govuk-button")
	}, 400, "Use a recovery code"},
	{"recovery-code-refused", person{next: authn.TOTP, choices: everyWay}, func(b *pagestest.Browser, base string) int64 {
		toRecoveryCode(b, base)
		b.Fill("recovery_code", "qqqq-qqqq-qqqq-qqqq")
		return b.Click("button.govuk-button")
	}, 403, "Use a recovery code"},
	{"no-security-key", person{next: authn.SecurityKey}, toCode, 200, "This account needs a security key"},
	{"security-key", person{next: authn.SecurityKey, keys: 1, named: true, choices: everyWay}, withKeys(toCode), 200, "Use your security key"},
	{"security-key-without-scripts", person{next: authn.SecurityKey, keys: 1, named: true}, toCode, 200, "Use your security key"},
	{"security-key-refused", person{next: authn.SecurityKey, keys: 1, named: true}, withKeys(func(b *pagestest.Browser, base string) int64 {
		toCode(b, base)
		return b.Submit("key-form")
	}), 403, "Use your security key"},
	{"signin-with-passkeys", person{named: true}, withKeys(open("/signin")), 200, "Sign in"},
	{"passkey-refused", person{named: true}, withKeys(func(b *pagestest.Browser, base string) int64 {
		b.Go(base + "/begin")
		return b.Submit("key-form")
	}), 403, "Sign in"},
	{"account-confirm-with-passkeys", person{named: true, stale: true}, withKeys(signedInTo("/account/passkeys")), 200, "Confirm that it is you"},
	{"account-passkeys", person{named: true, keys: 2}, withKeys(signedInTo("/account/passkeys?done=passkey_added")), 200, "Passkeys and security keys"},
	{"account-passkeys-none", person{named: true}, signedInTo("/account/passkeys"), 200, "Passkeys and security keys"},
	{"account-passkeys-nowhere", person{}, signedInTo("/account/passkeys"), 200, "Passkeys and security keys"},
	{"account-passkeys-taken", person{named: true, keyErr: authn.ErrPasskeyTaken}, withKeys(func(b *pagestest.Browser, base string) int64 {
		signedInTo("/account/passkeys")(b, base)
		return b.Submit("key-form")
	}), 409, "Passkeys and security keys"},
	{"account-passkeys-last", person{named: true, keys: 2, keyErr: directory.ErrLastCredential}, withKeys(func(b *pagestest.Browser, base string) int64 {
		signedInTo("/account/passkeys")(b, base)
		return b.Click(`button[value="remove"]`)
	}), 409, "Passkeys and security keys"},
	{"consent", person{}, open("/consent"), 200, "Allow Example Forms to use your account?"},
	{"select-account", person{}, open("/select"), 200, "Choose an account"},
	{"form-post", person{}, open("/form-post?to=https://rp.example.gov.uk"), 200, "Back to the service"},
	{"device", person{}, open("/device"), 200, "Connect a device"},
	{"device-missing", person{}, open("/device?fault=missing"), 400, "Connect a device"},
	{"device-refused", person{}, open("/device?fault=refused"), 403, "Connect a device"},
	{"device-consent", person{}, open("/device-consent"), 200, "Allow Example Forms to use your account?"},
	{"device-done", person{}, open("/device-done"), 200, "Your device is connected"},
	{"device-denied", person{}, open("/device-done?denied=1"), 200, "The device was not allowed"},
	{"invitation", person{invited: invited{to: aliceInvited()}}, open("/invitation/good"), 200, "You have been invited"},
	{"invitation-by-email", person{invited: invited{to: aliceInvited(byEmail)}}, open("/invitation/good"), 200, "You have been invited"},
	{"invitation-faults", person{invited: invited{to: aliceInvited()}}, func(b *pagestest.Browser, base string) int64 {
		b.Go(base + "/invitation/good")
		return b.Click("main button")
	}, 400, "You have been invited"},
	{"invitation-long", person{invited: invited{to: aliceInvited(atLength)}}, open("/invitation/good"), 200, "You have been invited"},
	{"invitation-account", person{invited: invited{to: aliceInvited(), account: true}}, open("/invitation/good"), 200, "You have been invited"},
	{"invitation-signed-in", person{invited: invited{to: aliceInvited(toMinistry)}}, signedInTo("/organisation-invitation/good"), 200, "You have been invited"},
	{"invitation-other", person{invited: invited{to: aliceInvited(forBob)}}, signedInTo("/invitation/good"), 403, "This invitation is for somebody else"},
	{"invitation-joined", person{invited: invited{to: aliceInvited(accepted)}}, signedInTo("/invitation/good"), 200, "You have joined Fishing licences"},
	{"invitation-expired", person{invited: invited{to: aliceInvited(tooOld)}}, open("/invitation/good"), 410, "This invitation has expired"},
	{"sign-out", person{}, open("/leave"), 200, "Do you want to sign out?"},
	{"sign-out-for-a-service", person{}, open("/leave?client"), 200, "Example Forms asks you to sign out"},
	{"sign-out-confirmed", person{}, func(b *pagestest.Browser, base string) int64 {
		b.Go(base + "/leave")
		return b.Click("main button")
	}, 200, "You are signed out"},
	{"signed-out", person{}, open("/signed-out"), 200, "You are signed out"},
	{"expired-sign-in", person{}, open("/signin/code"), 400, "Your sign-in has expired"},
	{"expired-flow", person{}, open("/signin?flow=gone"), 400, "Your sign-in has expired"},
	{"not-found", person{}, open("/nowhere"), 404, "Page not found"},
	{"wrong-method", person{}, open("/signout"), 405, "This page cannot be used in this way"},
	{"broken", person{}, open("/broken"), 500, "Sorry, something went wrong"},
	{"throttled", person{err: &authn.ThrottledError{RetryAfter: time.Minute}}, toCode, 429, "Too many attempts"},
	{"unavailable", person{err: directory.ErrUnavailable}, toCode, 503, "The service is not available at the moment"},
}

func open(path string) func(*pagestest.Browser, string) int64 {
	return func(b *pagestest.Browser, base string) int64 { return b.Go(base + path) }
}

func signIn(b *pagestest.Browser, password string) int64 {
	b.Fill("identifier", "alice@example.gov.uk")
	b.Fill("password", password)
	return b.Click("main button")
}

func signedInTo(path string) func(*pagestest.Browser, string) int64 {
	return func(b *pagestest.Browser, base string) int64 {
		b.Go(base + "/signin")
		signIn(b, rightPassword)
		return b.Go(base + path)
	}
}

func toNewPassword(password string) func(*pagestest.Browser, string) int64 {
	return func(b *pagestest.Browser, base string) int64 {
		b.Go(base + "/new-password/good")
		b.Fill("password", password)
		return b.Click("main button")
	}
}

// onLocalhost is the address as a host name, which browsers make keys for.
func onLocalhost(base string) string { return strings.Replace(base, "127.0.0.1", "localhost", 1) }

// withKeys reaches a page where its script runs, which shows what needs it.
func withKeys(reach func(*pagestest.Browser, string) int64) func(*pagestest.Browser, string) int64 {
	return func(b *pagestest.Browser, base string) int64 {
		b.Scripts(true)
		return reach(b, onLocalhost(base))
	}
}

// everyWay are all the factors that may follow a password.
var everyWay = []authn.Factor{authn.SecurityKey, authn.TOTP, authn.SMSCode, authn.RecoveryCode}

func toAnotherWay(b *pagestest.Browser, base string) int64 {
	toCode(b, base)
	return b.Click(`a[href="/signin/another-way"]`)
}

func toRecoveryCode(b *pagestest.Browser, base string) int64 {
	toAnotherWay(b, base)
	return b.Click(`button[value="recovery_code"]`)
}

func toEmailSignIn(b *pagestest.Browser, base string) int64 {
	b.Go(base + "/begin")
	return b.Click(`a[href^="/signin/email"]`)
}

func toEmailCode(b *pagestest.Browser, base string) int64 {
	toEmailSignIn(b, base)
	b.Fill("identifier", "bob@example.gov.uk")
	return b.Click("main button")
}

func toRegistered(password string) func(*pagestest.Browser, string) int64 {
	return func(b *pagestest.Browser, base string) int64 {
		b.Go(base + "/register")
		b.Fill("name", "Ann Example")
		b.Fill("email", "ann@example.gov.uk")
		b.Fill("password", password)
		return b.Click("main button")
	}
}

func toNewNumber(b *pagestest.Browser, base string) int64 {
	signedInTo("/account/mobile")(b, base)
	b.Fill("mobile", "07700 900456")
	return b.Click("main form button")
}

func toCode(b *pagestest.Browser, base string) int64 {
	b.Go(base + "/signin")
	return signIn(b, rightPassword)
}

// TestPagesAreAccessibleInEveryState looks at each page as a phone and as a
// desk shows it, by day and by night, with scripts off.
func TestPagesAreAccessibleInEveryState(t *testing.T) {
	var inWelsh sync.Map // the headings that were seen
	const browsers = 3   // since most of what one does is wait
	for n := range browsers {
		t.Run(fmt.Sprintf("browser %d", n+1), func(t *testing.T) {
			t.Parallel()
			checkStates(t, pagestest.Open(t), n, browsers, &inWelsh)
		})
	}
}

// checkStates looks at the first state and each that comes so many after it, and at
// one of each heading in Welsh.
func checkStates(t *testing.T, browser *pagestest.Browser, first, every int, inWelsh *sync.Map) {
	t.Helper()
	for i := first; i < len(states); i += every {
		state := &states[i]
		t.Run(state.name, func(t *testing.T) {
			server := serve(t, &state.person)
			b := browser.Another(t)
			if status := state.reach(b, server.URL); status != state.status {
				t.Errorf("status %d, want %d", status, state.status)
			}
			if heading := b.Heading(); heading != state.heading {
				t.Errorf("heading %q, want %q", heading, state.heading)
			}
			if strings.HasPrefix(b.Title(), "Error: ") != strings.Contains(b.Text(), "There is a problem") {
				t.Errorf("title %q", b.Title())
			}
			if strings.HasPrefix(b.Title(), "Error: ") {
				b.WantFocus("govuk-error-summary")
			}
			b.CheckKeyboard()
			for _, view := range []struct {
				name  string
				width int64
				dark  bool
			}{{"320-dark", 320, true}, {"1280", 1280, false}} {
				b.View(view.width, 800, view.dark)
				if wider := b.Overflow(); wider > 0 {
					t.Errorf("%s: the page is %d px wider than the window", view.name, wider)
				}
				b.CheckAccessible()
				b.Keep(state.name + "-" + view.name)
			}
			if _, seen := inWelsh.Load(state.heading); !seen && checkInWelsh(t, b, state.name, state.heading) {
				inWelsh.Store(state.heading, true)
			}
			if len(b.Asked()) == 0 {
				t.Error("nobody listened")
			}
			for _, origin := range b.Asked() {
				if strings.Replace(origin, "localhost", "127.0.0.1", 1) != server.URL {
					t.Errorf("the browser asked %s", origin)
				}
			}
		})
	}
}
