package conformance

import (
	"crypto/ecdsa"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// fapiClient is a client that authenticates with private_key_jwt and binds its
// tokens to a DPoP key.
type fapiClient struct {
	*Client
	e     *Env
	key   *ecdsa.PrivateKey // of DPoP
	nonce string            // the last that the server gave
}

// fapi prepares a client with a new DPoP key.
func (e *Env) fapi(c *Client) *fapiClient {
	e.t.Helper()
	return &fapiClient{Client: c, e: e, key: e.newKey()}
}

// with is the same client with another DPoP key.
func (f *fapiClient) with(key *ecdsa.PrivateKey) *fapiClient {
	return &fapiClient{Client: f.Client, e: f.e, key: key, nonce: f.nonce}
}

// how is how a request differs from that of a well-behaved client.
type how struct {
	assertion   func(a *assertion)
	noAssertion bool // the client id alone
	proof       func(p *proof)
	noProof     bool
	method      string                // "" is POST
	form        func(form url.Values) // applied last
}

// send calls one of the endpoints that authenticate clients. When the server
// wants another nonce the request is made once more, with a new assertion.
func (f *fapiClient) send(endpoint string, form url.Values, h how) *Answer {
	f.e.t.Helper()
	for attempt := 0; ; attempt++ {
		sent := cloneValues(form)
		sent.Set("client_id", f.ID)
		if !h.noAssertion {
			sent.Set("client_assertion_type", assertionType)
			sent.Set("client_assertion", f.assert(h.assertion))
		}
		if h.form != nil {
			h.form(sent)
		}
		method := http.MethodPost
		if h.method != "" {
			method = h.method
		}
		r := f.e.newRequest(method, endpoint, sent)
		if !h.noProof {
			f.prove(r, "", h.proof)
		}
		answer := f.e.call(r)
		if !f.wantsNonce(answer) || attempt > 0 {
			return answer
		}
	}
}

// wantsNonce remembers a nonce, and reports whether the request failed for lack
// of it (RFC 9449 sections 8 and 9).
func (f *fapiClient) wantsNonce(a *Answer) bool {
	if nonce := a.Header.Get("DPoP-Nonce"); nonce != "" {
		f.nonce = nonce
	}
	var refusal tokenError
	_ = json.Unmarshal(a.Body, &refusal) // not every answer is JSON
	challenge := a.Header.Get("WWW-Authenticate")
	return a.Status >= http.StatusBadRequest && (refusal.Code == "use_dpop_nonce" || strings.Contains(challenge, "use_dpop_nonce"))
}

// request begins an authorization request with PKCE.
func (f *fapiClient) request(more ...string) *Request {
	return f.e.Request(f.Client, more...).withPKCE()
}

// push sends a request to the PAR endpoint, without a proof unless h has one.
func (f *fapiClient) push(r *Request, h how) *Answer {
	f.e.t.Helper()
	endpoint := f.e.Metadata().PushedEndpoint
	if endpoint == "" {
		f.e.Fatalf("pushed_authorization_request_endpoint is missing")
	}
	return f.send(endpoint, r.Params, h)
}

// pushed is a successful answer of the PAR endpoint (RFC 9126 section 2.2).
type pushed struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int64  `json:"expires_in"`
}

// pushOK pushes a request that has to be taken.
func (f *fapiClient) pushOK(r *Request, h how) *pushed {
	f.e.t.Helper()
	return f.accepted(f.push(r, h))
}

func (f *fapiClient) accepted(answer *Answer) *pushed {
	f.e.t.Helper()
	if answer.Status != http.StatusCreated {
		var refusal tokenError
		f.e.JSON(answer, &refusal)
		f.e.Fatalf("the PAR endpoint answers %d %s: %s", answer.Status, refusal.Code, refusal.Description)
	}
	p := &pushed{}
	f.e.JSON(answer, p)
	if p.ExpiresIn < 5 || p.ExpiresIn > 600 {
		f.e.Errorf("expires_in of the PAR endpoint is %d", p.ExpiresIn)
	}
	f.e.unguessable("request_uri", p.RequestURI)
	return p
}

