package notify

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

func (a *API) teamRoutes(protect func(web.Handler) web.Handler) []web.Route {
	return []web.Route{
		protected(protect, http.MethodGet, "/service/{service_id}/users", a.ListTeam, "service_id"),
		protected(protect, http.MethodPost, "/service/{service_id}/users/{user_id}", a.AddToTeam, "service_id"),
		protected(protect, http.MethodDelete, "/service/{service_id}/users/{user_id}", a.RemoveFromTeam, "service_id"),
		protected(protect, http.MethodPost, "/user/{user_id}/service/{service_id}/permission", a.SetTeamRights, "user_id", "service_id"),
	}
}

// teamRights is the schema of what a member may do and see.
var teamRights = schema{
	types: []string{"object"},
	properties: []property{
		{"permissions", schema{types: []string{"array"}, items: &schema{
			types:      []string{"object"},
			properties: []property{{"permission", schema{types: []string{"string"}}}},
			required:   []string{"permission"},
		}}},
		{"folder_permissions", schema{types: []string{"array"}, items: &schema{types: []string{"string"}}}},
	},
	required: []string{"permissions"},
	strict:   true,
}

// readRights reads a body that has met teamRights.
func readRights(v any) (directory.Rights, error) {
	body := v.(object)
	var names []string
	items, _ := body.get("permissions")
	for _, item := range items.([]any) {
		name, _ := item.(object).get("permission")
		names = append(names, name.(string))
	}
	return rightsOf(body, names)
}

// rightsOf joins permissions with the folders of a body.
func rightsOf(body object, names []string) (directory.Rights, error) {
	stored, err := directory.ServicePermissions(names)
	if err != nil {
		return directory.Rights{}, errNoResult
	}
	rights := directory.Rights{Permissions: stored}
	if folders, ok := body.get("folder_permissions"); ok {
		rights.Folders, err = folderIDs(folders.([]any))
	}
	return rights, err
}

// folderIDs reads ids of folders: any other text is a folder that is not there.
func folderIDs(items []any) ([]uuid.UUID, error) {
	ids := make([]uuid.UUID, len(items))
	for i, item := range items {
		if !isUUID(item) {
			return nil, errNoResult
		}
		ids[i] = uuid.MustParse(item.(string))
	}
	return ids, nil
}

// ListTeam answers GET /service/{service_id}/users.
func (a *API) ListTeam(w http.ResponseWriter, r *http.Request) error {
	s, err := a.serviceAt(r)
	if err != nil {
		return err
	}
	users, of, err := a.Registry.Store.ServiceUsers(r.Context(), s.ID)
	if err != nil {
		return err
	}
	shown := make([]user, len(users))
	for i, u := range users {
		shown[i] = userSeen(r, u, of[u.ID])
	}
	return writeJSON(w, r, http.StatusOK, data{shown})
}

// AddToTeam answers POST /service/{service_id}/users/{user_id}.
func (a *API) AddToTeam(w http.ResponseWriter, r *http.Request) error {
	s, u, err := a.serviceAndUser(r)
	if err != nil {
		return err
	}
	already := fault(http.StatusBadRequest, "User id: "+u.ID.String()+" already part of service id: "+s.ID.String())
	if _, err := a.Registry.Store.ServiceMember(r.Context(), s.ID, u.ID); !errors.Is(err, directory.ErrNotFound) {
		if err != nil {
			return err
		}
		return already
	}
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	if err := teamRights.validate(v); err != nil {
		return err
	}
	rights, err := readRights(v)
	if err != nil {
		return err
	}
	err = a.Registry.AddServiceMember(r.Context(), s.ID, u.ID, rights, a.actor(r))
	if errors.Is(err, directory.ErrConflict) {
		return already
	}
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusCreated, data{serviceOf(s)})
}

func (a *API) serviceAndUser(r *http.Request) (*directory.Service, *directory.User, error) {
	s, err := a.serviceAt(r)
	if err != nil {
		return nil, nil, err
	}
	id, err := looseID(r, "user_id")
	if err != nil {
		return nil, nil, err
	}
	u, err := a.Registry.Store.User(r.Context(), id)
	return s, u, err
}

// RemoveFromTeam answers DELETE /service/{service_id}/users/{user_id}.
func (a *API) RemoveFromTeam(w http.ResponseWriter, r *http.Request) error {
	s, u, err := a.serviceAndUser(r)
	if err != nil {
		return err
	}
	err = a.Registry.RemoveServiceMember(r.Context(), s.ID, u.ID, a.actor(r))
	switch {
	case errors.Is(err, directory.ErrNotMember):
		return fault(http.StatusNotFound, "User not found")
	case errors.Is(err, directory.ErrTeamTooSmall):
		return fault(http.StatusBadRequest, "User cannot be removed from the service")
	case err != nil:
		return err
	}
	return noContent(w, r)
}

// SetTeamRights answers POST /user/{user_id}/service/{service_id}/permission.
func (a *API) SetTeamRights(w http.ResponseWriter, r *http.Request) error {
	s, u, err := a.serviceAndUser(r)
	if err != nil {
		return err
	}
	if _, err := a.Registry.Store.ServiceMember(r.Context(), s.ID, u.ID); err != nil {
		return err
	}
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	if err := teamRights.validate(v); err != nil {
		return err
	}
	rights, err := readRights(v)
	if err != nil {
		return err
	}
	err = a.Registry.SetServiceRights(r.Context(), s.ID, u.ID, rights, a.actor(r))
	if errors.Is(err, directory.ErrTeamTooSmall) {
		return fault(http.StatusBadRequest, "Cannot change user permissions - service would have too few users with manage_settings")
	}
	if err != nil {
		return err
	}
	return noContent(w, r)
}
