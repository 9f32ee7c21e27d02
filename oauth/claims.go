package oauth

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"gatehouse/internal/web"
)

// maxClaims is the longest claims parameter that is read, in bytes.
const maxClaims = 4 << 10

// claimsRequest is the claims parameter of an authorization request (OpenID
// Connect Core section 5.5). A claim that is nil is wanted as it comes.
type claimsRequest struct {
	UserInfo map[string]*claimRequest `json:"userinfo"`
	IDToken  map[string]*claimRequest `json:"id_token"`
}

// claimRequest says how a claim is wanted. Values are of interest for acr and
// sub only: what else is known about a user is told as it is.
type claimRequest struct {
	Essential bool  `json:"essential"`
	Value     any   `json:"value"`
	Values    []any `json:"values"`
}

// claimsOfScope are the claims that a scope stands for (OpenID Connect Core section 5.4).
var claimsOfScope = map[string][]string{
	ScopeProfile: {"name", "given_name", "family_name", "preferred_username", "locale", "updated_at"},
	ScopeEmail:   {"email", "email_verified"},
	ScopePhone:   {"phone_number"},
}

// scopeOfClaim is the scope that a claim belongs to; "" when it is none about a user.
func scopeOfClaim(name string) string {
	for scope, names := range claimsOfScope {
		if slices.Contains(names, name) {
			return scope
		}
	}
	return ""
}

// readClaims reads the claims parameter: members and claims that mean nothing
// here are passed over, and so are claims whose scope the client may not have.
func (a *authorization) readClaims() error {
	a.claims = claimsRequest{}
	text := a.params.Get("claims")
	if text == "" {
		return nil
	}
	if len(text) > maxClaims || web.DecodeJSON([]byte(text), &a.claims, false) != nil {
		return refuse("invalid_request", "The claims parameter is not the JSON object of OpenID Connect Core section 5.5, or is too long")
	}
	if sub, asked := a.claims.IDToken["sub"].value(); asked {
		if a.hint != "" && a.hint != sub {
			return refuse("invalid_request", "The claims parameter and the id_token_hint are about different users")
		}
		a.hint = sub
	}
	return nil
}

// value returns the one text that a claim is asked to have.
func (c *claimRequest) value() (string, bool) {
	if c == nil {
		return "", false
	}
	text, ok := c.Value.(string)
	return text, ok
}

// texts returns the texts that a claim is asked to have one of.
func (c *claimRequest) texts() []string {
	if c == nil {
		return nil
	}
	var all []string
	for _, value := range append([]any{c.Value}, c.Values...) {
		if text, ok := value.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

// levels are the authentication levels that the claims ask for.
func (c *claimsRequest) levels() []string { return c.IDToken["acr"].texts() }

// essentialLevels are the levels of which the user must reach one; none when
// any will do (OpenID Connect Core section 5.5.1.1).
func (c *claimsRequest) essentialLevels() []string {
	if acr := c.IDToken["acr"]; acr != nil && acr.Essential {
		return acr.texts()
	}
	return nil
}

// scopes are the scopes that the requested claims belong to, which is what the
// user is asked to consent to.
func (c *claimsRequest) scopes(client *Client) []string {
	var all []string
	for _, name := range slices.Concat(askedClaims(client, c.UserInfo), askedClaims(client, c.IDToken)) {
		all = append(all, scopeOfClaim(name))
	}
	return unique(all)
}

// askedClaims are the claims about the user that the client may have, in order.
func askedClaims(client *Client, asked map[string]*claimRequest) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if scope := scopeOfClaim(name); scope != "" && slices.Contains(client.Scopes, scope) {
			names = append(names, name)
		}
	}
	return names
}

// grantedClaims are the claims that a grant gives beside those of its scopes.
type grantedClaims struct {
	UserInfo []string `json:"userinfo,omitempty"`
	IDToken  []string `json:"id_token,omitempty"`
}

// granted is what a grant keeps of the request: the names alone; "" for none.
func (c *claimsRequest) granted(client *Client) (string, error) {
	names := grantedClaims{UserInfo: askedClaims(client, c.UserInfo), IDToken: askedClaims(client, c.IDToken)}
	if names.UserInfo == nil && names.IDToken == nil {
		return "", nil
	}
	encoded, err := json.Marshal(names)
	return string(encoded), err
}

// parseGrantedClaims reads what a grant has kept.
func parseGrantedClaims(text string) (grantedClaims, error) {
	var names grantedClaims
	if text == "" {
		return names, nil
	}
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return names, fmt.Errorf("decode granted claims: %w", err)
	}
	return names, nil
}

// reachable reports whether a sign-in could reach one of the essential levels.
func reachable(essential []string) bool {
	return len(essential) == 0 || slices.ContainsFunc(essential, func(level string) bool { return slices.Contains(knownLevels, level) })
}

// stated is the level to state for one that was reached: one of the essential
// ones, which a higher level includes. It reports false when none was reached.
func stated(acr string, essential []string) (string, bool) {
	if len(essential) == 0 || slices.Contains(essential, acr) {
		return acr, true
	}
	for _, below := range slices.Backward(knownLevels[:max(0, slices.Index(knownLevels, acr))]) {
		if slices.Contains(essential, below) {
			return below, true
		}
	}
	return "", false
}
