package notify

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// letterBrandingSchema is the schema of new and of changed letter brandings.
var letterBrandingSchema = schema{
	types:      []string{"object"},
	properties: []property{{"name", brandingName}, {"filename", brandingName}, {"created_by", nullableID}},
	required:   []string{"name", "filename"},
}

// letterBrandingBody is what the routes of letter brandings read.
type letterBrandingBody struct {
	Name      string        `json:"name"`
	Filename  string        `json:"filename"`
	CreatedBy uuid.NullUUID `json:"created_by"`
}

// listLetterBrandings answers GET /letter-branding.
func (a *API) listLetterBrandings(w http.ResponseWriter, r *http.Request) error {
	all, err := a.Registry.Store.LetterBrandings(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, each(all, letterBrandingOf))
}

// showLetterBranding answers GET /letter-branding/{branding_id}.
func (a *API) showLetterBranding(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "branding_id")
	if err != nil {
		return err
	}
	b, err := a.Registry.Store.LetterBranding(r.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, letterBrandingOf(b))
}

// createLetterBranding answers POST /letter-branding.
func (a *API) createLetterBranding(w http.ResponseWriter, r *http.Request) error {
	_, body, err := readBody[letterBrandingBody](r, &letterBrandingSchema)
	if err != nil {
		return err
	}
	n := directory.LetterBranding{Name: body.Name, Filename: body.Filename, CreatedBy: body.CreatedBy}
	b, err := a.Registry.CreateLetterBranding(r.Context(), n, a.actor(r))
	if err != nil {
		return letterBrandingFault(err)
	}
	return writeJSON(w, r, http.StatusCreated, letterBrandingOf(b))
}

// changeLetterBranding answers POST /letter-branding/{branding_id}, with 201 as upstream does.
func (a *API) changeLetterBranding(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "branding_id")
	if err != nil {
		return err
	}
	_, body, err := readBody[letterBrandingBody](r, &letterBrandingSchema)
	if err != nil {
		return err
	}
	b, err := a.Registry.ChangeLetterBranding(r.Context(), id, func(b *directory.LetterBranding) {
		b.Name, b.Filename = body.Name, body.Filename
	}, a.actor(r))
	if err != nil {
		return letterBrandingFault(err)
	}
	return writeJSON(w, r, http.StatusCreated, letterBrandingOf(b))
}

func letterBrandingFault(err error) error {
	if conflict, ok := errors.AsType[*directory.ConflictError](err); ok {
		if conflict.Field == "filename" {
			return fieldFault("filename", "Filename already in use")
		}
		return fieldFault("name", "Name already in use")
	}
	return ruleFault(err)
}
