package notify

import (
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
)

var organisationUserPermissions = schema{types: []string{"object"}, strict: true, required: []string{"permissions"}, properties: []property{
	{"permissions", permissionList},
}}

// SetOrganisationPermissions answers POST
// /user/{user_id}/organisation/{organisation_id}/permissions. Who is no member
// gets none.
func (a *API) SetOrganisationPermissions(w http.ResponseWriter, r *http.Request) error {
	organisation, err := pathID(r, "organisation_id")
	if err != nil {
		return err
	}
	u, v, err := a.subjectAndBody(r, &organisationUserPermissions)
	if err != nil {
		return err
	}
	names, _ := v.(object).get("permissions")
	actor := directory.CallerFrom(r.Context()).Actor()
	if err := a.Registry.SetOrganisationPermissions(r.Context(), u.ID, organisation, permissionNames(names), actor); err != nil {
		return err
	}
	return noContent(w, r)
}

// usersOrganisation and usersService are what a user is told of where they belong.
type usersOrganisation struct {
	CountOfLiveServices int       `json:"count_of_live_services"`
	ID                  uuid.UUID `json:"id"`
	Name                string    `json:"name"`
}

type usersService struct {
	ID           uuid.UUID     `json:"id"`
	Name         string        `json:"name"`
	Organisation uuid.NullUUID `json:"organisation"`
	Restricted   bool          `json:"restricted"`
}

type organisationsAndServices struct {
	Organisations []usersOrganisation `json:"organisations"`
	Services      []usersService      `json:"services"`
}

// OrganisationsAndServices answers GET /user/{user_id}/organisations-and-services.
func (a *API) OrganisationsAndServices(w http.ResponseWriter, r *http.Request) error {
	u, err := a.subject(r)
	if err != nil {
		return err
	}
	organisations, err := a.Registry.Store.OrganisationsOf(r.Context(), u.ID)
	if err != nil {
		return err
	}
	services, err := a.Registry.Store.ServicesOf(r.Context(), u.ID)
	if err != nil {
		return err
	}
	all := organisationsAndServices{Organisations: []usersOrganisation{}, Services: []usersService{}}
	for i := range organisations {
		o := &organisations[i]
		all.Organisations = append(all.Organisations, usersOrganisation{CountOfLiveServices: o.CountOfLiveServices, ID: o.ID, Name: o.Name})
	}
	for i := range services {
		s := &services[i]
		all.Services = append(all.Services, usersService{ID: s.ID, Name: s.Name, Organisation: s.OrganisationID, Restricted: s.Restricted})
	}
	return writeJSON(w, r, http.StatusOK, all)
}
