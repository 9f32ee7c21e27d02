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

func (a *API) invitationRoutes(protect func(web.Handler) web.Handler) []web.Route {
	return []web.Route{
		protected(protect, http.MethodPost, "/service/{service_id}/invite", a.InviteToService),
		protected(protect, http.MethodGet, "/service/{service_id}/invite", a.ListServiceInvitations),
		protected(protect, http.MethodGet, "/service/{service_id}/invite/{invitation_id}", a.ShowServiceInvitation),
		protected(protect, http.MethodPost, "/service/{service_id}/invite/{invitation_id}", a.ChangeServiceInvitation),
		protected(protect, http.MethodGet, "/invite/service/{ref}", a.OpenServiceInvitation),
		protected(protect, http.MethodGet, "/invite/service/check/{token}", a.CheckServiceInvitation),
	}
}

// serviceInvitation is an invitation as the API shows it, in alphabetical order.
type serviceInvitation struct {
	AuthType          directory.AuthType         `json:"auth_type"`
	CreatedAt         instant                    `json:"created_at"`
	EmailAddress      string                     `json:"email_address"`
	FolderPermissions []string                   `json:"folder_permissions"`
	FromUser          uuid.UUID                  `json:"from_user"`
	ID                uuid.UUID                  `json:"id"`
	Permissions       string                     `json:"permissions"`
	Service           uuid.UUID                  `json:"service"`
	Status            directory.InvitationStatus `json:"status"`
}

func serviceInvitationOf(i *directory.ServiceInvitation) serviceInvitation {
	return serviceInvitation{
		AuthType: i.AuthType, CreatedAt: instant(i.CreatedAt), EmailAddress: i.EmailAddress, FolderPermissions: list(i.Folders),
		FromUser: i.FromUserID, ID: i.ID, Permissions: strings.Join(i.Permissions, ","), Service: i.ServiceID, Status: i.Status,
	}
}

// Readers of an invitation's fields.

func asStatus(v any) (directory.InvitationStatus, string) {
	text, fault := asText(oneOf("pending", "accepted", "cancelled"))(v)
	return directory.InvitationStatus(text), fault
}

func asAuthType(v any) (directory.AuthType, string) {
	text, fault := asText(oneOf("sms_auth", "email_auth", "webauthn_auth"))(v)
	return directory.AuthType(text), fault
}

func asTexts(v any) ([]string, string) {
	items, ok := v.([]any)
	if !ok {
		return nil, "Not a valid list."
	}
	texts := make([]string, len(items))
	for i, item := range items {
		if texts[i], ok = item.(string); !ok || tooLong(texts[i]) != "" {
			return nil, "Not a valid string."
		}
	}
	return texts, ""
}

// joinedPermissions reads permissions joined with commas; unknown ones are no result.
func joinedPermissions(text string) ([]string, error) {
	names := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	stored, err := directory.ServicePermissions(names)
	if err != nil {
		return nil, errNoResult
	}
	return stored, nil
}

// InviteToService answers POST /service/{service_id}/invite.
func (a *API) InviteToService(w http.ResponseWriter, r *http.Request) error {
	s, err := a.serviceAt(r)
	if err != nil {
		return err
	}
	_, v, err := readValue(r)
	if err != nil {
		return err
	}
	i, host, err := newServiceInvitation(v, s.ID)
	if err != nil {
		return err
	}
	made, err := a.Registry.InviteToService(r.Context(), i, a.actor(r), func(ctx context.Context, i *directory.ServiceInvitation, s *directory.Service, from *directory.User) error {
		url, err := a.Links.To(linkHost(r, host), "invitation", i.ID.String())
		if err != nil {
			return err
		}
		return a.Messages.Send(ctx, authn.Message{
			Channel: message.Email, To: i.EmailAddress, Template: message.ServiceInvitation, ReplyTo: from.EmailAddress,
			Personalisation: map[string]any{"user_name": from.Name, "service_name": s.Name, "url": url},
			ExpiresAt:       i.CreatedAt.Add(directory.InvitationTTL),
		})
	})
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusCreated, data{serviceInvitationOf(made)})
}

func newServiceInvitation(v any, service uuid.UUID) (i directory.ServiceInvitation, host string, err error) {
	f, err := newForm(v)
	if err != nil {
		return i, "", err
	}
	of, from := maybe(f, "service", required, asID), maybe(f, "from_user", required, asID)
	if of != nil && *of != service {
		f.refuse("service", "Not the service of the path.")
	}
	i = directory.ServiceInvitation{
		ServiceID: service, EmailAddress: f.text("email_address", required, validEmail),
		Status: directory.InvitationPending, AuthType: directory.SMSAuth,
	}
	names := f.text("permissions", required, anyText)
	if status := maybe(f, "status", optional, asStatus); status != nil {
		i.Status = *status
	}
	if authType := maybe(f, "auth_type", optional, asAuthType); authType != nil {
		i.AuthType = *authType
	}
	if folders := maybe(f, "folder_permissions", optional, asTexts); folders != nil {
		i.Folders = *folders
	}
	host = f.text("invite_link_host", nullable, anyText)
	if err := f.err(); err != nil {
		return i, "", err
	}
	i.FromUserID = *from
	i.Permissions, err = joinedPermissions(names)
	return i, host, err
}

