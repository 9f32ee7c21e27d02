package notify

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// permissionList is the schema of a list of {"permission": name}.
var permissionList = schema{types: []string{"array"}, items: &schema{
	types:      []string{"object"},
	properties: []property{{"permission", schema{types: []string{"string"}}}},
	required:   []string{"permission"},
}}

var newMember = schema{
	types:      []string{"object"},
	properties: []property{{"permissions", permissionList}},
	required:   []string{"permissions"},
}

// permissionNames reads a list that meets permissionList.
func permissionNames(v any) []string {
	var names []string
	for _, item := range v.([]any) {
		name, _ := item.(object).get("permission")
		names = append(names, name.(string))
	}
	return names
}

// membership is a member as the documentation shows a new one (seed 001).
type membership struct {
	ID             uuid.UUID `json:"id"`
	OrganisationID uuid.UUID `json:"organisation_id"`
	Permissions    []string  `json:"permissions"`
	UserID         uuid.UUID `json:"user_id"`
}

// organisationMember is a member as the documentation lists one: with the permissions in the
// organisation where upstream has those in services.
type organisationMember struct {
	user
	Permissions []string `json:"permissions"`
}

// addMember answers POST /organisation/{organisation_id}/users/{user_id}.
func (a *API) addMember(w http.ResponseWriter, r *http.Request) error {
	u, organisation, permissions, err := a.joinOrganisation(r)
	if err != nil {
		return err
	}
	// A membership is known by its two ends: its identifier is made of them.
	id := uuid.NewSHA1(organisation, u.ID[:])
	return writeJSON(w, r, http.StatusOK, data{membership{ID: id, OrganisationID: organisation, Permissions: list(permissions), UserID: u.ID}})
}

// addFullMember answers POST /organisations/{organisation_id}/users/{user_id}.
func (a *API) addFullMember(w http.ResponseWriter, r *http.Request) error {
	u, _, _, err := a.joinOrganisation(r)
	if err != nil {
		return err
	}
	return a.writeUser(w, r, http.StatusOK, u)
}

func (a *API) joinOrganisation(r *http.Request) (u *directory.User, organisation uuid.UUID, permissions []string, err error) {
	organisation, id, err := memberOf(r)
	if err != nil {
		return nil, organisation, nil, err
	}
	_, v, err := readValue(r)
	if err != nil {
		return nil, organisation, nil, err
	}
	if err := newMember.validate(v); err != nil {
		return nil, organisation, nil, err
	}
	names, _ := v.(object).get("permissions")
	if permissions, err = directory.OrganisationUserPermissions(permissionNames(names)); err != nil {
		return nil, organisation, nil, err
	}
	u, err = a.Registry.JoinOrganisation(r.Context(), organisation, id, permissions, a.actor(r))
	if errors.Is(err, directory.ErrConflict) {
		err = fault(http.StatusBadRequest, "User id: "+id.String()+" already part of organisation id: "+organisation.String())
	}
	return u, organisation, permissions, archivedFault(err, "Cannot add a user to an archived organisation")
}

func memberOf(r *http.Request) (organisation, user uuid.UUID, err error) {
	if organisation, err = pathID(r, "organisation_id"); err != nil {
		return organisation, user, err
	}
	user, err = pathID(r, "user_id")
	return organisation, user, err
}

// removeMember answers DELETE /organisation/{organisation_id}/users/{user_id}.
func (a *API) removeMember(w http.ResponseWriter, r *http.Request) error {
	organisation, id, err := memberOf(r)
	if err != nil {
		return err
	}
	err = a.Registry.LeaveOrganisation(r.Context(), organisation, id, a.actor(r))
	if errors.Is(err, directory.ErrNotInOrganisation) {
		return fault(http.StatusNotFound, "User not found")
	}
	if err != nil {
		return err
	}
	return noContent(w, r)
}

// showMembers answers GET /organisation/{organisation_id}/users.
func (a *API) showMembers(w http.ResponseWriter, r *http.Request) error {
	members, err := a.members(r)
	if err != nil {
		return err
	}
	shown := make([]organisationMember, len(members))
	for i := range members {
		m := &members[i]
		shown[i] = organisationMember{user: userSeen(r, &m.User, m.Memberships), Permissions: list(m.Permissions)}
	}
	return writeJSON(w, r, http.StatusOK, data{shown})
}

// showFullMembers answers GET /organisations/{organisation_id}/users.
func (a *API) showFullMembers(w http.ResponseWriter, r *http.Request) error {
	members, err := a.members(r)
	if err != nil {
		return err
	}
	shown := make([]user, len(members))
	for i := range members {
		shown[i] = userSeen(r, &members[i].User, members[i].Memberships)
	}
	return writeJSON(w, r, http.StatusOK, data{shown})
}

func (a *API) members(r *http.Request) ([]directory.OrganisationMember, error) {
	id, err := pathID(r, "organisation_id")
	if err != nil {
		return nil, err
	}
	return a.Registry.Store.OrganisationMembers(r.Context(), id)
}
