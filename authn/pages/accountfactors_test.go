package pages_test

import (
	"bytes"
	"context"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
)

func (p *person) Enrolled(context.Context, uuid.UUID) (authn.Enrolment, error) { return p.has, p.err }

func (p *person) SetUpTOTP(context.Context, *directory.User) (*authn.TOTPSetup, error) {
	if p.has.TOTP {
		return nil, directory.ErrConflict
	}
	return authn.NewTOTPSetup("id.example.gov.uk", user.EmailAddress, []byte("12345678901234567890")), p.err
}

func (p *person) ConfirmTOTP(_ context.Context, _ *directory.User, code string, _ uuid.UUID) error {
	p.attempts.Add(1)
	if code != rightCode {
		return authn.ErrRefused
	}
	return p.err
}

func (p *person) RemoveTOTP(context.Context, *directory.User, uuid.UUID) error {
	return authn.ErrLastFactor
}

func (p *person) NewRecoveryCodes(context.Context, *directory.User, uuid.UUID) ([]string, error) {
	if !p.has.TOTP {
		return nil, authn.ErrNoUse
	}
	return []string{"aaaa-bbbb-cccc-dddd", "eeee-ffff-gggg-hhhh"}, p.err
}

// TestAppIsAddedWithACodeItShows: the key stands beside the picture, in a page
// and a picture that nobody keeps, and a slip of the finger costs nothing.
func TestAppIsAddedWithACodeItShows(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	v.cookies[authn.SessionCookie] = "session-1"
	res, body := v.do(http.MethodGet, "/account/totp", nil)
	if !strings.Contains(body, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ") || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q, %s", res.Header.Get("Cache-Control"), body)
	}
	res, body = v.do(http.MethodGet, "/account/totp/picture", nil)
	picture, err := png.Decode(bytes.NewReader([]byte(body)))
	if err != nil || picture.Bounds().Dx() != 240 || res.Header.Get("Content-Type") != "image/png" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("picture: %v, %v", err, res.Header)
	}
	for _, code := range []string{"", "27182B"} {
		if res, _ := v.do(http.MethodPost, "/account/totp", url.Values{"code": {code}}); res.StatusCode != http.StatusBadRequest || p.attempts.Load() != 0 {
			t.Errorf("%q: %d", code, res.StatusCode)
		}
	}
	v.wantRedirect("/account/totp?done=added", http.MethodPost, "/account/totp", url.Values{"code": {"271 828"}})
	p.has.TOTP = true
	if res, body := v.do(http.MethodGet, "/account/totp/picture", nil); res.StatusCode != http.StatusNotFound || strings.Contains(body, "GEZD") {
		t.Errorf("the picture of an app that was added: %d", res.StatusCode)
	}
	if _, body := v.do(http.MethodGet, "/account/totp", nil); strings.Contains(body, "GEZD") {
		t.Error("the key of an app that was added is shown")
	}
}

// TestFactorsNeedAFreshSignIn: neither the key nor the codes are for somebody who
// found a session open.
func TestFactorsNeedAFreshSignIn(t *testing.T) {
	p := &person{stale: true, has: authn.Enrolment{TOTP: true}}
	v := visit(t, serve(t, p))
	v.cookies[authn.SessionCookie] = "session-1"
	for _, path := range []string{"/account/totp", "/account/totp/picture", "/account/recovery-codes"} {
		v.wantRedirect("/account/confirm", http.MethodGet, path, nil)
	}
	for _, path := range []string{"/account/totp", "/account/recovery-codes"} {
		v.wantRedirect("/account/confirm", http.MethodPost, path, url.Values{"code": {rightCode}, "remove": {"1"}})
	}
	if p.attempts.Load() != 0 {
		t.Error("something was tried")
	}
}

// TestRecoveryCodesAreShownOnce: by the answer to the button, and by nothing else.
func TestRecoveryCodesAreShownOnce(t *testing.T) {
	p := &person{has: authn.Enrolment{TOTP: true, RecoveryCodes: 7}}
	v := visit(t, serve(t, p))
	v.cookies[authn.SessionCookie] = "session-1"
	res, body := v.do(http.MethodPost, "/account/recovery-codes", url.Values{})
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "eeee-ffff-gggg-hhhh") || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if _, body := v.do(http.MethodGet, "/account/recovery-codes", nil); strings.Contains(body, "eeee") || !strings.Contains(body, "<strong>7</strong>") {
		t.Error(body)
	}
	p.has.TOTP = false
	if res, body := v.do(http.MethodPost, "/account/recovery-codes", url.Values{}); res.StatusCode != http.StatusConflict || strings.Contains(body, "eeee") {
		t.Errorf("where they open nothing: %d", res.StatusCode)
	}
}
