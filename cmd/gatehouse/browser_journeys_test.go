package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/authn"
)

// TestPeopleFindTheirWayInABrowser drives the journeys of an account through a
// real browser without scripts. They share a server, and the clock moves in the
// last ones.
func TestPeopleFindTheirWayInABrowser(t *testing.T) {
	t.Parallel()
	eachDeployment(t, func(t *testing.T, d *deployment) {
		js := newJourneys(t, d)
		for _, journey := range []struct {
			name  string
			drive func(t *testing.T, js *journeys)
		}{
			{"registers and recovers", registersAndRecovers},
			{"signs in with a mail", signsInWithAMail},
			{"steps up for a service with a floor", stepsUpForAFloor},
			{"is locked out", isLockedOut},
			{"is invited", isInvited},
			{"uses an app and a recovery code", usesAnAppAndARecoveryCode},
			{"comes back after a day and after months", comesBackLate},
		} {
			if !t.Run(journey.name, func(t *testing.T) { journey.drive(t, js) }) {
				return // the others would only wait for what this one left undone
			}
		}
	})
}

// registersAndRecovers makes an account, forgets its password, and finds every
// other browser signed out.
func registersAndRecovers(t *testing.T, js *journeys) {
	v, other := js.visitor(t), js.visitor(t)
	ann := userOutput{Email: "ann@example.gov.uk", Mobile: "07700900456"}
	v.Go(js.s.url + "/signin")
	v.Click(`a[href^="/register"]`)
	v.press("name", "Ann Example", "email", ann.Email, "mobile", ann.Mobile, "password", testPassword)
	v.at("Check your email")
	v.Go(v.local(v.sent(ann.Email, "url", 1)))
	v.at("Confirm your email address")
	v.press()
	v.at("Your account is ready")
	for n, browser := range []*visitor{v, other} {
		browser.Go(js.s.url + "/signin")
		browser.signIn(ann, testPassword, n+1)
		browser.at("You are signed in")
	}

	v.Go(js.s.url + "/forgotten-password")
	v.press("identifier", ann.Email)
	v.at("Check your email")
	v.Go(v.local(v.sent(ann.Email, "url", 2)))
	const another = "an entirely different password"
	v.press("password", another)
	v.at("Your password has been changed")
	other.Go(js.s.url + "/account")
	other.at("Sign in")
	other.press("identifier", ann.Email, "password", testPassword)
	other.at("Sign in")
	other.signIn(ann, another, 3)
	other.at("Your account")
	other.Click(`form[action="/signout"] button`)
	other.at("You are signed out")
	other.Go(js.s.url + "/account")
	other.at("Sign in")
}

// signsInWithAMail opens the link in another browser, where a page says what to
// do, and types the code where the sign-in began.
func signsInWithAMail(t *testing.T, js *journeys) {
	bea := js.d.user("--name", "Bea Example", "--email", "bea@example.gov.uk")
	letters := js.client("letters", "--email-sign-in")
	v, elsewhere := js.visitor(t), js.visitor(t)
	v.come(js, letters)
	v.Click(`a[href^="/signin/email"]`)
	v.press("identifier", bea.Email)
	v.at("Check your email")
	elsewhere.Go(elsewhere.local(v.sent(bea.Email, "url", 1)))
	elsewhere.at("Open the link in the browser you started in")
	elsewhere.Go(js.s.url + "/account")
	elsewhere.at("Sign in")
	v.press("code", v.sent(bea.Email, "verify_code", 1))
	v.at("Back at the service")
}

// stepsUpForAFloor comes to one service with a password and a code by e-mail, and
// is asked for a second factor by another, whose floor is above that.
func stepsUpForAFloor(t *testing.T, js *journeys) {
	cat := js.d.user("--name", "Cat Example", "--email", "cat@example.gov.uk", "--mobile", "07700900457", "--auth-type", "email_auth")
	shop, vault := js.client("shop"), js.client("vault", "--minimum-acr", authn.ACRMulti)
	v := js.visitor(t)
	v.come(js, shop)
	v.press("identifier", cat.Email, "password", testPassword)
	v.at("Check your email")
	v.press("code", v.sent(cat.Email, "verify_code", 1))
	v.at("Back at the service")
	v.come(js, shop)
	v.at("Back at the service")
	v.come(js, vault)
	v.at("Sign in")
	v.signIn(cat, testPassword, 1)
	v.at("Back at the service")
	if !strings.Contains(v.URL(), "code=") {
		t.Errorf("no code: %s", v.URL())
	}
}

// isLockedOut finds the right password answered like a wrong one.
func isLockedOut(t *testing.T, js *journeys) {
	dan := js.d.user("--name", "Dan Example", "--email", "dan@example.gov.uk", "--mobile", "07700900458")
	v := js.visitor(t)
	v.Go(js.s.url + "/signin")
	v.press("identifier", dan.Email, "password", "not the password")
	wrong := v.Text()
	guess := url.Values{"identifier": {dan.Email}, "password": {"not the password"}}
	race(9, func(int) {
		j := js.d.journey(js.s)
		for range 10 { // a server that is too busy to compare counts nothing
			if j.submit("/signin", guess).status == http.StatusForbidden {
				return
			}
		}
		t.Error("a wrong password is never answered as one")
	})
	v.press("identifier", dan.Email, "password", testPassword)
	if v.Text() != wrong {
		t.Errorf("wrong: %s\nlocked: %s", wrong, v.Text())
	}
}

// isInvited makes an account from an invitation and is in the team at its end.
func isInvited(t *testing.T, js *journeys) {
	team := js.d.team(js.s)
	_, page := team.invite("eve@example.gov.uk", "")
	v := js.visitor(t)
	v.Go(js.s.url + page)
	v.at("You have been invited")
	v.press("name", "Eve Example", "mobile_number", "07700900459", "password", testPassword)
	v.at("Check your phone")
	v.press("code", v.sent("07700900459", "verify_code", 1))
	v.at("You have joined Fishing licences")
	v.Go(js.s.url + "/account")
	v.at("Your account")
}

// comesBackLate finds the session over after a day, and after three months has to
// prove the address again.
func comesBackLate(t *testing.T, js *journeys) {
	fay := js.d.user("--name", "Fay Example", "--email", "fay@example.gov.uk", "--mobile", "07700900460")
	v := js.visitor(t)
	v.Go(js.s.url + "/account")
	v.signIn(fay, testPassword, 1)
	v.at("Your account")
	for n, passed := range []string{"21h", "2200h"} {
		r := request(t, http.MethodPost, js.s.url+"/dev/clock", `{"advance":"`+passed+`"}`)
		if res := do(t, http.DefaultClient, r); res.status != http.StatusOK {
			t.Fatalf("move the clock: %d %s", res.status, res.body)
		}
		v.Go(js.s.url + "/account")
		v.at("Sign in")
		v.signIn(fay, testPassword, n+2)
	}
	v.at("Check your email")
	v.press("code", v.sent(fay.Email, "verify_code", 1))
	v.at("Your account")
}
