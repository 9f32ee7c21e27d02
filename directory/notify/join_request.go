package notify

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/message"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

func (a *API) joinRequestRoutes(protect func(web.Handler) web.Handler) []web.Route {
	return []web.Route{
		protected(protect, http.MethodPost, "/service/{service_id}/service-join-request", a.AskToJoin, "service_id"),
		protected(protect, http.MethodGet, "/service/{service_id}/service-join-request/{request_id}", a.ShowJoinRequest, "service_id", "request_id"),
		protected(protect, http.MethodPost, "/service/{service_id}/service-join-request/{request_id}", a.DecideJoinRequest, "service_id", "request_id"),
	}
}

// hexID is the other way in which upstream's schemas ask for a UUID.
func hexID(text string) string {
	if !validID(text) {
		return "badly formed hexadecimal UUID string"
	}
	return ""
}

var (
	someID       = schema{types: []string{"string"}, format: hexID}
	someText     = schema{types: []string{"string"}}
	someTextList = schema{types: []string{"array"}, items: &someText}

	newJoinRequest = schema{
		types: []string{"object"},
		properties: []property{
			{"requester_id", someID},
			{"contacted_user_ids", schema{types: []string{"array"}, nonEmpty: true, items: &someID}},
			{"invite_link_host", someText},
			{"reason", nullableText},
		},
		required: []string{"requester_id", "contacted_user_ids", "invite_link_host"},
		strict:   true,
	}
	joinDecision = schema{
		types: []string{"object"},
		properties: []property{
			{"permissions", schema{types: []string{"array"}, items: &schema{types: []string{"string"}, enum: directory.CreatorPermissions()}}},
			{"status", schema{types: []string{"string"}, enum: []string{"pending", "approved", "rejected", "cancelled"}}},
			{"status_changed_by_id", someID},
			{"reason", nullableText},
			{"folder_permissions", someTextList},
			{"auth_type", schema{types: []string{"string"}, enum: []string{"email_auth", "sms_auth"}}},
		},
		required:      []string{"status", "status_changed_by_id"},
		strict:        true,
		minProperties: 2,
	}
)

// AskToJoin answers POST /service/{service_id}/service-join-request.
func (a *API) AskToJoin(w http.ResponseWriter, r *http.Request) error {
	service, err := pathID(r, "service_id")
	if err != nil {
		return err
	}
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	if err := newJoinRequest.validate(v); err != nil {
		return err
	}
	body := v.(object)
	j := directory.JoinRequest{
		ServiceID: service, RequesterID: body.id("requester_id").UUID, Contacts: body.ids("contacted_user_ids"), Reason: body.text("reason"),
	}
	host := a.Links.Base(body.text("invite_link_host"))
	made, err := a.Registry.AskToJoin(r.Context(), j, a.actor(r), func(ctx context.Context, asked *directory.Asked) error {
		return a.tellOfJoinRequest(ctx, asked, host)
	})
	switch {
	case errors.Is(err, directory.ErrAlreadyMember):
		return fault(http.StatusBadRequest, "user-already-in-service")
	case errors.Is(err, directory.ErrNoManagers):
		return fault(http.StatusBadRequest, "no-valid-service-managers-ids")
	case err != nil:
		return err
	}
	return writeJSON(w, r, http.StatusCreated, map[string]any{"service_join_request_id": made.ID})
}

// tellOfJoinRequest asks the managers and tells the requester who was asked.
func (a *API) tellOfJoinRequest(ctx context.Context, asked *directory.Asked, host string) error {
	j, requester, service := asked.Request, asked.Requester, asked.Service
	given := "no"
	if j.Reason != "" {
		given = "yes"
	}
	for _, manager := range asked.Managers {
		if manager.EmailAddress == "" {
			continue
		}
		m := authn.Message{
			Channel: message.Email, To: manager.EmailAddress, Template: message.ServiceJoinRequest, Language: manager.Language, ReplyTo: requester.EmailAddress,
			Personalisation: map[string]any{
				"approver_name": manager.Name, "requester_name": requester.Name, "requester_email_address": requester.EmailAddress,
				"service_name": service.Name, "reason_given": given, "reason": inset(j.Reason),
				"url": host + "/services/" + service.ID.String() + "/join-request/" + j.ID.String() + "/approve",
			},
		}
		if err := a.Messages.Send(ctx, m); err != nil {
			return err
		}
	}
	if requester.EmailAddress == "" {
		return nil
	}
	names := make([]string, len(asked.Contacts))
	for i, u := range asked.Contacts {
		names[i] = u.Name + " – " + u.EmailAddress
	}
	return a.Messages.Send(ctx, authn.Message{
		Channel: message.Email, To: requester.EmailAddress, Template: message.ServiceJoinRequestReceipt, Language: requester.Language,
		Personalisation: map[string]any{
			"requester_name": requester.Name, "service_name": service.Name, "service_admin_names": names,
			"url_ask_to_join_page": host + "/services/" + service.ID.String() + "/join/ask",
		},
	})
}

