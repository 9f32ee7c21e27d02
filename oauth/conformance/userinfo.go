package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// UserInfo calls the userinfo endpoint and checks the answer against the ID token.
func (e *Env) UserInfo(tokens *Tokens) map[string]any {
	e.t.Helper()
	r := e.newRequest(http.MethodGet, e.Metadata().UserInfoEndpoint, nil)
	r.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	return e.userInfoAnswer(e.call(r), tokens)
}

// userInfoPosted sends the token in a form (RFC 6750 section 2.2) or, in the
// header, with an empty one.
func (e *Env) userInfoPosted(tokens *Tokens, inForm bool) map[string]any {
	e.t.Helper()
	form := url.Values{}
	if inForm {
		form.Set("access_token", tokens.AccessToken)
	}
	r := e.newRequest(http.MethodPost, e.Metadata().UserInfoEndpoint, form)
	if !inForm {
		r.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	}
	return e.userInfoAnswer(e.call(r), tokens)
}

func (e *Env) userInfoAnswer(a *Answer, tokens *Tokens) map[string]any {
	e.t.Helper()
	if a.Status != http.StatusOK {
		e.Fatalf("userinfo answers %d", a.Status)
	}
	claims := map[string]any{}
	e.JSON(a, &claims)
	if tokens.ID != nil && claims["sub"] != tokens.ID.Subject {
		e.Errorf("the sub of userinfo is not that of the ID token")
	}
	e.checkStandardClaims("userinfo", claims)
	return claims
}

// userInfoRefused calls userinfo with a token that no longer works.
func (e *Env) userInfoRefused(tokens *Tokens) bool {
	e.t.Helper()
	r := e.newRequest(http.MethodGet, e.Metadata().UserInfoEndpoint, nil)
	r.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	return e.call(r).Status == http.StatusUnauthorized
}

// scopeClaims are the claims of OpenID Connect Core section 5.4.
var scopeClaims = map[string][]string{
	"profile": {
		"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
		"website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
	},
	"email":   {"email", "email_verified"},
	"address": {"address"},
	"phone":   {"phone_number", "phone_number_verified"},
}

var (
	booleanClaims = []string{"email_verified", "phone_number_verified"}
	birthdate     = regexp.MustCompile(`^(\d{4}|0000)(-\d{2}-\d{2})?$`)
)

// checkStandardClaims checks the types of OpenID Connect Core section 5.1.
func (e *Env) checkStandardClaims(what string, claims map[string]any) {
	e.t.Helper()
	for _, names := range scopeClaims {
		for _, name := range names {
			if value, has := claims[name]; has && !validClaim(name, value) {
				e.Errorf("the claim %s of the %s is not of its type", name, what)
			}
		}
	}
}

func validClaim(name string, value any) bool {
	switch {
	case slices.Contains(booleanClaims, name):
		_, ok := value.(bool)
		return ok
	case name == "updated_at":
		_, ok := value.(json.Number)
		_, decoded := value.(float64)
		return ok || decoded
	case name == "address":
		_, ok := value.(map[string]any)
		return ok
	}
	text, ok := value.(string)
	return ok && text != "" && (name != "birthdate" || birthdate.MatchString(text))
}

// scopeModule asks for scopes and looks at what userinfo then has.
func scopeModule(scopes ...string) func(e *Env) {
	return func(e *Env) {
		for _, scope := range scopes {
			if !slices.Contains(e.Metadata().Scopes, scope) {
				e.Skip("not advertised: scopes_supported has no " + scope)
			}
		}
		tokens := e.Login(e.Browser(), e.Request(e.Clients.Basic, "scope", "openid "+strings.Join(scopes, " ")))
		e.scopesReturned(e.UserInfo(tokens), scopes...)
	}
}

// scopesReturned warns about claims of a scope that are not there.
func (e *Env) scopesReturned(claims map[string]any, scopes ...string) {
	e.t.Helper()
	var missing []string
	for _, scope := range scopes {
		for _, name := range scopeClaims[scope] {
			if _, has := claims[name]; !has {
				missing = append(missing, name)
			}
		}
	}
	if len(missing) > 0 {
		e.Warn("userinfo lacks the claims " + strings.Join(missing, ", "))
	}
}
