package pages

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"

	"gatehouse/authn"
	"gatehouse/internal/web"
)

// passkeyScript asks the browser for a key. It is the only script of the pages
// that have it, and talks to nobody but this service.
const passkeyScript = "passkey.js"

const passkeySignInPath = "/signin/passkey"

// keys is what the pages need of [authn.Service] for passkeys and security keys.
type keys interface {
	BeginPasskey(ctx context.Context, browser string, from netip.Addr) (json.RawMessage, error)
	BeginSecurityKey(ctx context.Context, signIn string, from netip.Addr) (json.RawMessage, error)
	accountKeys
}

// keyRoutes are those of signing in with keys.
func (p *Pages) keyRoutes(get, post func(path string, h web.Handler) web.Route) []web.Route {
	return []web.Route{
		p.optionsRoute("/signin/passkey/options", p.passkeyOptions),
		post(passkeySignInPath, p.submitPasskey),
		get("/signin/security-key", p.during(readQuery, p.securityKey)),
		p.optionsRoute("/signin/security-key/options", p.securityKeyOptions),
		post("/signin/security-key", p.during(readForm, p.submitSecurityKey)),
	}
}

// optionsRoute answers the script of a page.
func (p *Pages) optionsRoute(path string, h web.Handler) web.Route {
	return web.Route{Method: http.MethodPost, Path: path, Surface: web.Problem{}, Handler: p.SameOrigin(h)}
}

// Passkeys reports whether browsers make keys for this service's host.
func (p *Pages) passkeys() bool { return authn.RelyingParty{Origin: origin(p.Issuer)}.Usable() }

// keyPolicy is contentPolicy for a page with [passkeyScript].
func (p *Pages) keyPolicy(f *Flow) string {
	policy := contentPolicy(f.FormAction)
	if !p.passkeys() {
		return policy
	}
	here := origin(p.Issuer)
	return policy + "; script-src " + here + "/assets/" + passkeyScript + "; connect-src " + here + "/signin/ " + here + accountPath + "/"
}

// PasskeyScript is the address of the script, for a template.
func (frame) PasskeyScript() string { return assetURL(passkeyScript) }

// writeOptions answers what an authenticator is to be asked.
func writeOptions(w http.ResponseWriter, options json.RawMessage, err error) error {
	switch {
	case errors.Is(err, authn.ErrNoRelyingParty):
		return web.Errorf(http.StatusNotFound, "There are no passkeys at this address")
	case errors.Is(err, authn.ErrNoSignIn):
		return web.Errorf(http.StatusBadRequest, "No sign-in waits for a key")
	case errors.Is(err, authn.ErrTooManyPasskeys):
		return web.Errorf(http.StatusConflict, "No more keys can be added")
	case err != nil:
		return err
	}
	return web.WriteJSON(w, http.StatusOK, options)
}

// passkeyOptions begins a sign-in with a passkey in a browser, which gets a
// secret of its own if it has none.
func (p *Pages) passkeyOptions(w http.ResponseWriter, r *http.Request) error {
	browser := p.Cookies.Get(r, authn.BrowserCookie)
	if browser == "" {
		browser = p.NewSecret()
		p.Cookies.Set(w, authn.BrowserCookie, browser, 0)
	}
	options, err := p.Authn.BeginPasskey(r.Context(), browser, web.Network(r))
	return writeOptions(w, options, err)
}

// submitPasskey takes the answer of a passkey. One that is refused leads to the
// sign-in page, whatever the reason.
func (p *Pages) submitPasskey(w http.ResponseWriter, r *http.Request) error {
	form, flow, err := p.formInFlow(r)
	if err != nil {
		return p.expired(w, r, &Flow{}, err)
	}
	outcome, err := p.try(r, authn.Attempt{
		Factor: authn.Passkey, BrowserSecret: p.Cookies.Get(r, authn.BrowserCookie), Secret: form["response"],
		ACRValues: flow.ACRValues, Floor: flow.Floor,
	})
	if errors.Is(err, authn.ErrRefused) || errors.Is(err, authn.ErrNoRelyingParty) {
		view := p.signInView(r, flow)
		view.Faults = []fault{{"identifier", view.text("passkey.refused")}}
		return p.renderWith(w, http.StatusForbidden, "signin", p.keyPolicy(flow), view)
	}
	if err != nil {
		return err
	}
	return p.proceed(w, r, SignInPage, flow, outcome)
}