// ListServiceInvitations answers GET /service/{service_id}/invite.
func (a *API) ListServiceInvitations(w http.ResponseWriter, r *http.Request) error {
	id, err := looseID(r, "service_id")
	if err != nil {
		return err
	}
	all, err := a.Registry.Store.ServiceInvitations(r.Context(), id)
	if err != nil {
		return err
	}
	shown := make([]serviceInvitation, len(all))
	for n, i := range all {
		shown[n] = serviceInvitationOf(i)
	}
	return writeJSON(w, r, http.StatusOK, data{shown})
}

// serviceInvitationAt returns the invitation that a path names.
func (a *API) serviceInvitationAt(r *http.Request) (*directory.ServiceInvitation, error) {
	service, err := looseID(r, "service_id")
	if err != nil {
		return nil, err
	}
	id, err := looseID(r, "invitation_id")
	if err != nil {
		return nil, err
	}
	i, err := a.Registry.Store.ServiceInvitation(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if i.ServiceID != service {
		return nil, errNoResult
	}
	return i, nil
}

// ShowServiceInvitation answers GET /service/{service_id}/invite/{invitation_id}.
func (a *API) ShowServiceInvitation(w http.ResponseWriter, r *http.Request) error {
	i, err := a.serviceInvitationAt(r)
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, data{serviceInvitationOf(i)})
}

// ChangeServiceInvitation answers POST /service/{service_id}/invite/{invitation_id}.
// Whom it is for and who it is from never change: its link has been sent.
func (a *API) ChangeServiceInvitation(w http.ResponseWriter, r *http.Request) error {
	i, err := a.serviceInvitationAt(r)
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
	changes := directory.InvitationChanges{
		Status: maybe(f, "status", optional, asStatus), AuthType: maybe(f, "auth_type", optional, asAuthType),
		Folders: maybe(f, "folder_permissions", optional, asTexts),
	}
	names := maybe(f, "permissions", optional, asText(anyText))
	if err := f.err(); err != nil {
		return err
	}
	if names != nil {
		stored, err := joinedPermissions(*names)
		if err != nil {
			return err
		}
		changes.Permissions = &stored
	}
	changed, err := a.Registry.ChangeServiceInvitation(r.Context(), i.ServiceID, i.ID, changes, a.actor(r))
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, data{serviceInvitationOf(changed)})
}

// OpenServiceInvitation answers GET /invite/service/{ref}, where ref is the id of
// an invitation or the token of its link.
func (a *API) OpenServiceInvitation(w http.ResponseWriter, r *http.Request) error {
	ref := r.PathValue("ref")
	if !validID(ref) {
		return a.checkServiceInvitation(w, r, ref)
	}
	return a.writeServiceInvitation(w, r, uuid.MustParse(ref))
}

// CheckServiceInvitation answers GET /invite/service/check/{token}.
func (a *API) CheckServiceInvitation(w http.ResponseWriter, r *http.Request) error {
	return a.checkServiceInvitation(w, r, r.PathValue("token"))
}

func (a *API) checkServiceInvitation(w http.ResponseWriter, r *http.Request, token string) error {
	id, err := a.invitationIn(token)
	if err != nil {
		return err
	}
	return a.writeServiceInvitation(w, r, id)
}

func (a *API) writeServiceInvitation(w http.ResponseWriter, r *http.Request, id uuid.UUID) error {
	i, err := a.Registry.Store.ServiceInvitation(r.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, data{serviceInvitationOf(i)})
}

// Refusals of an invitation's link, in upstream's words.
var (
	errInvitationExpired = fault(http.StatusBadRequest, map[string]string{
		"invitation": "Your invitation to GOV.UK Notify has expired. Please ask the person that invited you to send you another one",
	})
	errInvitationLink = fault(http.StatusBadRequest, map[string]string{
		"invitation": "Something’s wrong with this link. Make sure you’ve copied the whole thing.",
	})
)

// invitationIn returns the id of the invitation that a link's token carries.
func (a *API) invitationIn(token string) (uuid.UUID, error) {
	payload, err := a.Links.Open(token, directory.InvitationTTL)
	switch {
	case errors.Is(err, ErrLinkExpired):
		return uuid.Nil, errInvitationExpired
	case err != nil || !validID(string(payload)):
		return uuid.Nil, errInvitationLink
	}
	return uuid.MustParse(string(payload)), nil
}
