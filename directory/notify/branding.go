package notify

import (
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// emailBranding is an e-mail branding of the API, in alphabetical order.
type emailBranding struct {
	AltText   *string       `json:"alt_text"`
	BrandType string        `json:"brand_type"`
	Colour    *string       `json:"colour"`
	CreatedAt instant       `json:"created_at"`
	CreatedBy uuid.NullUUID `json:"created_by"`
	ID        uuid.UUID     `json:"id"`
	Logo      *string       `json:"logo"`
	Name      string        `json:"name"`
	Text      *string       `json:"text"`
	UpdatedAt instant       `json:"updated_at"`
}

func emailBrandingOf(b *directory.EmailBranding) emailBranding {
	return emailBranding{
		AltText: b.AltText, BrandType: b.BrandType, Colour: b.Colour, CreatedAt: instant(b.CreatedAt), CreatedBy: b.CreatedBy,
		ID: b.ID, Logo: b.Logo, Name: b.Name, Text: b.Text, UpdatedAt: instant(b.UpdatedAt),
	}
}

// letterBranding is a letter branding of the API, in alphabetical order.
type letterBranding struct {
	CreatedAt instant       `json:"created_at"`
	CreatedBy uuid.NullUUID `json:"created_by"`
	Filename  string        `json:"filename"`
	ID        uuid.UUID     `json:"id"`
	Name      string        `json:"name"`
	UpdatedAt instant       `json:"updated_at"`
}

func letterBrandingOf(b *directory.LetterBranding) letterBranding {
	return letterBranding{
		CreatedAt: instant(b.CreatedAt), CreatedBy: b.CreatedBy, Filename: b.Filename, ID: b.ID, Name: b.Name, UpdatedAt: instant(b.UpdatedAt),
	}
}

// each shows every item of a list, which is never null.
func each[T, S any](all []T, show func(*T) S) []S {
	shown := make([]S, len(all))
	for i := range all {
		shown[i] = show(&all[i])
	}
	return shown
}

// BrandingRoutes are the routes of brandings: their own, and those of the pools
// that organisations choose from.
func (a *API) BrandingRoutes(protect func(web.Handler) web.Handler) []web.Route {
	all := []web.Route{
		protected(protect, http.MethodGet, "/email-branding", a.listEmailBrandings),
		protected(protect, http.MethodPost, "/email-branding", a.createEmailBranding),
		protected(protect, http.MethodGet, "/email-branding/{branding_id}", a.showEmailBranding, "branding_id"),
		protected(protect, http.MethodPost, "/email-branding/{branding_id}", a.changeEmailBranding, "branding_id"),
		protected(protect, http.MethodGet, "/letter-branding", a.listLetterBrandings),
		protected(protect, http.MethodPost, "/letter-branding", a.createLetterBranding),
		protected(protect, http.MethodGet, "/letter-branding/{branding_id}", a.showLetterBranding, "branding_id"),
		protected(protect, http.MethodPost, "/letter-branding/{branding_id}", a.changeLetterBranding, "branding_id"),
	}
	for _, base := range []string{"/organisation", "/organisations"} {
		email, letter := base+"/{organisation_id}/email-branding-pool", base+"/{organisation_id}/letter-branding-pool"
		all = append(all,
			protected(protect, http.MethodGet, email, a.emailPool, "organisation_id"),
			protected(protect, http.MethodPost, email, a.addToEmailPool, "organisation_id"),
			protected(protect, http.MethodDelete, email+"/{branding_id}", a.removeFromEmailPool, "organisation_id", "branding_id"),
			protected(protect, http.MethodGet, letter, a.letterPool, "organisation_id"),
			protected(protect, http.MethodPost, letter, a.addToLetterPool, "organisation_id"),
			protected(protect, http.MethodDelete, letter+"/{branding_id}", a.removeFromLetterPool, "organisation_id", "branding_id"),
		)
	}
	return all
}
