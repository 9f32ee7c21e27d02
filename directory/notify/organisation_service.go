package notify

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
)

var serviceMove = schema{
	types:      []string{"object"},
	properties: []property{{"service_id", schema{types: []string{"string"}, uuid: true}}},
	required:   []string{"service_id"},
}

// moveService answers POST /organisation/{organisation_id}/service.
func (a *API) moveService(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "organisation_id")
	if err != nil {
		return err
	}
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	if err := serviceMove.validate(v); err != nil {
		return err
	}
	service, _ := v.(object).get("service_id")
	err = a.Registry.MoveService(r.Context(), id, uuid.MustParse(service.(string)), a.actor(r))
	if err != nil {
		return archivedFault(err, "Cannot add a service to an archived organisation")
	}
	return noContent(w, r)
}

// archivedFault words that an organisation takes nothing any more.
func archivedFault(err error, text string) error {
	if errors.Is(err, directory.ErrArchived) {
		return fault(http.StatusBadRequest, text)
	}
	return err
}

// organisationService is a service in the list of its organisation.
type organisationService struct {
	Active         bool          `json:"active"`
	ID             uuid.UUID     `json:"id"`
	MessageLimit   int           `json:"message_limit"`
	Name           string        `json:"name"`
	OrganisationID uuid.NullUUID `json:"organisation_id"`
	Restricted     bool          `json:"restricted"`
}

// organisationServices answers GET /organisation/{organisation_id}/services.
func (a *API) organisationServices(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "organisation_id")
	if err != nil {
		return err
	}
	if _, err := a.Registry.Store.Organisation(r.Context(), id); err != nil {
		return err
	}
	all, err := a.Registry.Store.OrganisationServices(r.Context(), id)
	if err != nil {
		return err
	}
	shown := make([]organisationService, len(all))
	for i, s := range all {
		shown[i] = organisationService{
			Active: s.Active, ID: s.ID, MessageLimit: s.EmailMessageLimit, Name: s.Name, OrganisationID: s.OrganisationID, Restricted: s.Restricted,
		}
	}
	return writeJSON(w, r, http.StatusOK, shown)
}
