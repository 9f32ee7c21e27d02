package conformance

import (
	"encoding/json"
	"net/url"
)

// BackchannelLogout is oidcc-backchannel-rp-initiated-logout-certification-test-plan.
func BackchannelLogout() Plan {
	return Plan{Name: "oidcc-backchannel-rp-initiated-logout-certification-test-plan", Modules: []Module{
		{"oidcc-backchannel-logout-discovery-endpoint-verification", backchannelDiscovery},
		{"oidcc-backchannel-rp-initiated-logout", backchannelLogout},
	}}
}

func backchannelDiscovery(e *Env) {
	m := e.Metadata()
	if !m.BackchannelLogout {
		e.Errorf("backchannel_logout_supported is not true")
	}
	if !m.BackchannelSessions {
		e.Errorf("backchannel_logout_session_supported is not true")
	}
	endSessionDiscovery(e)
}

func backchannelLogout(e *Env) {
	b := e.Browser()
	c := e.Clients.Backchannel
	tokens := e.Login(b, e.Request(c))
	params := endSessionParams(c, tokens)
	e.returned(e.endSession(b, params), params)
	e.checkLogoutRequest(c, tokens.ID, e.logoutRequest(c))
	e.nobodySignedIn(b, c)
}

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// checkLogoutRequest checks a logout token (Back-Channel Logout section 2.4).
func (e *Env) checkLogoutRequest(c *Client, id *IDToken, form url.Values) {
	e.t.Helper()
	if len(form) != 1 || len(form["logout_token"]) != 1 {
		e.Errorf("the logout request has something beside one logout_token")
	}
	const what = "logout token"
	header, payload := e.verified(what, form.Get("logout_token"))
	if typ, has := header.ExtraHeaders["typ"]; has && typ != "logout+jwt" {
		e.Errorf("the typ of the logout token is %v", typ)
	}
	claims := e.claims(what, payload, c)
	if jti, _ := claims["jti"].(string); jti == "" {
		e.Errorf("the logout token has no jti")
	}
	if exp, ok := e.moment(what, claims, "exp"); ok && !exp.After(e.Clock()) {
		e.Errorf("the logout token has expired")
	}
	if _, has := claims["nonce"]; has {
		e.Errorf("the logout token has a nonce")
	}
	e.checkLogoutEvent(claims)
	e.checkWhoLeft(claims, id)
}

func (e *Env) checkLogoutEvent(claims map[string]any) {
	e.t.Helper()
	events, _ := claims["events"].(map[string]any)
	value, ok := events[logoutEvent].(map[string]any)
	if len(events) != 1 || !ok || len(value) != 0 {
		encoded, _ := json.Marshal(claims["events"]) // it was decoded from JSON
		e.Errorf("the events of the logout token are %s", encoded)
	}
}

func (e *Env) checkWhoLeft(claims map[string]any, id *IDToken) {
	e.t.Helper()
	sub, hasSubject := claims["sub"]
	sid, hasSession := claims["sid"]
	if !hasSubject && !hasSession {
		e.Errorf("the logout token has neither sub nor sid")
	}
	if hasSubject && sub != id.Subject {
		e.Errorf("the sub of the logout token is not that of the ID token")
	}
	if hasSession && sid != id.SessionID {
		e.Errorf("the sid of the logout token is not that of the ID token")
	}
}
