package notify

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/authn"
	"gatehouse/authn/message"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// organisationInvitation is an invitation of the API, in alphabetical order.
type organisationInvitation struct {
	CreatedAt    instant                    `json:"created_at"`
	EmailAddress string                     `json:"email_address"`
	ID           uuid.UUID                  `json:"id"`
	InvitedBy    uuid.UUID                  `json:"invited_by"`
	Organisation uuid.UUID                  `json:"organisation"`
	Permissions  []string                   `json:"permissions"`
	Status       directory.InvitationStatus `json:"status"`
}

func organisationInvitationOf(i *directory.OrganisationInvitation) organisationInvitation {
	return organisationInvitation{
		CreatedAt: instant(i.CreatedAt), EmailAddress: i.EmailAddress, ID: i.ID, InvitedBy: i.InvitedByID,
		Organisation: i.OrganisationID, Permissions: list(i.Permissions), Status: i.Status,
	}
}

// InvitationRoutes are the routes of invitations to organisations. An id of an
// invitation is free text upstream.
func (a *API) InvitationRoutes(protect func(web.Handler) web.Handler) []web.Route {
	all := []web.Route{
		protected(protect, http.MethodGet, "/invite/organisation/{ref}", a.openOrganisationInvitation),
		protected(protect, http.MethodGet, "/invite/organisation/check/{ref}", a.checkOrganisationInvitation),
	}
	for _, base := range []string{"/organisation", "/organisations"} {
		invite := base + "/{organisation_id}/invite"
		all = append(all,
			protected(protect, http.MethodGet, invite, a.listOrganisationInvitations, "organisation_id"),
			protected(protect, http.MethodPost, invite, a.inviteToOrganisation, "organisation_id"),
			protected(protect, http.MethodGet, invite+"/{invitation_id}", a.showOrganisationInvitation, "organisation_id"),
			protected(protect, http.MethodPost, invite+"/{invitation_id}", a.changeOrganisationInvitation, "organisation_id"),
		)
	}
	return all
}

var newOrganisationInvitation = schema{
	types: []string{"object"},
	properties: []property{
		{"email_address", schema{types: []string{"string"}, format: validEmail}},
		{"invited_by", schema{types: []string{"string"}, uuid: true}},
		{"permissions", schema{types: []string{"array"}, items: &schema{enum: directory.OrganisationUserPermissionNames()}}},
		{"invite_link_host", nullableText},
	},
	required: []string{"email_address", "invited_by"},
}

// organisationInvitationBody is what POST /organisation/{organisation_id}/invite reads.
type organisationInvitationBody struct {
	EmailAddress   string    `json:"email_address"`
	InvitedBy      uuid.UUID `json:"invited_by"`
	Permissions    []string  `json:"permissions"`
	InviteLinkHost *string   `json:"invite_link_host"`
}

// inviteToOrganisation answers POST /organisation/{organisation_id}/invite.
func (a *API) inviteToOrganisation(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "organisation_id")
	if err != nil {
		return err
	}
	_, body, err := readBody[organisationInvitationBody](r, &newOrganisationInvitation)
	if err != nil {
		return err
	}
	permissions, err := directory.OrganisationUserPermissions(body.Permissions)
	if err != nil {
		return err
	}
	n := directory.OrganisationInvitation{OrganisationID: id, EmailAddress: body.EmailAddress, InvitedByID: body.InvitedBy, Permissions: permissions}
	i, err := a.Registry.InviteToOrganisation(r.Context(), n, a.actor(r), func(ctx context.Context, i *directory.OrganisationInvitation, o *directory.Organisation, inviter *directory.User) error {
		return a.sendOrganisationInvitation(ctx, i, o, inviter, linkHost(r, orEmpty(body.InviteLinkHost)))
	})
	if err != nil {
		return archivedFault(err, "Cannot invite a user to an archived organisation")
	}
	return writeJSON(w, r, http.StatusCreated, data{organisationInvitationOf(i)})
}

