package notify

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// organisation is the full organisation of the API, in alphabetical order.
type organisation struct {
	Active                         bool                       `json:"active"`
	AgreementSigned                *bool                      `json:"agreement_signed"`
	AgreementSignedAt              instant                    `json:"agreement_signed_at"`
	AgreementSignedByID            uuid.NullUUID              `json:"agreement_signed_by_id"`
	AgreementSignedOnBehalfOfEmail *string                    `json:"agreement_signed_on_behalf_of_email_address"`
	AgreementSignedOnBehalfOfName  *string                    `json:"agreement_signed_on_behalf_of_name"`
	AgreementSignedVersion         *float64                   `json:"agreement_signed_version"`
	BillingContactEmailAddresses   *string                    `json:"billing_contact_email_addresses"`
	BillingContactNames            *string                    `json:"billing_contact_names"`
	BillingReference               *string                    `json:"billing_reference"`
	CanApproveOwnGoLiveRequests    bool                       `json:"can_approve_own_go_live_requests"`
	CountOfLiveServices            int                        `json:"count_of_live_services"`
	CreatedAt                      instant                    `json:"created_at"`
	Crown                          *bool                      `json:"crown"`
	Domains                        []string                   `json:"domains"`
	EmailBrandingID                uuid.NullUUID              `json:"email_branding_id"`
	ID                             uuid.UUID                  `json:"id"`
	LetterBrandingID               uuid.NullUUID              `json:"letter_branding_id"`
	Name                           string                     `json:"name"`
	Notes                          *string                    `json:"notes"`
	OrganisationType               directory.OrganisationType `json:"organisation_type"`
	Permissions                    []string                   `json:"permissions"`
	PurchaseOrderNumber            *string                    `json:"purchase_order_number"`
	RequestToGoLiveNotes           *string                    `json:"request_to_go_live_notes"`
	UpdatedAt                      instant                    `json:"updated_at"`
}

func organisationOf(o *directory.Organisation) organisation {
	return organisation{
		Active: o.Active, AgreementSigned: o.AgreementSigned, AgreementSignedAt: instant(o.AgreementSignedAt),
		AgreementSignedByID: o.AgreementSignedByID, AgreementSignedOnBehalfOfEmail: o.AgreementSignedOnBehalfOfEmail,
		AgreementSignedOnBehalfOfName: o.AgreementSignedOnBehalfOfName, AgreementSignedVersion: o.AgreementSignedVersion,
		BillingContactEmailAddresses: o.BillingContactEmailAddresses, BillingContactNames: o.BillingContactNames,
		BillingReference: o.BillingReference, CanApproveOwnGoLiveRequests: o.CanApproveOwnGoLiveRequests,
		CountOfLiveServices: o.CountOfLiveServices, CreatedAt: instant(o.CreatedAt), Crown: o.Crown, Domains: list(o.Domains),
		EmailBrandingID: o.EmailBrandingID, ID: o.ID, LetterBrandingID: o.LetterBrandingID, Name: o.Name, Notes: o.Notes,
		OrganisationType: o.Type, Permissions: list(o.Permissions), PurchaseOrderNumber: o.PurchaseOrderNumber,
		RequestToGoLiveNotes: o.RequestToGoLiveNotes, UpdatedAt: instant(o.UpdatedAt),
	}
}

// ShowOrganisation answers GET /organisation/{organisation_id}.
func (a *API) ShowOrganisation(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "organisation_id")
	if err != nil {
		return err
	}
	o, err := a.Registry.Store.Organisation(r.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, organisationOf(o))
}

// newOrganisation is the schema of POST /organisation: upstream's four
// properties, then the columns that upstream takes as they come.
var newOrganisation = schema{
	types: []string{"object"},
	properties: []property{
		{"name", schema{types: []string{"string"}, nonEmpty: true, maxLength: 255}},
		{"active", schema{types: []string{"boolean", "null"}}},
		{"crown", schema{types: []string{"boolean"}}},
		{"organisation_type", schema{enum: organisationTypes()}},
		{"agreement_signed", schema{types: []string{"boolean", "null"}}},
		{"agreement_signed_by_id", nullableID},
		{"agreement_signed_on_behalf_of_name", nullableText},
		{"agreement_signed_on_behalf_of_email_address", nullableText},
		{"agreement_signed_version", schema{types: []string{"number", "null"}}},
		{"email_branding_id", nullableID},
		{"letter_branding_id", nullableID},
		{"request_to_go_live_notes", nullableText},
		{"notes", nullableText},
		{"purchase_order_number", nullableText},
		{"billing_contact_names", nullableText},
		{"billing_contact_email_addresses", nullableText},
		{"billing_reference", nullableText},
		{"can_approve_own_go_live_requests", schema{types: []string{"boolean"}}},
	},
	required: []string{"name", "crown", "organisation_type"},
}

