package pages_test

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"gatehouse/authn"
	"gatehouse/directory"
)

func (p *person) Register(_ context.Context, r authn.Registration) (string, error) {
	switch {
	case r.Password == "short":
		return "", &authn.PasswordError{Reason: "Password must be 12 characters or more"}
	case !strings.Contains(r.Email, "@"):
		return "", &directory.FieldError{Field: "email_address"}
	case r.Mobile == "1":
		return "", &directory.FieldError{Field: "mobile_number"}
	case r.Mobile != "" && p.CheckTexting(r.Mobile) != nil:
		return "", p.CheckTexting(r.Mobile)
	case strings.Contains(r.Name, "\n"):
		return "", &directory.FieldError{Field: "name"}
	}
	p.asked = append(p.asked, "register "+r.Name+" "+r.Email+" "+r.Mobile+" "+r.Flow)
	return "browser-asked", p.err
}

// jamaican is a number that no text message is sent to.
const jamaican = "+1 876 210 1234"

func (p *person) CheckTexting(number string) error {
	if number == jamaican {
		return &directory.MobileError{Short: "Not a country", Long: "Not a country"}
	}
	return nil
}

func (p *person) OpenRegistration(_ context.Context, token, browser string) (*authn.Registering, error) {
	if token != "good" {
		return nil, authn.ErrLinkClosed
	}
	return &authn.Registering{Name: "Ann Example", Email: "ann@example.gov.uk", Flow: "flow-1", Same: browser == "browser-asked"}, p.err
}

func (p *person) ConfirmRegistration(_ context.Context, token, browser, password string, _ netip.Addr) error {
	if browser != "browser-asked" && password != rightPassword {
		return authn.ErrRefused
	}
	p.asked = append(p.asked, "confirm "+token)
	return p.err
}

func ann() url.Values {
	return url.Values{"name": {" Ann Example "}, "email": {"ann@example.gov.uk"}, "mobile": {"07700 900456"}, "password": {rightPassword}}
}

func TestRegistrationKeepsWhatTheBrowserWasDoing(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	v.do(http.MethodGet, "/begin", nil)
	form := ann()
	form.Set("flow", "flow-1")
	if response, body := v.do(http.MethodPost, "/register", form); response.StatusCode != http.StatusAccepted || strings.Contains(body, "ann@") {
		t.Errorf("%d\n%s", response.StatusCode, body)
	}
	if len(p.asked) != 1 || p.asked[0] != "register Ann Example ann@example.gov.uk 07700 900456 flow-1" {
		t.Errorf("asked %q", p.asked)
	}
	response, body := v.do(http.MethodPost, "/verify-email/good", url.Values{})
	if response.StatusCode != http.StatusOK || !strings.Contains(body, `href="/signin?flow=flow-1"`) || v.cookies[authn.AskedCookie] != "" || v.cookies[authn.SessionCookie] != "" {
		t.Errorf("%d, cookies %v\n%s", response.StatusCode, v.cookies, body)
	}
}

// TestLinkToAnAccountAsksAnotherBrowserForThePassword: nobody's account is made by
// the click of somebody who did not ask for it.
func TestLinkToAnAccountAsksAnotherBrowserForThePassword(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	for password, status := range map[string]int{"": http.StatusBadRequest, "a guess": http.StatusForbidden} {
		if response, _ := v.do(http.MethodPost, "/verify-email/good", url.Values{"password": {password}}); response.StatusCode != status || len(p.asked) > 0 {
			t.Errorf("%q: %d, %v", password, response.StatusCode, p.asked)
		}
	}
	if response, _ := v.do(http.MethodPost, "/verify-email/good", url.Values{"password": {rightPassword}}); response.StatusCode != http.StatusOK {
		t.Errorf("the right one: %d", response.StatusCode)
	}
}

// TestNumberOfAnotherCountryIsRefusedWhereItIsEntered: no code would ever come.
func TestNumberOfAnotherCountryIsRefusedWhereItIsEntered(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	form := ann()
	form.Set("mobile", jamaican)
	res, body := v.do(http.MethodPost, "/register", form)
	if res.StatusCode != http.StatusBadRequest || !strings.Contains(body, `href="#mobile">We do not send text messages to numbers of this country`) || len(p.asked) > 0 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestRegistrationNamesTheFieldAtFault(t *testing.T) {
	p := &person{}
	v := visit(t, serve(t, p))
	for field, value := range map[string]string{"name": "Ann\nExample", "email": "ann", "mobile": "1", "password": "short"} {
		form := ann()
		form.Set(field, value)
		if response, body := v.do(http.MethodPost, "/register", form); response.StatusCode != http.StatusBadRequest || !strings.Contains(body, `id="`+field+`-error"`) {
			t.Errorf("%s: %d\n%s", field, response.StatusCode, body)
		}
	}
	closed := visit(t, serve(t, &person{invitedOnly: true}))
	if response, _ := closed.do(http.MethodPost, "/register", ann()); response.StatusCode != http.StatusForbidden {
		t.Errorf("closed: %d", response.StatusCode)
	}
	if response, _ := v.do(http.MethodPost, "/register", ann(), "Sec-Fetch-Site", "cross-site"); response.StatusCode != http.StatusForbidden || len(p.asked) > 0 {
		t.Errorf("from another site: %d, %v", response.StatusCode, p.asked)
	}
}
