package notify

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

var (
	brandingName      = schema{types: []string{"string"}, nonEmpty: true, maxLength: 255}
	newEmailBranding  = schema{types: []string{"object"}, properties: emailBrandingProperties(brandingName), required: []string{"name"}}
	emailBrandingEdit = schema{types: []string{"object"}, properties: emailBrandingProperties(schema{types: []string{"string", "null"}, nonEmpty: true, maxLength: 255})}
)

func emailBrandingProperties(name schema) []property {
	short := schema{types: []string{"string", "null"}, maxLength: 255}
	return []property{
		{"colour", short},
		{"name", name},
		{"text", short},
		{"alt_text", short},
		{"logo", short},
		{"brand_type", schema{enum: directory.BrandTypes()}},
		{"created_by", nullableID},
	}
}

// emailBrandingBody is what the routes of e-mail brandings read, once the schema is met.
type emailBrandingBody struct {
	Colour    *string       `json:"colour"`
	Name      *string       `json:"name"`
	Text      *string       `json:"text"`
	AltText   *string       `json:"alt_text"`
	Logo      *string       `json:"logo"`
	BrandType string        `json:"brand_type"`
	CreatedBy uuid.NullUUID `json:"created_by"`
}

// listEmailBrandings answers GET /email-branding.
func (a *API) listEmailBrandings(w http.ResponseWriter, r *http.Request) error {
	all, err := a.Registry.Store.EmailBrandings(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, map[string]any{"email_branding": each(all, emailBrandingOf)})
}

// showEmailBranding answers GET /email-branding/{branding_id}.
func (a *API) showEmailBranding(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "branding_id")
	if err != nil {
		return err
	}
	b, err := a.Registry.Store.EmailBranding(r.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, map[string]any{"email_branding": emailBrandingOf(b)})
}

// createEmailBranding answers POST /email-branding.
func (a *API) createEmailBranding(w http.ResponseWriter, r *http.Request) error {
	_, body, err := readBody[emailBrandingBody](r, &newEmailBranding)
	if err != nil {
		return err
	}
	n := directory.EmailBranding{
		Name: *body.Name, Colour: body.Colour, Logo: body.Logo, Text: body.Text, AltText: body.AltText, BrandType: body.BrandType, CreatedBy: body.CreatedBy,
	}
	if n.BrandType == "" {
		n.BrandType = directory.BrandTypes()[0]
	}
	b, err := a.Registry.CreateEmailBranding(r.Context(), n, a.actor(r))
	if err != nil {
		return emailBrandingFault(err)
	}
	return writeJSON(w, r, http.StatusCreated, data{emailBrandingOf(b)})
}

// changeEmailBranding answers POST /email-branding/{branding_id}.
func (a *API) changeEmailBranding(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "branding_id")
	if err != nil {
		return err
	}
	given, body, err := readBody[emailBrandingBody](r, &emailBrandingEdit)
	if err != nil {
		return err
	}
	b, err := a.Registry.ChangeEmailBranding(r.Context(), id, func(b *directory.EmailBranding) {
		if body.Name != nil {
			b.Name = *body.Name
		}
		if body.BrandType != "" {
			b.BrandType = body.BrandType
		}
		for name, field := range map[string]struct{ to, from **string }{
			"colour": {&b.Colour, &body.Colour}, "logo": {&b.Logo, &body.Logo}, "text": {&b.Text, &body.Text}, "alt_text": {&b.AltText, &body.AltText},
		} {
			if _, ok := given.get(name); ok {
				*field.to = *field.from
			}
		}
	}, a.actor(r))
	if err != nil {
		return emailBrandingFault(err)
	}
	return writeJSON(w, r, http.StatusOK, data{emailBrandingOf(b)})
}

// readBody reads a body that meets a schema, both as it was given and as T.
func readBody[T any](r *http.Request, s *schema) (object, *T, error) {
	raw, v, err := readValue(r)
	if err != nil {
		return nil, nil, err
	}
	if err := s.validate(v); err != nil {
		return nil, nil, err
	}
	var body T
	if err := web.DecodeJSON(raw, &body, false); err != nil {
		return nil, nil, errNotUnderstood // a number that its field cannot hold
	}
	return v.(object), &body, nil
}

func emailBrandingFault(err error) error {
	if errors.Is(err, directory.ErrConflict) {
		return fieldFault("name", "An email branding with that name already exists.")
	}
	return ruleFault(err)
}

// ruleFault words a rule that a schema does not know as a fault of the schema.
func ruleFault(err error) error {
	if field, ok := errors.AsType[*directory.FieldError](err); ok {
		return schemaFault([]string{field.Field + " " + field.Reason})
	}
	return err
}
