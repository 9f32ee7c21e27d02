package notify

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// event is an event as its teller gets it back, in alphabetical order.
type event struct {
	CreatedAt instant         `json:"created_at"`
	Data      json.RawMessage `json:"data"`
	EventType string          `json:"event_type"`
	ID        uuid.UUID       `json:"id"`
}

// loggedEvent is an event as platform administrators see it.
type loggedEvent struct {
	ActorID   *string         `json:"actor_id"`
	ActorKind string          `json:"actor_kind"`
	CreatedAt instant         `json:"created_at"`
	Data      json.RawMessage `json:"data"`
	EventType string          `json:"event_type"`
	ID        uuid.UUID       `json:"id"`
	Subject   *string         `json:"subject"`
}

// CreateEvent answers POST /events.
func (a *API) CreateEvent(w http.ResponseWriter, r *http.Request) error {
	raw, v, err := readValue(r)
	if err != nil {
		return err
	}
	f, err := newForm(v)
	if err != nil {
		return err
	}
	kind := f.text("event_type", required, tooLong)
	told, _ := f.value("data", required)
	if err := f.err(); err != nil {
		return err
	}
	var body struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return errNotUnderstood
	}
	e, err := a.Registry.LogEvent(r.Context(), kind, subjectOf(told), body.Data, a.actor(r))
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusCreated, data{event{CreatedAt: instant(e.At), Data: e.Data, EventType: e.Type, ID: e.ID}})
}

// subjectOf is what an event of Notify's application is about: the user it names,
// or else the service or organisation.
func subjectOf(told any) string {
	fields, _ := told.(object)
	for _, name := range []string{"user_id", "service_id", "organisation_id"} {
		if v, ok := fields.get(name); ok && isUUID(v) {
			return uuid.MustParse(v.(string)).String()
		}
	}
	return ""
}

// ListEvents answers GET /events: the latest first, in pages of which the next
// begins after the id of the last one here.
func (a *API) ListEvents(w http.ResponseWriter, r *http.Request) error {
	q, limit, err := eventQuery(r.URL.Query())
	if err != nil {
		return err
	}
	all, err := a.Registry.Store.Events(r.Context(), q, limit)
	if err != nil {
		return err
	}
	shown := make([]loggedEvent, len(all))
	for i, e := range all {
		shown[i] = loggedEvent{
			ActorID: orNull(e.Actor.ID), ActorKind: e.Actor.Kind, CreatedAt: instant(e.At), Data: e.Data, EventType: e.Type, ID: e.ID,
			Subject: orNull(e.Subject),
		}
	}
	var next *uuid.UUID
	if len(all) == limit {
		next = &all[len(all)-1].ID
	}
	return writeJSON(w, r, http.StatusOK, map[string]any{"data": shown, "next": next})
}

func eventQuery(query url.Values) (q directory.EventQuery, limit int, err error) {
	faults := map[string][]string{}
	moment := func(name string) time.Time {
		text := query.Get(name)
		if text == "" {
			return time.Time{}
		}
		t, fault := asTime(text)
		if fault != "" {
			faults[name] = []string{fault}
		}
		return t
	}
	q = directory.EventQuery{Type: query.Get("type"), Subject: query.Get("subject"), ActorID: query.Get("actor"), From: moment("from"), To: moment("to")}
	if text := query.Get("after"); text != "" {
		id, fault := asID(text)
		if fault != "" {
			faults["after"] = []string{fault}
		}
		q.After = uuid.NullUUID{UUID: id, Valid: true}
	}
	limit = 100
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxListed {
			faults["limit"] = []string{"Must be between 1 and " + strconv.Itoa(maxListed) + "."}
		}
	}
	if len(faults) > 0 {
		return q, 0, fieldFaults(faults)
	}
	return q, limit, nil
}
