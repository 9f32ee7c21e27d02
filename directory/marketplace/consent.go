package marketplace

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// consent is a provider's sight of a user, on the wire.
type consent struct {
	CPUserID   uuid.UUID  `json:"cp_user_id"`
	RootUserID uuid.UUID  `json:"root_user_id"`
	CPID       string     `json:"cp_id"`
	Created    time.Time  `json:"created"` // when it was given, the last time
	ExpiresAt  *time.Time `json:"expires_at"`
}

// GiveConsent answers POST /users/{user_id}/consents.
func (a *API) GiveConsent(w http.ResponseWriter, r *http.Request) error {
	id, err := id(r, "user_id")
	if err != nil {
		return err
	}
	b, err := readBody(r)
	if err != nil {
		return err
	}
	var provider string
	var expires *time.Time
	b.faults.Add(!b.has("cp_id"), "cp_id", "is required")
	b.take("cp_id", &provider)
	b.faults.Add(strings.ContainsRune(provider, 0), "cp_id", "is not a provider")
	b.take("expires_at", &expires)
	if err := b.err(); err != nil {
		return err
	}
	var until time.Time
	if expires != nil {
		until = expires.UTC().Truncate(time.Microsecond)
	}
	given, err := a.Marketplace.GiveConsent(r.Context(), caller(r), id, provider, until)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, showConsent(given))
}

func showConsent(c *directory.ProfileConsent) consent {
	shown := consent{CPUserID: c.Pseudonym, RootUserID: c.ProfileID, CPID: c.ProviderID, Created: c.GivenAt.UTC()}
	if !c.ExpiresAt.IsZero() {
		shown.ExpiresAt = &c.ExpiresAt
	}
	return shown
}

// EndConsent answers DELETE /users/{user_id}/consents/{cp_id}.
func (a *API) EndConsent(w http.ResponseWriter, r *http.Request) error {
	id, err := id(r, "user_id")
	if err != nil {
		return err
	}
	if err := a.Marketplace.EndConsent(r.Context(), caller(r), id, r.PathValue("cp_id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