// unguessable wants a value that 128 bits fit in, and that varies.
func (e *Env) unguessable(what, value string) {
	e.t.Helper()
	different := map[rune]bool{}
	for _, r := range value {
		different[r] = true
	}
	if len(value) < 22 || len(different) < 10 {
		e.Errorf("the %s has %d characters, %d of them different", what, len(value), len(different))
	}
}

// open takes a browser to the authorization endpoint with a pushed request. The
// parameters that OAuth requires are repeated in the query, as clients of older
// specifications do, and more may be added.
func (f *fapiClient) open(b *Browser, r *Request, requestURI string, more ...string) *Arrival {
	f.e.t.Helper()
	query := url.Values{"client_id": {f.ID}, "request_uri": {requestURI}}
	for _, name := range []string{"response_type", "scope", "redirect_uri"} {
		if r.Params.Has(name) {
			query.Set(name, r.Params.Get(name))
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return b.Go(f.e.Metadata().AuthorizationEndpoint + "?" + query.Encode())
}

// code runs a request to its code.
func (f *fapiClient) code(b *Browser, r *Request, h how) string {
	f.e.t.Helper()
	return f.codeOf(r, f.open(b, r, f.pushOK(r, h).RequestURI))
}

func (f *fapiClient) codeOf(r *Request, a *Arrival) string {
	f.e.t.Helper()
	f.e.answered(r, a)
	code := a.Params.Get("code")
	if code == "" {
		f.e.Fatalf("refused with %s: %s", a.Params.Get("error"), a.Params.Get("error_description"))
	}
	f.e.unguessable("code", code)
	return code
}

// unboundPush is a pushed request without a proof, which binds no code.
var unboundPush = how{noProof: true}

// exchange sends a code to the token endpoint.
func (f *fapiClient) exchange(r *Request, code string, h how) *Answer {
	f.e.t.Helper()
	return f.send(f.e.Metadata().TokenEndpoint, r.codeForm(code), h)
}

// redeem redeems a code and checks what it brings.
func (f *fapiClient) redeem(r *Request, code string, h how) *Tokens {
	f.e.t.Helper()
	return f.bound(r, f.e.issued(f.exchange(r, code, h)))
}

// bound checks tokens that have to be bound to a key.
func (f *fapiClient) bound(r *Request, tokens *Tokens) *Tokens {
	f.e.t.Helper()
	if !strings.EqualFold(tokens.TokenType, "DPoP") {
		f.e.Errorf("the token type is %q", tokens.TokenType)
	}
	f.e.unguessable("access token", tokens.AccessToken)
	if tokens.RefreshToken != "" {
		f.e.unguessable("refresh token", tokens.RefreshToken)
	}
	tokens.ID = f.e.idToken(r, tokens)
	if !slices.Contains(fapiAlgs, tokens.ID.Alg) {
		f.e.Errorf("the ID token is signed with %s", tokens.ID.Alg)
	}
	return tokens
}

// fapiAlgs are those of FAPI 2.0 Security Profile section 5.4.1.
var fapiAlgs = []string{"PS256", "ES256", "EdDSA"}

// resource calls a protected resource with a proof: userinfo, which every
// OpenID provider has.
func (f *fapiClient) resource(tokens *Tokens, change func(p *proof), more ...string) *Answer {
	f.e.t.Helper()
	for attempt := 0; ; attempt++ {
		r := f.e.newRequest(http.MethodGet, f.e.Metadata().UserInfoEndpoint, nil)
		r.Header.Set("Authorization", "DPoP "+tokens.AccessToken)
		f.prove(r, tokens.AccessToken, change)
		for i := 0; i+1 < len(more); i += 2 {
			r.Header.Set(more[i], more[i+1])
		}
		answer := f.e.call(r)
		if !f.wantsNonce(answer) || attempt > 0 {
			return answer
		}
	}
}

// resourceOK calls the protected resource, which has to let the client in.
func (f *fapiClient) resourceOK(tokens *Tokens, change func(p *proof), more ...string) map[string]any {
	f.e.t.Helper()
	return f.e.userInfoAnswer(f.resource(tokens, change, more...), tokens)
}

// login runs a request to its end.
func (f *fapiClient) login(b *Browser, r *Request, push how) *Tokens {
	f.e.t.Helper()
	tokens := f.redeem(r, f.code(b, r, push), how{})
	f.resourceOK(tokens, nil)
	return tokens
}
