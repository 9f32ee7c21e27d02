package notify

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// credential is a security key as the API shows it.
type credential struct {
	CreatedAt      instant   `json:"created_at"`
	CredentialData string    `json:"credential_data"`
	ID             uuid.UUID `json:"id"`
	LoggedInAt     instant   `json:"logged_in_at"`
	Name           string    `json:"name"`
	UpdatedAt      instant   `json:"updated_at"`
	UserID         uuid.UUID `json:"user_id"`
}

func credentialOf(c *directory.WebAuthnCredential) credential {
	return credential{
		CreatedAt: instant(c.CreatedAt), CredentialData: c.Data, ID: c.ID, LoggedInAt: instant(c.LoggedInAt),
		Name: c.Name, UpdatedAt: instant(c.UpdatedAt), UserID: c.UserID,
	}
}

var nonEmptyText = schema{types: []string{"string"}, nonEmpty: true}

var newCredential = schema{
	types: []string{"object"}, strict: true, required: []string{"name", "credential_data", "registration_response"},
	properties: []property{{"name", nonEmptyText}, {"credential_data", nonEmptyText}, {"registration_response", nonEmptyText}},
}

var renamedCredential = schema{
	types: []string{"object"}, strict: true, required: []string{"name"}, properties: []property{{"name", nonEmptyText}},
}

// Credentials answers GET /user/{user_id}/webauthn.
func (a *API) Credentials(w http.ResponseWriter, r *http.Request) error {
	u, err := a.subject(r)
	if err != nil {
		return err
	}
	keys, err := a.Registry.Store.Credentials(r.Context(), u.ID)
	if err != nil {
		return err
	}
	all := make([]credential, len(keys))
	for i, key := range keys {
		all[i] = credentialOf(key)
	}
	return writeJSON(w, r, http.StatusOK, data{all})
}

// CreateCredential answers POST /user/{user_id}/webauthn.
func (a *API) CreateCredential(w http.ResponseWriter, r *http.Request) error {
	u, v, err := a.bodyAndSubject(r, &newCredential)
	if err != nil {
		return err
	}
	key, err := a.Registry.CreateCredential(r.Context(), directory.WebAuthnCredential{
		UserID: u.ID, Name: textOf(v, "name"), Data: textOf(v, "credential_data"), RegistrationResponse: textOf(v, "registration_response"),
	}, directory.CallerFrom(r.Context()).Actor())
	if err != nil {
		return credentialFault(err)
	}
	return writeJSON(w, r, http.StatusCreated, data{credentialOf(key)})
}

// RenameCredential answers POST /user/{user_id}/webauthn/{credential_id}.
func (a *API) RenameCredential(w http.ResponseWriter, r *http.Request) error {
	u, v, err := a.bodyAndSubject(r, &renamedCredential)
	if err != nil {
		return err
	}
	id, err := pathID(r, "credential_id")
	if err != nil {
		return err
	}
	key, err := a.Registry.RenameCredential(r.Context(), u.ID, id, textOf(v, "name"), directory.CallerFrom(r.Context()).Actor())
	if err != nil {
		return credentialFault(err)
	}
	return writeJSON(w, r, http.StatusOK, data{credentialOf(key)})
}

// DeleteCredential answers DELETE /user/{user_id}/webauthn/{credential_id}.
func (a *API) DeleteCredential(w http.ResponseWriter, r *http.Request) error {
	u, err := a.subject(r)
	if err != nil {
		return err
	}
	id, err := pathID(r, "credential_id")
	if err != nil {
		return err
	}
	if err := a.Registry.DeleteCredential(r.Context(), u.ID, id, directory.CallerFrom(r.Context()).Actor()); err != nil {
		return credentialFault(err)
	}
	return noContent(w, r)
}

func credentialFault(err error) error {
	if errors.Is(err, directory.ErrLastCredential) {
		return fault(http.StatusBadRequest, "Cannot delete last remaining webauthn credential for user")
	}
	if field, ok := errors.AsType[*directory.FieldError](err); ok {
		return schemaFault([]string{field.Field + " " + field.Reason})
	}
	return err
}
