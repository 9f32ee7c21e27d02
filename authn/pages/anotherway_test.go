package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/authn"
)

// TestRecoveryCodeTakesThePlaceOfTheApp follows the page from one factor to the
// other, and back to the service.
func TestRecoveryCodeTakesThePlaceOfTheApp(t *testing.T) {
	p := &person{next: authn.TOTP, choices: everyWay}
	v := visit(t, serve(t, p))
	v.do(http.MethodGet, "/begin", nil)
	v.do(http.MethodPost, "/signin", credentials("flow-1"))
	_, body := v.do(http.MethodGet, "/signin/code?flow=flow-1", nil)
	if !strings.Contains(body, `href="/signin/another-way?flow=flow-1"`) || strings.Contains(body, "/signin/resend") {
		t.Errorf("the page of the app: %s", body)
	}
	_, body = v.do(http.MethodGet, "/signin/another-way?flow=flow-1", nil)
	if !strings.Contains(body, `value="recovery_code"`) || !strings.Contains(body, "•••••••0123") {
		t.Errorf("the choices: %s", body)
	}
	res, _ := v.do(http.MethodPost, "/signin/another-way", url.Values{"flow": {"flow-1"}, "factor": {"recovery_code"}})
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != "/signin/code?flow=flow-1" {
		t.Fatalf("%d to %q", res.StatusCode, got)
	}
	before := p.attempts.Load()
	if res, _ := v.do(http.MethodPost, "/signin/code", url.Values{"flow": {"flow-1"}, "code": {"271828"}}); res.StatusCode != http.StatusBadRequest || p.attempts.Load() != before {
		t.Errorf("in the field of another factor: %d", res.StatusCode)
	}
	res, _ = v.do(http.MethodPost, "/signin/code", url.Values{"flow": {"flow-1"}, "recovery_code": {"abcd-efgh ijkl-mnop"}})
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != "/oauth/continue?flow=flow-1" {
		t.Errorf("%d to %q", res.StatusCode, got)
	}
	if got := p.last.Load().Factor; got != authn.RecoveryCode {
		t.Errorf("tried %s", got)
	}
}

func TestNoOtherWayIsOfferedWhereThereIsNone(t *testing.T) {
	v := visit(t, serve(t, &person{next: authn.SMSCode, choices: []authn.Factor{authn.SMSCode}}))
	v.do(http.MethodPost, "/signin", credentials(""))
	if _, body := v.do(http.MethodGet, "/signin/code", nil); strings.Contains(body, "another-way") {
		t.Error(body)
	}
	if res, _ := v.do(http.MethodPost, "/signin/another-way", url.Values{"factor": {"totp"}}); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a factor that is not offered: %d", res.StatusCode)
	}
}
