package authn

import (
	"net/http"
	"time"
)

// Cookies names and writes the cookies of the hosted pages. Behind https they
// are Secure and carry the __Host- prefix, so that no other host or path can set
// them; over plain http on a loopback issuer, where a browser would refuse both,
// they go without.
type Cookies struct {
	Secure bool // the issuer's scheme is https
}

// The cookies.
const (
	SessionCookie = "gatehouse_session" // the session's token
	SignInCookie  = "gatehouse_signin"  // a sign-in under way
	BrowserCookie = "gatehouse_browser" // ties flows to the browser that began them
	ReturnCookie  = "gatehouse_return"  // leads back to an invitation after the sign-in
	KnownCookie   = "gatehouse_known"   // knows the browser again, see [KnownBrowser]
	AskedCookie   = "gatehouse_asked"   // ties a link in a message to the browser that asked for it
	// LanguageCookie is the language that was chosen in the browser, and
	// FlowLanguageCookie the one that the service under way asked for.
	LanguageCookie     = "gatehouse_language"
	FlowLanguageCookie = "gatehouse_flow_language"
)

func (c Cookies) name(name string) string {
	if c.Secure {
		return "__Host-" + name
	}
	return name
}

// Get returns a cookie's value; "" when there is none.
func (c Cookies) Get(r *http.Request, name string) string {
	cookie, err := r.Cookie(c.name(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// Set writes a cookie; maxAge 0 makes it end with the browser.
func (c Cookies) Set(w http.ResponseWriter, name, value string, maxAge time.Duration) {
	http.SetCookie(w, c.cookie(name, value, int(maxAge.Seconds())))
}

// Clear removes a cookie.
func (c Cookies) Clear(w http.ResponseWriter, name string) {
	http.SetCookie(w, c.cookie(name, "", -1))
}

func (c Cookies) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: c.name(name), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteLaxMode,
	}
}
