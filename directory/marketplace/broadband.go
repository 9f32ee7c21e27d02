package marketplace

import (
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// entry is a broadband entry on the wire.
type entry struct {
	ID         uuid.UUID                `json:"id"`
	CPUserID   uuid.UUID                `json:"cp_user_id"`
	RootUserID uuid.UUID                `json:"root_user_id"`
	CPID       string                   `json:"cp_id"`
	Meta       directory.BroadbandOffer `json:"meta"`
}

func showEntry(e *directory.BroadbandEntry) entry {
	return entry{ID: e.ID, CPUserID: e.Pseudonym, RootUserID: e.ProfileID, CPID: e.ProviderID, Meta: e.Offer}
}

// offer takes what a body says of an offer.
func (b *body) offer(o *directory.BroadbandOffer) {
	b.take("broadbandProvider", &o.Provider)
	b.take("broadbandPpm", &o.PricePerMonth)
	b.take("broadbandDownSpeed", &o.DownSpeed)
}

// CreateBroadband answers POST /users/broadband.
func (a *API) CreateBroadband(w http.ResponseWriter, r *http.Request) error {
	b, err := readBody(r)
	if err != nil {
		return err
	}
	var text string
	var offer directory.BroadbandOffer
	b.faults.Add(!b.has("cp_user_id"), "cp_user_id", "is required")
	b.take("cp_user_id", &text)
	b.offer(&offer)
	if err := b.err(); err != nil {
		return err
	}
	pseudonym, ok := parseID(text)
	if !ok {
		return directory.ErrNotFound
	}
	created, err := a.Marketplace.CreateBroadband(r.Context(), caller(r), pseudonym, offer)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, showEntry(created))
}

// Broadband answers GET /users/broadband/{cp_user_id}.
func (a *API) Broadband(w http.ResponseWriter, r *http.Request) error {
	pseudonym, err := id(r, "cp_user_id")
	if err != nil {
		return err
	}
	found, err := a.Marketplace.Broadband(r.Context(), caller(r), pseudonym)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, showEntry(found))
}

// UpdateBroadband answers POST /users/broadband/{cp_user_id}.
func (a *API) UpdateBroadband(w http.ResponseWriter, r *http.Request) error {
	pseudonym, err := id(r, "cp_user_id")
	if err != nil {
		return err
	}
	b, err := readBody(r)
	if err != nil {
		return err
	}
	changed, err := a.Marketplace.UpdateBroadband(r.Context(), caller(r), pseudonym, func(o *directory.BroadbandOffer) error {
		b.offer(o)
		return b.err()
	})
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, showEntry(changed))
}
