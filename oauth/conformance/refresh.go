package conformance

import (
	"net/url"
	"slices"
	"strings"
)

// refreshToken refreshes for two clients, and tries the second one's token as
// the first one.
func refreshToken(e *Env) {
	first := e.refreshing(e.Clients.Basic)
	second := e.refreshing(e.Clients.Basic2)
	if first.RefreshToken == second.RefreshToken {
		e.Errorf("two clients have the same refresh token")
	}
	e.notIssued(e.tokenCall(e.Clients.Basic, refreshForm(second.RefreshToken)), "invalid_grant")
}

func refreshForm(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
}

// refreshing logs in and refreshes once; what it returns is still good.
func (e *Env) refreshing(c *Client) *Tokens {
	e.t.Helper()
	r := e.Request(c)
	if slices.Contains(e.Metadata().Scopes, "offline_access") {
		r = e.Request(c, "scope", "openid offline_access", "prompt", "consent")
	}
	if c.Key != nil { // it registered itself, see Dynamic
		r.withPKCE()
	}
	first := e.Login(e.Browser(), r)
	if first.RefreshToken == "" {
		e.Skip("not issued: a refresh token")
	}
	e.contains("grant_types_supported", e.Metadata().GrantTypes, "refresh_token")
	if strings.ContainsFunc(first.RefreshToken, func(r rune) bool { return r < ' ' || r > '~' }) {
		e.Errorf("the refresh token has a character that is not allowed (RFC 6749 appendix A.17)")
	}
	second := e.issued(e.tokenCall(c, refreshForm(first.RefreshToken)))
	if second.AccessToken == first.AccessToken {
		e.Errorf("the refreshed access token is the old one")
	}
	if second.RefreshToken == "" {
		second.RefreshToken = first.RefreshToken
	}
	e.checkRefreshed(r, first, second)
	e.UserInfo(second)
	return second
}

// checkRefreshed compares the ID token of a refresh, which may be missing, with
// the first one (OpenID Connect Core section 12.2).
func (e *Env) checkRefreshed(r *Request, first, second *Tokens) {
	e.t.Helper()
	if second.IDToken == "" {
		second.ID = nil
		return
	}
	again := *r
	again.Params = cloneValues(r.Params)
	if !hasNonce(second.IDToken) {
		again.Params.Del("nonce") // it should not be there, and must be the same when it is
	}
	second.ID = e.idToken(&again, second)
	e.sameSignIn(first.ID, second.ID)
	for _, name := range []string{"iss", "azp"} {
		if first.ID.Claims[name] != second.ID.Claims[name] {
			e.Errorf("the %s changed with the refresh", name)
		}
	}
}
