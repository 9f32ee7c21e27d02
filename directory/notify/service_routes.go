package notify

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/message"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// ServiceRoutes are the routes on services, their teams and what the platform's
// administrators look at, behind protect. Segments that are free text upstream,
// such as a member's id, are looked at behind it; the others before.
func (a *API) ServiceRoutes(protect func(web.Handler) web.Handler) []web.Route {
	routes := []web.Route{
		protected(protect, http.MethodGet, "/service", a.ListServices),
		protected(protect, http.MethodPost, "/service", a.CreateService),
		protected(protect, http.MethodGet, "/service/find-services-by-name", a.FindServices),
		protected(protect, http.MethodGet, "/service/{service_id}", a.ShowService, "service_id"),
		protected(protect, http.MethodPost, "/service/{service_id}", a.UpdateService, "service_id"),
		protected(protect, http.MethodPost, "/service/{service_id}/archive", a.ArchiveService, "service_id"),
		protected(protect, http.MethodGet, "/service/{service_id}/organisation", a.ShowServiceOrganisation, "service_id"),
	}
	routes = append(routes, a.teamRoutes(protect)...)
	routes = append(routes, a.folderRoutes(protect)...)
	routes = append(routes, a.invitationRoutes(protect)...)
	routes = append(routes, a.joinRequestRoutes(protect)...)
	return append(routes, a.platformRoutes(protect)...)
}

// protected is a route behind the gate, of which these segments are UUIDs.
func protected(protect func(web.Handler) web.Handler, method, path string, h web.Handler, ids ...string) web.Route {
	h = protect(h)
	for _, segment := range ids {
		h = WithID(segment, h)
	}
	return web.Route{Method: method, Path: path, Surface: Surface{}, Handler: h}
}

// looseID returns the UUID in a segment that is free text upstream: any other
// text is an id that nothing has.
func looseID(r *http.Request, segment string) (uuid.UUID, error) {
	text := r.PathValue(segment)
	if !validID(text) {
		return uuid.Nil, errNoResult
	}
	return uuid.MustParse(text), nil
}

// serviceAt returns the service that a path names.
func (a *API) serviceAt(r *http.Request) (*directory.Service, error) {
	id, err := looseID(r, "service_id")
	if err != nil {
		return nil, err
	}
	return a.Registry.Store.Service(r.Context(), id)
}

func (a *API) actor(r *http.Request) directory.Actor {
	return directory.CallerFrom(r.Context()).Actor()
}

// maxListed bounds every list that has no natural bound.
const maxListed = 1000

// ListServices answers GET /service: the services of user_id, or all of them, in
// pages of which the next begins after the id of the last one here.
func (a *API) ListServices(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	q := directory.ServiceQuery{OnlyActive: query.Get("only_active") == "True" || query.Get("only_active") == "true"}
	if text := query.Get("user_id"); text != "" {
		if !validID(text) {
			return errNoResult
		}
		q.UserID = uuid.NullUUID{UUID: uuid.MustParse(text), Valid: true}
	}
	if text := query.Get("after"); text != "" {
		if !validID(text) {
			return errNoResult
		}
		after, err := a.Registry.Store.Service(r.Context(), uuid.MustParse(text))
		if err != nil {
			return err
		}
		q.After = after
	}
	all, err := a.Registry.Store.Services(r.Context(), q, maxListed)
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, data{servicesOf(all)})
}

// FindServices answers GET /service/find-services-by-name.
func (a *API) FindServices(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("service_name")
	if name == "" {
		return fieldFault("service_name", "Missing data for required field.")
	}
	all, err := a.Registry.Store.ServicesNamed(r.Context(), name, maxListed)
	if err != nil {
		return err
	}
	shown := make([]listedService, len(all))
	for i, s := range all {
		shown[i] = listedService{Active: s.Active, ID: s.ID.String(), Name: s.Name, Restricted: s.Restricted}
	}
	return writeJSON(w, r, http.StatusOK, data{shown})
}

