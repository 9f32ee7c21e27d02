package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	groupedSecret = regexp.MustCompile(`(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}`)
	recoveryCode  = regexp.MustCompile(`[0-9a-z]{4}(?:-[0-9a-z]{4}){2,}`)
)

// oneTimeCode is what an authenticator app shows at a time (RFC 6238 with SHA-1,
// six digits and thirty seconds).
func oneTimeCode(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(secret, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:])&0x7fffffff%1_000_000)
}

// usesAnAppAndARecoveryCode adds an app, signs in with it elsewhere, and without it
// by a code that was kept, which serves once.
func usesAnAppAndARecoveryCode(t *testing.T, js *journeys) {
	gil := js.d.user("--name", "Gil Example", "--email", "gil@example.gov.uk", "--mobile", "07700900461")
	v, elsewhere := js.visitor(t), js.visitor(t)
	v.Go(js.s.url + "/account/totp")
	v.signIn(gil, testPassword, 1)
	v.at("Authenticator app")
	secret := groupedSecret.FindString(v.Text())
	v.press("code", oneTimeCode(t, secret, time.Now()))
	v.at("Authenticator app")
	v.Go(js.s.url + "/account/recovery-codes")
	v.press()
	kept := recoveryCode.FindString(v.Text())

	const step = 30 * time.Second // no code of an app serves twice
	if res := do(t, http.DefaultClient, request(t, http.MethodPost, js.s.url+clockPath, `{"advance":"30s"}`)); res.status != http.StatusOK {
		t.Fatalf("move the clock: %d %s", res.status, res.body)
	}
	elsewhere.Go(js.s.url + "/signin")
	elsewhere.press("identifier", gil.Email, "password", testPassword)
	elsewhere.at("Open your authenticator app")
	elsewhere.press("code", oneTimeCode(t, secret, time.Now().Add(step)))
	elsewhere.at("You are signed in")

	for _, heading := range []string{"You are signed in", "Use a recovery code"} {
		without := js.visitor(t)
		without.Go(js.s.url + "/signin")
		without.press("identifier", gil.Email, "password", testPassword)
		without.at("Open your authenticator app")
		without.Click(`a[href^="/signin/another-way"]`)
		without.Click(`button[value="recovery_code"]`)
		without.at("Use a recovery code")
		without.press("recovery_code", kept)
		without.at(heading)
	}
}
