package conformance

import "time"

// The modules here send a second request from a browser where somebody has
// signed in already.

// interaction are the errors of a request that needed somebody to be asked
// (OpenID Connect Core section 3.1.2.6).
var interaction = []string{"login_required", "interaction_required", "account_selection_required", "consent_required"}

func promptLogin(e *Env) {
	b := e.Browser()
	first := e.Login(b, e.Request(e.Clients.Basic))
	e.wait(time.Second) // auth_time counts seconds
	second, a := e.LoginBy(b, e.Request(e.Clients.Basic, "prompt", "login"))
	if !a.asked(SignIn) {
		e.Errorf("nobody was asked to sign in a second time")
	}
	if f, s := first.ID.AuthTime, second.ID.AuthTime; f != nil && s != nil && *f == *s {
		e.Errorf("the auth_time did not change")
	}
}

func promptNoneNotLoggedIn(e *Env) {
	e.Refused(e.Browser(), e.Request(e.Clients.Basic, "prompt", "none", "state", random(128)), interaction...)
}

func promptNoneLoggedIn(e *Env) {
	b := e.Browser()
	first := e.Login(b, e.Request(e.Clients.Basic))
	second, a := e.LoginBy(b, e.Request(e.Clients.Basic, "prompt", "none"))
	e.askedNothing(a)
	e.sameSignIn(first.ID, second.ID)
}

func maxAge1(e *Env) {
	b := e.Browser()
	first := e.Login(b, e.Request(e.Clients.Basic))
	e.wait(2 * time.Second)
	second, a := e.LoginBy(b, e.Request(e.Clients.Basic, "max_age", "1"))
	if !a.asked(SignIn) {
		e.Errorf("nobody was asked to sign in a second time")
	}
	if second.ID.AuthTime == nil {
		return // which idToken has found
	}
	if first.ID.AuthTime != nil && *second.ID.AuthTime <= *first.ID.AuthTime {
		e.Errorf("the second auth_time is not later")
	}
	if age := e.Clock().Sub(time.Unix(*second.ID.AuthTime, 0)); age > skew || age < -skew {
		e.Errorf("the second auth_time is %s ago", age)
	}
}

func maxAge10000(e *Env) {
	b := e.Browser()
	first := e.Login(b, e.Request(e.Clients.Basic, "max_age", "15000"))
	e.wait(time.Second) // auth_time counts seconds
	second, a := e.LoginBy(b, e.Request(e.Clients.Basic, "max_age", "10000"))
	if a.asked(SignIn) {
		e.Errorf("somebody who had just signed in was asked to sign in")
	}
	e.sameSignIn(first.ID, second.ID)
}

func idTokenHint(e *Env) {
	b := e.Browser()
	first := e.Login(b, e.Request(e.Clients.Basic))
	second, a := e.LoginBy(b, e.Request(e.Clients.Basic, "prompt", "none", "id_token_hint", first.IDToken))
	e.askedNothing(a)
	e.sameSignIn(first.ID, second.ID)
}

func (e *Env) askedNothing(a *Arrival) {
	e.t.Helper()
	if len(a.Asked) > 0 {
		e.Errorf("somebody was asked for %s", a.Asked)
	}
}

// claimsEssential asks for one claim of userinfo (OpenID Connect Core section 5.5).
func claimsEssential(e *Env) {
	tokens := e.Login(e.Browser(), e.Request(e.Clients.Basic, "claims", `{"userinfo":{"name":{"essential":true}}}`))
	if name, _ := e.UserInfo(tokens)["name"].(string); name == "" {
		e.Warn("userinfo lacks the name that the claims parameter asked for")
	}
	if _, has := tokens.ID.Claims["name"]; has {
		e.Warn("the ID token has the name that was asked for in userinfo")
	}
}
