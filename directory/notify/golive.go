package notify

import (
	"context"
	"net/http"
	"slices"

	"gatehouse/authn"
	"gatehouse/authn/message"
	"gatehouse/directory"
	"gatehouse/internal/web"
)

// supportAddress is whom answers to a receipt of a go-live request go to.
const supportAddress = "gov-uk-notify-support@digital.cabinet-office.gov.uk"

// GoLiveRoutes are the notices about a service's request to go live. One pattern
// stands for the three: net/http does not take
// /organisation/notify-…/{service_id} beside /organisation/{organisation_id}/archive.
func (a *API) GoLiveRoutes(protect func(web.Handler) web.Handler) []web.Route {
	notices := map[string]web.Handler{
		"notify-users-of-request-to-go-live":                    WithID("service_id", protect(a.notifyApprovers)),
		"notify-org-member-about-next-steps-of-go-live-request": WithID("service_id", protect(a.notifyOfNextSteps)),
		"notify-service-member-of-rejected-go-live-request":     WithID("service_id", protect(a.notifyOfRejection)),
	}
	handler := func(w http.ResponseWriter, r *http.Request) error { return notices[r.PathValue("notice")](w, r) }
	exists := func(r *http.Request) bool { return notices[r.PathValue("notice")] != nil }
	return []web.Route{
		{Method: http.MethodPost, Path: "/organisation/{notice}/{service_id}", Surface: Surface{}, Handler: handler, Exists: exists},
		{Method: http.MethodPost, Path: "/organisations/{notice}/{service_id}", Surface: Surface{}, Handler: handler, Exists: exists},
	}
}

// goLiveService is the service of a path with its go-live user; nil when nobody
// asked for it to go live.
func (a *API) goLiveService(r *http.Request) (*directory.Service, *directory.User, error) {
	id, err := pathID(r, "service_id")
	if err != nil {
		return nil, nil, err
	}
	s, err := a.Registry.Store.Service(r.Context(), id)
	if err != nil || !s.GoLiveUserID.Valid {
		return s, nil, err
	}
	u, err := a.Registry.Store.User(r.Context(), s.GoLiveUserID.UUID)
	return s, u, err
}

// notifyApprovers answers POST /organisation/notify-users-of-request-to-go-live/{service_id}.
func (a *API) notifyApprovers(w http.ResponseWriter, r *http.Request) error {
	s, requester, err := a.goLiveService(r)
	if err != nil {
		return err
	}
	if requester == nil || !s.OrganisationID.Valid {
		return errNotUnderstood
	}
	o, err := a.Registry.Store.Organisation(r.Context(), s.OrganisationID.UUID)
	if err != nil {
		return err
	}
	members, err := a.Registry.Store.OrganisationMembers(r.Context(), o.ID)
	if err != nil {
		return err
	}
	err = a.Registry.Store.InTx(r.Context(), func(ctx context.Context) error {
		return a.sendGoLiveRequest(ctx, s, o, requester, members)
	})
	if err != nil {
		return err
	}
	return noContent(w, r)
}

func (a *API) sendGoLiveRequest(ctx context.Context, s *directory.Service, o *directory.Organisation, requester *directory.User, members []directory.OrganisationMember) error {
	admin := a.Links.Base("")
	var names []string
	for i := range members {
		m := &members[i]
		if !slices.Contains(m.Permissions, directory.CanMakeServicesLive) {
			continue
		}
		names = append(names, m.User.Name)
		err := a.mail(ctx, authn.Message{
			To: m.User.EmailAddress, Template: message.GoLiveRequest, Language: m.User.Language, ReplyTo: requester.EmailAddress,
			Personalisation: map[string]any{
				"service_name": s.Name, "requester_name": requester.Name, "requester_email_address": requester.EmailAddress,
				"make_service_live_link": admin + "/services/" + s.ID.String() + "/make-service-live",
				"support_page_link":      admin + "/support", "organisation_name": o.Name, "name": m.User.Name,
			},
		})
		if err != nil {
			return err
		}
	}
	if names == nil {
		return nil
	}
	return a.mail(ctx, authn.Message{
		To: requester.EmailAddress, Template: message.GoLiveReceipt, Language: requester.Language, ReplyTo: supportAddress,
		Personalisation: map[string]any{
			"service_name": s.Name, "name": requester.Name, "organisation_name": o.Name, "organisation_team_member_names": names,
		},
	})
}

var nextSteps = schema{
	types: []string{"object"},
	properties: []property{
		{"to", schema{types: []string{"string"}, format: validEmail}},
		{"service_name", aString},
		{"body", aString},
	},
	required: []string{"to", "service_name", "body"},
}

var aString = schema{types: []string{"string"}}

type nextStepsBody struct {
	To          string `json:"to"`
	ServiceName string `json:"service_name"`
	Body        string `json:"body"`
}

// notifyOfNextSteps answers POST /organisation/notify-org-member-about-next-steps-of-go-live-request/{service_id}.
func (a *API) notifyOfNextSteps(w http.ResponseWriter, r *http.Request) error {
	_, body, err := readBody[nextStepsBody](r, &nextSteps)
	if err != nil {
		return err
	}
	if _, err := a.goLiveRequester(r); err != nil {
		return err
	}
	err = a.mail(r.Context(), authn.Message{
		To: body.To, Template: message.GoLiveNextSteps,
		Personalisation: map[string]any{"service_name": body.ServiceName, "body": body.Body},
	})
	if err != nil {
		return err
	}
	return noContent(w, r)
}

// goLiveRequester is who asked for the service of a path to go live, while that
// request is open.
func (a *API) goLiveRequester(r *http.Request) (*directory.User, error) {
	s, requester, err := a.goLiveService(r)
	if err != nil {
		return nil, err
	}
	if requester == nil || !s.HasActiveGoLiveRequest {
		return nil, errNotUnderstood
	}
	return requester, nil
}

var rejection = schema{
	types: []string{"object"},
	properties: []property{
		{"name", aString},
		{"service_name", aString},
		{"organisation_name", aString},
		{"reason", aString},
		{"organisation_team_member_name", aString},
		{"organisation_team_member_email", aString},
	},
	required: []string{"name", "service_name", "organisation_name", "reason", "organisation_team_member_name", "organisation_team_member_email"},
}

type rejectionBody struct {
	Name                        string `json:"name"`
	ServiceName                 string `json:"service_name"`
	OrganisationName            string `json:"organisation_name"`
	Reason                      string `json:"reason"`
	OrganisationTeamMemberName  string `json:"organisation_team_member_name"`
	OrganisationTeamMemberEmail string `json:"organisation_team_member_email"`
}

// notifyOfRejection answers POST /organisation/notify-service-member-of-rejected-go-live-request/{service_id}.
func (a *API) notifyOfRejection(w http.ResponseWriter, r *http.Request) error {
	_, body, err := readBody[rejectionBody](r, &rejection)
	if err != nil {
		return err
	}
	requester, err := a.goLiveRequester(r)
	if err != nil {
		return err
	}
	err = a.mail(r.Context(), authn.Message{
		To: requester.EmailAddress, Template: message.GoLiveRejected, Language: requester.Language,
		Personalisation: map[string]any{
			"name": body.Name, "service_name": body.ServiceName, "organisation_name": body.OrganisationName, "reason": inset(body.Reason),
			"organisation_team_member_name": body.OrganisationTeamMemberName, "organisation_team_member_email": body.OrganisationTeamMemberEmail,
		},
	})
	if err != nil {
		return err
	}
	return noContent(w, r)
}
