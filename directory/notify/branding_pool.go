package notify

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
)

var brandingIDs = schema{
	types:      []string{"object"},
	properties: []property{{"branding_ids", schema{types: []string{"array"}, items: &schema{types: []string{"string"}, uuid: true}}}},
	required:   []string{"branding_ids"},
}

type brandingIDsBody struct {
	BrandingIDs []uuid.UUID `json:"branding_ids"`
}

// emailPool answers GET /organisation/{organisation_id}/email-branding-pool,
// which is empty for an organisation that does not exist.
func (a *API) emailPool(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "organisation_id")
	if err != nil {
		return err
	}
	all, err := a.Registry.Store.EmailBrandingPool(r.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, data{each(all, emailBrandingOf)})
}

// letterPool answers GET /organisation/{organisation_id}/letter-branding-pool.
func (a *API) letterPool(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "organisation_id")
	if err != nil {
		return err
	}
	if _, err := a.Registry.Store.Organisation(r.Context(), id); err != nil {
		return err
	}
	all, err := a.Registry.Store.LetterBrandingPool(r.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, data{each(all, letterBrandingOf)})
}

// addToEmailPool answers POST /organisation/{organisation_id}/email-branding-pool.
func (a *API) addToEmailPool(w http.ResponseWriter, r *http.Request) error {
	return a.addToPool(w, r, a.Registry.AddEmailBrandings)
}

// addToLetterPool answers POST /organisation/{organisation_id}/letter-branding-pool.
func (a *API) addToLetterPool(w http.ResponseWriter, r *http.Request) error {
	return a.addToPool(w, r, a.Registry.AddLetterBrandings)
}

func (a *API) addToPool(w http.ResponseWriter, r *http.Request, add func(ctx context.Context, organisation uuid.UUID, brandings []uuid.UUID, actor directory.Actor) error) error {
	id, err := pathID(r, "organisation_id")
	if err != nil {
		return err
	}
	_, body, err := readBody[brandingIDsBody](r, &brandingIDs)
	if err != nil {
		return err
	}
	if err := add(r.Context(), id, body.BrandingIDs, a.actor(r)); err != nil {
		return err
	}
	return noContent(w, r)
}

// removeFromEmailPool answers DELETE /organisation/{organisation_id}/email-branding-pool/{branding_id}.
func (a *API) removeFromEmailPool(w http.ResponseWriter, r *http.Request) error {
	return a.removeFromPool(w, r, "Email", "email", a.Registry.RemoveEmailBranding)
}

// removeFromLetterPool answers DELETE /organisation/{organisation_id}/letter-branding-pool/{branding_id}.
func (a *API) removeFromLetterPool(w http.ResponseWriter, r *http.Request) error {
	return a.removeFromPool(w, r, "Letter", "letter", a.Registry.RemoveLetterBranding)
}

func (a *API) removeFromPool(w http.ResponseWriter, r *http.Request, title, kind string,
	remove func(ctx context.Context, organisation, branding uuid.UUID, actor directory.Actor) (*directory.Organisation, error),
) error {
	organisation, err := pathID(r, "organisation_id")
	if err != nil {
		return err
	}
	branding, err := pathID(r, "branding_id")
	if err != nil {
		return err
	}
	o, err := remove(r.Context(), organisation, branding, a.actor(r))
	switch {
	case errors.Is(err, directory.ErrNotInOrganisation):
		return fault(http.StatusNotFound, title+" branding "+branding.String()+" not in "+o.Name+"'s pool")
	case errors.Is(err, directory.ErrDefaultBranding):
		return fault(http.StatusBadRequest, "You cannot remove an organisation's default "+kind+" branding")
	case err != nil:
		return err
	}
	return noContent(w, r)
}