// ShowService answers GET /service/{service_id}.
func (a *API) ShowService(w http.ResponseWriter, r *http.Request) error {
	s, err := a.serviceAt(r)
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, data{serviceOf(s)})
}

// CreateService answers POST /service.
func (a *API) CreateService(w http.ResponseWriter, r *http.Request) error {
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	f, err := newForm(v)
	if err != nil {
		return err
	}
	if user, _ := f.body.get("user_id"); user == nil {
		return fieldFault("user_id", "Missing data for required field.")
	}
	user, creator := maybe(f, "user_id", required, asID), maybe(f, "created_by", required, asID)
	n := directory.NewService{ServiceChanges: serviceChanges(f, "name", "email_message_limit", "sms_message_limit", "letter_message_limit", "restricted")}
	if err := f.err(); err != nil {
		return err
	}
	n.UserID, n.CreatedBy = *user, *creator
	s, err := a.Registry.CreateService(r.Context(), n, a.actor(r))
	if err != nil {
		return serviceFault(err, *n.Name)
	}
	return writeJSON(w, r, http.StatusCreated, data{serviceOf(s)})
}

// UpdateService answers POST /service/{service_id}. When it makes the service
// live, every active member is told.
func (a *API) UpdateService(w http.ResponseWriter, r *http.Request) error {
	s, err := a.serviceAt(r)
	if err != nil {
		return err
	}
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	f, err := newForm(v)
	if err != nil {
		return err
	}
	changes := serviceChanges(f)
	if err := f.err(); err != nil {
		return err
	}
	name := s.Name
	if changes.Name != nil {
		name = *changes.Name
	}
	err = a.Registry.Store.InTx(r.Context(), func(ctx context.Context) error {
		before, after, err := a.Registry.UpdateService(ctx, s.ID, changes, a.actor(r))
		if err != nil {
			return err
		}
		s = after
		if before.Restricted && !after.Restricted {
			return a.tellNowLive(ctx, after)
		}
		return nil
	})
	if err != nil {
		return serviceFault(err, name)
	}
	return writeJSON(w, r, http.StatusOK, data{serviceOf(s)})
}

func (a *API) tellNowLive(ctx context.Context, s *directory.Service) error {
	users, _, err := a.Registry.Store.ServiceUsers(ctx, s.ID)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.State != directory.Active || u.EmailAddress == "" {
			continue
		}
		m := authn.Message{
			Channel: message.Email, To: u.EmailAddress, Template: message.ServiceNowLive, Language: u.Language,
			Personalisation: map[string]any{"name": u.Name, "service_name": s.Name},
		}
		if err := a.Messages.Send(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// ArchiveService answers POST /service/{service_id}/archive.
func (a *API) ArchiveService(w http.ResponseWriter, r *http.Request) error {
	s, err := a.serviceAt(r)
	if err != nil {
		return err
	}
	if err := a.Registry.ArchiveService(r.Context(), s.ID, a.actor(r)); err != nil {
		return err
	}
	return noContent(w, r)
}

// ShowServiceOrganisation answers GET /service/{service_id}/organisation: an
// empty object for a service without one.
func (a *API) ShowServiceOrganisation(w http.ResponseWriter, r *http.Request) error {
	s, err := a.serviceAt(r)
	if err != nil {
		return err
	}
	if !s.OrganisationID.Valid {
		return writeJSON(w, r, http.StatusOK, struct{}{})
	}
	o, err := a.Registry.Store.Organisation(r.Context(), s.OrganisationID.UUID)
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, organisationOf(o))
}

func serviceFault(err error, name string) error {
	if conflict, ok := errors.AsType[*directory.ConflictError](err); ok && conflict.Field == "name" {
		return fieldFault("name", "Duplicate service name '"+name+"'")
	}
	if field, ok := errors.AsType[*directory.FieldError](err); ok {
		return fieldFault(field.Field, field.Reason)
	}
	return err
}
