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
	// AssociatedCPUser is a provider's cp_user_id, and the owner's own reference.
	AssociatedCPUser *string `json:"associated_cp_user"`
	// ID is the id that the caller knows: a provider's is its cp_user_id.
	ID      uuid.UUID `json:"id"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	// Unreadable is only in lists, and only when it is true.
	Unreadable bool `json:"unreadable,omitempty"`
}

func show(p *directory.SeenProfile) user {
	u := user{ProfileData: p.ProfileData, Visits: p.Visits, ID: p.ID, Created: p.CreatedAt.UTC(), Updated: p.UpdatedAt.UTC()}
	u.Unreadable, u.AssociatedCPUser = p.Unreadable, p.PartnerReference
	if !p.LastVisited.IsZero() {
		u.LastVisited = &p.LastVisited
	}
	if p.Pseudonym != uuid.Nil {
		known := p.Pseudonym.String()
		u.ID, u.AssociatedCPUser = p.Pseudonym, &known
	}
	return u
}

const associatedField = "associated_cp_user"

// association takes associated_cp_user: the owner's reference, or from a provider
// nothing but what it is shown.
func (b *body) association(p *directory.SeenProfile) []string {
	if !b.has(associatedField) {
		return nil
	}
	if p.Pseudonym == uuid.Nil {
		b.take(associatedField, &p.PartnerReference)
		return []string{associatedField}
	}
	var said *string
	b.take(associatedField, &said)
	b.faults.Add(said == nil || *said != p.Pseudonym.String(), associatedField, "is the cp_user_id of the user, which does not change")
	return nil
}

// CreateUser answers POST /users.
func (a *API) CreateUser(w http.ResponseWriter, r *http.Request) error {
	b, err := readBody(r)
	if err != nil {
		return err
	}
	p := directory.SeenProfile{Profile: &directory.Profile{ProfileData: directory.ProfileData{Meta: json.RawMessage("{}")}}}
	var anon *string
	b.take("anon_user_id", &anon)
	if anon != nil {
		p.AnonUserID = *anon
	}
	b.faults.AnonUserID(p.AnonUserID)
	b.visits(p.Profile)
	b.association(&p)
	b.profile(&p.ProfileData)
	if err := b.err(); err != nil {
		return err
	}
	created, err := a.Marketplace.Create(r.Context(), caller(r), *p.Profile)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, show(created))
}

// visits takes what a partner knows of visits before there was the user.
func (b *body) visits(p *directory.Profile) {
	var last *time.Time
	b.take("visits", &p.Visits)
	b.take("last_visited", &last)
	if last != nil {
		p.LastVisited = last.UTC().Truncate(time.Microsecond)
	}
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
	b.refuse("can only be given with a new user", append(notChanged, "anon_user_id")...)
	changed, err := a.Marketplace.Update(r.Context(), caller(r), id, func(p *directory.SeenProfile) ([]string, error) {
		names := append(b.association(p), b.profile(&p.ProfileData)...)
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
