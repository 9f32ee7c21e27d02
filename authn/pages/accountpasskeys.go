package pages

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

const passkeysPath = accountPath + "/passkeys"

// accountKeys is what the page of passkeys and security keys needs of [authn.Service].
type accountKeys interface {
	Passkeys(ctx context.Context, userID uuid.UUID) ([]*authn.Key, error)
	BeginNewPasskey(ctx context.Context, n authn.NewPasskey) (json.RawMessage, error)
	AddPasskey(ctx context.Context, n authn.NewPasskey) (*authn.Key, error)
	RenamePasskey(ctx context.Context, userID, id uuid.UUID, name string) error
	// RemovePasskey ends every other session than the one it is called in.
	RemovePasskey(ctx context.Context, userID, session, id uuid.UUID) error
}

// passkeysView is the page of a person's keys.
type passkeysView struct {
	accountFrame
	Passkeys bool // they can be used here
	Keys     []*authn.Key
	Name     string // typed for a new key
}

func (p *Pages) passkeyRoutes(get, post func(path string, h web.Handler) web.Route) []web.Route {
	return []web.Route{
		get(passkeysPath, p.recently(p.listPasskeys)),
		post(passkeysPath, p.recently(p.submitPasskeys)),
		p.optionsRoute(passkeysPath+"/options", p.newPasskeyOptions),
	}
}

func (p *Pages) listPasskeys(w http.ResponseWriter, r *http.Request, a *account) error {
	return p.passkeysPage(w, r, a, http.StatusOK, nil)
}

func (p *Pages) passkeysPage(w http.ResponseWriter, r *http.Request, a *account, status int, form fields, faults ...fault) error {
	all, err := p.Authn.Passkeys(r.Context(), a.User.ID)
	if err != nil {
		return err
	}
	view := passkeysView{p.accountFrame(p.frame(r, "account.passkeys.title", &Flow{}), r, a), p.passkeys(), all, form["name"]}
	view.Faults = faults
	return p.renderWith(w, status, "accountpasskeys", p.keyPolicy(view.Flow), view)
}

// newPasskeyOptions begins to add a key. The script that asks cannot sign in on
// the way, so that a session that is not fresh is refused.
func (p *Pages) newPasskeyOptions(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	a, err := p.owner(r)
	if err != nil {
		return err
	}
	if a == nil || !a.recent(p.Clock()) {
		return web.Errorf(http.StatusForbidden, "Sign in again first")
	}
	options, err := p.Authn.BeginNewPasskey(r.Context(), newPasskey(a, form))
	return writeOptions(w, options, err)
}

func newPasskey(a *account, form fields) authn.NewPasskey {
	return authn.NewPasskey{
		User: a.User, Session: a.Session.ID, Passwordless: form["kind"] != "key", Name: form["name"], Response: form["response"],
	}
}

// submitPasskeys adds, renames or removes a key.
func (p *Pages) submitPasskeys(w http.ResponseWriter, r *http.Request, a *account) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	change, what := p.addPasskey, "passkey_added"
	switch form["action"] {
	case "rename":
		change, what = p.renamePasskey, "passkey_renamed"
	case "remove":
		change, what = p.removePasskey, "passkey_removed"
	}
	err = change(r.Context(), a, form)
	if faults, status := p.texts(r).passkeyFaults(err); faults != nil {
		return p.passkeysPage(w, r, a, status, form, faults...)
	}
	if err != nil {
		return err
	}
	return done(w, r, passkeysPath, what)
}

func (p *Pages) addPasskey(ctx context.Context, a *account, form fields) error {
	_, err := p.Authn.AddPasskey(ctx, newPasskey(a, form))
	return err
}

func (p *Pages) renamePasskey(ctx context.Context, a *account, form fields) error {
	id, err := uuid.Parse(form["id"])
	if err != nil {
		return directory.ErrNotFound
	}
	return p.Authn.RenamePasskey(ctx, a.User.ID, id, form["name"])
}

func (p *Pages) removePasskey(ctx context.Context, a *account, form fields) error {
	id, err := uuid.Parse(form["id"])
	if err != nil {
		return directory.ErrNotFound
	}
	return p.Authn.RemovePasskey(ctx, a.User.ID, a.Session.ID, id)
}

// passkeyFaults words why a key was not changed; nil for an error of another kind.
func (c catalogue) passkeyFaults(err error) ([]fault, int) {
	switch {
	case errors.Is(err, authn.ErrRefused), errors.Is(err, authn.ErrNoRelyingParty):
		return []fault{{"name", c.text("account.passkeys.refused")}}, http.StatusForbidden
	case errors.Is(err, authn.ErrPasskeyTaken):
		return []fault{{"name", c.text("account.passkeys.taken")}}, http.StatusConflict
	case errors.Is(err, authn.ErrTooManyPasskeys):
		return []fault{{"name", c.text("account.passkeys.many")}}, http.StatusConflict
	case errors.Is(err, directory.ErrLastCredential), errors.Is(err, authn.ErrLastFactor):
		return []fault{{"keys", c.text("account.passkeys.last")}}, http.StatusConflict
	case errors.Is(err, directory.ErrInvalid):
		return []fault{{"name", c.text("account.passkeys.name.refused")}}, http.StatusBadRequest
	}
	return nil, 0
}
