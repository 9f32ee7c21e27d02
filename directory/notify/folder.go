package notify

import (
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

func (a *API) folderRoutes(protect func(web.Handler) web.Handler) []web.Route {
	return []web.Route{
		protected(protect, http.MethodGet, "/service/{service_id}/template-folder", a.ListFolders, "service_id"),
		protected(protect, http.MethodPost, "/service/{service_id}/template-folder", a.CreateFolder, "service_id"),
		protected(protect, http.MethodPost, "/service/{service_id}/template-folder/contents", a.MoveToFolder, "service_id"),
		protected(protect, http.MethodPost, "/service/{service_id}/template-folder/{folder_id}", a.UpdateFolder, "service_id", "folder_id"),
		protected(protect, http.MethodDelete, "/service/{service_id}/template-folder/{folder_id}", a.DeleteFolder, "service_id", "folder_id"),
		protected(protect, http.MethodPost, "/service/{service_id}/template-folder/{folder_id}/contents", a.MoveToFolder, "service_id", "folder_id"),
	}
}

// folder is a template folder as the API shows it, in alphabetical order.
type folder struct {
	ID                  uuid.UUID     `json:"id"`
	Name                string        `json:"name"`
	ParentID            uuid.NullUUID `json:"parent_id"`
	ServiceID           uuid.UUID     `json:"service_id"`
	UsersWithPermission []uuid.UUID   `json:"users_with_permission"`
}

func folderOf(f *directory.Folder) folder {
	return folder{ID: f.ID, Name: f.Name, ParentID: f.ParentID, ServiceID: f.ServiceID, UsersWithPermission: list(f.Users)}
}

// ListFolders answers GET /service/{service_id}/template-folder.
func (a *API) ListFolders(w http.ResponseWriter, r *http.Request) error {
	s, err := a.serviceAt(r)
	if err != nil {
		return err
	}
	all, err := a.Registry.Store.Folders(r.Context(), s.ID)
	if err != nil {
		return err
	}
	shown := make([]folder, len(all))
	for i, f := range all {
		shown[i] = folderOf(f)
	}
	return writeJSON(w, r, http.StatusOK, map[string]any{"template_folders": shown})
}

var (
	folderName = schema{types: []string{"string"}, nonEmpty: true, maxLength: 255}
	anID       = schema{types: []string{"string"}, uuid: true}

	newFolder = schema{
		types:      []string{"object"},
		properties: []property{{"name", folderName}, {"parent_id", nullableID}},
		required:   []string{"name", "parent_id"},
	}
	changedFolder = schema{
		types:      []string{"object"},
		properties: []property{{"name", folderName}, {"users_with_permission", schema{types: []string{"array"}, items: &anID}}},
		required:   []string{"name"},
	}
	movedFolders = schema{
		types: []string{"object"},
		properties: []property{
			{"templates", schema{types: []string{"array"}, items: &anID}},
			{"folders", schema{types: []string{"array"}, items: &anID}},
		},
		required: []string{"templates", "folders"},
	}
)

// serviceAndBody returns the service of a path and a body that meets a schema.
func (a *API) serviceAndBody(r *http.Request, needed *schema) (*directory.Service, object, error) {
	s, err := a.serviceAt(r)
	if err != nil {
		return nil, nil, err
	}
	_, v, err := readValue(r)
	if err != nil {
		return nil, nil, err
	}
	if err := needed.validate(v); err != nil {
		return nil, nil, err
	}
	return s, v.(object), nil
}

// name, id and ids read members of a body that has met its schema.

func (o object) text(name string) string {
	v, _ := o.get(name)
	text, _ := v.(string)
	return text
}

func (o object) id(name string) uuid.NullUUID {
	text := o.text(name)
	return uuid.NullUUID{UUID: uuid.MustParse(orZero(text)), Valid: text != ""}
}

func orZero(id string) string {
	if id == "" {
		return uuid.Nil.String()
	}
	return id
}

func (o object) ids(name string) []uuid.UUID {
	v, ok := o.get(name)
	if !ok {
		return nil
	}
	items, _ := v.([]any)
	ids := make([]uuid.UUID, len(items))
	for i, item := range items {
		ids[i] = uuid.MustParse(item.(string))
	}
	return ids
}

// CreateFolder answers POST /service/{service_id}/template-folder.
func (a *API) CreateFolder(w http.ResponseWriter, r *http.Request) error {
	s, body, err := a.serviceAndBody(r, &newFolder)
	if err != nil {
		return err
	}
	f, err := a.Registry.CreateFolder(r.Context(), s.ID, strings.TrimSpace(body.text("name")), body.id("parent_id"), a.actor(r))
	if err != nil {
		return folderFault(err, s)
	}
	return writeJSON(w, r, http.StatusCreated, data{folderOf(f)})
}

// UpdateFolder answers POST /service/{service_id}/template-folder/{folder_id}.
func (a *API) UpdateFolder(w http.ResponseWriter, r *http.Request) error {
	s, body, err := a.serviceAndBody(r, &changedFolder)
	if err != nil {
		return err
	}
	id, err := pathID(r, "folder_id")
	if err != nil {
		return err
	}
	f, err := a.Registry.UpdateFolder(r.Context(), s.ID, id, strings.TrimSpace(body.text("name")), body.ids("users_with_permission"), a.actor(r))
	if err != nil {
		return folderFault(err, s)
	}
	return writeJSON(w, r, http.StatusOK, data{folderOf(f)})
}

// DeleteFolder answers DELETE /service/{service_id}/template-folder/{folder_id}.
func (a *API) DeleteFolder(w http.ResponseWriter, r *http.Request) error {
	s, err := a.serviceAt(r)
	if err != nil {
		return err
	}
	id, err := pathID(r, "folder_id")
	if err != nil {
		return err
	}
	if err := a.Registry.DeleteFolder(r.Context(), s.ID, id, a.actor(r)); err != nil {
		return folderFault(err, s)
	}
	return noContent(w, r)
}

// MoveToFolder answers POST /service/{service_id}/template-folder/contents and
// /service/{service_id}/template-folder/{folder_id}/contents. Templates are not
// kept here: there is none that could be moved.
func (a *API) MoveToFolder(w http.ResponseWriter, r *http.Request) error {
	s, body, err := a.serviceAndBody(r, &movedFolders)
	if err != nil {
		return err
	}
	var target uuid.NullUUID
	if text := r.PathValue("folder_id"); text != "" {
		target = uuid.NullUUID{UUID: uuid.MustParse(text), Valid: true}
	}
	if templates := body.ids("templates"); len(templates) > 0 {
		return fault(http.StatusBadRequest, "Could not move to folder: No template found with id "+templates[0].String()+" for service "+s.ID.String())
	}
	if err := a.Registry.MoveFolders(r.Context(), s.ID, target, body.ids("folders"), a.actor(r)); err != nil {
		return folderFault(err, s)
	}
	return noContent(w, r)
}

func folderFault(err error, s *directory.Service) error {
	missing, ok := errors.AsType[*directory.MissingFolderError](err)
	switch {
	case ok:
		return fault(http.StatusBadRequest, "No folder found with id "+missing.ID.String()+" for service "+s.ID.String())
	case errors.Is(err, directory.ErrFolderParent):
		return fault(http.StatusBadRequest, "parent_id not found")
	case errors.Is(err, directory.ErrFolderNotEmpty):
		return fault(http.StatusBadRequest, "Folder is not empty")
	case errors.Is(err, directory.ErrFolderIntoSelf):
		return fault(http.StatusBadRequest, "You cannot move a folder to itself")
	case errors.Is(err, directory.ErrFolderIntoSub):
		return fault(http.StatusBadRequest, "You cannot move a folder to one of its subfolders")
	}
	return err
}
