package notify

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

func (a *API) platformRoutes(protect func(web.Handler) web.Handler) []web.Route {
	return []web.Route{
		protected(protect, http.MethodGet, "/events", a.ListEvents),
		protected(protect, http.MethodPost, "/events", a.CreateEvent),
		protected(protect, http.MethodPost, "/platform-admin/users-list", a.ListUsers),
		protected(protect, http.MethodPost, "/platform-admin/find-by-uuid", a.FindByUUID),
		{Method: http.MethodGet, Path: "/_status/live-service-and-organisation-counts", Surface: Surface{}, Handler: a.CountLive},
	}
}

func isDate(text string) string {
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return show(text) + " is not a date"
	}
	return ""
}

var (
	aDate    = schema{types: []string{"string", "null"}, format: isDate}
	someUser = schema{
		types: []string{"object"},
		properties: []property{
			{"logged_in_start", aDate},
			{"logged_in_end", aDate},
			{"created_start", aDate},
			{"created_end", aDate},
			{"take_part_in_research", schema{types: []string{"boolean", "null"}}},
		},
		strict:        true,
		minProperties: 1,
	}
)

// listedService and user as the report shows them: a user whose services are the
// live ones, with their names.
type reportedUser struct {
	user
	CreatedAt instant        `json:"created_at"`
	Services  []namedService `json:"services"`
}

type namedService struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

// ListUsers answers POST /platform-admin/users-list: active users, at most
// maxListed; the next page begins after the id of the last one here.
func (a *API) ListUsers(w http.ResponseWriter, r *http.Request) error {
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	if err := someUser.validate(v); err != nil {
		return err
	}
	q := userQuery(v.(object))
	if text := r.URL.Query().Get("after"); text != "" {
		if !validID(text) {
			return errNoResult
		}
		q.After = uuid.NullUUID{UUID: uuid.MustParse(text), Valid: true}
	}
	users, of, err := a.Registry.Store.UsersBetween(r.Context(), q, maxListed)
	if err != nil {
		return err
	}
	live, err := a.Registry.Store.LiveServicesBetween(r.Context(), q, maxListed)
	if err != nil {
		return err
	}
	shown := make([]reportedUser, len(users))
	for i, u := range users {
		shown[i] = reportedUser{user: userOf(u, of[u.ID]), CreatedAt: instant(u.CreatedAt), Services: []namedService{}}
		for _, s := range live[u.ID] {
			shown[i].Services = append(shown[i].Services, namedService{ID: s.ID, Name: s.Name})
		}
	}
	return writeJSON(w, r, http.StatusOK, data{shown})
}

func userQuery(body object) directory.UserQuery {
	day := func(name string, end bool) time.Time {
		t, err := time.Parse(time.DateOnly, body.text(name))
		if err != nil {
			return time.Time{} // null
		}
		if end {
			t = t.AddDate(0, 0, 1)
		}
		return t
	}
	q := directory.UserQuery{
		CreatedFrom: day("created_start", false), CreatedTo: day("created_end", true),
		LoggedInFrom: day("logged_in_start", false), LoggedInTo: day("logged_in_end", true),
	}
	if v, _ := body.get("take_part_in_research"); v != nil {
		takes := v.(bool)
		q.TakePartInResearch = &takes
	}
	return q
}

// FindByUUID answers POST /platform-admin/find-by-uuid.
func (a *API) FindByUUID(w http.ResponseWriter, r *http.Request) error {
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	body, _ := v.(object)
	text, ok := body.get("uuid")
	if !ok {
		return errNotUnderstood
	}
	if !isUUID(text) {
		return errNoResult
	}
	id := uuid.MustParse(text.(string))
	kind, service, err := a.Registry.Store.KindOf(r.Context(), id)
	if err != nil {
		return err
	}
	context := map[string]any{}
	if service.Valid {
		context["service_id"] = service.UUID
	}
	return writeJSON(w, r, http.StatusOK, map[string]any{"context": context, "id": id, "type": kind})
}

// CountLive answers GET /_status/live-service-and-organisation-counts, to anybody.
func (a *API) CountLive(w http.ResponseWriter, r *http.Request) error {
	organisations, services, err := a.Registry.Store.CountLive(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, map[string]int{"organisations": organisations, "services": services})
}
