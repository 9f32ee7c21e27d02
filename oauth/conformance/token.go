package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Tokens are a successful answer of the token endpoint (RFC 6749 section 5.1).
type Tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    *int64 `json:"expires_in"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	Scope        string `json:"scope"`

	// ID are the claims of IDToken, which has been checked.
	ID *IDToken `json:"-"`
}

// tokenError is a refusal (RFC 6749 section 5.2).
type tokenError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
	URI         string `json:"error_uri"`
}

// tokenCall sends a client's form to the token endpoint.
func (e *Env) tokenCall(c *Client, form url.Values) *Answer {
	e.t.Helper()
	r := e.newRequest(http.MethodPost, e.Metadata().TokenEndpoint, e.authenticated(c, form))
	if c.AuthMethod == "client_secret_basic" {
		r.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	}
	return e.call(r)
}

// authenticated adds what a client proves itself by in the form.
func (e *Env) authenticated(c *Client, form url.Values) url.Values {
	form = cloneValues(form)
	switch c.AuthMethod {
	case "client_secret_post":
		form.Set("client_id", c.ID)
		form.Set("client_secret", c.Secret)
	case "private_key_jwt":
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", e.fapi(c).assert(nil))
	case "none":
		form.Set("client_id", c.ID)
	}
	return form
}

func cloneValues(values url.Values) url.Values {
	clone := make(url.Values, len(values))
	for name, all := range values {
		clone[name] = slices.Clone(all)
	}
	return clone
}

// codeForm is the form that redeems a code.
func (r *Request) codeForm(code string) url.Values {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {r.Params.Get("redirect_uri")}}
	if r.Verifier != "" {
		form.Set("code_verifier", r.Verifier)
	}
	return form
}

// Redeem redeems a code and checks what it brings, the ID token too.
func (e *Env) Redeem(r *Request, code string) *Tokens {
	e.t.Helper()
	tokens := e.issued(e.tokenCall(r.Client, r.codeForm(code)))
	if tokens.IDToken == "" {
		e.Fatalf("there is no ID token")
	}
	tokens.ID = e.idToken(r, tokens)
	return tokens
}

// issued reads an answer that has to be tokens.
func (e *Env) issued(a *Answer) *Tokens {
	e.t.Helper()
	if a.Status != http.StatusOK {
		var refusal tokenError
		e.JSON(a, &refusal)
		e.Fatalf("the token endpoint answers %d %s: %s", a.Status, refusal.Code, refusal.Description)
	}
	tokens := &Tokens{}
	e.JSON(a, tokens)
	switch {
	case tokens.AccessToken == "":
		e.Fatalf("there is no access token")
	case !strings.EqualFold(tokens.TokenType, "Bearer") && !strings.EqualFold(tokens.TokenType, "DPoP"):
		e.Errorf("the token type is %q", tokens.TokenType)
	case tokens.ExpiresIn != nil && *tokens.ExpiresIn <= 0:
		e.Errorf("expires_in is %d", *tokens.ExpiresIn)
	case !strings.Contains(a.Header.Get("Cache-Control"), "no-store"):
		e.Errorf("tokens come with Cache-Control %q", a.Header.Get("Cache-Control"))
	}
	return tokens
}

// notIssued checks a refusal of the token endpoint.
func (e *Env) notIssued(a *Answer, codes ...string) {
	e.t.Helper()
	var refusal tokenError
	e.JSON(a, &refusal)
	if !slices.Contains(codes, refusal.Code) {
		e.Errorf("the error is %q, want one of %q", refusal.Code, codes)
	}
	want := http.StatusBadRequest
	if refusal.Code == "invalid_client" {
		want = http.StatusUnauthorized
	}
	// RFC 6749 section 5.2 wants 401 only where a client tried the Authorization header.
	if a.Status != want && (refusal.Code != "invalid_client" || a.Status != http.StatusBadRequest) {
		e.Errorf("the status is %d with the error %q", a.Status, refusal.Code)
	}
	e.checkErrorText(refusal.Description, refusal.URI)
}

// Login runs a request to its end: the code, the tokens, and userinfo.
func (e *Env) Login(b *Browser, r *Request) *Tokens {
	e.t.Helper()
	tokens, _ := e.LoginBy(b, r)
	return tokens
}

// LoginBy is Login with how the browser came to its end.
func (e *Env) LoginBy(b *Browser, r *Request) (*Tokens, *Arrival) {
	e.t.Helper()
	code, a := e.Code(b, r)
	tokens := e.Redeem(r, code)
	e.UserInfo(tokens)
	return tokens, a
}
