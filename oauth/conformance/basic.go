package conformance

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Basic is oidcc-basic-certification-test-plan: the authorization code flow with
// client_secret_basic.
func Basic() Plan {
	return Plan{Name: "oidcc-basic-certification-test-plan", Modules: basicModules(), Waits: []string{codeReuseLater}}
}

const codeReuseLater = "oidcc-codereuse-30seconds"

// FormPostBasic is oidcc-formpost-basic-certification-test-plan: the modules of
// [Basic] with response_mode=form_post.
func FormPostBasic() Plan {
	return Plan{Name: "oidcc-formpost-basic-certification-test-plan", Variant: Variant{FormPost: true}, Modules: basicModules(), Waits: []string{codeReuseLater}}
}

// Config is oidcc-config-certification-test-plan.
func Config() Plan {
	return Plan{Name: "oidcc-config-certification-test-plan", Modules: []Module{
		{"oidcc-discovery-endpoint-verification", discoveryEndpointVerification},
	}}
}

func basicModules() []Module {
	return []Module{
		{"oidcc-server", happy()},
		{"oidcc-response-type-missing", responseTypeMissing},
		{"oidcc-idtoken-signature", idTokenSignature},
		{"oidcc-idtoken-unsigned", idTokenUnsigned},
		{"oidcc-userinfo-get", userInfoGet},
		{"oidcc-userinfo-post-header", userInfoPostHeader},
		{"oidcc-userinfo-post-body", userInfoPostBody},
		{"oidcc-ensure-request-without-nonce-succeeds-for-code-flow", happy("nonce", "")},
		{"oidcc-scope-profile", scopeModule("profile")},
		{"oidcc-scope-email", scopeModule("email")},
		{"oidcc-scope-address", scopeModule("address")},
		{"oidcc-scope-phone", scopeModule("phone")},
		{"oidcc-scope-all", scopeModule("profile", "email", "address", "phone")},
		{"oidcc-alternate-happy-flow", alternateHappyFlow},
		{"oidcc-display-page", happy("display", "page")},
		{"oidcc-display-popup", happy("display", "popup")},
		{"oidcc-prompt-login", promptLogin},
		{"oidcc-prompt-none-not-logged-in", promptNoneNotLoggedIn},
		{"oidcc-prompt-none-logged-in", promptNoneLoggedIn},
		{"oidcc-max-age-1", maxAge1},
		{"oidcc-max-age-10000", maxAge10000},
		{"oidcc-ensure-request-with-unknown-parameter-succeeds", happy("extra", "foobar")},
		{"oidcc-id-token-hint", idTokenHint},
		{"oidcc-login-hint", loginHint},
		{"oidcc-ui-locales", happy("ui_locales", "se")},
		{"oidcc-claims-locales", happy("claims_locales", "se")},
		{"oidcc-ensure-request-with-acr-values-succeeds", acrValues},
		{"oidcc-codereuse", codeReuse},
		{codeReuseLater, codeReuseAfter30Seconds},
		{"oidcc-ensure-registered-redirect-uri", registeredRedirectURI},
		{"oidcc-ensure-post-request-succeeds", postRequest},
		{"oidcc-server-client-secret-post", clientSecretPost},
		{"oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", requestURIUnsigned},
		{"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", requestObjectUnsigned},
		{"oidcc-claims-essential", claimsEssential},
		{"oidcc-ensure-request-object-with-redirect-uri", requestObjectWithRedirectURI},
		{"oidcc-refresh-token", refreshToken},
		{"oidcc-ensure-request-with-valid-pkce-succeeds", validPKCE},
	}
}

// happy is a login with more parameters that has to succeed.
func happy(more ...string) func(e *Env) {
	return func(e *Env) { e.Login(e.Browser(), e.Request(e.Clients.Basic, more...)) }
}

func responseTypeMissing(e *Env) {
	r := e.Request(e.Clients.Basic, "response_type", "")
	a := e.Send(e.Browser(), r)
	if a.Page != nil {
		if a.Page.Status < http.StatusBadRequest || len(a.Asked) > 0 {
			e.Errorf("status %d without a word about the response type", a.Page.Status)
		}
		return
	}
	e.refusedWith(r, a, "invalid_request", "unsupported_response_type")
}

// idTokenSignature uses a client registered without an algorithm, whose default
// is RS256.
func idTokenSignature(e *Env) {
	tokens := e.Login(e.Browser(), e.Request(e.Clients.Basic))
	if tokens.ID.Alg != "RS256" {
		e.Errorf("the ID token is signed with %s", tokens.ID.Alg)
	}
}

func userInfoGet(e *Env) { e.UserInfo(e.Login(e.Browser(), e.Request(e.Clients.Basic))) }

func userInfoPostHeader(e *Env) {
	e.userInfoPosted(e.Login(e.Browser(), e.Request(e.Clients.Basic)), false)
}

func userInfoPostBody(e *Env) {
	e.userInfoPosted(e.Login(e.Browser(), e.Request(e.Clients.Basic)), true)
}

func alternateHappyFlow(e *Env) {
	r := e.Request(e.Clients.Basic, "scope", "email openid")
	r.Reversed = true
	e.scopesReturned(e.UserInfo(e.Login(e.Browser(), r)), "email")
}

func loginHint(e *Env) {
	b := e.Browser()
	e.Login(b, e.Request(e.Clients.Basic, "login_hint", b.person.LoginHint()))
}

func acrValues(e *Env) {
	wanted := e.Metadata().ACRValues
	if len(wanted) == 0 {
		wanted = []string{"1", "2"}
	}
	tokens := e.Login(e.Browser(), e.Request(e.Clients.Basic, "acr_values", strings.Join(wanted, " ")))
	if !slices.Contains(wanted, tokens.ID.ACR) {
		e.Warn("the acr of the ID token is none of those asked for")
	}
}

func codeReuse(e *Env) {
	r := e.Request(e.Clients.Basic)
	code, _ := e.Code(e.Browser(), r)
	e.UserInfo(e.Redeem(r, code))
	if answer := e.tokenCall(r.Client, r.codeForm(code)); answer.Status == http.StatusOK {
		e.Warn("a code can be redeemed twice")
	} else {
		e.notIssued(answer, "invalid_grant")
	}
}

func codeReuseAfter30Seconds(e *Env) {
	r := e.Request(e.Clients.Basic)
	code, _ := e.Code(e.Browser(), r)
	tokens := e.Redeem(r, code)
	e.UserInfo(tokens)
	e.wait(30 * time.Second)
	e.notIssued(e.tokenCall(r.Client, r.codeForm(code)), "invalid_grant")
	if !e.userInfoRefused(tokens) {
		e.Warn("the access token of a code that was used twice still works")
	}
}

func registeredRedirectURI(e *Env) {
	r := e.Request(e.Clients.Basic)
	r.Params.Set("redirect_uri", r.Client.RedirectURI+"/"+random(10))
	e.StaysOnPage(e.Browser(), r)
}

func postRequest(e *Env) {
	r := e.Request(e.Clients.Basic)
	r.Post = true
	e.Login(e.Browser(), r)
}

func clientSecretPost(e *Env) { e.Login(e.Browser(), e.Request(e.Clients.Post)) }

func validPKCE(e *Env) { e.Login(e.Browser(), e.Request(e.Clients.Basic).withPKCE()) }
