package pages

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// addFactors adds what the person signs in with: names and dates, never a secret.
func (h *heldData) addFactors(ctx context.Context, p *Pages, user uuid.UUID) error {
	keys, err := p.Authn.Passkeys(ctx, user)
	if err != nil {
		return err
	}
	for _, k := range keys {
		h.Keys = append(h.Keys, heldKey{k.Name, k.Passwordless, k.CreatedAt, k.UsedAt})
	}
	has, err := p.Authn.Enrolled(ctx, user)
	h.App, h.RecoveryCodes = has.TOTP, has.RecoveryCodes
	return err
}

// addUses adds where the person is signed in, and what uses the account.
func (h *heldData) addUses(ctx context.Context, p *Pages, user uuid.UUID) error {
	sessions, err := p.Authn.Sessions(ctx, user)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		h.Sessions = append(h.Sessions, heldSession{s.Network, s.UserAgent, s.CreatedAt, s.SeenAt})
	}
	browsers, err := p.Authn.Browsers(ctx, user)
	if err != nil {
		return err
	}
	for _, b := range browsers {
		h.Browsers = append(h.Browsers, heldBrowser{b.CreatedAt, b.SeenAt})
	}
	services, err := p.Services.ServicesOf(ctx, user)
	for _, s := range services {
		h.UsedBy = append(h.UsedBy, heldService{s.Name.For(directory.LanguageFrom(ctx)), s.Scopes, s.AllowedAt, s.LastUsed})
	}
	return err
}

// addActivity adds all that happened, also what the page has no words for.
func (h *heldData) addActivity(ctx context.Context, p *Pages, user uuid.UUID) error {
	all, _, err := p.Authn.Activity(ctx, user, time.Time{}, mostHeldActivity)
	for _, e := range all {
		h.Activity = append(h.Activity, heldActivity{e.At, e.Kind, e.ByOther})
	}
	return err
}