func (a *API) sendOrganisationInvitation(ctx context.Context, i *directory.OrganisationInvitation, o *directory.Organisation, inviter *directory.User, host string) error {
	link, err := a.Links.To(host, "organisation-invitation", i.ID.String())
	if err != nil {
		return err
	}
	name := inviter.Name
	if inviter.PlatformAdmin {
		name = "The GOV.UK Notify team"
	}
	return a.mail(ctx, authn.Message{
		To: i.EmailAddress, Template: message.OrganisationInvitation, ReplyTo: inviter.EmailAddress,
		Personalisation: map[string]any{"user_name": name, "organisation_name": o.Name, "url": link},
		ExpiresAt:       i.CreatedAt.Add(directory.InvitationTTL),
	})
}

// listOrganisationInvitations answers GET /organisation/{organisation_id}/invite.
func (a *API) listOrganisationInvitations(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "organisation_id")
	if err != nil {
		return err
	}
	all, err := a.Registry.Store.OrganisationInvitations(r.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, data{each(all, organisationInvitationOf)})
}

// organisationInvitationAt returns the invitation of a path, which must be one of its organisation.
func (a *API) organisationInvitationAt(r *http.Request) (*directory.OrganisationInvitation, error) {
	organisation, err := pathID(r, "organisation_id")
	if err != nil {
		return nil, err
	}
	id, err := looseID(r, "invitation_id")
	if err != nil {
		return nil, err
	}
	i, err := a.Registry.Store.OrganisationInvitation(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if i.OrganisationID != organisation {
		return nil, errNoResult
	}
	return i, nil
}

// showOrganisationInvitation answers GET /organisation/{organisation_id}/invite/{invitation_id}.
func (a *API) showOrganisationInvitation(w http.ResponseWriter, r *http.Request) error {
	i, err := a.organisationInvitationAt(r)
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, data{organisationInvitationOf(i)})
}

var invitationStatus = schema{
	types:      []string{"object"},
	properties: []property{{"status", schema{enum: []string{"pending", "accepted", "cancelled"}}}},
	required:   []string{"status"},
}

type invitationStatusBody struct {
	Status directory.InvitationStatus `json:"status"`
}

// changeOrganisationInvitation answers POST /organisation/{organisation_id}/invite/{invitation_id}.
func (a *API) changeOrganisationInvitation(w http.ResponseWriter, r *http.Request) error {
	i, err := a.organisationInvitationAt(r)
	if err != nil {
		return err
	}
	_, body, err := readBody[invitationStatusBody](r, &invitationStatus)
	if err != nil {
		return err
	}
	i, err = a.Registry.ChangeOrganisationInvitation(r.Context(), i.OrganisationID, i.ID, body.Status, a.actor(r))
	if err != nil {
		return archivedFault(err, "Cannot invite a user to an archived organisation")
	}
	return writeJSON(w, r, http.StatusOK, data{organisationInvitationOf(i)})
}

// openOrganisationInvitation answers GET /invite/organisation/{ref}: with the id
// of an invitation, or with the token of its link.
func (a *API) openOrganisationInvitation(w http.ResponseWriter, r *http.Request) error {
	ref := r.PathValue("ref")
	if !validID(ref) {
		return a.checkOrganisationInvitation(w, r)
	}
	return a.writeOrganisationInvitation(w, r, uuid.MustParse(ref))
}

// checkOrganisationInvitation answers GET /invite/organisation/check/{token}.
func (a *API) checkOrganisationInvitation(w http.ResponseWriter, r *http.Request) error {
	id, err := a.invitationIn(r.PathValue("ref"))
	if err != nil {
		return err
	}
	return a.writeOrganisationInvitation(w, r, id)
}

func (a *API) writeOrganisationInvitation(w http.ResponseWriter, r *http.Request, id uuid.UUID) error {
	i, err := a.Registry.Store.OrganisationInvitation(r.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, data{organisationInvitationOf(i)})
}