// inset marks every line of a text as somebody else's words.
func inset(text string) string {
	if text == "" {
		return ""
	}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	return "^ " + strings.Join(lines, "\n^ ")
}

// joinRequest is a request to join as the API shows it, in alphabetical order.
type joinRequest struct {
	ContactedServiceUsers []uuid.UUID          `json:"contacted_service_users"`
	CreatedAt             instant              `json:"created_at"`
	ID                    uuid.UUID            `json:"id"`
	Reason                string               `json:"reason"`
	Requester             joinRequester        `json:"requester"`
	ServiceID             uuid.UUID            `json:"service_id"`
	Status                directory.JoinStatus `json:"status"`
	StatusChangedAt       instant              `json:"status_changed_at"`
	StatusChangedBy       *joinDecider         `json:"status_changed_by"`
}

type joinRequester struct {
	BelongsToService []uuid.UUID `json:"belongs_to_service"`
	EmailAddress     *string     `json:"email_address"`
	ID               uuid.UUID   `json:"id"`
	Name             string      `json:"name"`
}

type joinDecider struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

// writeJoinRequest looks up those whom the answer names.
func (a *API) writeJoinRequest(w http.ResponseWriter, r *http.Request, j *directory.JoinRequest) error {
	store := a.Registry.Store
	requester, err := store.User(r.Context(), j.RequesterID)
	if err != nil {
		return err
	}
	belongs, err := store.MembershipsOf(r.Context(), j.RequesterID)
	if err != nil {
		return err
	}
	shown := joinRequest{
		ContactedServiceUsers: list(j.Contacts), CreatedAt: instant(j.CreatedAt), ID: j.ID, Reason: j.Reason,
		Requester: joinRequester{
			BelongsToService: list(belongs.Services), EmailAddress: orNull(requester.EmailAddress), ID: requester.ID, Name: requester.Name,
		},
		ServiceID: j.ServiceID, Status: j.Status, StatusChangedAt: instant(j.StatusChangedAt),
	}
	if j.StatusChangedBy.Valid {
		by, err := store.User(r.Context(), j.StatusChangedBy.UUID)
		if err != nil {
			return err
		}
		shown.StatusChangedBy = &joinDecider{ID: by.ID, Name: by.Name}
	}
	return writeJSON(w, r, http.StatusOK, shown)
}

// ShowJoinRequest answers GET /service/{service_id}/service-join-request/{request_id}.
func (a *API) ShowJoinRequest(w http.ResponseWriter, r *http.Request) error {
	service, err := pathID(r, "service_id")
	if err != nil {
		return err
	}
	id, err := pathID(r, "request_id")
	if err != nil {
		return err
	}
	j, err := a.Registry.Store.JoinRequest(r.Context(), id)
	if err != nil {
		return err
	}
	if j.ServiceID != service {
		return errNoResult
	}
	return a.writeJoinRequest(w, r, j)
}

// DecideJoinRequest answers POST /service/{service_id}/service-join-request/{request_id}.
func (a *API) DecideJoinRequest(w http.ResponseWriter, r *http.Request) error {
	service, err := pathID(r, "service_id")
	if err != nil {
		return err
	}
	id, err := pathID(r, "request_id")
	if err != nil {
		return err
	}
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	if err := joinDecision.validate(v); err != nil {
		return err
	}
	d, err := decisionOf(v.(object))
	if err != nil {
		return err
	}
	j, err := a.Registry.DecideJoinRequest(r.Context(), service, id, d, a.actor(r), a.tellOfApproval)
	if err != nil {
		return err
	}
	return a.writeJoinRequest(w, r, j)
}

func decisionOf(body object) (directory.JoinDecision, error) {
	d := directory.JoinDecision{
		Status: directory.JoinStatus(body.text("status")), ChangedBy: body.id("status_changed_by_id").UUID,
		AuthType: directory.AuthType(body.text("auth_type")),
	}
	if _, ok := body.get("reason"); ok {
		reason := body.text("reason")
		d.Reason = &reason
	}
	var names []string
	if v, ok := body.get("permissions"); ok {
		for _, name := range v.([]any) {
			names = append(names, name.(string))
		}
	}
	var err error
	d.Rights, err = rightsOf(body, names)
	return d, err
}

func (a *API) tellOfApproval(ctx context.Context, asked *directory.Asked, by *directory.User) error {
	if asked.Requester.EmailAddress == "" {
		return nil
	}
	return a.Messages.Send(ctx, authn.Message{
		Channel: message.Email, To: asked.Requester.EmailAddress, Template: message.ServiceJoinRequestApproved, Language: asked.Requester.Language,
		Personalisation: map[string]any{
			"requester_name": asked.Requester.Name, "approver_name": by.Name, "service_name": asked.Service.Name,
			"dashboard_url": a.Links.Base("") + "/services/" + asked.Service.ID.String(),
		},
	})
}
