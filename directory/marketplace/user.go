package marketplace

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// user is a profile on the wire. Every key is always there.
type user struct {
	directory.ProfileData

	LastVisited *time.Time `json:"last_visited"`
	Visits      int64      `json:"visits"`
	// AssociatedCPUser is the caller's cp_user_id; null for the owner.
	AssociatedCPUser *uuid.UUID `json:"associated_cp_user"`
	// ID is the id that the caller knows: a provider's is its cp_user_id.
	ID      uuid.UUID `json:"id"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

func show(p *directory.SeenProfile) user {
	u := user{ProfileData: p.ProfileData, Visits: p.Visits, ID: p.ID, Created: p.CreatedAt.UTC(), Updated: p.UpdatedAt.UTC()}
	if !p.LastVisited.IsZero() {
		u.LastVisited = &p.LastVisited
	}
	if p.Pseudonym != uuid.Nil {
		u.ID, u.AssociatedCPUser = p.Pseudonym, &p.Pseudonym
	}
	return u
}

// CreateUser answers POST /users.
func (a *API) CreateUser(w http.ResponseWriter, r *http.Request) error {
	b, err := readBody(r)
	if err != nil {
		return err
	}
	data := directory.ProfileData{Meta: json.RawMessage("{}")}
	var anon *string
	b.take("anon_user_id", &anon)
	known := ""
	if anon != nil {
		known = *anon
	}
	b.faults.AnonUserID(known)
	b.profile(&data)
	if err := b.err(); err != nil {
		return err
	}
	created, err := a.Marketplace.Create(r.Context(), caller(r), data, known)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, show(created))
}

// User answers GET /users/{user_id}.
func (a *API) User(w http.ResponseWriter, r *http.Request) error {
	id, err := id(r, "user_id")
	if err != nil {
		return err
	}
	seen, err := a.Marketplace.Profile(r.Context(), caller(r), id)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, show(seen))
}

// UpdateUser answers POST /users/{user_id}.
func (a *API) UpdateUser(w http.ResponseWriter, r *http.Request) error {
	id, err := id(r, "user_id")
	if err != nil {
		return err
	}
	b, err := readBody(r)
	if err != nil {
		return err
	}
	b.refuse("can only be given with a new user", "anon_user_id")
	changed, err := a.Marketplace.Update(r.Context(), caller(r), id, func(data *directory.ProfileData) ([]string, error) {
		names := b.profile(data)
		return names, b.err()
	})
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, show(changed))
}

// DeleteUser answers DELETE /users/{user_id}.
func (a *API) DeleteUser(w http.ResponseWriter, r *http.Request) error {
	id, err := id(r, "user_id")
	if err != nil {
		return err
	}
	if err := a.Marketplace.Erase(r.Context(), caller(r), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