var (
	nullableID   = schema{types: []string{"string", "null"}, uuid: true}
	nullableText = schema{types: []string{"string", "null"}}
)

func organisationTypes() []string {
	names := make([]string, len(directory.OrganisationTypes))
	for i, t := range directory.OrganisationTypes {
		names[i] = string(t)
	}
	return names
}

// organisationBody is what POST /organisation reads, once its schema is met.
type organisationBody struct {
	Name                           string                     `json:"name"`
	Active                         *bool                      `json:"active"`
	Crown                          *bool                      `json:"crown"`
	OrganisationType               directory.OrganisationType `json:"organisation_type"`
	AgreementSigned                *bool                      `json:"agreement_signed"`
	AgreementSignedByID            uuid.NullUUID              `json:"agreement_signed_by_id"`
	AgreementSignedOnBehalfOfName  *string                    `json:"agreement_signed_on_behalf_of_name"`
	AgreementSignedOnBehalfOfEmail *string                    `json:"agreement_signed_on_behalf_of_email_address"`
	AgreementSignedVersion         *float64                   `json:"agreement_signed_version"`
	EmailBrandingID                uuid.NullUUID              `json:"email_branding_id"`
	LetterBrandingID               uuid.NullUUID              `json:"letter_branding_id"`
	RequestToGoLiveNotes           *string                    `json:"request_to_go_live_notes"`
	Notes                          *string                    `json:"notes"`
	PurchaseOrderNumber            *string                    `json:"purchase_order_number"`
	BillingContactNames            *string                    `json:"billing_contact_names"`
	BillingContactEmailAddresses   *string                    `json:"billing_contact_email_addresses"`
	BillingReference               *string                    `json:"billing_reference"`
	CanApproveOwnGoLiveRequests    bool                       `json:"can_approve_own_go_live_requests"`
}

// CreateOrganisation answers POST /organisation.
func (a *API) CreateOrganisation(w http.ResponseWriter, r *http.Request) error {
	raw, v, err := readValue(r)
	if err != nil {
		return err
	}
	if err := newOrganisation.validate(v); err != nil {
		return err
	}
	var b organisationBody
	if err := web.DecodeJSON(raw, &b, false); err != nil {
		return errNotUnderstood // a number that no float holds
	}
	o, err := a.Registry.CreateOrganisation(r.Context(), directory.NewOrganisation{
		Name: b.Name, Inactive: b.Active != nil && !*b.Active, Crown: b.Crown, Type: b.OrganisationType,
		AgreementSigned: b.AgreementSigned, AgreementSignedByID: b.AgreementSignedByID,
		AgreementSignedOnBehalfOfName: b.AgreementSignedOnBehalfOfName, AgreementSignedOnBehalfOfEmail: b.AgreementSignedOnBehalfOfEmail,
		AgreementSignedVersion: b.AgreementSignedVersion, EmailBrandingID: b.EmailBrandingID, LetterBrandingID: b.LetterBrandingID,
		RequestToGoLiveNotes: b.RequestToGoLiveNotes, Notes: b.Notes, PurchaseOrderNumber: b.PurchaseOrderNumber,
		BillingContactNames: b.BillingContactNames, BillingContactEmailAddresses: b.BillingContactEmailAddresses,
		BillingReference: b.BillingReference, CanApproveOwnGoLiveRequests: b.CanApproveOwnGoLiveRequests,
	}, directory.CallerFrom(r.Context()).Actor())
	if err != nil {
		return organisationFault(err)
	}
	return writeJSON(w, r, http.StatusCreated, organisationOf(o))
}

func organisationFault(err error) error {
	if conflict, ok := errors.AsType[*directory.ConflictError](err); ok {
		if conflict.Field == "domains" {
			return fault(http.StatusBadRequest, "Domain already exists")
		}
		return fault(http.StatusBadRequest, "Organisation name already exists")
	}
	if field, ok := errors.AsType[*directory.FieldError](err); ok {
		return schemaFault([]string{field.Field + " " + field.Reason})
	}
	return err
}
